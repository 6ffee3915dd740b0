// SPDX-License-Identifier: GPL-2.0
/*
 * Requests in flight of a queue. The worker adds them and takes those that have
 * ended, the end of I/O reports them in any context up to hard IRQ, and an
 * ioctl that detaches or pauses the disk forbids new ones and waits. The
 * spinlock of &struct vhost_blk_inflight, taken with interrupts off, guards all
 * of it. It is the innermost lock.
 */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "compat.h"
#include "inflight.h"
#include "pool.h"

/**
 * vhost_blk_inflight_init() - Begin with no request in flight
 * @inflight:	Requests in flight
 * @vq:		Queue that they are of
 * @reap:	Called by the worker when requests have ended
 *
 * No request can be started before vhost_blk_inflight_stop() allows it.
 *
 * Context: Process context, before vhost_dev_init().
 */
void vhost_blk_inflight_init(struct vhost_blk_inflight *inflight,
			     struct vhost_virtqueue *vq, vhost_work_fn_t reap)
{
	inflight->vq = vq;
	inflight->stopping = true;
	vhost_work_init(&inflight->work, reap);
	spin_lock_init(&inflight->lock);
	INIT_LIST_HEAD(&inflight->done);
	init_waitqueue_head(&inflight->idle);
}

/**
 * vhost_blk_inflight_enter() - The worker wants to start requests
 * @inflight:	Requests in flight
 *
 * Until vhost_blk_inflight_drop() the worker counts as a request in flight, so
 * that nobody takes the disk away from it.
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: false if it must not start any.
 */
bool vhost_blk_inflight_enter(struct vhost_blk_inflight *inflight)
{
	bool enters;

	spin_lock_irq(&inflight->lock);
	enters = !inflight->stopping;
	inflight->count += enters;
	spin_unlock_irq(&inflight->lock);
	return enters;
}

/**
 * vhost_blk_inflight_add() - A request is about to be started
 * @inflight:	Requests in flight
 *
 * Context: The queue's worker, vq.mutex held, after vhost_blk_inflight_enter().
 */
void vhost_blk_inflight_add(struct vhost_blk_inflight *inflight)
{
	spin_lock_irq(&inflight->lock);
	inflight->count++;
	spin_unlock_irq(&inflight->lock);
}

/**
 * vhost_blk_inflight_drop() - Undo vhost_blk_inflight_add() or _enter()
 * @inflight:	Requests in flight
 *
 * For a request that was not started after all, and for the worker when it has
 * started enough.
 *
 * Context: The queue's worker, vq.mutex held.
 */
void vhost_blk_inflight_drop(struct vhost_blk_inflight *inflight)
{
	spin_lock_irq(&inflight->lock);
	if (!--inflight->count)
		wake_up(&inflight->idle);
	spin_unlock_irq(&inflight->lock);
}

/**
 * vhost_blk_inflight_done() - A request has ended
 * @inflight:	Requests in flight
 * @request:	Request with its result
 *
 * The worker is woken unless it is going to look anyway.
 *
 * Context: Any, from the start of the request by the worker to hard IRQ. The
 * request belongs to whoever holds vq.mutex afterwards, to return it to the
 * driver.
 */
void vhost_blk_inflight_done(struct vhost_blk_inflight *inflight,
			     struct vhost_blk_request *request)
{
	unsigned long flags;

	spin_lock_irqsave(&inflight->lock, flags);
	list_add_tail(&request->list, &inflight->done);
	if (!inflight->reaping) {
		inflight->reaping = true;
		/* This fails when the worker was killed; the release reaps then. */
		vhost_vq_work_queue(inflight->vq, &inflight->work);
	}
	if (inflight->sleeper)
		wake_up_process(inflight->sleeper);
	/*
	 * The wakeup happens under the lock, which the waiter takes before it
	 * frees the queue.
	 */
	if (!--inflight->count)
		wake_up(&inflight->idle);
	spin_unlock_irqrestore(&inflight->lock, flags);
}

/**
 * vhost_blk_inflight_claim() - Requests that end need not wake the worker
 * @inflight:	Requests in flight
 *
 * This lasts until vhost_blk_inflight_take() has found nothing.
 *
 * Context: The queue's worker, vq.mutex held.
 */
void vhost_blk_inflight_claim(struct vhost_blk_inflight *inflight)
{
	spin_lock_irq(&inflight->lock);
	inflight->reaping = true;
	spin_unlock_irq(&inflight->lock);
}

/**
 * vhost_blk_inflight_take() - Take the requests that have ended
 * @inflight:	Requests in flight
 * @done:	Empty list to put them on
 *
 * Context: Process context, vq.mutex held.
 *
 * Return: false if there were none: the next to end wakes the worker.
 */
bool vhost_blk_inflight_take(struct vhost_blk_inflight *inflight,
			     struct list_head *done)
{
	spin_lock_irq(&inflight->lock);
	list_splice_init(&inflight->done, done);
	if (list_empty(done))
		inflight->reaping = false;
	spin_unlock_irq(&inflight->lock);
	return !list_empty(done);
}

/**
 * vhost_blk_inflight_sleep() - Leave the CPU to others until a request ends
 * @inflight:	Requests in flight, which the worker has claimed
 * @ns:		Nanoseconds to sleep at most
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: false, at once, if no request is in flight.
 */
bool vhost_blk_inflight_sleep(struct vhost_blk_inflight *inflight, u64 ns)
{
	ktime_t timeout = ns_to_ktime(ns);
	bool any;

	spin_lock_irq(&inflight->lock);
	/* The worker itself counts as one. */
	any = inflight->count > 1;
	if (any && list_empty(&inflight->done)) {
		inflight->sleeper = current;
		set_current_state(TASK_IDLE);
	}
	spin_unlock_irq(&inflight->lock);
	if (!inflight->sleeper)
		return any;
	schedule_hrtimeout(&timeout, HRTIMER_MODE_REL);
	spin_lock_irq(&inflight->lock);
	inflight->sleeper = NULL;
	spin_unlock_irq(&inflight->lock);
	return true;
}

/**
 * vhost_blk_inflight_stop() - Forbid or allow that requests are started
 * @inflight:	Requests in flight
 * @stop:	Forbid it
 *
 * Context: Process context, dev.mutex held, so that nobody else changes it.
 */
void vhost_blk_inflight_stop(struct vhost_blk_inflight *inflight, bool stop)
{
	spin_lock_irq(&inflight->lock);
	inflight->stopping = stop;
	spin_unlock_irq(&inflight->lock);
}

/* Whether no request is in flight, for whoever waits. Process context. */
static bool is_idle(struct vhost_blk_inflight *inflight)
{
	bool idle;

	spin_lock_irq(&inflight->lock);
	idle = !inflight->count;
	spin_unlock_irq(&inflight->lock);
	return idle;
}

/**
 * vhost_blk_inflight_wait() - Wait until no request is in flight
 * @inflight:	Requests in flight, of which none can be started any more
 * @timeout:	Jiffies to wait at most
 *
 * Context: Process context, without vq.mutex: the worker holds it while the disk
 * keeps it waiting.
 *
 * Return: Jiffies that are left, at least 1; 0 if requests are still in flight.
 */
long vhost_blk_inflight_wait(struct vhost_blk_inflight *inflight, long timeout)
{
	return wait_event_timeout(inflight->idle, is_idle(inflight), timeout);
}
