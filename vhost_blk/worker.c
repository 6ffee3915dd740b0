// SPDX-License-Identifier: GPL-2.0
/*
 * A worker for each queue, where the vhost core has none to give.
 *
 * From Linux 6.5 on the core makes further workers when the device model asks for
 * them, and this file does nothing. Before, a vhost device has a single worker. So
 * each queue but the first has a vhost device here which has no queues of its own
 * and is there for its worker: the doorbells of the queue and the ends of its I/O
 * are queued to that one. The worker is in the address space and the cgroups of
 * the owner, as every vhost worker is. It is made when the disk is attached and
 * ends with the owner.
 *
 * All functions run in process context, in an ioctl with dev.mutex held or while
 * the file is opened or released, and may sleep.
 */
#include "blk.h"
#include "compat.h"
#include "worker.h"

/* Whether a queue needs a vhost device for its worker. Constant for a queue. */
static bool has_device(const struct vhost_blk_queue *queue)
{
	return !VHOST_MAKES_WORKERS && queue != queue->blk->queues[0];
}

/**
 * vhost_blk_worker_init() - Lead the works of a queue to a worker of its own
 * @queue:	Queue
 *
 * They are dropped until the worker is started, which is early enough: a queue
 * without a disk has nothing to do.
 *
 * Context: Process context, after vhost_dev_init() of the device. Nobody else has
 *	    the device yet.
 */
void vhost_blk_worker_init(struct vhost_blk_queue *queue)
{
	if (!has_device(queue))
		return;
	vhost_dev_init(&queue->worker, NULL, 0, 0, 0, 0, true, NULL);
	queue->vq.poll.dev = &queue->worker;
}

/**
 * vhost_blk_worker_start() - Make the worker of a queue, unless there is one
 * @queue:	Queue
 *
 * Context: Process context of the owner, dev.mutex held. Without vq.mutex: this
 * waits for the worker, which may be waiting for that.
 *
 * Return: 0 or a negative errno: -ENOMEM; -EINTR if the owner is being killed.
 */
int vhost_blk_worker_start(struct vhost_blk_queue *queue)
{
	if (!has_device(queue) || vhost_dev_has_owner(&queue->worker))
		return 0;
	return vhost_dev_set_owner(&queue->worker);
}

/**
 * vhost_blk_workers_stop() - End the workers of all queues
 * @blk:	Device without a disk
 *
 * Context: Process context, dev.mutex held or the last user of @blk. After
 *	    vhost_dev_stop(), so that no doorbell queues a work any more.
 */
void vhost_blk_workers_stop(struct vhost_blk *blk)
{
	unsigned int i;

	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++) {
		if (!has_device(blk->queues[i]))
			continue;
		vhost_dev_flush(&blk->queues[i]->worker);
		vhost_dev_cleanup(&blk->queues[i]->worker);
	}
}

/**
 * vhost_blk_workers_flush() - Wait until all workers have done what was queued
 * @blk:	Device
 *
 * Context: Process context, dev.mutex held, without any vq.mutex.
 */
void vhost_blk_workers_flush(struct vhost_blk *blk)
{
	unsigned int i;

	vhost_dev_flush(&blk->dev);
	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++)
		if (has_device(blk->queues[i]))
			vhost_dev_flush(&blk->queues[i]->worker);
}
