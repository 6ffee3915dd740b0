// SPDX-License-Identifier: GPL-2.0
/* Hypercalls that create, start, pause, reset and destroy a VM. */
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "hypercall.h"
#include "service_vm.h"
#include "vcpu.h"
#include "vm.h"

#define UNUSED __attribute__((unused))

/* Find the VM and call @fn with its control lock held. */
static s64 with_vm(u64 vmid, int (*fn)(struct vm *vm))
{
	struct vm *vm = vm_get(vmid);
	int ret;

	if (!vm)
		return vm_absent(vmid, -EPERM);
	ret = fn(vm);
	vm_put(vm);
	return ret;
}

s64 hc_create_vm(u64 address, u64 unused UNUSED)
{
	struct acrn_vm_creation params;
	int ret;

	/*
	 * ACRN first looks for a VM of the name in the argument; it finds none.
	 */
	if (service_vm_read(address, &params, sizeof(params)))
		return -ENOTTY;
	ret = vm_create(&params);
	/* The write cannot fail: the same memory has just been read. */
	return ret ?: service_vm_write(address, &params, sizeof(params));
}

s64 hc_destroy_vm(u64 vmid, u64 unused UNUSED)
{
	return with_vm(vmid, vm_destroy);
}

s64 hc_start_vm(u64 vmid, u64 unused UNUSED)
{
	return with_vm(vmid, vm_start);
}

s64 hc_pause_vm(u64 vmid, u64 unused UNUSED)
{
	return with_vm(vmid, vm_pause);
}

s64 hc_reset_vm(u64 vmid, u64 unused UNUSED)
{
	return with_vm(vmid, vm_reset);
}

/* Refuses a running VM: its vCPUs' registers are in use. */
static int set_regs(struct vm *vm, const struct acrn_vcpu_regs *params)
{
	if (vm->state == VM_RUNNING || params->vcpu_id >= vm->nr_vcpus)
		return -EPERM;
	return vcpu_set_regs(vm->vcpus[params->vcpu_id], &params->vcpu_regs);
}

s64 hc_set_vcpu_regs(u64 vmid, u64 address)
{
	struct acrn_vcpu_regs params;
	struct vm *vm;
	int ret;

	if (service_vm_read(address, &params, sizeof(params)))
		return -EPERM;
	vm = vm_get(vmid);
	if (!vm)
		return vm_absent(vmid, -EPERM);
	ret = set_regs(vm, &params);
	vm_put(vm);
	return ret;
}
