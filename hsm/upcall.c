// SPDX-License-Identifier: GPL-2.0
/*
 * The upcall: the hypervisor's interrupt to the Service VM saying that some
 * vCPU has filled its I/O request slot or rung an asynchronous doorbell, or that
 * there is an event of some VM. It does not say which, so all VMs are looked at;
 * each deals with what it finds on its own and none waits for another.
 */
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <asm/acrn.h>
#include <asm/tsc.h>

#include "acrn_hypercall.h"
#include "hsm.h"
#include "trace.h"

/* The Service VM's vCPU 0, which Linux starts on. */
#define UPCALL_CPU	0

/*
 * &struct acrn_upcall_entry, those that rang last first: a few that ring do not wait
 * for the look at many that do not. Used by interrupts of UPCALL_CPU alone.
 */
static LIST_HEAD(entries);

/* For who would call such an interrupt while UPCALL_CPU is offline. */
static DEFINE_SPINLOCK(offline_lock);

/* Is it worth while to look at the VM itself? */
static bool has_request(const struct acrn_upcall_entry *entry)
{
	const struct acrn_io_request *slot = entry->slots;
	const struct acrn_io_request *end = slot + entry->vcpu_num;

	for (; slot < end; slot++)
		if (READ_ONCE(slot->processed) == ACRN_IOREQ_STATE_PENDING)
			return true;
	return false;
}

/*
 * Has something been put in the ring since the last upcall, or is there something
 * left of before? Somebody else may have emptied it: an upcall came all the same.
 */
static bool ring_has_more(struct acrn_upcall_ring *known)
{
	/* Who sets it is ready for upcalls. */
	const struct acrn_ring *ring = smp_load_acquire(&known->ring);
	u32 seen = known->tail;

	if (!ring)
		return false;
	known->tail = READ_ONCE(ring->tail);
	return known->tail != seen || known->tail != READ_ONCE(ring->head);
}

/*
 * Deal with a VM. What its guest rang before it made a request is signalled
 * before the request is looked at, and has the request wait if it waits itself.
 * True when there was anything.
 */
static bool serve_vm(struct acrn_upcall_entry *entry, u64 start)
{
	struct acrn_vm *vm = container_of(entry, struct acrn_vm, upcall);
	bool rung = ring_has_more(&entry->doorbells);
	bool told = ring_has_more(&entry->events);
	bool requested = has_request(entry);
	bool paused, defer;

	if (!rung && !told && !requested)
		return false;
	paused = acrn_share_used_up(vm);
	if (told)
		acrn_thread_kick(vm);
	defer = rung ? !acrn_async_upcall(vm, paused) : paused;
	if (requested)
		acrn_ioreq_upcall(vm, start, defer, paused);
	acrn_share_charge(vm);
	return true;
}

/* Hot path. Hard-IRQ context on UPCALL_CPU. */
static void upcall(void)
{
	struct acrn_upcall_entry *entry, *next;
	u64 start = get_cycles();
	u64 since = acrn_share_begin(start);

	trace_acrn_upcall(since);
	list_for_each_entry_safe(entry, next, &entries, link)
		if (serve_vm(entry, start))
			list_move(&entry->link, &entries);
	acrn_share_end();
}

/*
 * Call @fn where the upcall runs, between two of them, and wait for it. This
 * takes an interrupt of that CPU and no thread, which might have to wait there
 * for a real-time task. Where the CPU is offline there is no upcall either.
 */
static void call_between_upcalls(smp_call_func_t fn, void *arg)
{
	unsigned long flags;

	if (!smp_call_function_single(UPCALL_CPU, fn, arg, true))
		return;
	spin_lock_irqsave(&offline_lock, flags);
	fn(arg);
	spin_unlock_irqrestore(&offline_lock, flags);
}

static void defer_requests(void *vm)
{
	acrn_ioreq_defer_all(vm);
}

/*
 * Wait until what the hypervisor has handed over so far of @vm's is signalled,
 * completed or with the client, whether its upcall has come or is still on its
 * way, when it finds nothing any more. May sleep.
 */
void acrn_upcall_flush(struct acrn_vm *vm)
{
	acrn_async_drain(vm);
	call_between_upcalls(defer_requests, vm);
	acrn_ioreq_serve(vm);
}

void acrn_upcall_hook(void)
{
	acrn_setup_intr_handler(upcall);
}

/* Afterwards the upcall runs on no CPU. No VM is left. May sleep. */
void acrn_upcall_unhook(void)
{
	acrn_remove_intr_handler();
	/* An interrupt handler counts as an RCU reader. */
	synchronize_rcu();
}

static void add_vm(void *arg)
{
	struct acrn_upcall_entry *entry = arg;

	list_add_tail(&entry->link, &entries);
	acrn_share_add_vms(1);
}

static void remove_vm(void *arg)
{
	struct acrn_upcall_entry *entry = arg;

	list_del(&entry->link);
	acrn_share_add_vms(-1);
}

/* From now on the upcall looks at @vm. May sleep. */
void acrn_upcall_add(struct acrn_vm *vm)
{
	vm->upcall.slots = vm->io.slots;
	vm->upcall.vcpu_num = vm->vcpu_num;
	call_between_upcalls(add_vm, &vm->upcall);
}

/* Afterwards no upcall touches @vm, which the upcall need not know. May sleep. */
void acrn_upcall_remove(struct acrn_vm *vm)
{
	if (vm->upcall.slots)
		call_between_upcalls(remove_vm, &vm->upcall);
	vm->upcall.slots = NULL;
}
