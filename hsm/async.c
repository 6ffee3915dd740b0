// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous doorbells. When a guest rings one, the hypervisor writes the
 * cookie of the doorbell to a ring in memory of the Service VM, raises the
 * upcall, and the vCPU continues at once. There is no I/O request, and so
 * nothing to complete. While the ring is full, the hypervisor makes the vCPU
 * wait, without an upcall.
 *
 * An asynchronous doorbell stays an ordinary one as well, because the
 * hypervisor does not say whether it has accepted it. If it has not, as there
 * is no room left or the hypervisor is too old, each ring is an I/O request as
 * before.
 *
 * The hypervisor writes wherever the head of a ring says, so the ring is in a
 * page of the kernel's own. A cookie is made of the index of an entry in a
 * table and of a generation that no other doorbell has had. A cookie that is
 * not the one in its entry belongs to a doorbell that was deassigned: it is
 * counted and otherwise ignored.
 *
 * Cookies are taken from the ring by the upcall or in process context. The
 * upcall leaves cookies to the VM's thread if there are too many, if the VM is
 * paused because it has used up its share, or if the data plane does not signal
 * doorbells in the upcall. So whatever is in the ring, there is an upcall or
 * the thread yet to come that takes it.
 *
 * Each cookie raises an upcall, also while nobody takes cookies, until the ring
 * is full. So the ring is short: a VM that is paused raises no more upcalls
 * than it has elements.
 *
 * Deassigning a doorbell waits until its last cookie has been taken. The
 * hypervisor looks a doorbell up, releases its lock, and then reads the cookie
 * and writes it to the ring. If the doorbell is deassigned in between, the
 * cookie reads as 0. Only one doorbell of a VM is deassigned at a time, so a
 * cookie 0 is that of this doorbell.
 *
 * The module parameter "async" says which doorbells are asynchronous, see
 * async_mode.c. A VM that is started while it is "off" has none until it is reset.
 *
 * Contexts and locks. take_cookies() and what it calls are the hot path: they
 * run in the upcall, or in process context with interrupts off, and always with
 * &acrn_async.lock held. All other functions run in process context, but for
 * acrn_async_upcall() and acrn_async_pending(). Most of them assign and
 * deassign doorbells: the data plane serialises these calls for a VM, and
 * &struct acrn_file.lock keeps the VM from being destroyed meanwhile. Nobody
 * else writes to the places, so these functions read them without
 * &acrn_async.lock and take it to write.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/delay.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "acrn_hypercall.h"
#include "hsm.h"
#include "trace.h"

#define COOKIE_SIZE	sizeof(u64)
#define RING_COOKIES	64
#define RING_SIZE	(RING_COOKIES * COOKIE_SIZE)

/* Cookies of one VM that an upcall takes at most, so that other VMs do not wait */
#define COOKIES_PER_UPCALL	16

/*
 * A task that takes cookies offers its CPU to others after this time, a tick of
 * 250 Hz. A task that gives its CPU away with cookies left has the guest's next
 * rings taken in upcalls again, which the VM has to pay for.
 */
#define DRAIN_US	4000

/* Longer than a vCPU takes from looking a doorbell up to writing its cookie */
#define COOKIE_DELAY_US	50
/*
 * The same for a vCPU that has found the ring full: it may have left its CPU to
 * another vCPU, and not be back at once when there is room
 */
#define BLOCKED_DELAY_US	20000
/* Time after the ring was seen full in which there may be such a vCPU */
#define RECENTLY_JIFFIES	(HZ / 10)

/**
 * struct async_page - Page that the hypervisor writes to
 * @ring:	Header of the ring of cookies
 * @cookies:	Elements of that ring
 * @no_events:	Header of a ring of events that is always full, see matches_data()
 */
struct async_page {
	struct acrn_ring ring;
	u64 cookies[RING_COOKIES];
	struct acrn_ring no_events;
};

static_assert(sizeof(struct async_page) <= PAGE_SIZE);

/**
 * struct async_place - A place for an asynchronous doorbell
 * @doorbell:	Doorbell of the data plane; NULL if the place is free
 * @args:	What the hypervisor was told of it; the cookie is 0 if the place
 *		is free
 */
struct async_place {
	void *doorbell;
	struct acrn_async_doorbell args;
};

/**
 * struct acrn_async - Asynchronous doorbells of a VM
 * @page:	Page that the hypervisor writes to. Constant
 * @matches_data: The hypervisor can compare the value that is written. Constant
 * @lock:	Held by whoever takes cookies, which needs the ring, @removing
 *		and @places. Whoever assigns and deassigns takes it only to
 *		write to these two. Taken with interrupts off
 * @last_full:	When the ring was last seen at least half full, in jiffies
 * @generation:	Generation of the newest cookie
 * @removing:	Place whose doorbell is being deassigned, or NULL
 * @places:	Places, indexed by the low bits of the cookie
 */
struct acrn_async {
	struct async_page *page;
	bool matches_data;
	spinlock_t lock;	/* ring, last_full, removing, places */
	unsigned long last_full;
	u64 generation;
	struct async_place *removing;
	struct async_place places[ACRN_ASYNC_DOORBELLS_MAX];
};

/*
 * Find the place of the doorbell that @cookie belongs to, or NULL. Hot path,
 * &acrn_async.lock is held.
 */
static const struct async_place *find_cookie(const struct acrn_async *async,
					     u64 cookie)
{
	const struct async_place *place;

	if (!cookie)
		return async->removing;
	place = &async->places[cookie % ACRN_ASYNC_DOORBELLS_MAX];
	return place->args.cookie == cookie ? place : NULL;
}

/*
 * Signal the doorbell that @cookie belongs to, if any, and count the cookie.
 * Returns false if the data plane does not signal doorbells in this context.
 * Hot path, &acrn_async.lock is held.
 */
static bool signal_cookie(struct acrn_vm *vm, u64 cookie)
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

/* Offset in the ring of the cookie behind the one at @offset. */
static u32 next_offset(u32 offset)
{
	offset += COOKIE_SIZE;
	return offset < RING_SIZE ? offset : 0;
}

/*
 * Whether at least half of the ring is in use. A ring that was full when a vCPU
 * looked is so still when the next cookie is taken.
 */
static bool is_half_full(u32 head, u32 tail)
{
	u32 used = tail >= head ? tail - head : tail + RING_SIZE - head;

	return used >= RING_SIZE / 2;
}

/*
 * Take a cookie from the ring, if there is one, and signal its doorbell. Returns
 * false if there is none, or if doorbells are not signalled in this context. Hot
 * path, in the upcall or in process context; &acrn_async.lock is held, and the
 * head of the ring is written by its holder only.
 */
static bool take_cookie(struct acrn_vm *vm)
{
	struct async_page *page = vm->async->page;
	struct acrn_ring *ring = &page->ring;
	u32 head = ring->head, tail;

	/* The hypervisor has written the cookie before the tail. */
	tail = smp_load_acquire(&ring->tail);
	if (head == tail)
		return false;
	if (is_half_full(head, tail))
		vm->async->last_full = jiffies;
	if (!signal_cookie(vm, READ_ONCE(page->cookies[head / COOKIE_SIZE])))
		return false;
	/* The hypervisor may overwrite the cookie once it sees the head. */
	smp_store_release(&ring->head, next_offset(head));
	return true;
}

/*
 * Take cookies in the upcall, which has begun at @start: as many as one may take,
 * or until it takes long. Hot path, &acrn_async.lock is held.
 */
static void take_cookies(struct acrn_vm *vm, u64 start)
{
	unsigned int left = COOKIES_PER_UPCALL;

	while (take_cookie(vm) && --left && !acrn_share_is_long(start))
		;
}

/**
 * acrn_async_upcall() - Signal the asynchronous doorbells that a guest has rung
 * @vm:		VM whose ring is not empty
 * @start:	When the upcall began, in cycles of the TSC
 * @defer:	Leave all of them to the VM's thread, as the VM has used up its
 *		share
 *
 * Hot path.
 *
 * Context: The upcall, hard IRQ.
 * Return: true if the ring is empty now; false if cookies in it wait for the thread
 */
bool acrn_async_upcall(struct acrn_vm *vm, u64 start, bool defer)
{
	struct acrn_async *async = vm->async;
	const struct acrn_ring *ring = &async->page->ring;

	/* On PREEMPT_RT the lock sleeps. */
	if (!defer && !IS_ENABLED(CONFIG_PREEMPT_RT)) {
		spin_lock(&async->lock);
		take_cookies(vm, start);
		spin_unlock(&async->lock);
	}
	if (READ_ONCE(ring->head) == READ_ONCE(ring->tail))
		return true;
	acrn_thread_kick(vm);
	return false;
}

/**
 * acrn_async_pending() - Find whether a VM has asynchronous doorbells to signal
 * @vm:	VM
 *
 * The hypervisor writes cookies to the ring before it makes a later request of
 * the same vCPU pending. So whoever has taken a request sees the cookies that
 * came before it.
 *
 * Context: Any, no lock needed.
 * Return: true if the ring is not empty
 */
bool acrn_async_pending(const struct acrn_vm *vm)
{
	/* Pairs with acrn_async_prepare(). */
	const struct acrn_async *async = smp_load_acquire(&vm->async);

	return async && READ_ONCE(async->page->ring.head) !=
			READ_ONCE(async->page->ring.tail);
}

/**
 * acrn_async_drain() - Signal the asynchronous doorbells that a guest has rung
 * so far
 * @vm:	VM, which need not have any
 *
 * Doorbells that the guest rings meanwhile have their own upcalls.
 *
 * Context: Process context, may sleep: the VM's thread or an ioctl. Takes
 *	    &acrn_async.lock with interrupts off for one cookie at a time.
 */
void acrn_async_drain(struct acrn_vm *vm)
{
	u64 begun = get_cycles();
	unsigned int i;

	for (i = 0; i < RING_COOKIES && acrn_async_pending(vm); i++) {
		/*
		 * Signalling may take long, as many may wait for an eventfd: let
		 * interrupts come in between and, now and then, other tasks.
		 */
		spin_lock_irq(&vm->async->lock);
		take_cookie(vm);
		spin_unlock_irq(&vm->async->lock);
		if (get_cycles() - begun > acrn_us_to_cycles(DRAIN_US)) {
			cond_resched();
			begun = get_cycles();
		}
	}
}

/*
 * Find whether the hypervisor compares the value that is written with that of
 * the doorbell. Hypervisors before release 3.3 do not, and any value would ring
 * the doorbell. No call tells the difference. But release 3.3 also has events
 * of VMs, so this tries whether the hypervisor has these. For snapshots of
 * February to June 2024, which have events and do not compare values, "async"
 * has to be "off".
 *
 * To try that, the hypervisor is given a ring for events that is full, unless
 * the device model has set up a ring already.
 */
static bool matches_data(struct acrn_vm *vm, struct acrn_ring *no_events)
{
	int ret;

	no_events->head = sizeof(struct acrn_hv_event);
	ret = acrn_vm_event_probe(vm, no_events, 2);
	if (ret)
		pr_info_once("no asynchronous doorbells that match data: the hypervisor is older than 3.3\n");
	return !ret;
}

/*
 * Set up the ring of a VM that does not run. Returns NULL when there is no
 * memory, or when the hypervisor refuses the ring as it has no asynchronous
 * doorbells. Called by acrn_async_prepare(), so nobody else sees the ring yet.
 * May sleep.
 */
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
		pr_info_once("no asynchronous doorbells: the hypervisor refuses their ring (%d)\n",
			     ret);
		goto free_page;
	}
	async->matches_data = matches_data(vm, &async->page->no_events);
	spin_lock_init(&async->lock);
	async->last_full = jiffies - RECENTLY_JIFFIES;
	return async;

free_page:
	free_page((unsigned long)async->page);
free:
	kfree(async);
	return NULL;
}

/**
 * acrn_async_prepare() - Set up the ring of a VM, if it is to have one
 * @vm:	VM
 *
 * Called for the first doorbell and when the VM is started. It has to be done
 * before the VM runs: the hypervisor sets the address of the ring before it
 * initialises the lock, and a running vCPU could use the ring in between.
 *
 * Context: Process context, may sleep. The data plane serialises calls for
 *	   doorbells, and &struct acrn_file.lock is held: for writing when the
 *	   VM is started.
 */
void acrn_async_prepare(struct acrn_vm *vm)
{
	struct acrn_async *async;

	if (vm->async || vm->state != ACRN_VM_CREATED ||
	    !acrn_async_mode_any())
		return;
	async = create_async(vm);
	if (!async)
		return;
	/* Pairs with acrn_async_pending(), which then finds the ring. */
	smp_store_release(&vm->async, async);
	/* Pairs with ring_has_more() of the upcall, which then uses vm->async. */
	smp_store_release(&vm->upcall.doorbells.ring, &async->page->ring);
}

/* Whether the hypervisor can. It takes a doorbell at address 0 for a free place. */
static bool is_possible(const struct acrn_async *async,
			const struct acrn_async_key *key)
{
	return key->address && (async->matches_data || !key->match_data);
}

/*
 * Find the place of @doorbell, or a free place if that is NULL. NULL if there
 * is none.
 */
static struct async_place *find_place(struct acrn_async *async,
				      const void *doorbell)
{
	unsigned int i;

	for (i = 0; i < ACRN_ASYNC_DOORBELLS_MAX; i++)
		if (async->places[i].doorbell == doorbell)
			return &async->places[i];
	return NULL;
}

/*
 * Write to a place, which whoever takes cookies may be reading. Takes the lock.
 */
static void set_place(struct acrn_async *async, struct async_place *place,
		      const struct async_place *to)
{
	spin_lock_irq(&async->lock);
	*place = *to;
	spin_unlock_irq(&async->lock);
}

/* Make a place free. */
static void clear_place(struct acrn_async *async, struct async_place *place)
{
	static const struct async_place free_place;

	set_place(async, place, &free_place);
}

/*
 * Make a cookie. Cookies increase with the time since boot, so that none is
 * ever used again. The hypervisor compares them when it deassigns a doorbell,
 * and it may have an entry of an earlier VM with the same id. The data plane
 * serialises calls.
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
 * @vm:		VM that the data plane is attached to
 * @key:	Accesses that ring the doorbell
 * @asked_for:	The device model has asked for this
 * @doorbell:	Argument for &acrn_dataplane_ops.ring
 *
 * From now on &acrn_dataplane_ops.ring is called for such accesses, whatever
 * their width, and for reads as well, which return an undefined value to the
 * guest. But such an access may also come as a request, see above. No access
 * may ring two doorbells of a VM.
 *
 * A VM has ACRN_ASYNC_DOORBELLS_MAX places, and the first doorbells get them.
 * They end with the VM.
 *
 * Context: Process context, may sleep. The data plane serialises calls for a VM.
 * Return: 0 or
 *	   -EOPNOTSUPP:	the parameter "async" forbids it, or did when the VM was
 *			started, or the hypervisor has no asynchronous doorbells, or
 *			none for data or at address 0,
 *	   -ENOSPC:	there is no free place,
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
	if (!async || !acrn_async_mode_wants(asked_for) || !is_possible(async, key))
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
		clear_place(async, place);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(acrn_hsm_async_assign, ACRN_HSM);

/* Say which place a cookie 0 belongs to from now on. Takes the lock. */
static void set_removing(struct acrn_async *async, struct async_place *place)
{
	spin_lock_irq(&async->lock);
	async->removing = place;
	spin_unlock_irq(&async->lock);
}

/*
 * Take the last cookies of a doorbell, which the hypervisor has forgotten, and
 * make its place free. A vCPU may have looked the doorbell up before and not
 * written the cookie yet. Process context, sleeps; takes the lock for each
 * cookie.
 */
static void drain_place(struct acrn_vm *vm, struct async_place *place)
{
	unsigned long us = COOKIE_DELAY_US, full;

	/* A vCPU that waits because the ring is full can write its cookie now. */
	acrn_async_drain(vm);
	full = READ_ONCE(vm->async->last_full);
	if (time_before(jiffies, full + RECENTLY_JIFFIES))
		us = BLOCKED_DELAY_US;
	usleep_range(us, 2 * us);
	acrn_async_drain(vm);
	clear_place(vm->async, place);
}

/**
 * acrn_hsm_async_deassign() - Undo acrn_hsm_async_assign()
 * @vm:		VM
 * @doorbell:	Doorbell that is asynchronous
 *
 * Context: Process context, may sleep. The data plane serialises calls for a VM.
 * Return: 0, upon which @doorbell was signalled for each of its cookies, and
 *	   &acrn_dataplane_ops.ring is not called for it any more; or the
 *	   hypervisor's errno, upon which the doorbell is still asynchronous
 */
int acrn_hsm_async_deassign(struct acrn_vm *vm, const void *doorbell)
{
	struct acrn_async *async = vm->async;
	struct async_place *place = find_place(async, doorbell);
	int ret;

	set_removing(async, place);
	ret = acrn_hc_asyncio_deassign(vm->vmid, &place->args);
	if (!ret)
		drain_place(vm, place);
	set_removing(async, NULL);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(acrn_hsm_async_deassign, ACRN_HSM);

/*
 * Make the hypercall @call for each asynchronous doorbell of a VM. A call that
 * fails is only logged. Process context, without &acrn_async.lock: this only
 * reads the places, and the caller makes sure that none is assigned or
 * deassigned meanwhile.
 */
static void call_each_doorbell(struct acrn_vm *vm,
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
			pr_warn_ratelimited("VM %u: the hypervisor refuses to change an asynchronous doorbell: %d\n",
					    vm->vmid, ret);
	}
}

/**
 * acrn_async_withdraw() - Have the hypervisor forget the asynchronous doorbells
 * of a VM
 * @vm:	VM, paused and about to be destroyed. All its doorbells have been signalled
 *
 * Context: Process context. No ioctl is using the VM.
 */
void acrn_async_withdraw(struct acrn_vm *vm)
{
	call_each_doorbell(vm, acrn_hc_asyncio_deassign);
}

/**
 * acrn_async_restore() - Undo acrn_async_withdraw()
 * @vm:	VM that the hypervisor has refused to destroy
 *
 * Context: Process context. No ioctl is using the VM.
 */
void acrn_async_restore(struct acrn_vm *vm)
{
	call_each_doorbell(vm, acrn_hc_asyncio_assign);
}

/**
 * acrn_async_deinit() - Free the asynchronous doorbells of a VM, if it has any
 * @vm:		VM that neither the upcall nor its thread deals with any more
 * @unpin:	False if the ring must stay: the VM could not be destroyed, and
 *		the hypervisor may still write to it
 *
 * Context: Process context. Nobody else uses the VM any more.
 */
void acrn_async_deinit(struct acrn_vm *vm, bool unpin)
{
	if (!vm->async)
		return;
	if (unpin)
		free_page((unsigned long)vm->async->page);
	kfree(vm->async);
}
