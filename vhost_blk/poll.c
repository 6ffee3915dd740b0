// SPDX-License-Identifier: GPL-2.0
/*
 * The worker polls for the driver's next request; poll.h says why and for how
 * long. All functions run in the queue's worker with vq.mutex held, which
 * guards &struct vhost_blk_poll and the ring.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <linux/sizes.h>
#include <linux/time64.h>

#include "blk.h"
#include "compat.h"
#include "poll.h"
#include "reap.h"
#include "trace.h"

/* Written by the administrator at any time, read without a lock */
static bool poll = true;
module_param(poll, bool, 0644);
MODULE_PARM_DESC(poll, "Poll for requests where that pays; VHOST_SET_VRING_BUSYLOOP_TIMEOUT goes before");

/*
 * The worker polls for as long as it takes it to start so many requests. On ACRN
 * in Bochs 10 are enough, and with 8 the driver rings for 9 of 10 reads with 32
 * on their way. The rest is for drivers that need longer for the next request.
 */
#define POLL_REQUESTS	16

/* It doubles and halves that time between the whole and this part of it. */
#define SHORTEST	16

/*
 * A driver that makes no request available for as long as it takes to start so
 * many, or until the worker ends a shorter poll, is taken to wait for those that
 * are held back.
 */
#define STALL_REQUESTS	8

/* No request is held back for longer than it takes to start so many. */
#define HOLD_REQUESTS	32

/* Bytes of a request up to which its cost is that of a small one. */
#define SMALL		((size_t)SZ_16K)

/*
 * The longest time that the worker polls for now. In the worker, vq.mutex is
 * held.
 */
static u64 limit_ns(const struct vhost_blk_queue *queue)
{
	if (queue->vq.busyloop_timeout)
		return (u64)queue->vq.busyloop_timeout * NSEC_PER_USEC;
	return READ_ONCE(poll) ? POLL_REQUESTS * queue->poll.request_ns : 0;
}

/*
 * Learn from the time in which the ring was empty, before the driver rang. In
 * the worker, vq.mutex is held.
 */
static void adapt(struct vhost_blk_queue *queue, u64 limit)
{
	u64 gap = ktime_get_ns() - queue->poll.empty_since;
	u64 shortest = limit / SHORTEST;
	u64 window = queue->poll.window_ns;

	if (gap < limit)
		window = clamp(2 * window, shortest, limit);
	else
		window /= 2;
	queue->poll.window_ns = window < shortest ? 0 : window;
}

/**
 * vhost_blk_poll_begin() - The driver rang, or the worker has more to do
 * @queue:	Queue
 *
 * Context: The queue's worker, vq.mutex held.
 */
void vhost_blk_poll_begin(struct vhost_blk_queue *queue)
{
	u64 limit = limit_ns(queue);

	if (limit && queue->poll.empty_since)
		adapt(queue, limit);
	queue->poll.window_ns = min(queue->poll.window_ns, limit);
	queue->poll.empty_since = 0;
	queue->interrupt.holding = queue->poll.window_ns;
	queue->interrupt.limit_ns = HOLD_REQUESTS * queue->poll.request_ns;
}

/**
 * vhost_blk_poll_started() - Requests were started
 * @queue:	Queue
 * @ns:		What that took
 * @requests:	Number of requests, at least 1
 * @bytes:	Length of their buffers
 *
 * What counts is the cost of small requests, and of those the cheapest: the worker
 * may have been interrupted while it started the others. So a costly one raises
 * what is known by a 64th at most, however long the interruption was. A disk that
 * has had large ones only is not polled for.
 *
 * Context: The queue's worker, vq.mutex held.
 */
void vhost_blk_poll_started(struct vhost_blk_queue *queue, u64 ns,
			    unsigned int requests, size_t bytes)
{
	u64 each = div_u64(ns, requests), known = queue->poll.request_ns;

	queue->poll.empty_since = 0;
	if (bytes > requests * SMALL)
		return;
	if (!known || each < known)
		queue->poll.request_ns = each;
	else
		queue->poll.request_ns += min(each - known, known) / 64;
}

/*
 * Wait without a CPU until a request ends. The driver does not ring meanwhile,
 * and may wait for an interrupt that is held back: so that one is sent, and the
 * worker sleeps no longer than it polls by default, however long a busyloop
 * timeout has it poll. Returns false, at once, if there is nothing to wait for.
 * In the worker; vq.mutex is held, also while it sleeps.
 */
static bool sleep_briefly(struct vhost_blk_queue *queue)
{
	u64 ns = min(queue->poll.window_ns,
		     POLL_REQUESTS * queue->poll.request_ns);

	vhost_blk_interrupt_now(queue);
	return ns && vhost_blk_inflight_sleep(&queue->inflight, ns);
}

/*
 * Let other threads have the CPU. One that wants it may be the one that ends
 * our requests, as the kernel's softirq thread does for disks that complete
 * there: the worker waits for them, and goes on if it is alone then. Returns
 * false if others still want the CPU. In the worker, vq.mutex is held.
 */
static bool yield_cpu(struct vhost_blk_queue *queue)
{
	cond_resched();
	return single_task_running() ||
	       (sleep_briefly(queue) && single_task_running());
}

/*
 * Whether to stop polling: somebody else needs the CPU or the worker, or waits
 * for the worker to stop. In the worker, vq.mutex is held; @stopping is read
 * without its lock, as the next look sees it.
 */
static bool is_wanted(struct vhost_blk_queue *queue)
{
	return READ_ONCE(queue->inflight.stopping) || !yield_cpu(queue) ||
	       signal_pending(current) || vhost_vq_has_work(&queue->vq);
}

/* Whether a request has ended. */
static bool has_ended(const struct vhost_blk_queue *queue)
{
	/* Unlocked peek; the final reap takes the lock. */
	return !list_empty_careful(&queue->inflight.done);
}

/*
 * Poll. Returns true if there is a request, and in @last when something ended.
 * In the worker, vq.mutex is held.
 */
static bool poll_ring(struct vhost_blk_queue *queue, u64 *last)
{
	u64 stall = min(STALL_REQUESTS * queue->poll.request_ns,
			queue->poll.window_ns);
	struct vhost_virtqueue *vq = &queue->vq;
	u64 now = *last;

	while (vhost_vq_avail_empty(vq->dev, vq)) {
		if (has_ended(queue)) {
			vhost_blk_queue_reap(queue, true);
			vhost_blk_inflight_claim(&queue->inflight);
			*last = now;
		}
		if (queue->interrupt.held && now - *last >= stall)
			vhost_blk_interrupt_stalled(queue);
		if (now - *last >= queue->poll.window_ns || is_wanted(queue))
			return false;
		cpu_relax();
		now = ktime_get_ns();
	}
	return true;
}

/**
 * vhost_blk_poll() - Wait for the driver's next request without a doorbell
 * @queue:	Queue whose ring is empty
 *
 * Requests that end meanwhile are returned.
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: true if there is a request; false if it is time to ask for a doorbell.
 */
bool vhost_blk_poll(struct vhost_blk_queue *queue)
{
	bool found = false;
	u64 last;

	if (!limit_ns(queue))
		return false;
	last = ktime_get_ns();
	if (queue->poll.window_ns) {
		vhost_blk_inflight_claim(&queue->inflight);
		found = poll_ring(queue, &last);
		vhost_blk_queue_reap(queue, true);
		queue->stats.polls++;
		queue->stats.polls_found += found;
		trace_vhost_blk_poll(queue, found);
	}
	if (found)
		return true;
	queue->poll.empty_since = last;
	vhost_blk_interrupt_now(queue);
	return false;
}

/**
 * vhost_blk_poll_end() - The worker goes to sleep, or on to another queue
 * @queue:	Queue
 *
 * Context: The queue's worker, vq.mutex held.
 */
void vhost_blk_poll_end(struct vhost_blk_queue *queue)
{
	queue->interrupt.holding = false;
	vhost_blk_interrupt_now(queue);
}
