// SPDX-License-Identifier: GPL-2.0
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "hypercall.h"
#include "service_vm.h"
#include "testing.h"
#include "trace.h"

#define API_VERSION_MAJOR 1
#define API_VERSION_MINOR 0

#define HC_INDEX(id)  ((id)&0xff)
#define NR_HYPERCALLS 0x100

static s64 hc_get_api_version(u64 address, u64 unused)
{
	const u32 version[2] = { API_VERSION_MAJOR, API_VERSION_MINOR };

	(void)unused;
	return service_vm_write(address, version, sizeof(version));
}

static const hypercall_fn hypercalls[NR_HYPERCALLS] = {
	[HC_INDEX(ACRN_HC_GET_API_VERSION)] = hc_get_api_version,
	[HC_INDEX(ACRN_HC_CREATE_VM)] = hc_create_vm,
	[HC_INDEX(ACRN_HC_DESTROY_VM)] = hc_destroy_vm,
	[HC_INDEX(ACRN_HC_START_VM)] = hc_start_vm,
	[HC_INDEX(ACRN_HC_PAUSE_VM)] = hc_pause_vm,
	[HC_INDEX(ACRN_HC_RESET_VM)] = hc_reset_vm,
	[HC_INDEX(ACRN_HC_SET_VCPU_REGS)] = hc_set_vcpu_regs,
	[HC_INDEX(ACRN_HC_INJECT_MSI)] = hc_inject_msi,
	[HC_INDEX(ACRN_HC_SET_IRQLINE)] = hc_set_irqline,
	[HC_INDEX(ACRN_HC_SET_IOREQ_BUFFER)] = hc_set_ioreq_buffer,
	[HC_INDEX(ACRN_HC_NOTIFY_REQUEST_FINISH)] = hc_notify_request_finish,
	[HC_INDEX(ACRN_HC_ASYNCIO_ASSIGN)] = hc_asyncio_assign,
	[HC_INDEX(ACRN_HC_ASYNCIO_DEASSIGN)] = hc_asyncio_deassign,
	[HC_INDEX(ACRN_HC_SETUP_SBUF)] = hc_setup_sbuf,
	[HC_INDEX(ACRN_HC_VM_GPA_TO_HPA)] = hc_vm_gpa_to_hpa,
	[HC_INDEX(ACRN_HC_SET_MEMORY_REGIONS)] = hc_set_memory_regions,
	[HC_INDEX(ACRN_HC_REMOVE_CPU)] = hc_remove_cpu,
	[HC_INDEX(ACRN_HC_VM_INTR_MONITOR)] = hc_vm_intr_monitor,
	[HC_INDEX(ACRN_HC_SET_PTDEV_INTR)] = hc_set_ptdev_intr,
	[HC_INDEX(ACRN_HC_RESET_PTDEV_INTR)] = hc_reset_ptdev_intr,
	[HC_INDEX(ACRN_HC_ASSIGN_PCIDEV)] = hc_assign_pcidev,
	[HC_INDEX(ACRN_HC_DEASSIGN_PCIDEV)] = hc_deassign_pcidev,
	[HC_INDEX(ACRN_HC_ASSIGN_MMIODEV)] = hc_assign_mmiodev,
	[HC_INDEX(ACRN_HC_DEASSIGN_MMIODEV)] = hc_deassign_mmiodev,
	[HC_INDEX(ACRN_HC_CREATE_VDEV)] = hc_create_vdev,
	[HC_INDEX(ACRN_HC_DESTROY_VDEV)] = hc_destroy_vdev,
	[HC_INDEX(ACRN_HC_PM_GET_CPU_STATE)] = hc_pm_get_cpu_state,
};

/*
 * Whether a call that is to fail for a test has its effect. ACRN's
 * shutdown_vm() can time out after the VM is gone.
 */
static bool is_done_all_the_same(u64 id, s64 error)
{
	return id == ACRN_HC_DESTROY_VM && error == -ETIMEDOUT;
}

s64 hypercall(u64 id, u64 arg0, u64 arg1)
{
	hypercall_fn handler = hypercalls[HC_INDEX(id)];
	s64 ret;

	if (!handler)
		return -ENOTTY;
	/*
	 * Wait even if the call is to fail for a test: the kernel then starts
	 * the CPU again, which it must have left completely before.
	 */
	if (id == ACRN_HC_REMOVE_CPU)
		service_vm_wait_offline(arg0);
	trace_begin();
	ret = testing_fault(id);
	if (!ret || is_done_all_the_same(id, ret))
		ret = handler(arg0, arg1) ?: ret;
	trace_end(id, arg0, arg1, ret);
	return ret;
}
