// SPDX-License-Identifier: GPL-2.0
/*
 * The upcall: the hypervisor's interrupt to the Service VM saying that some
 * vCPU has filled its I/O request slot. It does not say which, so all VMs are
 * looked at; each deals with what it finds on its own and none waits for
 * another.
 */
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/smp.h>
#include <asm/acrn.h>
#include <asm/tsc.h>

#include "hsm.h"
#include "trace.h"

/* The Service VM's vCPU 0, which Linux starts on. */
#define UPCALL_CPU	0

/* Changed under vms_lock, read under RCU. */
static LIST_HEAD(vms);
static DEFINE_MUTEX(vms_lock);

/**
 * struct upcall_load - How much time the upcall takes
 * @since:	Begin of the current window
 * @spent:	What the upcall has taken of it
 *
 * In cycles of the TSC. Used by the upcall alone, which comes to one CPU.
 */
static struct upcall_load {
	u64 since;
	u64 spent;
} load;

/* Guests can ring without end. A fourth of the time is for everything else. */
#define LOAD_WINDOW_MS	10
#define LOAD_LIMIT(window)	((window) / 4 * 3)

static bool overloaded(u64 now)
{
	u64 window = (u64)tsc_khz * LOAD_WINDOW_MS;

	if (now - load.since > window) {
		load.since = now;
		load.spent = 0;
	}
	return load.spent > LOAD_LIMIT(window);
}

/*
 * Hot path. Hard-IRQ context on UPCALL_CPU.
 *
 * When upcalls leave no time for anything else, requests are left to the VMs'
 * works until the window ends: a vCPU then goes on when the scheduler lets it.
 */
static void upcall(void)
{
	u64 start = get_cycles();
	bool overload = overloaded(start);
	struct acrn_vm *vm;

	trace_acrn_upcall(overload);
	rcu_read_lock();
	list_for_each_entry_rcu(vm, &vms, node)
		acrn_ioreq_upcall(vm, start, overload);
	rcu_read_unlock();
	load.spent += get_cycles() - start;
}

static int nothing(void *unused)
{
	return 0;
}

/*
 * Wait until the upcalls that the hypervisor has raised so far have run. One
 * may still be on its way to a CPU that is idle, which a grace period does not
 * wait for; a thread runs there only when it has been taken. May sleep.
 */
void acrn_upcall_flush(void)
{
	smp_call_on_cpu(UPCALL_CPU, nothing, NULL, false);
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
