// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous doorbells: when a guest rings one, the hypervisor writes the
 * doorbell's cookie to a ring in Service VM memory, raises the upcall and lets
 * the vCPU go on at once. There is no I/O request, and nothing to complete. While
 * the ring is full, the hypervisor makes the vCPU wait without any upcall.
 *
 * An asynchronous doorbell stays an ordinary one as well, because the hypervisor
 * says of none whether it has taken it. What it has not taken, because there is
 * no room or it is too old, is an I/O request as ever.
 *
 * The hypervisor believes what the head of a ring says, so the ring is a page of
 * the kernel's own. A cookie is the number of a place in a table and a generation
 * that no other doorbell has had. One that does not match its place is counted
 * and otherwise ignored: it is that of a doorbell which has been deassigned.
 *
 * The ring is emptied by the upcall or in process context. Whatever the upcall
 * finds and leaves, because there is too much of it, because the VM is paused or
 * because the data plane does not want it there, it leaves to the VM's thread. So
 * each cookie that nobody has taken has an upcall or the thread to come.
 *
 * Each ring raises an upcall, also while nobody takes cookies, until there is no
 * room for more. So the ring is short: a paused VM raises no more than it holds.
 *
 * Deassigning waits until the doorbell's last cookie has been taken. The
 * hypervisor looks a doorbell up and writes its cookie in two steps. In between
 * the doorbell can go, and if it does before its cookie has been read, the cookie
 * is 0. As one doorbell at a time is deassigned, a 0 is its.
 *
 * The module parameter "async" says which doorbells are to be asynchronous:
 * "auto", which is the default, all; "flag", those that the device model asks for;
 * "off", none. A VM that is started while it is "off" has none until it is reset.
 *
 * Calls that assign and deassign are serialised by the data plane, for each VM,
 * and by &struct acrn_file.lock against the end of the VM.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>

#include "acrn_hypercall.h"
#include "hsm.h"
#include "trace.h"

#define COOKIE_SIZE	sizeof(u64)
#define RING_COOKIES	64
#define RING_SIZE	(RING_COOKIES * COOKIE_SIZE)

/* Of each VM. An upcall that takes more has other VMs wait for too long. */
#define COOKIES_PER_UPCALL	16

/* A vCPU is for much less than that between two steps of the hypervisor. */
#define LOOKED_UP_US	50
/* One that has waited for room may not be on its CPU when there is some. */
#define WAITED_US	20000
/* For so long after the ring was full some may. */
#define FULL_JIFFIES	(HZ / 10)

enum async_mode {
	ASYNC_AUTO,
	ASYNC_FLAG,
	ASYNC_OFF,
};

static const char * const mode_names[] = {
	[ASYNC_AUTO] = "auto",
	[ASYNC_FLAG] = "flag",
	[ASYNC_OFF] = "off",
};

static int mode = ASYNC_AUTO;

static int mode_set(const char *text, const struct kernel_param *param)
{
	int value = sysfs_match_string(mode_names, text);

	if (value < 0)
		return value;
	WRITE_ONCE(mode, value);
	return 0;
}

static int mode_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%s\n", mode_names[READ_ONCE(mode)]);
}

static const struct kernel_param_ops mode_ops = {
	.set = mode_set,
	.get = mode_get,
};

module_param_cb(async, &mode_ops, NULL, 0644);
MODULE_PARM_DESC(async, "which doorbells are asynchronous: auto (default), flag or off");

/**
 * struct async_page - What the hypervisor has of a VM's
 * @ring:	Its ring
 * @cookies:	What is in there
 * @no_events:	A ring for events, and always full: see matches_data()
 */
struct async_page {
	struct acrn_ring ring;
	u64 cookies[RING_COOKIES];
	struct acrn_ring no_events;
};

static_assert(sizeof(struct async_page) <= PAGE_SIZE);

/**
 * struct async_place - One of the places that the hypervisor has for doorbells
 * @doorbell:	The data plane's
 * @args:	What the hypervisor knows of it. Its cookie is 0 in a free place.
 */
struct async_place {
	void *doorbell;
	struct acrn_async_doorbell args;
};

/**
 * struct acrn_async - The asynchronous doorbells of a VM
 * @page:	Where the hypervisor writes cookies to
 * @matches_data: The hypervisor can look at what is written
 * @lock:	Guards the ring, @leaving and @places, the last two against those
 *		who take cookies only. Taken with interrupts off
 * @full:	When the ring was last seen full, in jiffies
 * @generation:	Of the last doorbell
 * @leaving:	The place that is being deassigned, or NULL
 * @places:	By the low bits of the cookie
 */
struct acrn_async {
	struct async_page *page;
	bool matches_data;
	spinlock_t lock;	/* the ring, full, leaving, places */
	unsigned long full;
	u64 generation;
	struct async_place *leaving;
	struct async_place places[ACRN_ASYNC_DOORBELLS_MAX];
};

/* The place that @cookie is of, or NULL. The caller has the lock. */
static const struct async_place *find_cookie(const struct acrn_async *async,
					     u64 cookie)
{
	const struct async_place *place;

	if (!cookie)
		return async->leaving;
	place = &async->places[cookie % ACRN_ASYNC_DOORBELLS_MAX];
	return place->args.cookie == cookie ? place : NULL;
}

/* Hot path. False when this is not the context for it. */
static bool deliver(struct acrn_vm *vm, u64 cookie)
{
	const struct async_place *place = find_cookie(vm->async, cookie);
	u64 *counter = place ? &vm->stats.doorbells_ring :
			       &vm->stats.cookies_stale;

	if (place && !acrn_dataplane_ring(vm, place->doorbell))
		return false;
	trace_acrn_ring(vm->vmid, cookie, place);
	WRITE_ONCE(*counter, *counter + 1);
	return true;
}

static u32 next_offset(u32 offset)
{
	offset += COOKIE_SIZE;
	return offset < RING_SIZE ? offset : 0;
}

/* Take up to @count cookies. Hot path. The caller has the lock. */
static void take_cookies(struct acrn_vm *vm, unsigned int count)
{
	struct async_page *page = vm->async->page;
	struct acrn_ring *ring = &page->ring;
	u32 head = ring->head;

	if (next_offset(READ_ONCE(ring->tail)) == head)
		vm->async->full = jiffies;
	/* The cookie was written before the tail. */
	while (count-- && head != smp_load_acquire(&ring->tail)) {
		if (!deliver(vm, READ_ONCE(page->cookies[head / COOKIE_SIZE])))
			return;
		head = next_offset(head);
		/* From here on the hypervisor writes another there. */
		smp_store_release(&ring->head, head);
	}
}

/**
 * acrn_async_upcall() - Signal what a VM's guest has rung
 * @vm:		VM whose ring is not empty
 * @wait:	Leave all of it to the VM's thread, as it has used up its share
 *
 * Hot path. Hard-IRQ context of the upcall.
 *
 * Return: false when there is something that waits for the thread
 */
bool acrn_async_upcall(struct acrn_vm *vm, bool wait)
{
	struct acrn_async *async = vm->async;
	const struct acrn_ring *ring = &async->page->ring;

	/* With PREEMPT_RT the lock sleeps. */
	if (!wait && !IS_ENABLED(CONFIG_PREEMPT_RT)) {
		spin_lock(&async->lock);
		take_cookies(vm, COOKIES_PER_UPCALL);
		spin_unlock(&async->lock);
	}
	if (READ_ONCE(ring->head) == READ_ONCE(ring->tail))
		return true;
	acrn_thread_kick(vm);
	return false;
}

/*
 * Whether @vm's guest has rung and it has not been signalled. What is put in the
 * ring before a request is seen here by who has seen the request. Any context.
 */
bool acrn_async_waits(const struct acrn_vm *vm)
{
	/* Pairs with acrn_async_prepare(). */
	const struct acrn_async *async = smp_load_acquire(&vm->async);

	return async && READ_ONCE(async->page->ring.head) !=
			READ_ONCE(async->page->ring.tail);
}

/*
 * Signal what @vm's guest has rung so far. What it rings meanwhile has upcalls
 * of its own. Process context, may sleep.
 */
void acrn_async_drain(struct acrn_vm *vm)
{
	struct acrn_async *async = vm->async;
	unsigned int i;

	for (i = 0; i < RING_COOKIES && acrn_async_waits(vm); i++) {
		/* A signal may take long: have interrupts in between. */
		spin_lock_irq(&async->lock);
		take_cookies(vm, 1);
		spin_unlock_irq(&async->lock);
	}
}

/*
 * Hypervisors before release 3.3 have asynchronous doorbells and take no notice
 * of what is written: each would be rung by whatever is. Their calls do not tell
 * them from later ones, but that release has events of VMs as well. In between
 * there were snapshots, of February to June 2024, which have events and no data:
 * for these "async" has to be off.
 *
 * Without a device model that has events, the hypervisor is offered a ring for
 * them in which it finds no room.
 */
static bool matches_data(struct acrn_vm *vm, struct acrn_ring *no_events)
{
	int ret;

	no_events->head = sizeof(struct acrn_hv_event);
	ret = acrn_vm_event_probe(vm, no_events, 2);
	if (ret)
		pr_info_once("no asynchronous doorbells for certain data: the hypervisor is older than 3.3\n");
	return !ret;
}

/* NULL when there is no memory or the hypervisor does not want it. */
static struct acrn_async *create_async(struct acrn_vm *vm)
{
	struct acrn_async *async = kzalloc(sizeof(*async), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!async)
		return NULL;
	async->page = (struct async_page *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!async->page)
		goto free;
	ret = acrn_ring_set_up(vm, ACRN_RING_ASYNCIO, &async->page->ring,
			       RING_COOKIES, COOKIE_SIZE);
	if (ret) {
		pr_info_once("no asynchronous doorbells: the hypervisor says %d\n",
			     ret);
		goto free_page;
	}
	async->matches_data = matches_data(vm, &async->page->no_events);
	spin_lock_init(&async->lock);
	async->full = jiffies - FULL_JIFFIES;
	return async;

free_page:
	free_page((unsigned long)async->page);
free:
	kfree(async);
	return NULL;
}

/*
 * Have a ring, if it is wanted, before the VM runs: a vCPU that runs meanwhile
 * can find the hypervisor with the ring and not with its lock. The first doorbell
 * or the start of the VM comes here; either is alone. Process context.
 */
void acrn_async_prepare(struct acrn_vm *vm)
{
	struct acrn_async *async;

	if (vm->async || vm->state != ACRN_VM_CREATED ||
	    READ_ONCE(mode) == ASYNC_OFF)
		return;
	async = create_async(vm);
	if (!async)
		return;
	/* Pairs with acrn_async_waits(). */
	smp_store_release(&vm->async, async);
	/* Pairs with has_more() of the upcall. */
	smp_store_release(&vm->upcall.doorbells.ring, &async->page->ring);
}

static bool is_wanted(bool asked_for)
{
	switch (READ_ONCE(mode)) {
	case ASYNC_AUTO:
		return true;
	case ASYNC_FLAG:
		return asked_for;
	default:
		return false;
	}
}

/* The hypervisor takes address 0 for a free place. */
static bool is_possible(const struct acrn_async *async,
			const struct acrn_async_key *key)
{
	return key->address && (async->matches_data || !key->match_data);
}

/* The place of @doorbell, or a free one for NULL. NULL when there is none. */
static struct async_place *find_place(struct acrn_async *async,
				      const void *doorbell)
{
	unsigned int i;

	for (i = 0; i < ACRN_ASYNC_DOORBELLS_MAX; i++)
		if (async->places[i].doorbell == doorbell)
			return &async->places[i];
	return NULL;
}

static const struct async_place nothing;

static void set_place(struct acrn_async *async, struct async_place *place,
		      const struct async_place *to)
{
	spin_lock_irq(&async->lock);
	*place = *to;
	spin_unlock_irq(&async->lock);
}

/*
 * Cookies go up with the time, so that none comes again as long as the machine
 * is on: the hypervisor deassigns by cookie, too, and an entry that a VM has left
 * there must not be taken for one of the VM that has its id now.
 */
static u64 new_cookie(struct acrn_async *async, const struct async_place *place)
{
	async->generation = max(async->generation + 1,
				(u64)ktime_get_boottime_ns());
	return async->generation * ACRN_ASYNC_DOORBELLS_MAX +
	       (place - async->places);
}

/**
 * acrn_hsm_async_assign() - Make a doorbell asynchronous
 * @vm:		VM to which the data plane is attached
 * @key:	Which accesses ring it
 * @asked_for:	The device model wants that
 * @doorbell:	What &acrn_dataplane_ops.ring is called with
 *
 * From now on such accesses may ring @doorbell without being requests: accesses
 * of any width, and reads as well, which get an undefined value. No two doorbells
 * of a VM may have an access in common. Requests may come, too.
 *
 * The first in a VM to ask has the place, of which there are
 * ACRN_ASYNC_DOORBELLS_MAX. They are gone with the VM.
 *
 * Context: Process context, may sleep. The data plane serialises calls for a VM.
 * Return: 0 or
 *	   -EOPNOTSUPP:	the parameter "async" is against it, or was when the VM
 *			started, or the hypervisor does not have it, or not for
 *			data or for address 0,
 *	   -ENOSPC:	there is no place left,
 *	   or the hypervisor's errno
 */
int acrn_hsm_async_assign(struct acrn_vm *vm, const struct acrn_async_key *key,
			  bool asked_for, void *doorbell)
{
	struct async_place *place, new = { .doorbell = doorbell };
	struct acrn_async *async;
	int ret;

	acrn_async_prepare(vm);
	async = vm->async;
	if (!async || !is_wanted(asked_for) || !is_possible(async, key))
		return -EOPNOTSUPP;
	place = find_place(async, NULL);
	if (!place)
		return -ENOSPC;

	new.args = (struct acrn_async_doorbell){
		.type = key->type == ACRN_IOREQ_TYPE_PORTIO ?
			ACRN_ASYNC_DOORBELL_PIO : ACRN_ASYNC_DOORBELL_MMIO,
		.match_data = key->match_data,
		.address = key->address,
		.cookie = new_cookie(async, place),
		.data = key->data,
	};
	set_place(async, place, &new);
	ret = acrn_hc_asyncio_assign(vm->vmid, &place->args);
	if (ret)
		set_place(async, place, &nothing);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(acrn_hsm_async_assign, ACRN_HSM);

static void set_leaving(struct acrn_async *async, struct async_place *place)
{
	spin_lock_irq(&async->lock);
	async->leaving = place;
	spin_unlock_irq(&async->lock);
}

/* The hypervisor has forgotten the doorbell: take what is on its way. */
static void empty_place(struct acrn_vm *vm, struct async_place *place)
{
	unsigned long us = LOOKED_UP_US;

	/* A vCPU that waits for room finds some. */
	acrn_async_drain(vm);
	if (time_before(jiffies, READ_ONCE(vm->async->full) + FULL_JIFFIES))
		us = WAITED_US;
	usleep_range(us, 2 * us);
	acrn_async_drain(vm);
	set_place(vm->async, place, &nothing);
}

/**
 * acrn_hsm_async_deassign() - Undo acrn_hsm_async_assign()
 * @vm:		VM
 * @doorbell:	As it was assigned
 *
 * Context: As for acrn_hsm_async_assign()
 * Return: 0, upon which @doorbell has been signalled for each ring that the
 *	   hypervisor had taken note of and is not signalled any more; or the
 *	   hypervisor's errno, upon which it is as it was
 */
int acrn_hsm_async_deassign(struct acrn_vm *vm, const void *doorbell)
{
	struct acrn_async *async = vm->async;
	struct async_place *place = find_place(async, doorbell);
	int ret;

	set_leaving(async, place);
	ret = acrn_hc_asyncio_deassign(vm->vmid, &place->args);
	if (!ret)
		empty_place(vm, place);
	set_leaving(async, NULL);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(acrn_hsm_async_deassign, ACRN_HSM);

/* Have @call made for each doorbell. */
static void call_for_doorbells(struct acrn_vm *vm,
			       int (*call)(u16 vmid,
					   struct acrn_async_doorbell *args))
{
	struct async_place *place;
	unsigned int i;
	int ret;

	for (i = 0; vm->async && i < ACRN_ASYNC_DOORBELLS_MAX; i++) {
		place = &vm->async->places[i];
		if (!place->doorbell)
			continue;
		ret = call(vm->vmid, &place->args);
		if (ret)
			pr_warn_ratelimited("VM %u: asynchronous doorbell: %d\n",
					    vm->vmid, ret);
	}
}

/*
 * The VM is paused and about to be destroyed: the hypervisor forgets its
 * doorbells, all of which have been signalled. Process context.
 */
void acrn_async_withdraw(struct acrn_vm *vm)
{
	call_for_doorbells(vm, acrn_hc_asyncio_deassign);
}

/* The VM was not destroyed. Process context. */
void acrn_async_restore(struct acrn_vm *vm)
{
	call_for_doorbells(vm, acrn_hc_asyncio_assign);
}

/*
 * Neither upcall nor thread know the VM any more. The ring stays unless @unused: a
 * VM that cannot be destroyed may still write to it.
 */
void acrn_async_deinit(struct acrn_vm *vm, bool unused)
{
	if (!vm->async)
		return;
	if (unused)
		free_page((unsigned long)vm->async->page);
	kfree(vm->async);
}
