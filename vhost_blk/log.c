// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty page tracking, for live migration: what requests write to guest memory
 * is noted in the log of VHOST_SET_LOG_BASE when they are done. The vhost core
 * does the same for the used ring.
 */
#include <linux/minmax.h>
#include <linux/sched.h>

#include "blk.h"

/**
 * vhost_blk_log_keep() - Keep what the vhost core tells of a request's buffers
 * @request:	Request
 * @count:	Number of entries in vq.log that are about its buffers; 0 if
 *		pages are not tracked
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

static int log_bytes(struct vhost_virtqueue *vq, u64 addr, u64 bytes)
{
	struct vhost_log log = { .addr = addr, .len = bytes };

	return vhost_log_write(vq, &log, 1, bytes, NULL, 0);
}

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

/* It is the last byte of the last buffer. */
static int log_status(struct vhost_blk_request *request)
{
	const struct vhost_log *log = request->log.data;

	log += request->log_count - 1;
	return log_bytes(&request->queue->vq, log->addr + log->len - 1, 1);
}

/**
 * vhost_blk_log_write() - Note the pages of a request that is done
 * @request:	Request
 *
 * Its status, and the data that the disk was to write even if it failed. How
 * much room there is for data is the driver's word, which costs it nothing.
 *
 * Context: The owner's address space, vq.mutex held, may sleep.
 *
 * Return: 0; -EFAULT if the log is not there.
 */
int vhost_blk_log_write(struct vhost_blk_request *request)
{
	int ret;

	if (!request->log_count)
		return 0;
	ret = log_data(request, request->written - 1) ?: log_status(request);
	/* 16384 pages for the largest request, and there may be many */
	cond_resched();
	return ret;
}
