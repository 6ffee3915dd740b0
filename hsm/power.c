// SPDX-License-Identifier: GPL-2.0
/*
 * P- and C-states of a User VM's vCPUs, which device models put into ACPI
 * tables. The hypervisor knows them.
 */
#include "acrn_hypercall.h"
#include "hsm.h"

/* How much of &union acrn_cpu_state belongs to a type of command. 0: none */
static size_t state_size(u64 type)
{
	switch (type) {
	case ACRN_PMCMD_GET_PX_CNT:
	case ACRN_PMCMD_GET_CX_CNT:
		return sizeof(u64);
	case ACRN_PMCMD_GET_PX_DATA:
		return sizeof(struct acrn_pstate_data);
	case ACRN_PMCMD_GET_CX_DATA:
		return sizeof(struct acrn_cstate_data);
	default:
		return 0;
	}
}

/**
 * acrn_cpu_state_get() - ACRN_IOCTL_PM_GET_CPU_STATE
 * @vm:		User VM
 * @command:	ACRN_PMCMD_GET_* with vCPU and state number. The VM id that it
 *		names too is replaced by that of @vm, which is the only VM that
 *		the caller may ask about.
 * @state:	Result, zeroed and in the linear map. The hypervisor fills one
 *		byte of a count.
 *
 * Return: bytes of @state to hand out; -EINVAL for an unknown command; or the
 * hypervisor's errno
 */
int acrn_cpu_state_get(struct acrn_vm *vm, u64 command,
		       union acrn_cpu_state *state)
{
	size_t size = state_size(command & PMCMD_TYPE_MASK);
	int ret;

	if (!size || vm->vmid > ACRN_PMCMD_VMID_MAX)
		return -EINVAL;
	command &= ACRN_PMCMD_VCPU_MASK | ACRN_PMCMD_STATE_MASK |
		   PMCMD_TYPE_MASK;
	command |= (u64)vm->vmid << ACRN_PMCMD_VMID_SHIFT;
	ret = acrn_hc_pm_get_cpu_state(command, state);
	return ret < 0 ? ret : size;
}
