// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts into User VMs from any context.
 */
#include <linux/cache.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "acrn_hypercall.h"
#include "hsm.h"
#include "trace.h"

/*
 * The hypercall takes its argument from physical memory, which the stack may
 * not be, and there must be no allocation for each interrupt. So each CPU has
 * its own, used with interrupts off, in the linear map.
 */
struct msi_argument {
	struct acrn_msi_entry msi;
} ____cacheline_aligned;

static struct msi_argument *msi_arguments;

int acrn_interrupt_init(void)
{
	msi_arguments = kcalloc(nr_cpu_ids, sizeof(*msi_arguments), GFP_KERNEL);
	return msi_arguments ? 0 : -ENOMEM;
}

void acrn_interrupt_deinit(void)
{
	kfree(msi_arguments);
}

/* Interrupts are off. */
static int inject(struct acrn_vm *vm, u64 addr, u64 data)
{
	struct acrn_msi_entry *msi = &msi_arguments[smp_processor_id()].msi;

	msi->msi_addr = addr;
	msi->msi_data = data;
	return acrn_hc_inject_msi(vm->vmid, msi);
}

/**
 * acrn_hsm_inject_msi() - Deliver a message signalled interrupt to a User VM
 * @vm:		User VM
 * @addr:	MSI address as the guest programmed it
 * @data:	MSI data as the guest programmed it
 *
 * Any context but NMI.
 *
 * Return: 0; -EAGAIN when the VM is paused, and the MSI was not sent; or the
 * hypervisor's negative errno
 */
int acrn_hsm_inject_msi(struct acrn_vm *vm, u64 addr, u64 data)
{
	unsigned long flags;
	int ret = -EAGAIN;

	local_irq_save(flags);
	if (acrn_vm_takes_interrupts(vm))
		ret = inject(vm, addr, data);
	local_irq_restore(flags);
	if (ret == -EAGAIN)
		return ret;

	atomic64_inc(ret ? &vm->stats.msis_failed : &vm->stats.msis);
	trace_acrn_msi(vm->vmid, addr, data, ret);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(acrn_hsm_inject_msi, ACRN_HSM);

/*
 * ACRN_IOCTL_SET_IRQLINE. The lines of a VM that is paused do not matter, as
 * what follows resets the interrupt controllers.
 */
int acrn_irqline_set(struct acrn_vm *vm, u64 line)
{
	unsigned long flags;
	int ret = 0;

	local_irq_save(flags);
	if (acrn_vm_takes_interrupts(vm))
		ret = acrn_hc_set_irqline(vm->vmid, line);
	local_irq_restore(flags);
	return ret;
}
