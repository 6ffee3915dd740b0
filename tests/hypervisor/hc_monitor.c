// SPDX-License-Identifier: GPL-2.0
/*
 * HC_VM_INTR_MONITOR. ACRN counts the interrupts of assigned devices, of which
 * there are none here: this counts MSIs that the Service VM injects, with the
 * vector where ACRN has the number of the physical interrupt.
 */
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "device.h"
#include "hypercall.h"
#include "service_vm.h"
#include "string.h"
#include "vm.h"

#define BUFFER_MAX (ACRN_INTR_MONITOR_MAX * 2)

static void get_data(struct vm *vm, struct acrn_intr_monitor *monitor)
{
	u32 n = 0;

	spin_lock(&vm->lock);
	for (u32 i = 0; i < NR_VECTORS && n + 2 <= monitor->buf_cnt; i++) {
		if (!vm->devices.msis[i])
			continue;
		monitor->buffer[n++] = i;
		monitor->buffer[n++] = vm->devices.msis[i];
	}
	spin_unlock(&vm->lock);
	monitor->buf_cnt = n;
}

/* Interrupts are not delayed. */
static int carry_out(struct vm *vm, struct acrn_intr_monitor *monitor)
{
	if (monitor->buf_cnt > BUFFER_MAX)
		return -EINVAL;
	switch (monitor->cmd) {
	case ACRN_INTR_GET_DATA:
		get_data(vm, monitor);
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
	int ret = service_vm_read(address, &monitor, sizeof(monitor));

	if (ret)
		return ret;
	vm = vm_get(vmid);
	if (!vm)
		return -EINVAL;
	ret = carry_out(vm, &monitor);
	vm_put(vm);
	return ret ?: service_vm_write(address, &monitor, sizeof(monitor));
}
