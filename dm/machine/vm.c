// SPDX-License-Identifier: GPL-2.0
/*
 * The User VM. The main thread creates, starts and destroys it, and then no
 * other thread runs; the thread that handles I/O requests resets it.
 * vm_request(), vm_requested() and vm_inject_msi() are for any thread: @request
 * is atomic, and the HSM takes MSIs from any. All else in struct vm is constant
 * while the VM runs, or says itself whose it is.
 */
#include <errno.h>
#include <string.h>

#include "boot/madt.h"
#include "machine/vm.h"
#include "process/log.h"

/**
 * vm_create() - Create a VM without devices
 * @vm:			Result, zeroed but for @vm->loader, which is open
 * @name:		Name, for the hypervisor
 * @cpus:		Physical CPUs, one vCPU on each
 * @memory:		Bytes of RAM
 * @hugepages:		Take it from 2 MiB pages
 * @completion_polling: vCPUs spin until their I/O requests are complete
 *
 * Return: 0 or -errno, with a message printed.
 */
int vm_create(struct vm *vm, const char *name, uint64_t cpus, uint64_t memory,
	      bool hugepages, bool completion_polling)
{
	int ret;

	ret = event_loop_init(&vm->events);
	if (ret) {
		log_error("cannot make the event loop: %s", strerror(-ret));
		return ret;
	}
	ret = hsm_open(&vm->hsm);
	if (ret)
		goto deinit_events;
	ret = madt_lapic_ids(cpus, vm->lapic_ids);
	if (ret)
		goto close_hsm;
	ret = mem_create(&vm->mem, memory, hugepages);
	if (ret)
		goto close_hsm;
	ret = hsm_create_vm(&vm->hsm, name, cpus, completion_polling);
	if (ret)
		goto destroy_mem;
	ret = hsm_map_memory(&vm->hsm, &vm->mem);
	if (ret)
		goto destroy_vm;

	pci_bus_init(&vm->pci, &vm->mmio);
	return 0;

destroy_vm:
	hsm_destroy_vm(&vm->hsm);
destroy_mem:
	mem_destroy(&vm->mem);
close_hsm:
	hsm_close(&vm->hsm);
deinit_events:
	event_loop_deinit(&vm->events);
	return ret;
}

/*
 * Destroy the devices, the one added last first, then the VM. The thread of I/O
 * requests has ended.
 */
void vm_destroy(struct vm *vm)
{
	hsm_pause_vm(&vm->hsm);
	while (vm->devices) {
		struct vm_device *device = vm->devices;

		vm->devices = device->next;
		device->destroy(device);
	}
	hsm_destroy_vm(&vm->hsm);
	mem_destroy(&vm->mem);
	hsm_close(&vm->hsm);
	event_loop_deinit(&vm->events);
}

/* Have the VM reset and destroy the device from now on. Main thread. */
void vm_add_device(struct vm *vm, struct vm_device *device)
{
	device->next = vm->devices;
	vm->devices = device;
}

/* Ask for a reset or for the end of the VM. Any thread. */
void vm_request(struct vm *vm, enum vm_request request)
{
	int old = atomic_load(&vm->request);

	while (old < (int)request &&
	       !atomic_compare_exchange_weak(&vm->request, &old, request))
		;
	if (request > VM_REBOOT)
		event_loop_stop(&vm->events);
}

/* What is to become of the VM by now. Any thread. */
enum vm_request vm_requested(struct vm *vm)
{
	return atomic_load(&vm->request);
}

/*
 * Load the software and start the first vCPU. Main thread, or at a reset the
 * thread of I/O requests; no vCPU runs. Returns 0 or -errno, with a message
 * printed.
 */
int vm_start(struct vm *vm)
{
	struct acrn_regs regs;
	int ret;

	ret = loader_load(&vm->loader, &vm->mem, vm->lapic_ids, vm->hsm.vcpus,
			  &regs);
	return ret ? ret : hsm_start(&vm->hsm, &regs);
}

/*
 * Reset the VM and start it again. Thread of I/O requests. Returns 0 or -errno,
 * with a message printed.
 */
int vm_reset(struct vm *vm)
{
	struct vm_device *device;
	int request = VM_REBOOT;
	int ret;

	ret = hsm_stop_for_reset(&vm->hsm);
	if (ret)
		return ret;
	for (device = vm->devices; device; device = device->next)
		device->reset(device);
	vm->stats.reboots++;
	atomic_compare_exchange_strong(&vm->request, &request, VM_RUN);
	return vm_start(vm);
}

/*
 * Send an MSI. Any thread. It fails if the guest has written an address or data
 * that no MSI has.
 */
void vm_inject_msi(struct vm *vm, const struct acrn_msi_entry *msi)
{
	int ret = hsm_inject_msi(&vm->hsm, msi);

	vm->stats.msis_injected++;
	if (ret)
		log_guest("cannot send an MSI to %#llx with data %#llx: %s",
			  (unsigned long long)msi->msi_addr,
			  (unsigned long long)msi->msi_data, strerror(-ret));
}
