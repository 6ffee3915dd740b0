// SPDX-License-Identifier: GPL-2.0
/*
 * The upcall: the hypervisor's interrupt to the Service VM saying that some
 * vCPU has filled its I/O request slot. It does not say which, so all VMs are
 * looked at; each deals with what it finds on its own and none waits for
 * another.
 */
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <asm/acrn.h>

#include "hsm.h"

/* Changed under vms_lock, read under RCU. */
static LIST_HEAD(vms);
static DEFINE_MUTEX(vms_lock);

/* Hot path. Hard-IRQ context, on the CPU that is the Service VM's vCPU 0. */
static void upcall(void)
{
	struct acrn_vm *vm;

	rcu_read_lock();
	list_for_each_entry_rcu(vm, &vms, node)
		acrn_ioreq_upcall(vm);
	rcu_read_unlock();
}

void acrn_upcall_hook(void)
{
	acrn_setup_intr_handler(upcall);
}

/* Afterwards the upcall runs on no CPU. May sleep. */
void acrn_upcall_unhook(void)
{
	acrn_remove_intr_handler();
	/* An interrupt handler counts as an RCU reader. */
	synchronize_rcu();
}

/* From now on the upcall takes requests of @vm. May sleep. */
void acrn_upcall_add(struct acrn_vm *vm)
{
	mutex_lock(&vms_lock);
	list_add_tail_rcu(&vm->node, &vms);
	mutex_unlock(&vms_lock);
}

/* Afterwards no upcall touches @vm. May sleep. */
void acrn_upcall_remove(struct acrn_vm *vm)
{
	mutex_lock(&vms_lock);
	list_del_rcu(&vm->node);
	mutex_unlock(&vms_lock);
	synchronize_rcu();
}
