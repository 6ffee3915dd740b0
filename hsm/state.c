// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a User VM, and what may be sent to the hypervisor during it:
 *
 *	state		notifications	interrupts	ends with
 *	created, reset	held back	sent		START, PAUSE
 *	running		sent		sent		PAUSE
 *	paused		held back	held back	RESET, DESTROY
 *	destroyed	held back	held back
 *
 * PAUSE_VM puts the vCPUs to sleep, but ACRN lets a notification wake one that
 * waits for an I/O request, and an interrupt one that has halted. Such a vCPU
 * enters the guest again without a look at its VM's state, and when the VM is
 * destroyed under it, the hypervisor stops. Therefore nothing is sent from
 * before PAUSE_VM on.
 *
 * Nothing is missed: ACRN starts a VM only after its creation or a reset, which
 * forgets all requests and interrupts. What is due is held back until then, for
 * the case that the hypervisor refuses to pause and the VM runs on; but what a
 * device model asks for by ioctl, which does not meet that case, is dropped.
 *
 * PAUSE_VM of a running VM of higher severity than the Service VM's, as an RTVM
 * has, returns 0 and pauses nothing. Here it is paused from then on. This makes
 * no difference to the VM, since ACRN refuses each notification and interrupt
 * for it at any time: such a VM polls for completion.
 *
 * Transitions run with &struct acrn_file.lock held for writing, so ioctls see
 * none of them half done. The upcall, the VM's thread and whoever injects MSIs
 * hold no lock: they look at the state and make their hypercall with interrupts
 * off, and a transition waits until each CPU has had them on.
 */
#include <linux/bitops.h>
#include <linux/irqflags.h>
#include <linux/smp.h>

#include "acrn_hypercall.h"
#include "hsm.h"

/* Afterwards no CPU acts upon the former state. May sleep. */
static void enter(struct acrn_vm *vm, enum acrn_vm_state state)
{
	WRITE_ONCE(vm->state, state);
	kick_all_cpus_sync();
}

/* The hypervisor lets the VM run: send what was held back meanwhile. */
static void enter_running(struct acrn_vm *vm)
{
	unsigned long vcpus;
	unsigned int vcpu;

	enter(vm, ACRN_VM_RUNNING);
	acrn_dataplane_settle(vm, true);
	vcpus = xchg(&vm->held, 0);
	for_each_set_bit(vcpu, &vcpus, ACRN_IO_REQUEST_MAX)
		acrn_vm_notify(vm, vcpu);
}

/**
 * acrn_vm_notify() - Let a vCPU go on whose request is complete
 * @vm:		VM
 * @vcpu:	One of its vCPUs
 *
 * A vCPU that polls goes on by itself. Hot path. Any context.
 *
 * Return: 0, also when the VM does not run, or the hypervisor's errno
 */
int acrn_vm_notify(struct acrn_vm *vm, unsigned int vcpu)
{
	unsigned long flags;
	int ret = 0;

	if (vm->polling)
		return 0;
	local_irq_save(flags);
	if (READ_ONCE(vm->state) == ACRN_VM_RUNNING)
		ret = acrn_hc_notify_request_finish(vm->vmid, vcpu);
	else
		set_bit(vcpu, &vm->held);
	local_irq_restore(flags);
	return ret;
}

/* Whether an interrupt may be sent. Hot path. Interrupts are off until it is. */
bool acrn_vm_takes_interrupts(const struct acrn_vm *vm)
{
	lockdep_assert_irqs_disabled();
	switch (READ_ONCE(vm->state)) {
	case ACRN_VM_CREATED:
	case ACRN_VM_RUNNING:
		return true;
	default:
		return false;
	}
}

/* ACRN_IOCTL_START_VM. What comes before the state changes is held back. */
int acrn_vm_start(struct acrn_vm *vm)
{
	int ret;

	/* The hypervisor itself would fault. */
	if (!vm->vcpu_num)
		return -EINVAL;
	WRITE_ONCE(vm->memory.started, true);
	acrn_async_prepare(vm);
	ret = acrn_hc_start_vm(vm->vmid);
	if (!ret)
		enter_running(vm);
	return ret;
}

/* ACRN_IOCTL_PAUSE_VM. A VM that the hypervisor does not pause runs on. */
int acrn_vm_pause(struct acrn_vm *vm)
{
	enum acrn_vm_state before = vm->state;
	int ret;

	enter(vm, ACRN_VM_PAUSED);
	ret = acrn_hc_pause_vm(vm->vmid);
	if (!ret) {
		/* The upcall for the last rings may not have come yet. */
		acrn_async_drain(vm);
		return 0;
	}
	if (before == ACRN_VM_RUNNING)
		enter_running(vm);
	else
		enter(vm, before);
	return ret;
}

/*
 * ACRN_IOCTL_RESET_VM. Requests that the device model left unanswered are
 * forgotten, as their vCPUs start anew.
 */
int acrn_vm_reset(struct acrn_vm *vm)
{
	unsigned long polling;
	int ret;

	/* The upcall must not meet the hypervisor in the slots. */
	acrn_upcall_flush(vm);
	polling = acrn_ioreq_polling(vm);
	ret = acrn_hc_reset_vm(vm->vmid);
	if (ret)
		return ret;
	acrn_ioreq_reset(vm, polling);
	acrn_memory_reset(&vm->memory);
	acrn_dataplane_settle(vm, false);
	vm->held = 0;
	enter(vm, ACRN_VM_CREATED);
	return 0;
}

/**
 * acrn_vm_end() - Have the hypervisor destroy a VM
 * @vm:		VM, paused
 *
 * ACRN destroys only what is paused. Process context.
 *
 * Return: 0, upon which the id is not the VM's any more; or the hypervisor's
 * errno, upon which the VM is as it was
 */
int acrn_vm_end(struct acrn_vm *vm)
{
	int ret;

	ret = acrn_hc_destroy_vm(vm->vmid);
	if (!ret)
		WRITE_ONCE(vm->state, ACRN_VM_DESTROYED);
	return ret;
}
