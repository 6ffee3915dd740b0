// SPDX-License-Identifier: GPL-2.0
/*
 * Life of an irqfd
 *
 * An irqfd is published in its set and then hooked into its eventfd's wait
 * queue, and it leaves in the same order. Whoever takes it out of the set, with
 * the set's spinlock held, owns it and alone unhooks and frees it. That is a
 * deassignment, the end of the set, or the next ioctl when the eventfd has been
 * closed: the wakeup with EPOLLHUP, which comes when the eventfd's last
 * descriptor goes, cannot sleep and only moves the irqfd to those that are
 * closed.
 *
 * All unhook with eventfd_ctx_remove_wait_queue(), which waits for a wakeup
 * that is running, so that no code of this file runs for an irqfd that is gone.
 *
 * Locks, outermost first: &irqfd_set.config (process context), the wait queue's
 * lock, &irqfd_set.lock.
 */
#include <linux/build_bug.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "acrn_hsm.h"
#include "cpu_counter.h"
#include "irqfd.h"
#include "msi.h"

/* Of one VM. More is -ENOSPC. At the limit a bucket holds 16. */
#define IRQFDS_MAX		1024
#define IRQFD_HASH_BITS		6

/**
 * struct irqfd_set - The irqfds of one VM
 * @vm:		Target of the MSIs. Constant
 * @config:	Serialises assignment and deassignment, so that only an irqfd
 *		that is hooked can be deassigned
 * @lock:	Guards @count, @irqfds and @closed. Taken with interrupts off
 * @count:	Of @irqfds and @closed, at most IRQFDS_MAX
 * @irqfds:	By eventfd
 * @closed:	Those whose eventfd has been closed
 */
struct irqfd_set {
	struct acrn_vm *vm;
	struct mutex config; /* (de)assignment */
	spinlock_t lock; /* count, irqfds, closed */
	unsigned int count;
	DECLARE_HASHTABLE(irqfds, IRQFD_HASH_BITS);
	struct hlist_head closed;
};

/**
 * struct irqfd - One eventfd that injects one MSI
 * @node:	In &irqfd_set.irqfds or &irqfd_set.closed, unhashed as soon as
 *		the irqfd has an owner. Guarded by &irqfd_set.lock
 * @set:	Where it belongs. Constant
 * @eventfd:	Its signals; a reference. Constant
 * @wait:	In @eventfd's wait queue. Guarded by that queue's lock
 * @msi:	What to inject. Constant
 * @injected:	How often the hypervisor took it
 * @failed:	How often it did not
 * @held:	The VM is paused; to be injected if it runs on. Guarded by
 *		&irqfd_set.lock
 *
 * @injected and @failed are guarded by the wait queue's lock or, for what was
 * held, &irqfd_set.lock: at worst one is not counted.
 */
struct irqfd {
	struct hlist_node node;
	struct irqfd_set *set;
	struct eventfd_ctx *eventfd;
	wait_queue_entry_t wait;
	struct acrn_msi_entry msi;
	u64 injected;
	u64 failed;
	bool held;
};

static_assert(sizeof(struct irqfd) <= 512);

/**
 * struct irqfd_hook - Carries an irqfd through vfs_poll()
 * @table:	Argument of vfs_poll()
 * @irqfd:	What to hook into the wait queue
 */
struct irqfd_hook {
	poll_table table;
	struct irqfd *irqfd;
};

/* MSIs of all VMs that the hypervisor took */
static DEFINE_PER_CPU(u64, total_injected);

/**
 * irqfd_total_injected() - Count the MSIs that were injected
 *
 * Context: Any.
 * Return: how many there were since the module was loaded, for all VMs together
 */
u64 irqfd_total_injected(void)
{
	return cpu_counter_sum(&total_injected);
}

/* Hot path. Any context. False when the VM is paused. */
static bool irqfd_try_inject(struct irqfd *irqfd)
{
	int ret = acrn_hsm_inject_msi(irqfd->set->vm, irqfd->msi.msi_addr,
				      irqfd->msi.msi_data);

	if (ret == -EAGAIN)
		return false;
	if (ret) {
		WRITE_ONCE(irqfd->failed, irqfd->failed + 1);
	} else {
		WRITE_ONCE(irqfd->injected, irqfd->injected + 1);
		this_cpu_inc(total_injected);
	}
	return true;
}

/*
 * The VM was paused a moment ago. If it runs by now, irqfd_flush_held() may be
 * through, so try once more under the lock.
 */
static void irqfd_hold(struct irqfd *irqfd)
{
	unsigned long flags;

	spin_lock_irqsave(&irqfd->set->lock, flags);
	irqfd->held = !irqfd_try_inject(irqfd);
	spin_unlock_irqrestore(&irqfd->set->lock, flags);
}

/* Hot path. Any context; the wait queue's lock is held. */
static void irqfd_inject(struct irqfd *irqfd)
{
	if (!irqfd_try_inject(irqfd))
		irqfd_hold(irqfd);
}

/**
 * irqfd_flush_held() - Deal with the MSIs that came while the VM was paused
 * @set:	The VM's irqfds
 * @inject:	The VM runs on: inject them. Else it was reset: forget them.
 *
 * Context: Process context.
 */
void irqfd_flush_held(struct irqfd_set *set, bool inject)
{
	struct irqfd *irqfd;
	int bucket;

	spin_lock_irq(&set->lock);
	hash_for_each(set->irqfds, bucket, irqfd, node) {
		if (irqfd->held && inject)
			irqfd_try_inject(irqfd);
		irqfd->held = false;
	}
	spin_unlock_irq(&set->lock);
}

static struct irqfd *irqfd_find(struct irqfd_set *set,
				const struct eventfd_ctx *eventfd)
{
	struct irqfd *irqfd;

	lockdep_assert_held(&set->lock);
	hash_for_each_possible(set->irqfds, irqfd, node, (unsigned long)eventfd)
		if (irqfd->eventfd == eventfd)
			return irqfd;
	return NULL;
}

/* From here on the caller owns @irqfd. */
static void irqfd_unpublish(struct irqfd *irqfd)
{
	lockdep_assert_held(&irqfd->set->lock);
	hlist_del_init(&irqfd->node);
	irqfd->set->count--;
}

/* For the owner, of an irqfd that is not hooked. */
static void irqfd_free(struct irqfd *irqfd)
{
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

/* For the owner, in process context. Nothing is injected after this. */
static void irqfd_unhook(struct irqfd *irqfd)
{
	u64 count;

	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	irqfd_free(irqfd);
}

/*
 * The eventfd is being closed; the wait queue's lock is held. Whoever has a
 * reference to the eventfd without a descriptor, as a vhost worker, may go on
 * signalling: nothing more is injected. irqfd_unhook() does no harm to what has
 * left the wait queue, which the reference to the eventfd keeps for it.
 */
static void irqfd_hangup(struct irqfd *irqfd)
{
	struct irqfd_set *set = irqfd->set;

	list_del_init(&irqfd->wait.entry);
	spin_lock(&set->lock);
	if (!hlist_unhashed(&irqfd->node)) {
		hlist_del(&irqfd->node);
		hlist_add_head(&irqfd->node, &set->closed);
	}
	spin_unlock(&set->lock);
}

/* Take one of those whose eventfd has been closed, or NULL. */
static struct irqfd *irqfd_take_closed(struct irqfd_set *set)
{
	struct irqfd *irqfd = NULL;

	spin_lock_irq(&set->lock);
	if (!hlist_empty(&set->closed)) {
		irqfd = hlist_entry(set->closed.first, struct irqfd, node);
		irqfd_unpublish(irqfd);
	}
	spin_unlock_irq(&set->lock);
	return irqfd;
}

static void irqfd_free_closed(struct irqfd_set *set)
{
	struct irqfd *irqfd;

	while ((irqfd = irqfd_take_closed(set)))
		irqfd_unhook(irqfd);
}

/*
 * Hot path, run for each signal. Any context, hard-IRQ included but on
 * PREEMPT_RT; the wait queue's lock is held.
 *
 * The counter is taken back to 0, so that an event is delivered once even if
 * the eventfd is assigned again later. An event whose count is gone already is
 * still delivered: another VM's irqfd may be on the same eventfd.
 */
static int irqfd_wakeup(wait_queue_entry_t *wait, unsigned int mode, int flags,
			void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(irqfd->eventfd, &count);
		irqfd_inject(irqfd);
	}
	if (events & EPOLLHUP)
		irqfd_hangup(irqfd);
	return 0;
}

/*
 * Called by vfs_poll(). Events from before the assignment are delivered as one,
 * in the same critical section that begins to deliver the later ones, so that
 * none is lost or delivered twice.
 */
static void irqfd_hook(struct file *file, wait_queue_head_t *queue,
		       poll_table *table)
{
	struct irqfd *irqfd = container_of(table, struct irqfd_hook,
					   table)->irqfd;
	u64 count;

	spin_lock_irq(&queue->lock);
	__add_wait_queue(queue, &irqfd->wait);
	eventfd_ctx_do_read(irqfd->eventfd, &count);
	if (count)
		irqfd_inject(irqfd);
	spin_unlock_irq(&queue->lock);
}

static int irqfd_publish(struct irqfd *irqfd)
{
	struct irqfd_set *set = irqfd->set;
	int ret = 0;

	lockdep_assert_held(&set->config);
	spin_lock_irq(&set->lock);
	if (irqfd_find(set, irqfd->eventfd)) {
		ret = -EBUSY;
	} else if (set->count == IRQFDS_MAX) {
		ret = -ENOSPC;
	} else {
		set->count++;
		hash_add(set->irqfds, &irqfd->node,
			 (unsigned long)irqfd->eventfd);
	}
	spin_unlock_irq(&set->lock);
	return ret;
}

/*
 * The caller's reference to @file keeps EPOLLHUP away until the irqfd is
 * complete.
 */
static int irqfd_assign(struct irqfd_set *set, struct file *file,
			const struct acrn_msi_entry *msi)
{
	struct irqfd_hook hook;
	struct irqfd *irqfd;
	int ret;

	ret = msi_check(msi);
	if (ret)
		return ret;
	irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	if (!irqfd)
		return -ENOMEM;
	irqfd->set = set;
	irqfd->eventfd = eventfd_ctx_fileget(file);
	irqfd->msi = *msi;
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wakeup);

	mutex_lock(&set->config);
	ret = irqfd_publish(irqfd);
	if (!ret) {
		hook.irqfd = irqfd;
		init_poll_funcptr(&hook.table, irqfd_hook);
		vfs_poll(file, &hook.table);
	}
	mutex_unlock(&set->config);
	if (ret)
		irqfd_free(irqfd);
	return ret;
}

/*
 * The eventfd alone tells which: acrn-dm sends what its MSI-X table holds by
 * then, which need not be what it assigned.
 */
static int irqfd_deassign(struct irqfd_set *set, struct file *file)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fileget(file);
	struct irqfd *irqfd;

	mutex_lock(&set->config);
	spin_lock_irq(&set->lock);
	irqfd = irqfd_find(set, eventfd);
	if (irqfd)
		irqfd_unpublish(irqfd);
	spin_unlock_irq(&set->lock);
	mutex_unlock(&set->config);

	eventfd_ctx_put(eventfd);
	if (!irqfd)
		return -ENOENT;
	irqfd_unhook(irqfd);
	return 0;
}

/**
 * irqfd_config() - ACRN_IOCTL_IRQFD
 * @set:	The VM's irqfds
 * @args:	From user space, not trusted
 *
 * When a deassignment has returned, nothing more is injected.
 *
 * Context: Process context, may sleep. Takes @set's locks.
 * Return: 0 or
 *	   -EBADF:	the descriptor is not open,
 *	   -EINVAL:	it is not an eventfd, a flag is unknown, or see
 *			msi_check(),
 *	   -EBUSY:	the eventfd has an irqfd in this VM,
 *	   -ENOSPC:	the VM has IRQFDS_MAX irqfds,
 *	   -ENOENT:	to deassign, the eventfd has no irqfd in this VM,
 *	   -ENOMEM.
 */
int irqfd_config(struct irqfd_set *set, const struct acrn_irqfd *args)
{
	struct file *file;
	int ret;

	if (args->flags & ~ACRN_IRQFD_FLAG_DEASSIGN)
		return -EINVAL;
	file = eventfd_fget(args->fd);
	if (IS_ERR(file))
		return PTR_ERR(file);

	irqfd_free_closed(set);
	if (args->flags & ACRN_IRQFD_FLAG_DEASSIGN)
		ret = irqfd_deassign(set, file);
	else
		ret = irqfd_assign(set, file, &args->msi);
	fput(file);
	return ret;
}

/**
 * irqfd_show() - List the irqfds of a VM
 * @set:	The VM's irqfds
 * @seq:	One line for each: MSI address and data, how often it was
 *		injected, how often the hypervisor refused it
 *
 * Context: Process context, may sleep. Takes @set's locks.
 */
void irqfd_show(struct irqfd_set *set, struct seq_file *seq)
{
	struct irqfd *irqfd;
	int bucket;

	mutex_lock(&set->config);
	spin_lock_irq(&set->lock);
	hash_for_each(set->irqfds, bucket, irqfd, node)
		seq_printf(seq, "%#llx %#llx injected=%llu failed=%llu\n",
			   irqfd->msi.msi_addr, irqfd->msi.msi_data,
			   READ_ONCE(irqfd->injected),
			   READ_ONCE(irqfd->failed));
	spin_unlock_irq(&set->lock);
	mutex_unlock(&set->config);
}

/**
 * irqfd_set_create() - Begin with no irqfds
 * @vm:		Where their MSIs go; outlives the set
 *
 * Context: Process context, may sleep.
 * Return: the set or NULL when there is no memory.
 */
struct irqfd_set *irqfd_set_create(struct acrn_vm *vm)
{
	struct irqfd_set *set;

	set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	if (!set)
		return NULL;
	set->vm = vm;
	mutex_init(&set->config);
	spin_lock_init(&set->lock);
	hash_init(set->irqfds);
	INIT_HLIST_HEAD(&set->closed);
	return set;
}

static struct irqfd *irqfd_take_any(struct irqfd_set *set)
{
	struct irqfd *irqfd;
	int bucket;

	spin_lock_irq(&set->lock);
	hash_for_each(set->irqfds, bucket, irqfd, node) {
		irqfd_unpublish(irqfd);
		spin_unlock_irq(&set->lock);
		return irqfd;
	}
	spin_unlock_irq(&set->lock);
	return NULL;
}

/**
 * irqfd_set_destroy() - Free a set with all its irqfds
 * @set:	irqfd_config() is not called for it any more
 *
 * When it has returned, nothing is injected and no code of this file runs for
 * the set.
 *
 * Context: Process context, may sleep.
 */
void irqfd_set_destroy(struct irqfd_set *set)
{
	struct irqfd *irqfd;

	while ((irqfd = irqfd_take_any(set)))
		irqfd_unhook(irqfd);
	/* A hangup moves only what is in the set, so that none comes any more */
	irqfd_free_closed(set);
	mutex_destroy(&set->config);
	kfree(set);
}
