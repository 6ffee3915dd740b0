// SPDX-License-Identifier: GPL-2.0
/*
 * Dirty page tracking, for live migration: what requests write to guest memory
 * is noted in the log of VHOST_SET_LOG_BASE when they are done. The vhost core
 * does the same for the used ring.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "blk.h"

static int grow(struct vhost_blk_request *request, unsigned int count)
{
	unsigned int size = roundup_pow_of_two(count);
	struct vhost_log *log;

	log = kvmalloc_array(size, sizeof(*log), GFP_KERNEL_ACCOUNT);
	if (!log)
		return -ENOMEM;
	kvfree(request->log);
	request->log = log;
	request->log_size = size;
	return 0;
}

/**
 * vhost_blk_log_keep() - Keep what the vhost core tells of a request's buffers
 * @request:	Request
 * @count:	Number of entries in vq.log that are about its buffers; 0 if
 *		pages are not tracked
 *
 * Memory for it is kept for the requests to come, up to what a chain can have.
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_blk_log_keep(struct vhost_blk_request *request, unsigned int count)
{
	request->log_count = 0;
	if (!count)
		return 0;
	if (count > request->log_size && grow(request, count))
		return -ENOMEM;
	memcpy(request->log, request->queue->vq.log,
	       count * sizeof(*request->log));
	request->log_count = count;
	return 0;
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
	u64 bytes = 0;
	unsigned int i;

	for (i = 0; i < request->log_count; i++)
		bytes += request->log[i].len;
	if (!bytes)
		return 0;
	return vhost_log_write(&request->queue->vq, request->log,
			       request->log_count, bytes, NULL, 0);
}
