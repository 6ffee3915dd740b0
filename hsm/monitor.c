// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt statistics of a User VM. The device model puts a command into a
 * page of its memory, and the hypervisor writes its answer to the same page.
 *
 * All functions run in process context: in an ioctl, or, acrn_monitor_deinit(),
 * when the file is released. &struct acrn_monitor.lock makes the hypervisor use
 * the page that the HSM keeps pinned, when two ioctls set one.
 */
#include <linux/mm.h>

#include "acrn_hypercall.h"
#include "hsm.h"

/**
 * acrn_monitor_init() - Begin with a VM that has no such page
 * @monitor:	Statistics of the VM, zeroed
 *
 * Context: Process context. Nobody else has the VM yet.
 */
void acrn_monitor_init(struct acrn_monitor *monitor)
{
	mutex_init(&monitor->lock);
}

/**
 * acrn_monitor_deinit() - Undo acrn_monitor_init()
 * @monitor:	Statistics that nobody uses any more
 * @unpin:	False if the page must stay pinned: the VM could not be
 *		destroyed, and the hypervisor may still write to it
 *
 * Context: Process context, may sleep. Nobody else uses the VM any more.
 */
void acrn_monitor_deinit(struct acrn_monitor *monitor, bool unpin)
{
	if (monitor->page && unpin)
		unpin_user_pages_dirty_lock(&monitor->page, 1, true);
}

/*
 * Have the hypervisor use @page from now on. Returns the page that is not used
 * any more, which acrn_replace_page() unpins: the former one or NULL, or @page
 * itself if @ret is set to an errno. Takes &struct acrn_monitor.lock.
 */
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
 * @user_address:	User address of a page with &struct acrn_intr_monitor
 *
 * The page stays pinned until another one replaces it or the VM is destroyed,
 * as the hypervisor may write to it at any time. After a failure the former
 * page remains in use.
 *
 * Context: Process context, may sleep: an ioctl with &struct acrn_file.lock
 *	    held. Takes &struct acrn_monitor.lock.
 * Return: 0; -EINVAL when @user_address is not aligned to a page; -EFAULT when
 *	   there is no writable memory; or the hypervisor's errno
 */
int acrn_monitor_set(struct acrn_vm *vm, u64 user_address)
{
	return acrn_replace_page(vm, user_address, replace_page);
}
