// SPDX-License-Identifier: GPL-2.0
/*
 * Devices that the device model does not emulate. Calls for PCI devices and
 * their interrupts must reach the hypervisor byte for byte; the User VM
 * accesses the memory of an MMIO device, and a device that the hypervisor
 * emulates. All of that is refused to a task without CAP_SYS_RAWIO.
 */
#include <linux/capability.h>
#include <sys/syscall.h>

#include "acrn_hypercall.h"
#include "conformance.h"
#include "raw_guest.h"

#define DEVICE_ADDR  0x90000000U
#define BDF(b, d, f) ((b) << 8 | (d) << 3 | (f))

/* A comparator of the HPET that Linux does not use, so a value stays there */
#define HPET_COMPARATOR 0x148
#define HPET_VENDOR	0x8086

#define VRP_ID	     0x9d148086U
#define VRP_BUS	     0
#define VRP_DEV	     9
#define PCI_ADDRESS  0xcf8
#define PCI_DATA     0xcfc
#define PCI_AT(d, r) (0x80000000U | (d) << 11 | (r))
#define REG_ID	     0x00
#define REG_CLASS    0x08
#define REG_BUSES    0x18
#define CLASS_BRIDGE 0x0604

/* Make a call, and check that the hypervisor got @arg unchanged. */
#define expect_passed_on(vm, call, arg, name)                                  \
	do {                                                                   \
		tap_success(ioctl((vm)->fd, ACRN_IOCTL_##call, arg), name);    \
		fixture_ok(hv_saw(ACRN_HC_##call, (vm)->vmid, arg,             \
				  sizeof(*(arg))),                             \
			   "%s: byte for byte", name);                         \
	} while (0)

static void test_pcidev(void)
{
	struct acrn_pcidev device = {
		.type = ACRN_PTDEV_QUIRK_ASSIGN,
		.virt_bdf = BDF(0, 6, 1),
		.phys_bdf = BDF(2, 0, 3),
		.intr_line = 11,
		.intr_pin = 2,
		.bar = { 0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff00,
			 0x01020304, 0x05060708 },
	};
	struct raw_vm vm, other;

	if (fixture_skip("PCI devices", "ASSIGN_PCIDEV"))
		return;
	vm = raw_vm_create(cpus[0], 0);
	other = raw_vm_create(cpus[1], 0);

	expect_passed_on(&vm, ASSIGN_PCIDEV, &device, "ASSIGN_PCIDEV");
	tap_errno(ioctl(other.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &device), ENODEV,
		  "ASSIGN_PCIDEV: a device of another VM");
	tap_errno(ioctl(other.fd, ACRN_IOCTL_DEASSIGN_PCIDEV, &device), ENODEV,
		  "DEASSIGN_PCIDEV: a device of another VM");
	expect_passed_on(&vm, DEASSIGN_PCIDEV, &device, "DEASSIGN_PCIDEV");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_DEASSIGN_PCIDEV, &device), ENODEV,
		  "DEASSIGN_PCIDEV twice");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &device),
		    "ASSIGN_PCIDEV again");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, NULL), EFAULT,
		  "ASSIGN_PCIDEV: no argument");

	ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM);
	device.phys_bdf++;
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &device), EINVAL,
		  "ASSIGN_PCIDEV: too late");
	device.phys_bdf--;
	raw_vm_close(&vm);
	tap_success(ioctl(other.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &device),
		    "ASSIGN_PCIDEV: the former owner has ended");
	raw_vm_close(&other);
}

static void test_ptdev_intr(void)
{
	struct acrn_pcidev device = { .virt_bdf = BDF(0, 6, 0),
				      .phys_bdf = BDF(2, 0, 0) };
	struct acrn_ptdev_irq irq = {
		.type = ACRN_PTDEV_IRQ_INTX,
		.virt_bdf = device.virt_bdf,
		.phys_bdf = device.phys_bdf,
		.intx = { .virt_pin = 17, .phys_pin = 19 },
	};
	struct raw_vm vm;

	if (fixture_skip("PCI devices", "SET_PTDEV_INTR"))
		return;
	vm = raw_vm_create(cpus[0], 0);
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_SET_PTDEV_INTR, &irq), EPERM,
		  "SET_PTDEV_INTR: the device is not assigned");
	ioctl(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &device);
	expect_passed_on(&vm, SET_PTDEV_INTR, &irq, "SET_PTDEV_INTR");
	expect_passed_on(&vm, RESET_PTDEV_INTR, &irq, "RESET_PTDEV_INTR");
	irq.type = ACRN_PTDEV_IRQ_MSI;
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_SET_PTDEV_INTR, &irq), EPERM,
		  "SET_PTDEV_INTR: an MSI");
	irq.type = ACRN_PTDEV_IRQ_INTX;
	irq.intx.is_pic_pin = 1;
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_SET_PTDEV_INTR, &irq), EPERM,
		  "SET_PTDEV_INTR: a pin that the PIC does not have");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_RESET_PTDEV_INTR, NULL), EFAULT,
		  "RESET_PTDEV_INTR: no argument");
	raw_vm_close(&vm);
}

static struct acrn_mmiodev mmiodev(uint64_t from, uint64_t size)
{
	struct acrn_mmiodev device = {
		.name = "device",
		.res[0] = { .user_vm_pa = DEVICE_ADDR,
			    .service_vm_pa = from,
			    .size = size,
			    .mem_type = ACRN_MEM_TYPE_UC },
	};

	return device;
}

static void expect_mmiodev(const struct raw_vm *vm, uint64_t from,
			   uint64_t size, const char *name)
{
	struct acrn_mmiodev device = mmiodev(from, size);

	tap_errno(ioctl(vm->fd, ACRN_IOCTL_ASSIGN_MMIODEV, &device), EINVAL,
		  "ASSIGN_MMIODEV: %s", name);
	tap_errno(ioctl(vm->fd, ACRN_IOCTL_DEASSIGN_MMIODEV, &device), EINVAL,
		  "DEASSIGN_MMIODEV: %s", name);
}

static void expect_ram(const struct raw_vm *vm, uint64_t from, uint64_t size,
		       const char *name)
{
	struct acrn_mmiodev device = mmiodev(from, size);

	if (differs_skip("mmio-is-ram", "the kernel loses that memory", name))
		return;
	tap_errno(ioctl(vm->fd, ACRN_IOCTL_ASSIGN_MMIODEV, &device), EPERM,
		  "ASSIGN_MMIODEV: %s", name);
	tap_errno(ioctl(vm->fd, ACRN_IOCTL_DEASSIGN_MMIODEV, &device), EPERM,
		  "DEASSIGN_MMIODEV: %s", name);
}

static void test_mmiodev_arguments(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	void *page = raw_pages(PAGE);

	expect_mmiodev(&vm, HPET + 8, PAGE, "not aligned");
	expect_mmiodev(&vm, HPET, 100, "size not aligned");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_ASSIGN_MMIODEV, NULL), EFAULT,
		  "ASSIGN_MMIODEV: no argument");
	expect_ram(&vm, raw_physical(page), PAGE, "the kernel's RAM");
	expect_ram(&vm, 0, 0x200000, "partly the kernel's RAM");
	expect_ram(&vm, -PAGE, 2 * PAGE, "wraps");
	munmap(page, PAGE);
	raw_vm_close(&vm);
}

/* Have CAP_SYS_RAWIO, or not; it stays permitted. */
static void set_raw_io(bool on)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3,
						   0 };
	struct __user_cap_data_struct data[2];
	uint32_t bit = CAP_TO_MASK(CAP_SYS_RAWIO);

	if (syscall(SYS_capget, &header, data))
		err(1, "capget");
	data[0].effective =
		on ? data[0].effective | bit : data[0].effective & ~bit;
	if (syscall(SYS_capset, &header, data))
		err(1, "capset");
}

/* What gives a VM a part of the machine, by a task that may not access it. */
static void test_without_raw_io(void)
{
	static const struct {
		unsigned long request;
		const char *name;
	} ioctls[] = {
		{ ACRN_IOCTL_ASSIGN_PCIDEV, "ASSIGN_PCIDEV" },
		{ ACRN_IOCTL_DEASSIGN_PCIDEV, "DEASSIGN_PCIDEV" },
		{ ACRN_IOCTL_SET_PTDEV_INTR, "SET_PTDEV_INTR" },
		{ ACRN_IOCTL_RESET_PTDEV_INTR, "RESET_PTDEV_INTR" },
		{ ACRN_IOCTL_ASSIGN_MMIODEV, "ASSIGN_MMIODEV" },
		{ ACRN_IOCTL_DEASSIGN_MMIODEV, "DEASSIGN_MMIODEV" },
		{ ACRN_IOCTL_CREATE_VDEV, "CREATE_VDEV" },
		{ ACRN_IOCTL_DESTROY_VDEV, "DESTROY_VDEV" },
	};
	struct raw_vm vm = raw_vm_create(cpus[0], 0);

	set_raw_io(false);
	/* Without an argument, so that they fail in any case. */
	for (size_t i = 0; i < sizeof(ioctls) / sizeof(*ioctls); i++)
		differs_errno("raw-io", ioctl(vm.fd, ioctls[i].request, NULL),
			      EPERM, EFAULT, "without CAP_SYS_RAWIO: %s",
			      ioctls[i].name);
	differs_errno("raw-io", raw_set_mmio(vm.fd, 0x1000, HPET, PAGE), EPERM,
		      0, "without CAP_SYS_RAWIO: SET_MEMSEG of type MMIO");
	set_raw_io(true);
	raw_vm_close(&vm);
}

/* Pause the VM. Its request stays unanswered; restart() clears it. */
static void stop(const struct guest *guest)
{
	wait_request(guest);
	tap_success(ioctl(guest->vm.fd, ACRN_IOCTL_PAUSE_VM), "PAUSE_VM");
}

static void restart(const struct guest *guest)
{
	tap_success(ioctl(guest->vm.fd, ACRN_IOCTL_RESET_VM), "RESET_VM");
	start(guest);
}

static void test_mmiodev(void)
{
	struct guest guest = guest_create(cpus[0], 0);
	struct acrn_mmiodev device = mmiodev(HPET, PAGE);
	int mem = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	volatile uint32_t *hpet =
		mmap(NULL, PAGE, PROT_READ, MAP_SHARED, mem, HPET);
	uint32_t value;

	if (hpet == MAP_FAILED)
		err(1, "/dev/mem");
	create_client(&guest);
	expect_passed_on(&guest.vm, ASSIGN_MMIODEV, &device, "ASSIGN_MMIODEV");
	tap_eq(*hpet, ~0U, "MMIO device: the Service VM has lost it");
	start(&guest);
	value = read_memory(&guest, DEVICE_ADDR, 0);
	tap_eq(value >> 16, HPET_VENDOR, "MMIO device: the guest reads it");
	write_memory(&guest, DEVICE_ADDR + HPET_COMPARATOR, 0x12345678);
	tap_eq(guest.requests, 0, "MMIO device: no request for a write");
	value = read_memory(&guest, DEVICE_ADDR + HPET_COMPARATOR, 0);
	tap_eq(value, 0x12345678, "MMIO device: the guest writes to it");
	tap_eq(guest.requests, 0, "MMIO device: no request for a read");
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_DEASSIGN_MMIODEV, &device),
		  EINVAL, "DEASSIGN_MMIODEV: the VM runs");

	stop(&guest);
	expect_passed_on(&guest.vm, DEASSIGN_MMIODEV, &device,
			 "DEASSIGN_MMIODEV");
	tap_eq(*hpet >> 16, HPET_VENDOR,
	       "MMIO device: the Service VM has it again");
	restart(&guest);
	value = read_memory(&guest, DEVICE_ADDR, 0x5a5a);
	tap_ok(value == 0x5a5a && guest.requests == 1 &&
		       guest.seen.type == ACRN_IOREQ_TYPE_MMIO,
	       "MMIO device: it is gone");
	munmap((void *)hpet, PAGE);
	close(mem);
	guest_close(&guest);
}

static uint32_t read_config(struct guest *guest, int dev, int reg)
{
	int requests;

	write_port(guest, 4, PCI_ADDRESS, PCI_AT(dev, reg));
	requests = guest->requests;
	read_port(guest, 4, PCI_DATA, 0xabcd);
	guest->requests += requests;
	return guest->box->value;
}

static void write_config(struct guest *guest, int dev, int reg, uint32_t value)
{
	int requests;

	write_port(guest, 4, PCI_ADDRESS, PCI_AT(dev, reg));
	requests = guest->requests;
	write_port(guest, 4, PCI_DATA, value);
	guest->requests += requests;
}

static void check_vdev(struct guest *guest)
{
	uint32_t value = read_config(guest, VRP_DEV, REG_ID);

	tap_eq(value, VRP_ID, "virtual device: its id");
	tap_eq(guest->requests, 0, "virtual device: no request");
	value = read_config(guest, VRP_DEV, REG_CLASS);
	tap_eq(value >> 16, CLASS_BRIDGE, "virtual device: its class");
	write_config(guest, VRP_DEV, REG_BUSES, 0x00050400);
	tap_eq(guest->requests, 0, "virtual device: no request for a write");
	value = read_config(guest, VRP_DEV, REG_BUSES);
	tap_eq(value, 0x00050400, "virtual device: it is written to");
	write_config(guest, VRP_DEV, REG_ID, 0);
	value = read_config(guest, VRP_DEV, REG_ID);
	tap_eq(value, VRP_ID, "virtual device: its id is read only");

	value = read_config(guest, VRP_DEV + 1, REG_ID);
	tap_ok(value == 0xabcd && guest->requests == 1 &&
		       guest->seen.type == ACRN_IOREQ_TYPE_PCICFG &&
		       guest->seen.reqs.pci_request.dev == VRP_DEV + 1,
	       "virtual device: the one beside it is the device model's");
}

static void test_vdev(void)
{
	struct guest guest = guest_create(cpus[0], 0);
	struct acrn_vdev device = { .id.value = VRP_ID,
				    .slot = BDF(VRP_BUS, VRP_DEV, 0),
				    .io_addr = { 1, 2, 3, 4, 5, 6 },
				    .io_size = { 7, 8, 9, 10, 11, 12 } };
	struct acrn_vdev unknown = { .id.value = 0x12345678 };
	uint32_t value;

	for (unsigned int i = 0; i < sizeof(device.args); i++)
		device.args[i] = i;
	create_client(&guest);
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_CREATE_VDEV, &unknown), EINVAL,
		  "CREATE_VDEV: unknown device");
	if (fixture_skip("virtual root port", "CREATE_VDEV"))
		return;
	expect_passed_on(&guest.vm, CREATE_VDEV, &device, "CREATE_VDEV");
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_CREATE_VDEV, &device), EINVAL,
		  "CREATE_VDEV: slot in use");
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_CREATE_VDEV, NULL), EFAULT,
		  "CREATE_VDEV: no argument");
	start(&guest);
	check_vdev(&guest);
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_DESTROY_VDEV, &device), EINVAL,
		  "DESTROY_VDEV: the VM runs");

	stop(&guest);
	expect_passed_on(&guest.vm, DESTROY_VDEV, &device, "DESTROY_VDEV");
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_DESTROY_VDEV, &device), EINVAL,
		  "DESTROY_VDEV twice");
	restart(&guest);
	value = read_config(&guest, VRP_DEV, REG_ID);
	tap_ok(value == 0xabcd && guest.requests == 1,
	       "virtual device: it is gone");
	guest_close(&guest);
}

void test_devices(void)
{
	group(test_without_raw_io);
	group(test_pcidev);
	group(test_ptdev_intr);
	group(test_mmiodev_arguments);
	group(test_mmiodev);
	group(test_vdev);
}
