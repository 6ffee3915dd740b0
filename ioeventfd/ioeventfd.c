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

#include "compat.h"
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
 * @rings:	How often
 *
 * Readers hold nothing but the RCU read lock: freed a grace period after it has
 * left the hash table.
 */
struct doorbell {
	struct hlist_node node;
	struct doorbell_key key;
	struct eventfd_ctx *eventfd;
	atomic64_t rings;
};

static_assert(sizeof(struct doorbell) <= 256);

/**
 * struct ioeventfd_set - The doorbells of one VM
 * @lock:	Serialises registration; readers of @doorbells do not take it
 * @count:	Of @doorbells, at most DOORBELLS_MAX. Guarded by @lock
 * @seed:	Random, so that nobody can choose keys that share a bucket.
 *		Constant
 * @doorbells:	By key. Changed under @lock, read under RCU
 */
struct ioeventfd_set {
	struct mutex lock; /* registration */
	unsigned int count;
	u32 seed;
	DECLARE_HASHTABLE(doorbells, DOORBELL_HASH_BITS);
};

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
	struct doorbell_key key;
	struct doorbell *d;

	doorbell_key_of_write(&key, write);
	rcu_read_lock();
	d = doorbell_find(set, &key);
	if (!d) {
		doorbell_key_any_data(&key);
		d = doorbell_find(set, &key);
	}
	if (d) {
		eventfd_signal(d->eventfd);
		atomic64_inc(&d->rings);
	}
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

static int doorbell_add(struct ioeventfd_set *set, struct doorbell *d)
{
	lockdep_assert_held(&set->lock);
	if (doorbell_collides(set, &d->key))
		return -EEXIST;
	if (set->count == DOORBELLS_MAX)
		return -ENOSPC;
	set->count++;
	hash_add_rcu(set->doorbells, &d->node, doorbell_hash(set, &d->key));
	return 0;
}

/* The set keeps the caller's reference to @eventfd when this returns 0. */
static int doorbell_assign(struct ioeventfd_set *set,
			   const struct doorbell_key *key,
			   struct eventfd_ctx *eventfd)
{
	struct doorbell *d;
	int ret;

	d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	if (!d)
		return -ENOMEM;
	d->key = *key;
	d->eventfd = eventfd;

	mutex_lock(&set->lock);
	ret = doorbell_add(set, d);
	mutex_unlock(&set->lock);
	if (ret)
		kfree(d);
	return ret;
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

	mutex_lock(&set->lock);
	d = doorbell_find(set, key);
	if (d && d->eventfd == eventfd) {
		hash_del_rcu(&d->node);
		set->count--;
	} else {
		d = NULL;
	}
	mutex_unlock(&set->lock);
	if (!d)
		return -ENOENT;

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
 *	   -ENOMEM.
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
	ret = doorbell_assign(set, &key, eventfd);
	if (ret)
		eventfd_ctx_put(eventfd);
	return ret;
}

/**
 * ioeventfd_show() - List the doorbells of a VM
 * @set:	The VM's doorbells
 * @seq:	One line for each: pio or mmio, address, length, the data that
 *		must be written or "any", how often it has rung
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
		seq_printf(seq, " rings=%lld\n", atomic64_read(&d->rings));
	}
	mutex_unlock(&set->lock);
}

/**
 * ioeventfd_set_create() - Begin with no doorbells
 *
 * Context: Process context, may sleep.
 * Return: the set or NULL when there is no memory.
 */
struct ioeventfd_set *ioeventfd_set_create(void)
{
	struct ioeventfd_set *set;

	set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	if (!set)
		return NULL;
	mutex_init(&set->lock);
	hash_init(set->doorbells);
	set->seed = get_random_u32();
	return set;
}

/**
 * ioeventfd_set_destroy() - Free a set with all its doorbells
 * @set:	Nobody uses it any more: ioeventfd_route() has returned for the
 *		last time.
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
