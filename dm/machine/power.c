// SPDX-License-Identifier: GPL-2.0
/*
 * The main thread calls power_init(); the thread that handles I/O requests
 * calls the rest, when the guest or the hypervisor writes to a port. There is
 * no state but the request of the VM, which is atomic.
 */
#include "boot/acpi.h"
#include "machine/power.h"

/*
 * When a vCPU of a User VM has a triple fault, ACRN writes "S5" to the register
 * PM1a control on its behalf. The FADT tells the guest of no such register, so
 * that such a write stands for a crash.
 */
#define CRASH_PORT	0x404
#define CRASH_PORT_SIZE 2
#define CRASH_VALUE	(0x2000 | 5 << 10)

/*
 * The guest has written the sleep control register: does it switch the VM off?
 */
static void sleep_control(struct vm *vm, uint8_t value)
{
	unsigned int type =
		(value & ACPI_SLEEP_TYPE_MASK) >> ACPI_SLEEP_TYPE_SHIFT;

	if ((value & ACPI_SLEEP_ENABLE) && type == ACPI_SLEEP_TYPE_S5)
		vm_request(vm, VM_POWER_OFF);
}

/* The sleep status register always says that the machine has not woken up. */
static uint64_t power_read(void *dev, uint64_t offset, unsigned int size)
{
	(void)dev, (void)offset, (void)size;
	return 0;
}

/* The guest has written to the ports that switch the VM off and reset it. */
static void power_write(void *dev, uint64_t offset, unsigned int size,
			uint64_t value)
{
	(void)size;
	switch (ACPI_SLEEP_CONTROL_PORT + offset) {
	case ACPI_SLEEP_CONTROL_PORT:
		sleep_control(dev, value);
		break;
	case ACPI_RESET_PORT:
		if ((value & 0xff) == ACPI_RESET_VALUE)
			vm_request(dev, VM_REBOOT);
		break;
	}
}

static const struct io_ops power_ops = {
	.read = power_read,
	.write = power_write,
};

/* The hypervisor reports a triple fault, or the guest writes the same. */
static void crash_write(void *dev, uint64_t offset, unsigned int size,
			uint64_t value)
{
	(void)offset;
	if (size == CRASH_PORT_SIZE && value == CRASH_VALUE)
		vm_request(dev, VM_CRASHED);
}

static const struct io_ops crash_ops = { .write = crash_write };

/* Put the ports on the VM's bus. */
void power_init(struct power *power, struct vm *vm)
{
	power->acpi = (struct io_range){
		.base = ACPI_SLEEP_CONTROL_PORT,
		.size = ACPI_RESET_PORT - ACPI_SLEEP_CONTROL_PORT + 1,
		.ops = &power_ops,
		.dev = vm,
	};
	power->crash = (struct io_range){
		.base = CRASH_PORT,
		.size = CRASH_PORT_SIZE,
		.ops = &crash_ops,
		.dev = vm,
	};
	bus_add(&vm->pio, &power->acpi);
	bus_add(&vm->pio, &power->crash);
}
