// SPDX-License-Identifier: GPL-2.0
/*
 * Creating and destroying a User VM, in process context. The caller makes sure
 * that no other ioctl can reach the VM meanwhile: &struct acrn_file.lock is
 * held for writing, or the file has been closed. The upcall looks at the VM
 * from acrn_upcall_add() to acrn_upcall_remove(), its thread runs from
 * acrn_thread_start() to acrn_thread_stop(), and sysfs and debugfs show it as
 * long as it has directories there. The exceptions are acrn_vm_clear_requests()
 * and acrn_vm_set_vcpu_regs(), which are ioctls on a VM and so hold that lock
 * for reading, and do_deferred_work(), which runs in the VM's thread.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "acrn_hypercall.h"
#include "hsm.h"

/*
 * Held while the hypervisor gives an id to a VM or takes it back, and the
 * directories in sysfs and debugfs named after it are made or removed.
 */
static DEFINE_MUTEX(vmid_lock);

/* Tell the hypervisor where the I/O request page of a new VM is. May sleep. */
static int set_ioreq_buffer(struct acrn_vm *vm)
{
	struct acrn_ioreq_buffer_addr *buffer;
	int ret;

	buffer = kmalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	buffer->service_vm_pa = page_to_phys(vm->io.page);
	ret = acrn_hc_set_ioreq_buffer(vm->vmid, buffer);
	kfree(buffer);
	return ret;
}

/*
 * Do what the upcall has left. Called by the VM's thread, without a lock; each
 * of the functions takes the lock that it needs.
 */
static void do_deferred_work(struct acrn_vm *vm)
{
	/* Doorbells come before a request that the guest has made after them. */
	acrn_async_drain(vm);
	acrn_ioreq_serve(vm);
	acrn_vm_event_deliver(vm);
}

/*
 * Begin to serve the I/O requests of a new VM: page, thread, upcall. The upcall
 * must not look at the slots before the hypervisor has freed them, which it
 * does when it is told of the page. May sleep.
 */
static int set_up_ioreqs(struct acrn_vm *vm, u16 vcpu_num)
{
	int ret;

	/* The I/O request page has a slot for each vCPU, and no more. */
	if (vcpu_num > ACRN_IO_REQUEST_MAX)
		return -EOVERFLOW;
	ret = set_ioreq_buffer(vm);
	if (ret)
		return ret;
	ret = acrn_thread_start(vm, do_deferred_work);
	if (ret)
		return ret;
	vm->vcpu_num = vcpu_num;
	acrn_upcall_add(vm);
	return 0;
}

/*
 * Have the hypervisor create the VM, which gets its id by that. May sleep.
 * Takes vmid_lock.
 */
static int create_in_hypervisor(struct acrn_vm *vm,
				struct acrn_vm_creation *args,
				struct kobject *parent)
{
	int ret;

	mutex_lock(&vmid_lock);
	ret = acrn_hc_create_vm(args);
	if (!ret && args->vmid == ACRN_VMID_INVALID)
		ret = -EINVAL;
	if (!ret) {
		vm->vmid = args->vmid;
		acrn_sysfs_add(vm, parent);
		acrn_debugfs_add(vm);
	}
	mutex_unlock(&vmid_lock);
	return ret;
}

/*
 * Free a VM that nobody uses any more, in the upcall, the thread or an ioctl.
 * Its memory stays pinned unless @unpin. May sleep.
 */
static void free_vm(struct acrn_vm *vm, bool unpin)
{
	acrn_memory_deinit(&vm->memory, unpin);
	acrn_monitor_deinit(&vm->monitor, unpin);
	acrn_vm_event_deinit(&vm->events, unpin);
	acrn_async_deinit(vm, unpin);
	acrn_ioreq_deinit(&vm->io, unpin);
	kfree(vm);
}

/**
 * acrn_vm_create() - ACRN_IOCTL_CREATE_VM
 * @args:	Argument from user space, copied to the linear map. ioreq_buf is an
 *		address of the caller's memory; vmid and vcpu_num are filled in.
 * @parent:	The device's directory in sysfs
 *
 * The hypervisor checks the other fields of @args.
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held for
 *	    writing.
 * Return: the VM, or an ERR_PTR() of -EINVAL when a reserved field is not 0 or
 *	   the machine lacks a CPU of cpu_affinity, -ENOMEM, -EOVERFLOW when the
 *	   VM has more vCPUs than there are slots, the errno of
 *	   acrn_ioreq_init() or acrn_thread_start(), or the hypervisor's errno;
 *	   also -EINVAL when the hypervisor gives it no valid id
 */
struct acrn_vm *acrn_vm_create(struct acrn_vm_creation *args,
			       struct kobject *parent)
{
	struct acrn_vm *vm;
	int ret;

	if (args->reserved0 || args->reserved1)
		return ERR_PTR(-EINVAL);
	/* ACRN looks for the lock of a CPU that is not there, and spins for it. */
	if (!acrn_platform_has(args->cpu_affinity))
		return ERR_PTR(-EINVAL);
	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	acrn_memory_init(&vm->memory);
	acrn_monitor_init(&vm->monitor);
	acrn_vm_event_init(&vm->events);
	acrn_dataplane_init(&vm->dataplane);
	acrn_share_init(&vm->share);
	vm->pid = task_tgid_nr(current);
	vm->polling = args->vm_flag & ACRN_VM_FLAG_IO_COMPLETION_POLLING;
	ret = acrn_ioreq_init(&vm->io, args->ioreq_buf);
	if (ret)
		goto free;
	ret = create_in_hypervisor(vm, args, parent);
	if (ret)
		goto deinit_ioreq;

	ret = set_up_ioreqs(vm, args->vcpu_num);
	if (ret) {
		acrn_vm_release(vm);
		return ERR_PTR(ret);
	}
	return vm;

deinit_ioreq:
	acrn_ioreq_deinit(&vm->io, true);
free:
	kfree(vm);
	return ERR_PTR(ret);
}

/**
 * acrn_vm_clear_requests() - ACRN_IOCTL_CLEAR_VM_IOREQ
 * @vm:	VM
 *
 * Completes all requests of the VM. When this returns, all doorbells that were
 * rung before have been signalled: a device model that resets its devices waits
 * for that.
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held, or no
 *	    ioctl can reach the VM.
 */
void acrn_vm_clear_requests(struct acrn_vm *vm)
{
	acrn_upcall_flush(vm);
	acrn_client_clear(vm);
}

/*
 * End all that deals with the VM: upcall, timer, thread, client, data plane, in
 * an order in which none of them needs one that has ended. When this returns,
 * nothing in the Service VM deals with the VM any more. May sleep; no other
 * ioctl can reach the VM.
 */
static void stop_serving(struct acrn_vm *vm)
{
	acrn_upcall_remove(vm);
	acrn_vm_clear_requests(vm);
	acrn_share_deinit(&vm->share);
	acrn_thread_stop(vm);
	acrn_client_destroy(vm);
	acrn_dataplane_detach(&vm->dataplane);
}

/* Remove what sysfs and debugfs show of a VM. May sleep. */
static void remove_dirs(struct acrn_vm *vm)
{
	acrn_sysfs_remove(vm);
	acrn_debugfs_remove(vm);
}

/*
 * Have the hypervisor destroy the VM. It may give the id to another VM at once.
 * The directories in sysfs and debugfs have to be gone before that VM makes its
 * own, so this takes vmid_lock. May sleep.
 */
static int end_vm(struct acrn_vm *vm)
{
	int ret;

	mutex_lock(&vmid_lock);
	ret = acrn_vm_end(vm);
	if (!ret)
		remove_dirs(vm);
	mutex_unlock(&vmid_lock);
	return ret;
}

/**
 * acrn_vm_destroy() - ACRN_IOCTL_DESTROY_VM
 * @vm:	VM, in any state
 *
 * Doorbells, interrupts and client are taken down only when the hypervisor has
 * destroyed the VM.
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held for
 *	    writing, or no ioctl can reach the VM.
 * Return: 0, upon which @vm has been freed; or the hypervisor's errno, upon
 *	   which @vm is as it was, or paused
 */
int acrn_vm_destroy(struct acrn_vm *vm)
{
	int ret;

	/* The hypervisor destroys a VM only when it is paused. */
	ret = acrn_vm_pause(vm);
	if (ret)
		return ret;
	/*
	 * The hypervisor would keep asynchronous doorbells for the next VM of
	 * that id.
	 */
	acrn_async_withdraw(vm);
	ret = end_vm(vm);
	if (ret) {
		acrn_async_restore(vm);
		return ret;
	}
	stop_serving(vm);
	free_vm(vm, true);
	return 0;
}

/*
 * The hypervisor has refused to destroy the VM. The VM may run on, so the
 * memory that it was given must never be used for anything else: it stays
 * pinned.
 */
static void abandon_vm(struct acrn_vm *vm)
{
	pr_err_ratelimited("the hypervisor does not destroy VM %u: its memory stays pinned\n",
			   vm->vmid);
	remove_dirs(vm);
	stop_serving(vm);
	free_vm(vm, false);
}

/**
 * acrn_vm_release() - Destroy a VM that nobody can destroy later
 * @vm:	VM, freed when this returns
 *
 * If the hypervisor refuses, the memory of the VM stays pinned for good.
 *
 * Context: As acrn_vm_destroy().
 */
void acrn_vm_release(struct acrn_vm *vm)
{
	/* Try twice: a hypervisor may not be able to do it at once. */
	if (acrn_vm_destroy(vm) && acrn_vm_destroy(vm))
		abandon_vm(vm);
}

static bool is_zero(const void *bytes, size_t size)
{
	return !memchr_inv(bytes, 0, size);
}

/* Whether all reserved fields are 0, which may get a meaning later. */
static bool reserved_are_zero(const struct acrn_vcpu_regs *vcpu)
{
	const struct acrn_regs *regs = &vcpu->vcpu_regs;

	return is_zero(vcpu->reserved, sizeof(vcpu->reserved)) &&
	       is_zero(regs->gdt.reserved, sizeof(regs->gdt.reserved)) &&
	       is_zero(regs->idt.reserved, sizeof(regs->idt.reserved)) &&
	       is_zero(regs->reserved_64, sizeof(regs->reserved_64)) &&
	       is_zero(regs->reserved_32, sizeof(regs->reserved_32));
}

/**
 * acrn_vm_set_vcpu_regs() - ACRN_IOCTL_SET_VCPU_REGS
 * @vm:		VM
 * @regs:	Argument from user space, copied to the linear map
 *
 * Context: Process context, &struct acrn_file.lock is held.
 * Return: 0; -EINVAL when a reserved field is not 0 or there is no such vCPU;
 *	   or the hypervisor's errno
 */
int acrn_vm_set_vcpu_regs(struct acrn_vm *vm, struct acrn_vcpu_regs *regs)
{
	if (!reserved_are_zero(regs) || regs->vcpu_id >= vm->vcpu_num)
		return -EINVAL;
	return acrn_hc_set_vcpu_regs(vm->vmid, regs);
}
