// SPDX-License-Identifier: GPL-2.0
/*
 * Attaching a disk to all queues that are set up, and detaching it when the
 * requests that were started have ended.
 *
 * All functions run in process context, in an ioctl or in the release of the
 * file, with dev.mutex held, and may sleep. dev.mutex alone guards which disk
 * is attached: it changes only while no queue has a backend, when no worker
 * looks at it.
 */
#include <linux/cgroup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ioprio.h>
#include <linux/jiffies.h>

#include "attach.h"
#include "bdev.h"
#include "blk.h"
#include "file.h"
#include "queue.h"
#include "worker.h"

/*
 * How long an ioctl waits for requests in flight, in jiffies. When a disk does not
 * answer, the block layer ends its requests after a time limit of its own, 30
 * seconds for most.
 */
#define DRAIN_TIMEOUT	(60 * HZ)

/*
 * Open a disk by the descriptor @fd. What is opened for a disk that turns out
 * to be none is closed again. @disk is the caller's own until attach().
 */
static int open_disk(struct vhost_blk_disk *disk, int fd)
{
	umode_t mode;
	int ret;

	*disk = (struct vhost_blk_disk){ .file = fget(fd) };
	if (!disk->file)
		return -EBADF;
	mode = disk->file->f_mapping->host->i_mode;
	if (!(disk->file->f_mode & FMODE_READ))
		ret = -EBADF;
	else if (S_ISBLK(mode))
		ret = vhost_blk_bdev_init(disk);
	else if (S_ISREG(mode))
		ret = vhost_blk_file_init(disk);
	else
		ret = -EINVAL;
	if (ret)
		fput(disk->file);
	return ret;
}

/*
 * Start no more requests and wait until none is in flight; @timeout jiffies at
 * most for all queues together. Returns 0 or -ETIMEDOUT. dev.mutex is held, and
 * no vq.mutex: workers need it to end what they have begun.
 */
static int quiesce(struct vhost_blk *blk, long timeout)
{
	unsigned int i;

	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++)
		vhost_blk_inflight_stop(&blk->queues[i]->inflight, true);
	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++) {
		timeout = vhost_blk_inflight_wait(&blk->queues[i]->inflight,
						  timeout);
		if (!timeout)
			return -ETIMEDOUT;
	}
	return 0;
}

/* Take a reference to the block cgroup of the process that makes the ioctl. */
static struct cgroup_subsys_state *get_blkcg(void)
{
#ifdef CONFIG_BLK_CGROUP
	return task_get_css(current, io_cgrp_id);
#else
	return NULL;
#endif
}

static void put_blkcg(struct cgroup_subsys_state *blkcg)
{
	if (blkcg)
		css_put(blkcg);
}

/**
 * vhost_blk_detach() - Complete all requests and let go of the disk
 * @blk:	Device
 * @timeout:	Jiffies to wait at most
 *
 * No request is started from the beginning on, and discarding, zeroing and large
 * requests that are copied end early, with an error. When this returns 0, neither
 * disk nor guest memory are touched any more.
 *
 * Context: Process context, dev.mutex held. Waits.
 *
 * Return: 0; -ETIMEDOUT if requests are still in flight, in which case the disk
 * stays attached and this may be called again.
 */
int vhost_blk_detach(struct vhost_blk *blk, long timeout)
{
	unsigned int i;
	int ret;

	if (!blk->disk.file)
		return 0;
	WRITE_ONCE(blk->detaching, true);
	ret = quiesce(blk, timeout);
	if (ret)
		return ret;
	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++)
		vhost_blk_queue_detach(blk->queues[i]);
	/* Works that are still queued run here, and find nothing to do. */
	vhost_blk_workers_flush(blk);
	fput(blk->disk.file);
	put_blkcg(blk->disk.blkcg);
	blk->disk.file = NULL;
	return 0;
}

/**
 * vhost_blk_pause() - Complete all requests and start no other ones
 * @blk:	Device with a disk
 *
 * Context: Process context, dev.mutex held. Waits.
 *
 * Return: 0; -EBUSY if the disk is being detached, as vhost_blk_resume() would
 * start requests that are not to be started any more; -ETIMEDOUT if requests are
 * still in flight, in which case others are started as before.
 */
int vhost_blk_pause(struct vhost_blk *blk)
{
	int ret;

	if (blk->detaching)
		return -EBUSY;
	ret = quiesce(blk, DRAIN_TIMEOUT);
	if (ret)
		vhost_blk_resume(blk);
	else
		/* The workers return the requests that have ended. */
		vhost_blk_workers_flush(blk);
	return ret;
}

/**
 * vhost_blk_resume() - Let the queues start requests
 * @blk:	Device whose disk was just attached, or that was paused by
 *		vhost_blk_pause()
 *
 * A queue without a backend must have no work: the vhost core may give it to
 * another worker without looking at the old one.
 *
 * Context: Process context, in an ioctl. dev.mutex is held, which keeps
 *	    backends from changing, so that vq.mutex is not needed. Takes the
 *	    spinlock of each queue's requests in flight.
 */
void vhost_blk_resume(struct vhost_blk *blk)
{
	struct vhost_blk_queue *queue;
	unsigned int i;

	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++) {
		queue = blk->queues[i];
		vhost_blk_inflight_stop(&queue->inflight, false);
		if (vhost_vq_get_backend(&queue->vq))
			vhost_poll_queue(&queue->vq.poll);
	}
}

/*
 * Attach @disk to all queues that are set up, and let them start requests.
 * Takes over @disk, also when it fails. dev.mutex is held, and no disk is
 * attached.
 */
static int attach(struct vhost_blk *blk, const struct vhost_blk_disk *disk)
{
	unsigned int i, ready = 0;
	int ret = 0;

	blk->disk = *disk;
	blk->disk.blkcg = get_blkcg();
	blk->disk.ioprio = get_current_ioprio();
	blk->detaching = false;
	for (i = 0; i < VHOST_BLK_MAX_QUEUES && ret >= 0; i++) {
		ret = vhost_blk_queue_attach(blk->queues[i]);
		ready += ret > 0;
	}
	if (ret >= 0 && !ready)
		ret = -EFAULT;
	/* No queue has started a request, so there is nothing to wait for. */
	if (ret < 0)
		return vhost_blk_detach(blk, DRAIN_TIMEOUT) ?: ret;
	/* The driver may have rung a doorbell before there was a disk. */
	vhost_blk_resume(blk);
	return 0;
}

/**
 * vhost_blk_set_backend() - VHOST_BLK_SET_BACKEND
 * @blk:	Device
 * @fd:		Disk, or VHOST_FILE_UNBIND
 *
 * A disk that was attached before is detached first, but not until the new one
 * has been found usable.
 *
 * Context: Process context of the owner, dev.mutex held.
 *
 * Return: 0; -EBADF if @fd is not open for reading; -EINVAL if it is neither a
 * block device nor a regular file; as vhost_blk_bdev_init() and
 * vhost_blk_file_init(); -EFAULT if no queue is set up, or one wrongly;
 * -ETIMEDOUT as vhost_blk_detach(); -ENOMEM.
 */
long vhost_blk_set_backend(struct vhost_blk *blk, int fd)
{
	struct vhost_blk_disk disk;
	long ret;

	if (fd == VHOST_FILE_UNBIND)
		return vhost_blk_detach(blk, DRAIN_TIMEOUT);
	ret = open_disk(&disk, fd);
	if (ret)
		return ret;
	ret = vhost_blk_detach(blk, DRAIN_TIMEOUT);
	if (ret) {
		fput(disk.file);
		return ret;
	}
	return attach(blk, &disk);
}
