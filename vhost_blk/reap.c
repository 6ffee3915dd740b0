// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that have ended return to the driver: status byte, dirty pages, used
 * ring, interrupt. One update of the used ring's index serves all requests that
 * have ended by then, and one interrupt may serve more.
 *
 * All functions run with vq.mutex held, which guards the used ring and the
 * counters: in the queue's worker, or in the ioctl or the release that detaches
 * the disk. A request that has ended belongs to them.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/uaccess.h>

#include "blk.h"
#include "interrupt.h"
#include "log.h"
#include "reap.h"
#include "trace.h"

/**
 * vhost_blk_queue_broken() - Stop a queue whose ring is corrupt
 * @queue:	Queue
 * @why:	What is wrong, for the kernel's debug log
 *
 * Requests that were started are still completed. Nothing more is taken from the
 * ring until the device model resets the device.
 *
 * Context: The queue's worker, or the ioctl or the release that detaches the
 *	    disk; vq.mutex held.
 */
void vhost_blk_queue_broken(struct vhost_blk_queue *queue, const char *why)
{
	queue->broken = true;
	vq_err(&queue->vq, "vhost_blk: %s\n", why);
}

/*
 * Write the entries that were collected to the used ring. In the address space
 * of the device's owner, vq.mutex is held.
 */
static void publish(struct vhost_blk_queue *queue)
{
	unsigned int count = queue->used_count;

	queue->used_count = 0;
	if (count && vhost_add_used_n(&queue->vq, queue->used, count))
		vhost_blk_queue_broken(queue, "the used ring is not writable");
}

/* Count a request that has ended. vq.mutex is held. */
static void count_end(struct vhost_blk_queue *queue,
		      const struct vhost_blk_request *request)
{
	struct vhost_blk_stats *stats = &queue->stats;
	u64 ns;

	stats->requests[min_t(u32, request->type, VHOST_BLK_TYPES - 1)]++;
	stats->errors += !!request->error;
	if (request->start_ns) {
		ns = ktime_get_ns() - request->start_ns;
		stats->latency[histogram_bucket(ns, HISTOGRAM_NS_BUCKETS)]++;
	}
	trace_vhost_blk_end(request);
}

/*
 * Return a request to the driver: write its status and its entry of the used
 * ring. In the address space of the device's owner, may sleep; vq.mutex is
 * held.
 */
static void give_back(struct vhost_blk_queue *queue,
		      struct vhost_blk_request *request)
{
	struct vring_used_elem *used = &queue->used[queue->used_count];

	if (put_user(vhost_blk_status(request->error), request->status)) {
		vhost_blk_queue_broken(queue, "a status byte is not writable");
		return;
	}
	if (vhost_blk_log_write(request)) {
		vhost_blk_queue_broken(queue, "the log is not writable");
		return;
	}
	used->id = cpu_to_vhost32(&queue->vq, request->head);
	/* After an error nothing but the status is known to be written. */
	used->len = cpu_to_vhost32(&queue->vq,
				   request->error ? 1 : request->written);
	if (++queue->used_count == ARRAY_SIZE(queue->used))
		publish(queue);
}

/*
 * Return the requests in the list @done to the driver, if it is to be told, and
 * to the pool. Returns how many there were. vq.mutex is held.
 */
static unsigned int reap_list(struct vhost_blk_queue *queue,
			      struct list_head *done, bool tell)
{
	const struct vhost_blk_disk_ops *ops = queue->blk->disk.ops;
	struct vhost_blk_request *request, *next;
	unsigned int count = 0;

	list_for_each_entry_safe(request, next, done, list) {
		list_del(&request->list);
		count_end(queue, request);
		if (ops->release)
			ops->release(request);
		if (tell)
			give_back(queue, request);
		vhost_blk_request_put(&queue->pool, request);
		count++;
	}
	return count;
}

/**
 * vhost_blk_queue_reap() - Return the requests that have ended to the driver
 * @queue:	Queue
 * @tell:	Tell the driver; false when its memory may be out of reach
 *
 * The next request that ends wakes the worker.
 *
 * Context: Process context, vq.mutex held; with @tell in the owner's address
 * space.
 */
void vhost_blk_queue_reap(struct vhost_blk_queue *queue, bool tell)
{
	unsigned int count = 0;
	LIST_HEAD(done);

	while (vhost_blk_inflight_take(&queue->inflight, &done))
		count += reap_list(queue, &done, tell);
	if (!count || !tell)
		return;
	publish(queue);
	vhost_blk_interrupt_used(queue, count);
	if (queue->starved) {
		queue->starved = false;
		vhost_poll_queue(&queue->vq.poll);
	}
}
