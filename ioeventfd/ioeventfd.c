// SPDX-License-Identifier: GPL-2.0
#include <linux/build_bug.h>
#include <linux/eventfd.h>
#include <linux/hashtable.h>
#include <linux/jhash.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "acrn_hsm.h"
#include "compat.h"
#include "cpu_counter.h"
#include "ioeventfd.h"
#include "match.h"

/* Of one VM. More is -ENOSPC. At the limit a bucket holds 8. */
#define DOORBELLS_MAX		4096
#define DOORBELL_HASH_BITS	9

/**
 * struct doorbell - One registered ioeventfd
 * @node:	In &ioeventfd_set.doorbells
 * @key:	Which writes ring it. Constant
 * @eventfd:	What they signal; a reference. Constant
 * @async:	It is asynchronous. Guarded by &ioeventfd_set.lock
 * @rings:	How often
 *
 * Readers hold nothing but the RCU read lock: freed a grace period after it has
 * left the hash table.
 */
struct doorbell {
	struct hlist_node node;
	struct doorbell_key key;
	struct eventfd_ctx *eventfd;
	bool async;
	atomic64_t rings;
};

static_assert(sizeof(struct doorbell) <= 256);

/**
 * struct ioeventfd_set - The doorbells of one VM
 * @vm:		The VM. Constant
 * @lock:	Serialises registration; readers of @doorbells do not take it
 * @count:	Of @doorbells, at most DOORBELLS_MAX. Guarded by @lock
 * @seed:	Random, so that nobody can choose keys that share a bucket.
 *		Constant
 * @doorbells:	By key. Changed under @lock, read under RCU
 */
struct ioeventfd_set {
	struct acrn_vm *vm;
	struct mutex lock; /* registration */
	unsigned int count;
	u32 seed;
	DECLARE_HASHTABLE(doorbells, DOORBELL_HASH_BITS);
};

/* Doorbells of all VMs that were signalled */
static DEFINE_PER_CPU(u64, total_rings);

static u32 doorbell_hash(const struct ioeventfd_set *set,
			 const struct doorbell_key *key)
{
	BUILD_BUG_ON(sizeof(*key) != 3 * sizeof(u64) + 2 * sizeof(u32));
	return jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), set->seed);
}

/* Hot path. The caller holds the RCU read lock or @set's lock. */
static struct doorbell *doorbell_find(struct ioeventfd_set *set,
				      const struct doorbell_key *key)
{
	struct doorbell *d;

	hash_for_each_possible_rcu(set->doorbells, d, node,
				   doorbell_hash(set, key),
				   lockdep_is_held(&set->lock))
		if (doorbell_keys_equal(&d->key, key))
			return d;
	return NULL;
}

/* The doorbell that @write rings, or NULL. Hot path. Under RCU. */
static struct doorbell *doorbell_of_write(struct ioeventfd_set *set,
					  const struct acrn_access *write)
{
	struct doorbell_key key;
	struct doorbell *d;

	doorbell_key_of_write(&key, write);
	d = doorbell_find(set, &key);
	if (d)
		return d;
	doorbell_key_any_data(&key);
	return doorbell_find(set, &key);
}

/**
 * ioeventfd_ring() - Signal a doorbell
 * @doorbell:	As it was made asynchronous, and still is
 *
 * Hot path, as ioeventfd_route().
 *
 * Context: As there.
 */
void ioeventfd_ring(struct doorbell *doorbell)
{
	eventfd_signal(doorbell->eventfd);
	atomic64_inc(&doorbell->rings);
	this_cpu_inc(total_rings);
}

/**
 * ioeventfd_total_rings() - Count the doorbells that were signalled
 *
 * Context: Any.
 * Return: how many there were since the module was loaded, for all VMs together
 */
u64 ioeventfd_total_rings(void)
{
	return cpu_counter_sum(&total_rings);
}

/**
 * ioeventfd_route() - Signal the doorbell that a guest's write rings, if any
 * @set:	The VM's doorbells
 * @write:	What the guest wrote
 *
 * Hot path, run for each write of a guest: two lookups at most, no allocation,
 * and no lock but that of the eventfd's own wait queue.
 *
 * Context: Any. Hard IRQ not with PREEMPT_RT, where the eventfd's lock sleeps.
 * Return: true if it was a doorbell and has been signalled.
 */
bool ioeventfd_route(struct ioeventfd_set *set, const struct acrn_access *write)
{
	struct doorbell *d;

	rcu_read_lock();
	d = doorbell_of_write(set, write);
	if (d)
		ioeventfd_ring(d);
	rcu_read_unlock();
	return d;
}

/**
 * ioeventfd_has() - Whether ioeventfd_route() would find a doorbell
 * @set:	The VM's doorbells
 * @write:	What the guest wrote
 *
 * Context: Any.
 * Return: true if there is one.
 */
bool ioeventfd_has(struct ioeventfd_set *set, const struct acrn_access *write)
{
	struct doorbell *d;

	rcu_read_lock();
	d = doorbell_of_write(set, write);
	rcu_read_unlock();
	return d;
}

static bool doorbell_collides(struct ioeventfd_set *set,
			      const struct doorbell_key *key)
{
	struct doorbell *d;
	int bucket;

	lockdep_assert_held(&set->lock);
	hash_for_each(set->doorbells, bucket, d, node)
		if (doorbell_keys_collide(&d->key, key))
			return true;
	return false;
}

static int doorbell_check(struct ioeventfd_set *set,
			  const struct doorbell_key *key)
{
	if (doorbell_collides(set, key))
		return -EEXIST;
	return set->count == DOORBELLS_MAX ? -ENOSPC : 0;
}

static void doorbell_add(struct ioeventfd_set *set, struct doorbell *d)
{
	lockdep_assert_held(&set->lock);
	set->count++;
	hash_add_rcu(set->doorbells, &d->node, doorbell_hash(set, &d->key));
}

/* The doorbell goes on as an ordinary one. */
static int doorbell_make_ordinary(struct ioeventfd_set *set,
				  struct doorbell *d)
{
	int ret = 0;

	lockdep_assert_held(&set->lock);
	if (d->async)
		ret = acrn_hsm_async_deassign(set->vm, d);
	if (!ret)
		d->async = false;
	return ret;
}

/*
 * The hypervisor would take what rings a doorbell of another width at the same
 * address for a ring of this one, or the other way round: none of them can be
 * asynchronous. *@alone says whether there are no others.
 */
static int doorbells_make_ordinary(struct ioeventfd_set *set,
				   const struct doorbell_key *key, bool *alone)
{
	struct doorbell *d;
	int bucket, ret;

	*alone = true;
	hash_for_each(set->doorbells, bucket, d, node) {
		if (!doorbell_keys_overlap(&d->key, key))
			continue;
		*alone = false;
		ret = doorbell_make_ordinary(set, d);
		if (ret)
			return ret;
	}
	return 0;
}

/* Wherever this is not possible, an ordinary doorbell does. */
static void doorbell_make_async(struct ioeventfd_set *set, struct doorbell *d,
				bool asked_for)
{
	const struct acrn_async_key key = {
		.type = d->key.type,
		.match_data = d->key.mask,
		.address = d->key.addr,
		.data = d->key.data,
	};

	d->async = !acrn_hsm_async_assign(set->vm, &key, asked_for, d);
}

static int doorbell_register(struct ioeventfd_set *set, struct doorbell *d,
			     bool asked_for)
{
	bool alone;
	int ret;

	ret = doorbell_check(set, &d->key);
	if (!ret)
		ret = doorbells_make_ordinary(set, &d->key, &alone);
	if (ret)
		return ret;
	doorbell_add(set, d);
	if (alone)
		doorbell_make_async(set, d, asked_for);
	return 0;
}

/* The set keeps the caller's reference to @eventfd when this returns 0. */
static int doorbell_assign(struct ioeventfd_set *set,
			   const struct doorbell_key *key,
			   struct eventfd_ctx *eventfd, bool asked_for)
{
	struct doorbell *d;
	int ret;

	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d)
		return -ENOMEM;
	d->key = *key;
	d->eventfd = eventfd;

	mutex_lock(&set->lock);
	ret = doorbell_register(set, d, asked_for);
	mutex_unlock(&set->lock);
	if (ret)
		kfree(d);
	return ret;
}

/* The doorbell for @key when that signals @eventfd, or NULL. */
static struct doorbell *doorbell_find_exactly(struct ioeventfd_set *set,
					      const struct doorbell_key *key,
					      const struct eventfd_ctx *eventfd)
{
	struct doorbell *d = doorbell_find(set, key);

	return d && d->eventfd == eventfd ? d : NULL;
}

/* An asynchronous one has been signalled for the last time by the ring. */
static int doorbell_remove(struct ioeventfd_set *set, struct doorbell *d)
{
	int ret = doorbell_make_ordinary(set, d);

	if (ret)
		return ret;
	hash_del_rcu(&d->node);
	set->count--;
	return 0;
}

/*
 * The doorbell must match in everything. acrn-dm repeats what it registered,
 * with ACRN_IOEVENTFD_FLAG_DEASSIGN added; the in-tree HSM looks at the eventfd
 * alone, which takes away the wrong one where an eventfd has several doorbells.
 */
static int doorbell_deassign(struct ioeventfd_set *set,
			     const struct doorbell_key *key,
			     const struct eventfd_ctx *eventfd)
{
	struct doorbell *d;
	int ret = -ENOENT;

	mutex_lock(&set->lock);
	d = doorbell_find_exactly(set, key, eventfd);
	if (d)
		ret = doorbell_remove(set, d);
	mutex_unlock(&set->lock);
	if (ret)
		return ret;

	/*
	 * When the ioctl returns there are no more signals. Expedited, because
	 * a guest that resets a device waits for this, once per queue.
	 */
	synchronize_rcu_expedited();
	eventfd_ctx_put(d->eventfd);
	kfree(d);
	return 0;
}

/**
 * ioeventfd_config() - ACRN_IOCTL_IOEVENTFD
 * @set:	The VM's doorbells
 * @args:	From user space, not trusted
 *
 * Context: Process context, may sleep. Takes @set's lock.
 * Return: 0 or
 *	   -EBADF:	the descriptor is not open,
 *	   -EINVAL:	it is not an eventfd, or see doorbell_key_parse(),
 *	   -EEXIST:	a registered doorbell collides with this one, whatever
 *			its eventfd,
 *	   -ENOSPC:	the VM has DOORBELLS_MAX doorbells,
 *	   -ENOENT:	to deassign, no doorbell matches in everything,
 *	   -ENOMEM, or
 *	   the hypervisor's errno when it will not make one ordinary again.
 */
int ioeventfd_config(struct ioeventfd_set *set,
		     const struct acrn_ioeventfd *args)
{
	struct eventfd_ctx *eventfd;
	struct doorbell_key key;
	int ret;

	ret = doorbell_key_parse(&key, args);
	if (ret)
		return ret;
	eventfd = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);

	if (args->flags & ACRN_IOEVENTFD_FLAG_DEASSIGN) {
		ret = doorbell_deassign(set, &key, eventfd);
		eventfd_ctx_put(eventfd);
		return ret;
	}
	ret = doorbell_assign(set, &key, eventfd,
			      args->flags & ACRN_IOEVENTFD_FLAG_ASYNCIO);
	if (ret)
		eventfd_ctx_put(eventfd);
	return ret;
}

/**
 * ioeventfd_show() - List the doorbells of a VM
 * @set:	The VM's doorbells
 * @seq:	One line for each: pio or mmio, address, length, the data that
 *		must be written or "any", how often it has rung, and whether it
 *		is asynchronous
 *
 * Context: Process context, may sleep. Takes @set's lock.
 */
void ioeventfd_show(struct ioeventfd_set *set, struct seq_file *seq)
{
	struct doorbell *d;
	int bucket;

	mutex_lock(&set->lock);
	hash_for_each(set->doorbells, bucket, d, node) {
		seq_printf(seq, "%s %#llx %u ",
			   d->key.type == ACRN_IOREQ_TYPE_PORTIO ? "pio" : "mmio",
			   d->key.addr, d->key.len);
		if (d->key.mask)
			seq_printf(seq, "%#llx", d->key.data);
		else
			seq_puts(seq, "any");
		seq_printf(seq, " rings=%lld async=%s\n",
			   atomic64_read(&d->rings), d->async ? "yes" : "no");
	}
	mutex_unlock(&set->lock);
}

/**
 * ioeventfd_set_create() - Begin with no doorbells
 * @vm:		Whose they are; outlives the set
 *
 * Context: Process context, may sleep.
 * Return: the set or NULL when there is no memory.
 */
struct ioeventfd_set *ioeventfd_set_create(struct acrn_vm *vm)
{
	struct ioeventfd_set *set;

	set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	if (!set)
		return NULL;
	set->vm = vm;
	mutex_init(&set->lock);
	hash_init(set->doorbells);
	set->seed = get_random_u32();
	return set;
}

/**
 * ioeventfd_set_destroy() - Free a set with all its doorbells
 * @set:	Nobody uses it any more: ioeventfd_route() and ioeventfd_ring()
 *		have returned for the last time. The HSM has taken back what is
 *		asynchronous.
 *
 * Context: Process context, may sleep.
 */
void ioeventfd_set_destroy(struct ioeventfd_set *set)
{
	struct hlist_node *next;
	struct doorbell *d;
	int bucket;

	hash_for_each_safe(set->doorbells, bucket, next, d, node) {
		eventfd_ctx_put(d->eventfd);
		kfree(d);
	}
	mutex_destroy(&set->lock);
	kfree(set);
}
