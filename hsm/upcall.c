// SPDX-License-Identifier: GPL-2.0
/*
 * The upcall: the hypervisor's interrupt to the Service VM saying that some
 * vCPU has filled its I/O request slot or rung an asynchronous doorbell, or that
 * there is an event of some VM. It does not say which, so all VMs are looked at;
 * each deals with what it finds on its own and none waits for another.
 */
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/acrn.h>
#include <asm/tsc.h>

#include "acrn_hypercall.h"
#include "hsm.h"
#include "trace.h"

/* The Service VM's vCPU 0, which Linux starts on. */
#define UPCALL_CPU	0

#define VMS_AT_FIRST	4

/**
 * struct watched_vm - What the upcall has to know of a VM without requests
 * @slots:	Those of its I/O request page, or NULL: not to be looked at
 * @ring:	Of its asynchronous doorbells, or NULL
 * @vm:		The VM, or NULL: the place is free. Changes while @slots is NULL
 *		and no upcall has seen it otherwise.
 * @vcpu_num:	How many of @slots there are, as @vm
 * @turn:	Nothing to do with the VM: which place is looked at when it is
 *		the turn of this one. Used by the upcall alone.
 */
struct watched_vm {
	const struct acrn_io_request *slots;
	const struct acrn_ring *ring;
	struct acrn_vm *vm;
	unsigned int vcpu_num;
	unsigned int turn;
};

/**
 * struct watched_vms - All VMs, side by side
 * @rcu:	Frees it
 * @count:	Of @vms, free ones included
 * @vms:	The VMs
 *
 * Each upcall looks at all VMs, so that it matters how much memory that takes:
 * this, the slots and the head of the ring, unless a VM has a request.
 */
struct watched_vms {
	struct rcu_head rcu;
	unsigned int count;
	struct watched_vm vms[];
};

/* Changed under watched_lock, read under RCU. */
static struct watched_vms __rcu *watched;
static DEFINE_MUTEX(watched_lock);

/**
 * struct upcall_load - How much time the upcall takes
 * @since:	Begin of the current window
 * @spent:	What the upcall has taken of it, and before it beyond its limit
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
	u64 elapsed = now - load.since;

	if (elapsed > window) {
		load.since = now;
		load.spent -= min(load.spent, LOAD_LIMIT(elapsed));
	}
	return load.spent > LOAD_LIMIT(window);
}

/* Is it worth while to look at the VM itself? */
static bool has_request(const struct acrn_io_request *slots,
			unsigned int vcpu_num)
{
	unsigned int vcpu;

	for (vcpu = 0; vcpu < vcpu_num; vcpu++)
		if (READ_ONCE(slots[vcpu].processed) ==
		    ACRN_IOREQ_STATE_PENDING)
			return true;
	return false;
}

/* Has a doorbell been rung? */
static bool is_rung(const struct acrn_ring *ring)
{
	return ring && READ_ONCE(ring->tail) != READ_ONCE(ring->head);
}

/*
 * Deal with a VM. What its guest rang before it made a request is signalled
 * before the request is looked at. True when there was anything.
 */
static bool serve(const struct watched_vm *one,
		  const struct acrn_io_request *slots, u64 start, bool overload)
{
	/* Pairs with acrn_upcall_watch(). */
	bool rung = is_rung(smp_load_acquire(&one->ring));
	bool requested = has_request(slots, one->vcpu_num);

	if (rung)
		acrn_async_upcall(one->vm, overload);
	if (requested)
		acrn_ioreq_upcall(one->vm, start, overload);
	return rung || requested;
}

/* From now on the place that was looked at in turn @i is looked at first. */
static void to_front(struct watched_vms *all, unsigned int i)
{
	unsigned int place = all->vms[i].turn;

	for (; i; i--)
		all->vms[i].turn = all->vms[i - 1].turn;
	all->vms[0].turn = place;
}

/*
 * Look at all VMs, in the order in which they rang last: a few that ring do not
 * wait for the look at many that do not. Hot path, under RCU.
 */
static void scan(struct watched_vms *all, u64 start, bool overload)
{
	unsigned int i;

	for (i = 0; i < all->count; i++) {
		const struct watched_vm *one = &all->vms[all->vms[i].turn];
		const struct acrn_io_request *slots;

		/* The rest was written before it, in acrn_upcall_add(). */
		slots = smp_load_acquire(&one->slots);
		if (slots && serve(one, slots, start, overload))
			to_front(all, i);
	}
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
	struct watched_vms *all;

	trace_acrn_upcall(overload);
	rcu_read_lock();
	all = rcu_dereference(watched);
	if (all)
		scan(all, start, overload);
	rcu_read_unlock();
	acrn_vm_event_upcall();
	load.spent += get_cycles() - start;
}

/*
 * Call @fn where the upcall runs, between two of them, and wait for it. This
 * takes an interrupt of that CPU and no thread, which might have to wait there
 * for a real-time task. Where the CPU is offline there is no upcall either.
 */
static void call_between_upcalls(smp_call_func_t fn, void *arg)
{
	smp_call_function_single(UPCALL_CPU, fn, arg, true);
}

static void take_requests(void *vm)
{
	acrn_ioreq_defer_all(vm);
}

/*
 * Take what the hypervisor has handed over so far of @vm's, whether its upcall
 * has come or is still on its way, when it finds nothing any more.
 */
void acrn_upcall_flush(struct acrn_vm *vm)
{
	call_between_upcalls(take_requests, vm);
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
	kfree(rcu_dereference_protected(watched, true));
}

static struct watched_vms *all_watched(void)
{
	return rcu_dereference_protected(watched,
					 lockdep_is_held(&watched_lock));
}

/* The place of @vm, or a free one for NULL. */
static struct watched_vm *find_watched(const struct acrn_vm *vm)
{
	struct watched_vms *all = all_watched();
	unsigned int i;

	for (i = 0; all && i < all->count; i++)
		if (all->vms[i].vm == vm)
			return &all->vms[i];
	return NULL;
}

/* Twice as many places, with new turns: the old ones are the upcall's. */
static int add_places(void)
{
	struct watched_vms *old = all_watched(), *all;
	unsigned int i, count = old ? 2 * old->count : VMS_AT_FIRST;

	all = kzalloc(struct_size(all, vms, count), GFP_KERNEL);
	if (!all)
		return -ENOMEM;
	all->count = count;
	if (old)
		memcpy(all->vms, old->vms, flex_array_size(old, vms, old->count));
	for (i = 0; i < count; i++)
		all->vms[i].turn = i;
	rcu_assign_pointer(watched, all);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/* From now on the upcall takes requests of @vm. May sleep. 0 or -ENOMEM. */
int acrn_upcall_add(struct acrn_vm *vm)
{
	struct watched_vm *place;
	int ret = 0;

	mutex_lock(&watched_lock);
	place = find_watched(NULL);
	if (!place) {
		ret = add_places();
		place = find_watched(NULL);
	}
	if (!ret) {
		place->vm = vm;
		place->vcpu_num = vm->vcpu_num;
		place->ring = NULL;
		/* Pairs with scan(). */
		smp_store_release(&place->slots, vm->ioreqs.slots);
	}
	mutex_unlock(&watched_lock);
	return ret;
}

/*
 * From now on the upcall looks at @vm's ring, too, which stays as long as the
 * upcall knows @vm. May sleep.
 */
void acrn_upcall_watch(struct acrn_vm *vm, const struct acrn_ring *ring)
{
	mutex_lock(&watched_lock);
	/* Pairs with serve(): the VM is ready for it. */
	smp_store_release(&find_watched(vm)->ring, ring);
	mutex_unlock(&watched_lock);
}

static void nothing(void *unused)
{
}

/*
 * Afterwards no upcall touches @vm, which the upcall need not know. May sleep.
 * The place is free when no upcall can have seen @vm there; until then it may
 * move with the others.
 */
void acrn_upcall_remove(struct acrn_vm *vm)
{
	struct watched_vm *place;

	mutex_lock(&watched_lock);
	place = find_watched(vm);
	if (place)
		WRITE_ONCE(place->slots, NULL);
	mutex_unlock(&watched_lock);
	if (!place)
		return;

	call_between_upcalls(nothing, NULL);
	mutex_lock(&watched_lock);
	find_watched(vm)->vm = NULL;
	mutex_unlock(&watched_lock);
}
