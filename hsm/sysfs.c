// SPDX-License-Identifier: GPL-2.0
/*
 * What the HSM and the data plane have done for each VM: below the device's
 * directory in sysfs a directory vmN, N being the VM's id, with a value a file,
 * which everybody may read. Names and meanings are in Documentation/counters.md
 * and stay as they are.
 *
 * All functions run in process context. The *_show() functions run in the task
 * of whoever reads a file, which holds a reference to the file, so that
 * acrn_sysfs_remove() waits for it before the VM is freed. They take no lock:
 * each reads one number, which somebody else may be changing.
 */
#include <linux/kobject.h>
#include <linux/math64.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <asm/tsc.h>

#include "hsm.h"

/**
 * struct acrn_vm_dir - The directory of a VM
 * @kobj:	The directory
 * @vm:		The VM, which is there until kobject_del() has returned
 */
struct acrn_vm_dir {
	struct kobject kobj;
	const struct acrn_vm *vm;
};

/**
 * struct vm_attribute - A file of that directory
 * @attr:	Its name and mode
 * @show:	Prints its value
 */
struct vm_attribute {
	struct attribute attr;
	ssize_t (*show)(const struct acrn_vm *vm, char *buf);
};

#define VM_NUMBER(_name, _value)					\
static ssize_t _name##_show(const struct acrn_vm *vm, char *buf)	\
{									\
	return sysfs_emit(buf, "%llu\n", (u64)(_value));		\
}									\
static struct vm_attribute vm_attr_##_name = __ATTR_RO(_name)

VM_NUMBER(pid, vm->pid);
VM_NUMBER(vcpus, READ_ONCE(vm->vcpu_num));
VM_NUMBER(async_ring, !!READ_ONCE(vm->async));
VM_NUMBER(doorbells, READ_ONCE(vm->stats.doorbells));
VM_NUMBER(doorbells_deferred, READ_ONCE(vm->stats.doorbells_deferred));
VM_NUMBER(doorbells_ring, READ_ONCE(vm->stats.doorbells_ring));
VM_NUMBER(cookies_stale, READ_ONCE(vm->stats.cookies_stale));
VM_NUMBER(requests_overload, READ_ONCE(vm->stats.requests_overload));
VM_NUMBER(requests_kernel, READ_ONCE(vm->stats.requests_kernel));
VM_NUMBER(requests_client, READ_ONCE(vm->stats.requests_client));
VM_NUMBER(requests_polled, READ_ONCE(vm->stats.requests_polled));
VM_NUMBER(upcall_us, mul_u64_u32_div(READ_ONCE(vm->share.taken),
				     USEC_PER_MSEC, tsc_khz));
VM_NUMBER(pauses, READ_ONCE(vm->share.pauses));
VM_NUMBER(msis, atomic64_read(&vm->stats.msis));
VM_NUMBER(msis_failed, atomic64_read(&vm->stats.msis_failed));

/* Print the name of the VM's state. */
static ssize_t state_show(const struct acrn_vm *vm, char *buf)
{
	static const char * const names[] = {
		[ACRN_VM_CREATED] = "created",
		[ACRN_VM_RUNNING] = "running",
		[ACRN_VM_PAUSED] = "paused",
		[ACRN_VM_DESTROYED] = "destroyed",
	};

	return sysfs_emit(buf, "%s\n", names[READ_ONCE(vm->state)]);
}

static struct vm_attribute vm_attr_state = __ATTR_RO(state);

static struct attribute *vm_attrs[] = {
	&vm_attr_pid.attr,
	&vm_attr_vcpus.attr,
	&vm_attr_state.attr,
	&vm_attr_async_ring.attr,
	&vm_attr_doorbells.attr,
	&vm_attr_doorbells_deferred.attr,
	&vm_attr_doorbells_ring.attr,
	&vm_attr_cookies_stale.attr,
	&vm_attr_requests_overload.attr,
	&vm_attr_requests_kernel.attr,
	&vm_attr_requests_client.attr,
	&vm_attr_requests_polled.attr,
	&vm_attr_upcall_us.attr,
	&vm_attr_pauses.attr,
	&vm_attr_msis.attr,
	&vm_attr_msis_failed.attr,
	NULL
};
ATTRIBUTE_GROUPS(vm);

/* Read a file: call the show function of its attribute for the VM. */
static ssize_t vm_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	const struct acrn_vm_dir *dir =
		container_of(kobj, struct acrn_vm_dir, kobj);

	return container_of(attr, struct vm_attribute, attr)->show(dir->vm,
								   buf);
}

/*
 * Free a directory when the last reference is gone; the VM may be gone before.
 */
static void vm_dir_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct acrn_vm_dir, kobj));
}

static const struct sysfs_ops vm_sysfs_ops = {
	.show = vm_show,
};

static const struct kobj_type vm_dir_type = {
	.sysfs_ops	= &vm_sysfs_ops,
	.release	= vm_dir_release,
	.default_groups	= vm_groups,
};

/**
 * acrn_sysfs_add() - Show a VM in sysfs
 * @vm:		VM. The id that it has stays its own until this is undone.
 * @parent:	The device's directory
 *
 * A VM for whose directory there is no memory works without.
 *
 * Context: Process context, may sleep. vmid_lock of vm.c is held, as the name
 *	    is the id.
 */
void acrn_sysfs_add(struct acrn_vm *vm, struct kobject *parent)
{
	struct acrn_vm_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL_ACCOUNT);

	if (!dir)
		return;
	dir->vm = vm;
	if (kobject_init_and_add(&dir->kobj, &vm_dir_type, parent, "vm%u",
				 vm->vmid))
		kobject_put(&dir->kobj);
	else
		vm->dir = dir;
}

/**
 * acrn_sysfs_remove() - Undo acrn_sysfs_add()
 * @vm:		VM
 *
 * Nobody reads any of its files when this returns.
 *
 * Context: Process context, may sleep. vmid_lock of vm.c is held if the id may
 *	    be that of another VM soon.
 */
void acrn_sysfs_remove(struct acrn_vm *vm)
{
	if (!vm->dir)
		return;
	kobject_del(&vm->dir->kobj);
	kobject_put(&vm->dir->kobj);
	vm->dir = NULL;
}
