// SPDX-License-Identifier: GPL-2.0
/*
 * P- and C-states of the vCPUs of a User VM. The hypervisor knows them, and
 * device models put them into the ACPI tables of the VM.
 */
#include "acrn_hypercall.h"
#include "hsm.h"

/*
 * Bytes of &union acrn_cpu_state that a type of command fills; 0 if it is
 * unknown.
 */
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
 * @command:	ACRN_PMCMD_GET_* with the numbers of a vCPU and of a state. The
 *		id of a VM in it is ignored: the caller may ask about @vm alone.
 * @state:	Result, zeroed by the caller and in the linear map. Of a count the
 *		hypervisor fills one byte.
 *
 * Context: Process context, in an ioctl with &struct acrn_file.lock held. There
 *	    is no state to guard: the hypervisor is asked each time.
 * Return: number of bytes of @state that are the result; -EINVAL for an unknown
 *	   command; or the hypervisor's errno
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
