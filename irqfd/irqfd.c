// SPDX-License-Identifier: GPL-2.0
/*
 * The life of an irqfd. It is published in its set first and then hooked into
 * the wait queue of its eventfd, and it leaves them in the same order. Whoever
 * takes it out of the set, with the spinlock of the set held, owns it: nobody
 * else unhooks and frees it. That is a deassignment, the destruction of the
 * set, or the next ioctl after the eventfd was closed. When the last descriptor
 * of the eventfd is closed, the irqfd is woken with EPOLLHUP. This wakeup
 * cannot sleep, so it only moves the irqfd to the list of those that are
 * closed.
 *
 * The owner unhooks an irqfd with eventfd_ctx_remove_wait_queue(), which waits
 * for a wakeup that is running. So no code of this file runs for an irqfd that
 * was freed.
 *
 * Locks, outermost first: &irqfd_set.config (process context), the lock of the wait
 * queue, &irqfd_set.lock.
 *
 * irqfd_wakeup() and what it calls run in the context of whoever signals or
 * closes the eventfd, which may be hard IRQ, with the lock of its wait queue
 * held and, except on PREEMPT_RT, interrupts off. All other functions run in
 * process context: in an ioctl, or for irqfd_show() in whoever reads the file.
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

/* Limit for one VM, and buckets such that one holds 16 irqfds then */
#define IRQFDS_MAX		1024
#define IRQFD_HASH_BITS		6

/**
 * struct irqfd_set - The irqfds of one VM
 * @vm:		VM that gets the MSIs. Constant
 * @config:	Held while an irqfd is assigned or deassigned, so that an irqfd
 *		is not deassigned before it is hooked
 * @lock:	Guards @count, @irqfds and @closed. Taken with interrupts off
 * @count:	Number of irqfds in @irqfds and @closed, at most IRQFDS_MAX
 * @irqfds:	Hash table of &struct irqfd by eventfd
 * @closed:	irqfds whose eventfd was closed, waiting to be freed
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
 * struct irqfd - An eventfd that injects an MSI
 * @node:	In &irqfd_set.irqfds or &irqfd_set.closed; unhashed as soon as
 *		the irqfd has an owner. Under &irqfd_set.lock
 * @set:	Set of the VM. Constant
 * @eventfd:	Eventfd; a reference. Constant
 * @wait:	In the wait queue of @eventfd; under the lock of the queue
 * @msi:	MSI to inject. Constant
 * @injected:	Number of times that the hypervisor has accepted the MSI
 * @failed:	Number of times that the hypervisor has refused the MSI
 * @held:	The VM is paused, and the MSI is to be injected if the VM runs
 *		on; under &irqfd_set.lock
 *
 * @injected and @failed are written under the lock of the wait queue or, for an
 * MSI that was held, under &irqfd_set.lock. If both write at the same time, one
 * MSI is not counted.
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
 * struct irqfd_hook - Argument of vfs_poll() that leads irqfd_hook() to the irqfd
 * @table:	Poll table
 * @irqfd:	irqfd to hook into the wait queue
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
 * Context: Any, no lock needed: each CPU counts for itself.
 * Return: how many there were since the module was loaded, for all VMs together
 */
u64 irqfd_total_injected(void)
{
	return cpu_counter_sum(&total_injected);
}

/*
 * Inject the MSI of an irqfd, and count it. Returns false if the VM is paused.
 * Hot path, any context; the lock of the wait queue or &irqfd_set.lock is held.
 */
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
 * Hold the MSI, as the VM was paused a moment ago. Try once more under the
 * lock: if the VM runs again by now, irqfd_flush_held() may have finished. Any
 * context; the lock of the wait queue is held, and this takes &irqfd_set.lock.
 */
static void irqfd_hold(struct irqfd *irqfd)
{
	unsigned long flags;

	spin_lock_irqsave(&irqfd->set->lock, flags);
	irqfd->held = !irqfd_try_inject(irqfd);
	spin_unlock_irqrestore(&irqfd->set->lock, flags);
}

/*
 * Inject or hold the MSI. Hot path, any context; the lock of the wait queue is
 * held.
 */
static void irqfd_inject(struct irqfd *irqfd)
{
	if (!irqfd_try_inject(irqfd))
		irqfd_hold(irqfd);
}

/**
 * irqfd_flush_held() - Deal with the MSIs that were held while the VM was paused
 * @set:	irqfds of the VM
 * @inject:	Inject them, as the VM runs on; otherwise drop them, as it was reset
 *
 * Context: Process context. Takes the spinlock of @set.
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

/* Find the irqfd on @eventfd, or NULL. The spinlock of @set is held. */
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

/*
 * Take an irqfd out of its set. The caller owns it afterwards. Process context,
 * &irqfd_set.lock is held.
 */
static void irqfd_unpublish(struct irqfd *irqfd)
{
	lockdep_assert_held(&irqfd->set->lock);
	hlist_del_init(&irqfd->node);
	irqfd->set->count--;
}

/* Free an irqfd that is not hooked. For its owner. */
static void irqfd_free(struct irqfd *irqfd)
{
	eventfd_ctx_put(irqfd->eventfd);
	kfree(irqfd);
}

/*
 * Unhook and free an irqfd, which then injects no more. For its owner, may
 * sleep.
 */
static void irqfd_unhook(struct irqfd *irqfd)
{
	u64 count;

	eventfd_ctx_remove_wait_queue(irqfd->eventfd, &irqfd->wait, &count);
	irqfd_free(irqfd);
}

/*
 * The last descriptor of the eventfd was closed. Somebody with a reference to
 * the eventfd, such as a vhost worker, may go on signalling, but nothing is
 * injected any more. The irqfd leaves the wait queue here; irqfd_unhook() does
 * no harm when it removes it once more. The lock of the wait queue is held.
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

/*
 * Take an irqfd whose eventfd was closed out of the set, or return NULL.
 * Process context, takes &irqfd_set.lock; the caller owns the irqfd.
 */
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

/* Free all irqfds whose eventfd was closed. Process context, may sleep. */
static void irqfd_free_closed(struct irqfd_set *set)
{
	struct irqfd *irqfd;

	while ((irqfd = irqfd_take_closed(set)))
		irqfd_unhook(irqfd);
}

/*
 * The eventfd was signalled or closed. Hot path, called for each signal, in any
 * context but hard IRQ with PREEMPT_RT; the lock of the wait queue is held.
 *
 * The count of the eventfd is set back to 0, so that a signal is not delivered
 * again when the eventfd is assigned later. A signal is delivered even if the
 * count is 0 already: an irqfd of another VM on the same eventfd may have read
 * it.
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
 * Hook an irqfd into the wait queue of its eventfd; called by vfs_poll().
 * Signals from before the assignment are delivered as one MSI, and later
 * signals by irqfd_wakeup(). The lock of the queue is held across both, so no
 * signal is lost or delivered twice. In an ioctl; &irqfd_set.config is held.
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

/*
 * Put an irqfd into its set. Returns 0, -EBUSY or -ENOSPC. In an ioctl;
 * &irqfd_set.config is held, and this takes &irqfd_set.lock.
 */
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
 * Assign an irqfd: ACRN_IOCTL_IRQFD. In an ioctl, takes both locks of the set.
 * The caller has a reference to @file, so no EPOLLHUP comes before this
 * returns.
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
 * Deassign an irqfd: ACRN_IOCTL_IRQFD with a flag. In an ioctl, takes both
 * locks of the set. When this returns, the MSI is not injected any more.
 *
 * The eventfd alone identifies the irqfd. The MSI does not: acrn-dm passes what
 * its MSI-X table holds at this time, which may not be what it has assigned.
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
 * @set:	irqfds of the VM
 * @args:	Argument from user space, not trusted
 *
 * When this has deassigned an irqfd, its MSI is not injected any more. Also
 * frees irqfds whose eventfd was closed.
 *
 * Context: Process context, may sleep. Takes the locks of @set.
 * Return: 0 or
 *	   -EBADF:	the descriptor is not open,
 *	   -EINVAL:	it is not an eventfd, a flag is unknown, or see msi_check(),
 *	   -EBUSY:	the VM has an irqfd on that eventfd,
 *	   -ENOSPC:	the VM has IRQFDS_MAX irqfds,
 *	   -ENOENT:	there is no irqfd on that eventfd to deassign,
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
 * @set:	irqfds of the VM
 * @seq:	Where to: a line for each with the address and the data of its
 *		MSI, and how often the hypervisor has accepted and refused it
 *
 * Context: Process context, may sleep. Takes the locks of @set.
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
 * irqfd_set_create() - Create a set without irqfds
 * @vm:	VM that gets the MSIs, and outlives the set
 *
 * Context: Process context, may sleep. Nobody else has the set yet.
 * Return: the set; NULL when there is no memory.
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

/*
 * Take some irqfd that is not closed out of the set, or return NULL. Process
 * context, takes &irqfd_set.lock; the caller owns the irqfd.
 */
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
 * @set:	Set for which irqfd_config() is not called any more
 *
 * When this returns, nothing is injected, and no code of this file runs for the
 * set.
 *
 * Context: Process context, may sleep. Takes &irqfd_set.lock for each irqfd, as
 *	    wakeups may still run.
 */
void irqfd_set_destroy(struct irqfd_set *set)
{
	struct irqfd *irqfd;

	while ((irqfd = irqfd_take_any(set)))
		irqfd_unhook(irqfd);
	/*
	 * Only an irqfd that was in the set moves to the closed ones, so no
	 * more come.
	 */
	irqfd_free_closed(set);
	mutex_destroy(&set->config);
	kfree(set);
}
