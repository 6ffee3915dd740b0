// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt statistics of a User VM: a page of the device model's memory with a
 * command, to which the hypervisor writes its answer.
 */
#include <linux/mm.h>

#include "acrn_hypercall.h"
#include "hsm.h"

void acrn_monitor_init(struct acrn_monitor *monitor)
{
	mutex_init(&monitor->lock);
}

/*
 * Nothing uses @monitor any more. The page stays pinned unless @unpin: a VM
 * that cannot be destroyed may still be counted there.
 */
void acrn_monitor_deinit(struct acrn_monitor *monitor, bool unpin)
{
	if (monitor->page && unpin)
		unpin_user_pages_dirty_lock(&monitor->page, 1, true);
}

/* Returns the page that the hypervisor does not use. */
static struct page *replace_page(struct acrn_vm *vm, struct page *page,
				 int *ret)
{
	struct acrn_monitor *monitor = &vm->monitor;

	mutex_lock(&monitor->lock);
	*ret = acrn_hc_vm_intr_monitor(vm->vmid, page_to_phys(page));
	if (!*ret)
		swap(monitor->page, page);
	mutex_unlock(&monitor->lock);
	return page;
}

/**
 * acrn_monitor_set() - ACRN_IOCTL_VM_INTR_MONITOR
 * @vm:			User VM
 * @user_address:	Of a page of the caller, &struct acrn_intr_monitor
 *
 * The page stays pinned until another takes its place or the VM is destroyed:
 * the hypervisor may write to it at any time. Process context.
 *
 * Return: 0; -EINVAL when @user_address is not aligned to a page; -EFAULT when
 * there is no memory that can be written to; or the hypervisor's errno, upon
 * which the former page remains
 */
int acrn_monitor_set(struct acrn_vm *vm, u64 user_address)
{
	return acrn_replace_page(vm, user_address, replace_page);
}
