// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty page tracking, for live migration: what requests write to guest memory
 * is noted in the log of VHOST_SET_LOG_BASE when they are done. The vhost core
 * does the same for the used ring.
 */
#include <linux/overflow.h>
#include <linux/uaccess.h>

#include "blk.h"

/**
 * vhost_blk_log_keep() - Keep what the vhost core tells of a request's buffers
 * @request:	Request
 * @count:	Number of entries in vq.log that are about its buffers; 0 if
 *		pages are not tracked
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_blk_log_keep(struct vhost_blk_request *request, unsigned int count)
{
	struct vhost_virtqueue *vq = &request->queue->vq;

	request->log_count = count;
	return vhost_blk_buffer_fill(&request->log, vq->log,
				     count * sizeof(*vq->log));
}

/*
 * Is the log where these bytes are noted in user space? Memory and log may have
 * been changed since the request was taken, and the vhost core does not look:
 * up to 6.1 it stops the machine at an address that overflows.
 */
static bool is_log_ok(const struct vhost_virtqueue *vq,
		      const struct vhost_log *log)
{
	u64 first = log->addr / VHOST_PAGE_SIZE / BITS_PER_BYTE;
	u64 bytes = log->len / VHOST_PAGE_SIZE / BITS_PER_BYTE + 2;
	unsigned long start;

	return !check_add_overflow((unsigned long)vq->log_base, first, &start) &&
	       access_ok((void __user *)start, bytes);
}

/**
 * vhost_blk_log_write() - Note the pages of a request that is done
 * @request:	Request
 *
 * All of its buffers that the device may write to, whether it has or not.
 *
 * Context: The owner's address space, vq.mutex held.
 *
 * Return: 0; -EFAULT if the log is not there.
 */
int vhost_blk_log_write(struct vhost_blk_request *request)
{
	struct vhost_log *log = request->log.data;
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < request->log_count; i++) {
		if (!is_log_ok(&request->queue->vq, &log[i]))
			return -EFAULT;
		bytes += log[i].len;
	}
	if (!bytes)
		return 0;
	return vhost_log_write(&request->queue->vq, log, request->log_count,
			       bytes, NULL, 0);
}
