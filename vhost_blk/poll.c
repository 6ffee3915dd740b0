// SPDX-License-Identifier: GPL-2.0
/*
 * The worker waits for the driver's next request with its eyes open, for as
 * long as VHOST_SET_VRING_BUSYLOOP_TIMEOUT allows, before it asks for a
 * doorbell: on a hypervisor each of them stops a virtual CPU. It gives back the
 * requests that end meanwhile, which saves it a wakeup for each.
 *
 * How long it waits follows what comes of it: longer when the doorbell it then
 * asked for came soon, shorter when that took its time. A disk that is idle
 * costs nothing but its first few waits.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/time64.h>

#include "blk.h"
#include "compat.h"
#include "poll.h"
#include "reap.h"

/* A wait that is shorter finds nothing, and is none. */
#define MIN_POLL_NS	4000

static u64 limit_ns(const struct vhost_blk_queue *queue)
{
	return (u64)queue->vq.busyloop_timeout * NSEC_PER_USEC;
}

/* Somebody else needs the CPU or the worker, or waits for it to stop. */
static bool is_wanted(struct vhost_blk_queue *queue)
{
	return READ_ONCE(queue->inflight.stopping) || need_resched() || signal_pending(current) ||
	       vhost_vq_has_work(&queue->vq);
}

/**
 * vhost_blk_poll() - Wait for the driver's next request without a doorbell
 * @queue:	Queue whose ring is empty
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: true if there is one; false if it is time to ask for a doorbell.
 */
bool vhost_blk_poll(struct vhost_blk_queue *queue)
{
	struct vhost_virtqueue *vq = &queue->vq;
	bool found;
	u64 end;

	queue->poll_ns = min(queue->poll_ns, limit_ns(queue));
	if (!queue->poll_ns)
		return false;
	end = ktime_get_ns() + queue->poll_ns;
	vhost_blk_inflight_claim(&queue->inflight);
	do {
		found = !vhost_vq_avail_empty(vq->dev, vq);
		/* Unlocked peek; the final reap takes the lock. */
		if (!list_empty_careful(&queue->inflight.done)) {
			vhost_blk_queue_reap(queue, true);
			vhost_blk_inflight_claim(&queue->inflight);
		}
		cpu_relax();
	} while (!found && !is_wanted(queue) && ktime_get_ns() < end);
	vhost_blk_queue_reap(queue, true);
	return found;
}

/**
 * vhost_blk_poll_quiet() - The worker is going to wait for a doorbell
 * @queue:	Queue
 *
 * Context: The queue's worker, vq.mutex held.
 */
void vhost_blk_poll_quiet(struct vhost_blk_queue *queue)
{
	if (queue->vq.busyloop_timeout)
		queue->quiet_since = ktime_get_ns();
}

/**
 * vhost_blk_poll_rung() - The driver rang, or the worker has more to do
 * @queue:	Queue
 *
 * Context: The queue's worker, vq.mutex held.
 */
void vhost_blk_poll_rung(struct vhost_blk_queue *queue)
{
	u64 limit = limit_ns(queue), quiet;

	if (!limit || !queue->quiet_since)
		return;
	quiet = ktime_get_ns() - queue->quiet_since;
	queue->quiet_since = 0;
	if (quiet < limit)
		queue->poll_ns = clamp_t(u64, 2 * queue->poll_ns, MIN_POLL_NS,
					 limit);
	else
		queue->poll_ns /= 2;
	if (queue->poll_ns < MIN_POLL_NS)
		queue->poll_ns = 0;
}
