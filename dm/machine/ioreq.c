// SPDX-License-Identifier: GPL-2.0
/*
 * The thread that handles the I/O requests of all vCPUs. All functions run in
 * it, but for ioreq_start() and ioreq_stop(), which the main thread calls. Each
 * slot belongs to this thread from when the HSM hands it over (is_ours()) until
 * hsm_finish_request(). Buses, PCI and the devices' registers belong to this
 * thread alone, so that there is no lock.
 *
 * To end the thread, vm->request is set and SIGUSR1 sent to it, which ends the
 * HSM's wait for requests. A signal that comes after the thread has looked at
 * vm->request and before it waits has no effect, so it is sent until the thread
 * is gone.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "machine/ioreq.h"
#include "machine/vm.h"
#include "process/log.h"

#define STOP_SIGNAL   SIGUSR1
#define STOP_RETRY_NS 10000000

/* Whether an access of a guest has a size that the device is asked for. */
static bool valid_size(uint64_t size, uint64_t max)
{
	return (size == 1 || size == 2 || size == 4 || size == 8) &&
	       size <= max;
}

static uint64_t truncate_to(uint64_t value, unsigned int size)
{
	return size == 8 ? value : value & ((1ULL << 8 * size) - 1);
}

/* Have the device at a port answer. A read of another size gives all ones. */
static void handle_pio(struct vm *vm, struct acrn_pio_request *pio)
{
	uint64_t port = pio->address, size = pio->size;
	bool write = pio->direction == ACRN_IOREQ_DIR_WRITE;

	vm->stats.requests_pio++;
	if (!valid_size(size, 4)) {
		pio->value = UINT32_MAX;
		return;
	}
	if (write)
		bus_write(&vm->pio, port, size, truncate_to(pio->value, size));
	else
		pio->value = truncate_to(bus_read(&vm->pio, port, size), size);
}

/*
 * Have the device at an address answer. A read of another size gives all ones.
 */
static void handle_mmio(struct vm *vm, struct acrn_mmio_request *mmio)
{
	uint64_t addr = mmio->address, size = mmio->size;
	bool write = mmio->direction == ACRN_IOREQ_DIR_WRITE;

	vm->stats.requests_mmio++;
	if (!valid_size(size, 8)) {
		mmio->value = UINT64_MAX;
		return;
	}
	if (write)
		bus_write(&vm->mmio, addr, size,
			  truncate_to(mmio->value, size));
	else
		mmio->value =
			truncate_to(bus_read(&vm->mmio, addr, size), size);
}

/* Access configuration space. A read of another size gives all ones. */
static void handle_pci(struct vm *vm, struct acrn_pci_request *pci)
{
	uint64_t size = pci->size;
	bool write = pci->direction == ACRN_IOREQ_DIR_WRITE;
	uint32_t value;

	vm->stats.requests_pci++;
	if (!valid_size(size, 4)) {
		pci->value = UINT32_MAX;
		return;
	}
	if (write) {
		pci_config_write(&vm->pci, pci->bus, pci->dev, pci->func,
				 pci->reg, size, pci->value);
	} else {
		value = pci_config_read(&vm->pci, pci->bus, pci->dev, pci->func,
					pci->reg, size);
		pci->value = truncate_to(value, size);
	}
}

/* Handle a request by its type, and put the result of a read into the slot. */
static void handle_request(struct vm *vm, struct acrn_io_request *request)
{
	switch (request->type) {
	case ACRN_IOREQ_TYPE_PORTIO:
		handle_pio(vm, &request->reqs.pio_request);
		break;
	case ACRN_IOREQ_TYPE_MMIO:
		handle_mmio(vm, &request->reqs.mmio_request);
		break;
	case ACRN_IOREQ_TYPE_PCICFG:
		handle_pci(vm, &request->reqs.pci_request);
		break;
	}
}

/* Is the request in this slot for the device model, not for a kernel client? */
static bool is_ours(const struct acrn_io_request *request)
{
	return __atomic_load_n(&request->processed, __ATOMIC_ACQUIRE) ==
		       ACRN_IOREQ_STATE_PROCESSING &&
	       !request->kernel_handled;
}

/*
 * Handle the pending requests of all vCPUs. A request that resets or ends the
 * VM is not completed, so that its vCPU does not run on.
 */
static int handle_requests(struct vm *vm)
{
	unsigned int vcpu;
	int ret = 0;

	for (vcpu = 0; !ret && vcpu < vm->hsm.vcpus; vcpu++) {
		struct acrn_io_request *request =
			&vm->hsm.slots->req_slot[vcpu];

		if (!is_ours(request))
			continue;
		handle_request(vm, request);
		if (vm_requested(vm) != VM_RUN)
			break;
		ret = hsm_finish_request(&vm->hsm, vcpu);
	}
	return ret;
}

/*
 * Wait for requests and handle them, and reset the VM if one asked for that.
 * Returns 0 or -errno, with a message printed.
 */
static int wait_and_handle(struct vm *vm)
{
	int ret;

	ret = hsm_wait_request(&vm->hsm);
	if (!ret)
		ret = handle_requests(vm);
	if (ret) {
		log_error("cannot wait for I/O requests or complete one: %s",
			  strerror(-ret));
		return ret;
	}
	return vm_requested(vm) == VM_REBOOT ? vm_reset(vm) : 0;
}

/* The thread, until the VM is to end for any other reason than a reset. */
static void *ioreq_thread(void *opaque)
{
	struct vm *vm = opaque;

	while (vm_requested(vm) <= VM_REBOOT)
		if (wait_and_handle(vm))
			vm_request(vm, VM_ERROR);
	return NULL;
}

/* The signal's only purpose is to end a system call. */
static void ignore_signal(int signo)
{
	(void)signo;
}

/* Start the thread. Returns 0 or -errno, with a message printed. */
int ioreq_start(struct vm *vm)
{
	const struct sigaction action = { .sa_handler = ignore_signal };
	int ret;

	/* Without SA_RESTART the signal has blocking system calls fail. */
	sigaction(STOP_SIGNAL, &action, NULL);
	ret = -pthread_create(&vm->thread, NULL, ioreq_thread, vm);
	if (ret)
		log_error("cannot start the thread for I/O requests: %s",
			  strerror(-ret));
	return ret;
}

/* End the thread and wait for it; vm->request says already that the VM ends. */
void ioreq_stop(struct vm *vm)
{
	struct timespec until;

	do {
		pthread_kill(vm->thread, STOP_SIGNAL);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += STOP_RETRY_NS;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
	} while (pthread_timedjoin_np(vm->thread, NULL, &until) == ETIMEDOUT);
}
