// SPDX-License-Identifier: GPL-2.0
/*
 * The doorbells of a VM are in a hash table. Whoever changes it holds the lock of
 * the set; whoever looks a doorbell up is an RCU reader. So a doorbell leaves the
 * table first and is freed a grace period later.
 *
 * A doorbell may be asynchronous as well: then the hypervisor writes a cookie to
 * a ring when the guest rings, and the HSM finds the doorbell without a lookup.
 *
 * The hot path, ioeventfd_ring(), ioeventfd_route(), ioeventfd_has() and what
 * they call, runs in the upcall in hard IRQ, in the VM's thread or in an ioctl
 * that does the thread's work. All other functions run in an ioctl and may
 * sleep. Of these the static ones run with the lock of the set held, a mutex,
 * but for doorbell_assign() and doorbell_deassign(), which take it.
 *
 * A doorbell holds a reference to its eventfd and does not learn of it when the
 * last descriptor of the eventfd is closed (EPOLLHUP). It goes on signalling
 * the eventfd until the VM is destroyed, as no ioctl can name it any more.
 */
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

/* Limit for one VM, and buckets such that one holds 8 doorbells then */
#define DOORBELLS_MAX		4096
#define DOORBELL_HASH_BITS	9

/**
 * struct doorbell - A registered ioeventfd
 * @node:	In &ioeventfd_set.doorbells
 * @key:	Writes that ring the doorbell. Constant
 * @eventfd:	What the doorbell signals; a reference. Constant
 * @async:	The doorbell is asynchronous; under &ioeventfd_set.lock
 * @rings:	Number of times that it was signalled. Atomic
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
 * @vm:		VM. Constant
 * @lock:	Held by whoever changes @doorbells
 * @count:	Number of @doorbells, at most DOORBELLS_MAX; under @lock
 * @seed:	Random number for the hash, so that nobody can choose keys that are
 *		all in one bucket. Constant
 * @doorbells:	Hash table of &struct doorbell by key. Changed under @lock, read
 *		under RCU
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

/* Number that a key is hashed to. Hot path, any context, no lock needed. */
static u32 doorbell_hash(const struct ioeventfd_set *set,
			 const struct doorbell_key *key)
{
	BUILD_BUG_ON(sizeof(*key) != 3 * sizeof(u64) + 2 * sizeof(u32));
	return jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), set->seed);
}

/*
 * Find the doorbell with exactly this key, or NULL. Hot path. The caller holds
 * the RCU read lock or @set's lock.
 */
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

/*
 * Find the doorbell that @write rings, or NULL: one for the value that was written,
 * or one for any value. Hot path. The caller holds the RCU read lock.
 */
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
 * @doorbell:	Doorbell that is asynchronous, or was just looked up
 *
 * Hot path.
 *
 * Context: The upcall or process context; on PREEMPT_RT, where the lock of the
 *	    eventfd sleeps, not the upcall. The caller keeps the doorbell from
 *	    being freed: by the RCU read lock, or the HSM for one that is
 *	    asynchronous.
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
 * Context: Any, no lock needed: each CPU counts for itself.
 * Return: how many there were since the module was loaded, for all VMs together
 */
u64 ioeventfd_total_rings(void)
{
	return cpu_counter_sum(&total_rings);
}

/**
 * ioeventfd_route() - Signal the doorbell that a write rings, if any
 * @set:	Doorbells of the VM
 * @write:	Write of the guest
 *
 * Hot path, called for each write of a guest that is reported: at most two lookups,
 * no allocation, and no lock but that of the eventfd.
 *
 * Context: The upcall or process context; on PREEMPT_RT not the upcall. Holds
 *	    the RCU read lock.
 * Return: true if there is a doorbell, which was signalled.
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
 * ioeventfd_has() - Find whether a write rings a doorbell
 * @set:	Doorbells of the VM
 * @write:	Write of the guest
 *
 * Hot path.
 *
 * Context: The upcall or process context. Holds the RCU read lock.
 * Return: true if ioeventfd_route() would signal a doorbell.
 */
bool ioeventfd_has(struct ioeventfd_set *set, const struct acrn_access *write)
{
	struct doorbell *d;

	rcu_read_lock();
	d = doorbell_of_write(set, write);
	rcu_read_unlock();
	return d;
}

/* Whether some write would ring a doorbell with @key and a registered one. */
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

/* Whether the set takes a doorbell with @key: 0, -EEXIST or -ENOSPC. */
static int doorbell_check(struct ioeventfd_set *set,
			  const struct doorbell_key *key)
{
	if (doorbell_collides(set, key))
		return -EEXIST;
	return set->count == DOORBELLS_MAX ? -ENOSPC : 0;
}

/* Put a doorbell into the table, where RCU readers find it from now on. */
static void doorbell_add(struct ioeventfd_set *set, struct doorbell *d)
{
	lockdep_assert_held(&set->lock);
	set->count++;
	hash_add_rcu(set->doorbells, &d->node, doorbell_hash(set, &d->key));
}

/*
 * Make a doorbell an ordinary one, each ring of which is an I/O request. May
 * sleep, the lock of the set is held.
 */
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
 * Make all doorbells that overlap with @key ordinary ones. The hypervisor does
 * not look at the width of a write, so it would take a write that rings one of
 * them for one that rings another. @alone tells whether there are none. May
 * sleep, the lock of the set is held.
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

/*
 * Make a doorbell asynchronous if possible; otherwise it stays an ordinary one.
 * May sleep, the lock of the set is held.
 */
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

/*
 * Register a doorbell, which becomes asynchronous if possible. The lock of @set
 * is held.
 */
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

/*
 * Assign a doorbell. When this returns 0, the caller's reference to @eventfd is
 * that of the doorbell. In an ioctl, takes the lock of the set.
 */
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

/*
 * Find the doorbell for @key if it signals @eventfd, or NULL. Lock of the set
 * held.
 */
static struct doorbell *doorbell_find_exactly(struct ioeventfd_set *set,
					      const struct doorbell_key *key,
					      const struct eventfd_ctx *eventfd)
{
	struct doorbell *d = doorbell_find(set, key);

	return d && d->eventfd == eventfd ? d : NULL;
}

/*
 * Take a doorbell out of the table. When this returns 0, an asynchronous one
 * has been signalled for each cookie in the ring. RCU readers may still use it.
 * May sleep, the lock of the set is held.
 */
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
 * Deassign a doorbell. In an ioctl, takes the lock of the set and sleeps.
 *
 * Both @key and @eventfd must be those of the doorbell; acrn-dm repeats what it
 * has registered and adds ACRN_IOEVENTFD_FLAG_DEASSIGN. The in-tree HSM
 * compares the eventfd alone, and removes the wrong doorbell if the eventfd has
 * several.
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
	 * When the ioctl returns, the doorbell must not signal any more. Expedited,
	 * because a guest that resets a device waits for this, once for each queue.
	 */
	synchronize_rcu_expedited();
	eventfd_ctx_put(d->eventfd);
	kfree(d);
	return 0;
}

/**
 * ioeventfd_config() - ACRN_IOCTL_IOEVENTFD
 * @set:	Doorbells of the VM
 * @args:	Argument from user space, not trusted
 *
 * Context: Process context, may sleep. Takes the lock of @set.
 * Return: 0 or
 *	   -EBADF:	the descriptor is not open,
 *	   -EINVAL:	it is not an eventfd, or see doorbell_key_parse(),
 *	   -EEXIST:	some write would ring this doorbell and a registered one,
 *			see doorbell_keys_collide(),
 *	   -ENOSPC:	the VM has DOORBELLS_MAX doorbells,
 *	   -ENOENT:	there is no such doorbell to deassign,
 *	   -ENOMEM, or
 *	   the hypervisor's errno if it does not make an asynchronous doorbell an
 *	   ordinary one.
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
 * @set:	Doorbells of the VM
 * @seq:	Where to: a line for each with pio or mmio, the address, the
 *		length, the data that must be written or "any", the number of
 *		rings, and whether the doorbell is asynchronous
 *
 * Context: Process context, may sleep. Takes the lock of @set.
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
 * ioeventfd_set_create() - Create a set without doorbells
 * @vm:	VM, which outlives the set
 *
 * Context: Process context, may sleep. Nobody else has the set yet.
 * Return: the set; NULL when there is no memory.
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
 * @set:	Set that nobody uses any more
 *
 * The HSM has taken asynchronous doorbells back from the hypervisor before.
 *
 * Context: Process context, may sleep. No lock and no grace period are needed:
 *	    neither upcall nor thread nor ioctl uses the VM any more.
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
