// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty page tracking, for live migration. When a request has ended, the guest
 * memory that it wrote to is marked in the log that VHOST_SET_LOG_BASE names. The
 * vhost core does the same for the used ring.
 *
 * All functions run in the address space of the device's owner with vq.mutex
 * held: in the queue's worker, or in an ioctl that detaches the disk. vq.mutex
 * guards vq.log and the addresses of the log.
 */
#include <linux/minmax.h>
#include <linux/sched.h>

#include "blk.h"
#include "log.h"

/**
 * vhost_blk_log_keep() - Keep the guest addresses that a request writes to
 * @request:	Request
 * @count:	Number of entries that the vhost core has put into vq.log for the
 *		request; 0 while dirty pages are not tracked
 *
 * Context: The queue's worker, vq.mutex held.
 */
void vhost_blk_log_keep(struct vhost_blk_request *request, unsigned int count)
{
	struct vhost_virtqueue *vq = &request->queue->vq;

	request->log_count = count;
	vhost_blk_buffer_fill(&request->log, vq->dev->mm, vq->log,
			      count * sizeof(*vq->log));
}

/*
 * Mark the pages of @bytes bytes of guest memory. May sleep, vq.mutex is held.
 */
static int log_bytes(struct vhost_virtqueue *vq, u64 addr, u64 bytes)
{
	struct vhost_log log = { .addr = addr, .len = bytes };

	return vhost_log_write(vq, &log, 1, bytes, NULL, 0);
}

/*
 * Mark the pages of the first @bytes bytes that a request could write to. May
 * sleep, vq.mutex is held.
 */
static int log_data(struct vhost_blk_request *request, u64 bytes)
{
	const struct vhost_log *log = request->log.data;
	unsigned int i;
	int ret = 0;
	u64 part;

	for (i = 0; i < request->log_count && bytes && !ret; i++) {
		part = min(log[i].len, bytes);
		ret = log_bytes(&request->queue->vq, log[i].addr, part);
		bytes -= part;
	}
	return ret;
}

/* Mark the page of the status, which is the last byte of the last buffer. */
static int log_status(struct vhost_blk_request *request)
{
	const struct vhost_log *log = request->log.data;

	log += request->log_count - 1;
	return log_bytes(&request->queue->vq, log->addr + log->len - 1, 1);
}

/**
 * vhost_blk_log_write() - Mark the pages that a request has written to
 * @request:	Request that has ended
 *
 * These are the page of the status byte and, also when the request has failed,
 * the pages of the data that the disk was to write. The buffers may claim far
 * more memory than that, at no cost to the driver; marking all of it would let a
 * guest keep the worker busy for long.
 *
 * Context: The owner's address space, vq.mutex held, may sleep.
 *
 * Return: 0; -EFAULT if the log cannot be written.
 */
int vhost_blk_log_write(struct vhost_blk_request *request)
{
	int ret;

	if (!request->log_count)
		return 0;
	ret = log_data(request, request->written - 1) ?: log_status(request);
	/* The largest request has 16384 pages, and many may end at once. */
	cond_resched();
	return ret;
}
