// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a User VM:
 *
 *	created or reset	START makes it running, PAUSE paused
 *	running			PAUSE makes it paused
 *	paused			RESET makes it reset, DESTROY destroyed
 *
 * These transitions run in process context with &struct acrn_file.lock held for
 * writing, so that no other ioctl sees one half done; when the file was closed,
 * no ioctl can reach the VM. The upcall and whoever sends interrupts read the
 * state without a lock: wake.c says what is sent to the VM in which state, and
 * how they see the change in time.
 *
 * PAUSE_VM of a running VM of higher severity than that of the Service VM, as an
 * RTVM has, returns 0 and pauses nothing. Here the state of the VM is "paused" from
 * then on. That makes no difference to the VM: ACRN refuses every notification and
 * interrupt for it at any time, and such a VM polls for completion.
 */
#include <linux/compiler.h>

#include "acrn_hypercall.h"
#include "hsm.h"

/*
 * The hypervisor lets the VM run. Send what was held back before. Process
 * context; &struct acrn_file.lock is held for writing, or no ioctl can reach
 * the VM.
 */
static void enter_running(struct acrn_vm *vm)
{
	acrn_wake_set_state(vm, ACRN_VM_RUNNING);
	acrn_dataplane_flush_held(vm, true);
	acrn_wake_held(vm);
}

/**
 * acrn_vm_start() - ACRN_IOCTL_START_VM
 * @vm:	VM
 *
 * A request that the VM makes before its state changes here may be completed at
 * once; the notification is held back until the state has changed.
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held for writing.
 * Return: 0; -EINVAL when the VM has no vCPU, which would make the hypervisor
 *	   itself fault; or the hypervisor's errno
 */
int acrn_vm_start(struct acrn_vm *vm)
{
	int ret;

	if (!vm->vcpu_num)
		return -EINVAL;
	WRITE_ONCE(vm->memory.started, true);
	acrn_async_prepare(vm);
	ret = acrn_hc_start_vm(vm->vmid);
	if (!ret)
		enter_running(vm);
	return ret;
}

/**
 * acrn_vm_pause() - ACRN_IOCTL_PAUSE_VM
 * @vm:	VM
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held for writing.
 * Return: 0, upon which all that the guest has rung is signalled; or the
 *	   hypervisor's errno, upon which the VM runs on if it ran
 */
int acrn_vm_pause(struct acrn_vm *vm)
{
	enum acrn_vm_state before = vm->state;
	int ret;

	acrn_wake_set_state(vm, ACRN_VM_PAUSED);
	ret = acrn_hc_pause_vm(vm->vmid);
	if (!ret) {
		/* The upcall for the last doorbells may not have come yet. */
		acrn_async_drain(vm);
		acrn_vm_event_paused(vm);
		return 0;
	}
	if (before == ACRN_VM_RUNNING)
		enter_running(vm);
	else
		acrn_wake_set_state(vm, before);
	return ret;
}

/**
 * acrn_vm_reset() - ACRN_IOCTL_RESET_VM
 * @vm:	VM
 *
 * Requests that the device model has not answered are forgotten, as their vCPUs
 * begin anew.
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held for writing.
 * Return: 0 or the hypervisor's errno, which is that of a VM that is not paused
 */
int acrn_vm_reset(struct acrn_vm *vm)
{
	unsigned long polling;
	int ret;

	/* The hypervisor frees all slots: the upcall must be through with them. */
	acrn_upcall_flush(vm);
	polling = acrn_ioreq_polling(vm);
	ret = acrn_hc_reset_vm(vm->vmid);
	if (ret)
		return ret;
	acrn_ioreq_reset(vm, polling);
	acrn_memory_reset(&vm->memory);
	acrn_vm_event_reset(vm);
	acrn_dataplane_flush_held(vm, false);
	acrn_wake_forget_held(vm);
	acrn_wake_set_state(vm, ACRN_VM_CREATED);
	return 0;
}

/**
 * acrn_vm_end() - Have the hypervisor destroy a VM
 * @vm:	VM, paused: ACRN destroys no other
 *
 * Context: Process context, may sleep. vmid_lock of vm.c is held, and &struct
 *	    acrn_file.lock for writing unless no ioctl can reach the VM. The
 *	    upcall, the thread and irqfds still can: they send nothing to a
 *	    paused VM nor to a destroyed one, so nobody has to see this change in
 *	    time, and acrn_wake_set_state() is not needed.
 * Return: 0, upon which the id may be that of another VM; or the hypervisor's
 *	   errno, upon which the VM is as it was
 */
int acrn_vm_end(struct acrn_vm *vm)
{
	int ret;

	ret = acrn_hc_destroy_vm(vm->vmid);
	/*
	 * ACRN's shutdown_vm() can time out when the VM is gone already: it
	 * then waits for CPUs to go offline. Of the VMs that got as far as
	 * this, only one that is gone cannot be paused.
	 */
	if (ret && acrn_hc_pause_vm(vm->vmid))
		ret = 0;
	if (!ret)
		WRITE_ONCE(vm->state, ACRN_VM_DESTROYED);
	return ret;
}
