// SPDX-License-Identifier: GPL-2.0
/* Hypercalls about CPUs: power states, and taking one from the Service VM. */
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "hypercall.h"
#include "service_vm.h"
#include "vm.h"

#define ADDRESS_SPACE_IO 1

/* Invented values; tests/system/conformance/power.c expects the same. */
static const struct acrn_pstate_data pstates[] = {
	{ 2400, 35000, 10, 10, 0x1800, 0x1800 },
	{ 1600, 20000, 10, 10, 0x1000, 0x1000 },
	{ 800, 9000, 10, 10, 0x800, 0x800 },
};

/* Invented as well. A command numbers C-states from 1. */
static const struct acrn_cstate_data cstates[] = {
	{ { ADDRESS_SPACE_IO, 8, 0, 0, 0 }, 1, 1, 1000 },
	{ { ADDRESS_SPACE_IO, 8, 0, 0, 0x1814 }, 2, 80, 200 },
};

static s64 write_count(u64 address, u8 count)
{
	return service_vm_write(address, &count, sizeof(count));
}

static s64 write_pstate(u64 address, u32 n)
{
	if (n >= ARRAY_SIZE(pstates))
		return -EPERM;
	return service_vm_write(address, &pstates[n], sizeof(pstates[n]));
}

static s64 write_cstate(u64 address, u32 n)
{
	if (!n || n > ARRAY_SIZE(cstates))
		return -EPERM;
	return service_vm_write(address, &cstates[n - 1], sizeof(cstates[0]));
}

static s64 get_state(u64 command, u64 address)
{
	u32 n = (command & ACRN_PMCMD_STATE_MASK) >> ACRN_PMCMD_STATE_SHIFT;

	switch (command & PMCMD_TYPE_MASK) {
	case ACRN_PMCMD_GET_PX_CNT:
		return write_count(address, ARRAY_SIZE(pstates));
	case ACRN_PMCMD_GET_PX_DATA:
		return write_pstate(address, n);
	case ACRN_PMCMD_GET_CX_CNT:
		return write_count(address, ARRAY_SIZE(cstates));
	case ACRN_PMCMD_GET_CX_DATA:
		return write_cstate(address, n);
	default:
		return -EPERM;
	}
}

s64 hc_pm_get_cpu_state(u64 command, u64 address)
{
	u32 vmid = (u32)command >> ACRN_PMCMD_VMID_SHIFT;
	struct vm *vm = vm_get(vmid);
	s64 ret = -EPERM;

	if (!vm)
		return vm_absent(vmid, -EPERM);
	if (vm->state == VM_CREATED || vm->state == VM_PAUSED)
		ret = get_state(command, address);
	vm_put(vm);
	return ret;
}

/*
 * As on ACRN, it is no error when there is no such CPU or when it has already
 * been taken away.
 */
s64 hc_remove_cpu(u64 apic_id, u64 unused)
{
	u32 id = apic_id;

	(void)unused;
	if (id == FIRST_SERVICE_CPU || id == this_cpu()->id)
		return -EPERM;
	if (is_service_cpu(id))
		service_vm_remove_cpu(&pcpus[id]);
	return 0;
}
