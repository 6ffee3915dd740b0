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
 * &struct acrn_watched, those that rang last first: a few that ring do not wait
 * for the look at many that do not. Used by interrupts of UPCALL_CPU alone.
 */
static LIST_HEAD(watched_vms);

/* For who would call such an interrupt while UPCALL_CPU is offline. */
static DEFINE_SPINLOCK(offline_lock);

/* Is it worth while to look at the VM itself? */
static bool has_request(const struct acrn_watched *watched)
{
	const struct acrn_io_request *slot = watched->slots;
	const struct acrn_io_request *end = slot + watched->vcpu_num;

	for (; slot < end; slot++)
		if (READ_ONCE(slot->processed) == ACRN_IOREQ_STATE_PENDING)
			return true;
	return false;
}

/*
 * Has something been put in the ring since the last upcall, or is there something
 * left of before? Somebody else may have emptied it: an upcall came all the same.
 */
static bool has_more(struct acrn_watched_ring *watched)
{
	/* Who sets it is ready for upcalls. */
	const struct acrn_ring *ring = smp_load_acquire(&watched->ring);
	u32 seen = watched->tail;

	if (!ring)
		return false;
	watched->tail = READ_ONCE(ring->tail);
	return watched->tail != seen || watched->tail != READ_ONCE(ring->head);
}

/*
 * Deal with a VM. What its guest rang before it made a request is signalled
 * before the request is looked at, and has the request wait if it waits itself.
 * True when there was anything.
 */
static bool serve(struct acrn_watched *watched, u64 start)
{
	struct acrn_vm *vm = container_of(watched, struct acrn_vm, watched);
	bool rung = has_more(&watched->doorbells);
	bool told = has_more(&watched->events);
	bool requested = has_request(watched);
	bool paused, defer;

	if (!rung && !told && !requested)
		return false;
	paused = acrn_share_used_up(vm);
	if (told)
		acrn_thread_ask(vm);
	defer = rung ? !acrn_async_upcall(vm, paused) : paused;
	if (requested)
		acrn_ioreq_upcall(vm, start, defer, paused);
	acrn_share_charge(vm);
	return true;
}

/* Hot path. Hard-IRQ context on UPCALL_CPU. */
static void upcall(void)
{
	struct acrn_watched *watched, *next;
	u64 start = get_cycles();
	u64 since = acrn_share_begin(start);

	trace_acrn_upcall(since);
	list_for_each_entry_safe(watched, next, &watched_vms, link)
		if (serve(watched, start))
			list_move(&watched->link, &watched_vms);
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

static void take_requests(void *vm)
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
	call_between_upcalls(take_requests, vm);
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

static void add(void *arg)
{
	struct acrn_watched *watched = arg;

	list_add_tail(&watched->link, &watched_vms);
	acrn_share_add_vms(1);
}

static void remove(void *arg)
{
	struct acrn_watched *watched = arg;

	list_del(&watched->link);
	acrn_share_add_vms(-1);
}

/* From now on the upcall looks at @vm. May sleep. */
void acrn_upcall_add(struct acrn_vm *vm)
{
	vm->watched.slots = vm->ioreqs.slots;
	vm->watched.vcpu_num = vm->vcpu_num;
	call_between_upcalls(add, &vm->watched);
}

/* Afterwards no upcall touches @vm, which the upcall need not know. May sleep. */
void acrn_upcall_remove(struct acrn_vm *vm)
{
	if (vm->watched.slots)
		call_between_upcalls(remove, &vm->watched);
	vm->watched.slots = NULL;
}
