// SPDX-License-Identifier: GPL-2.0
/*
 * HC_VM_INTR_MONITOR counts and delays the interrupts of assigned devices.
 * There are none here, so the counts are empty and a delay has no effect.
 */
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "hypercall.h"
#include "service_vm.h"
#include "vm.h"

#define BUFFER_MAX (ACRN_INTR_MONITOR_MAX * 2)

static int carry_out(struct acrn_intr_monitor *monitor)
{
	if (monitor->buf_cnt > BUFFER_MAX)
		return -EINVAL;
	switch (monitor->cmd) {
	case ACRN_INTR_GET_DATA:
		monitor->buf_cnt = 0;
		return 0;
	case ACRN_INTR_DELAY:
		return 0;
	default:
		return -EINVAL;
	}
}

s64 hc_vm_intr_monitor(u64 vmid, u64 address)
{
	struct acrn_intr_monitor monitor;
	struct vm *vm;
	int ret;

	if (service_vm_read(address, &monitor, sizeof(monitor)))
		return -EINVAL;
	vm = vm_get(vmid);
	if (!vm)
		return vm_absent(vmid, -EINVAL);
	ret = carry_out(&monitor);
	vm_put(vm);
	return ret ?: service_vm_write(address, &monitor, sizeof(monitor));
}
