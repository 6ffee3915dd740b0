// SPDX-License-Identifier: GPL-2.0
/*
 * The disk: attached to all queues that are set up, detached when what was
 * started has ended.
 */
#include <linux/blkdev.h>
#include <linux/cgroup.h>
#include <linux/file.h>
#include <linux/ioprio.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/pagemap.h>
#include <linux/stat.h>

#include "blk.h"
#include "compat.h"

/*
 * How long an ioctl waits for requests in flight. The block layer has its own
 * limit, which is what ends them when a disk does not answer.
 */
#define DRAIN_TIMEOUT	(60 * HZ)

/* Can this file be a disk? Returns 0 or a negative errno. */
static int check_file(struct file *file)
{
	struct inode *inode = file->f_mapping->host;

	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	if (S_ISBLK(inode->i_mode))
		return bdev_is_zoned(I_BDEV(inode)) ? -EOPNOTSUPP : 0;
	if (!S_ISREG(inode->i_mode) || !file->f_op->read_iter)
		return -EINVAL;
	if (file->f_mode & FMODE_WRITE &&
	    (!file->f_op->write_iter || file->f_flags & O_APPEND))
		return -EINVAL;
	return 0;
}

/*
 * bios pass by the page cache of the block device. What is dirty there must not
 * be written over the guest's data later, and what is clean would be stale.
 *
 * Returns -EBUSY if somebody holds on to some of it, as a mounted ext4 does. That
 * is no claim: other users of a block device hold nothing there.
 */
static int empty_page_cache(struct address_space *mapping)
{
	int ret = filemap_write_and_wait(mapping);

	return ret ?: invalidate_inode_pages2(mapping);
}

static struct file *get_file_of(int fd)
{
	struct file *file = fget(fd);
	int ret;

	if (!file)
		return ERR_PTR(-EBADF);
	ret = check_file(file);
	if (!ret && S_ISBLK(file->f_mapping->host->i_mode))
		ret = empty_page_cache(file->f_mapping);
	if (ret) {
		fput(file);
		return ERR_PTR(ret);
	}
	return file;
}

static bool is_idle(struct vhost_blk_queue *queue)
{
	bool idle;

	spin_lock_irq(&queue->lock);
	idle = !queue->in_flight;
	spin_unlock_irq(&queue->lock);
	return idle;
}

static void set_stopping(struct vhost_blk_queue *queue, bool stopping)
{
	spin_lock_irq(&queue->lock);
	queue->stopping = stopping;
	spin_unlock_irq(&queue->lock);
}

/*
 * Start no more requests and wait until none is in flight; @timeout jiffies at
 * most for all queues together. vq.mutex is not taken, as a worker that the
 * disk keeps waiting has it. Returns 0 or -ETIMEDOUT.
 */
static int quiesce(struct vhost_blk *blk, long timeout)
{
	struct vhost_blk_queue *queue;
	unsigned int i;

	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++)
		set_stopping(blk->queues[i], true);
	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++) {
		queue = blk->queues[i];
		timeout = wait_event_timeout(queue->idle, is_idle(queue),
					     timeout);
		if (!timeout)
			return -ETIMEDOUT;
	}
	return 0;
}

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

static void detach_queue(struct vhost_blk_queue *queue)
{
	mutex_lock(&queue->vq.mutex);
	if (vhost_vq_get_backend(&queue->vq)) {
		/* Without an address space of its own: a process that exits. */
		vhost_blk_queue_reap(queue, current->mm == queue->vq.dev->mm);
		vhost_vq_set_backend(&queue->vq, NULL);
		vhost_blk_pool_destroy(queue);
	}
	mutex_unlock(&queue->vq.mutex);
}

/**
 * vhost_blk_detach() - Complete all requests and let go of the disk
 * @blk:	Device
 * @timeout:	Jiffies to wait at most
 *
 * From the beginning on no request is started, and what is discarded or zeroed
 * ends early, with an error. When it returns 0, neither disk nor guest memory
 * are touched any more.
 *
 * Context: Process context, dev.mutex held.
 *
 * Return: 0; -ETIMEDOUT if requests are still in flight, in which case the disk
 * stays attached and this may be called again.
 */
int vhost_blk_detach(struct vhost_blk *blk, long timeout)
{
	unsigned int i;
	int ret;

	if (!blk->file)
		return 0;
	WRITE_ONCE(blk->detaching, true);
	ret = quiesce(blk, timeout);
	if (ret)
		return ret;
	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++)
		detach_queue(blk->queues[i]);
	/* Whatever is still on its way to the worker finds nothing to do. */
	vhost_dev_flush(&blk->dev);
	fput(blk->file);
	put_blkcg(blk->blkcg);
	blk->file = NULL;
	blk->bdev = NULL;
	return 0;
}

/**
 * vhost_blk_flush() - Have all that was completed on the medium
 * @blk:	Device with a disk
 *
 * Context: Process context, may sleep for long.
 *
 * Return: 0 or a negative errno.
 */
int vhost_blk_flush(struct vhost_blk *blk)
{
	return blk->bdev ? blkdev_issue_flush(blk->bdev) :
		vhost_blk_file_flush(blk);
}

/**
 * vhost_blk_pause() - Complete all requests and start no other ones
 * @blk:	Device with a disk
 *
 * Context: Process context, dev.mutex held.
 *
 * Return: 0; -ETIMEDOUT if requests are still in flight, in which case others
 * are started as before.
 */
int vhost_blk_pause(struct vhost_blk *blk)
{
	int ret = quiesce(blk, DRAIN_TIMEOUT);

	if (ret)
		vhost_blk_resume(blk);
	else
		/* The workers give back what is done. */
		vhost_dev_flush(&blk->dev);
	return ret;
}

/*
 * Let the queues go, for the first time or after vhost_blk_pause(). dev.mutex is
 * held, under which backends do not change: vq.mutex is not needed. A queue
 * without one must have no work, as it may be given another worker without a look
 * at what the old one has to do.
 */
void vhost_blk_resume(struct vhost_blk *blk)
{
	struct vhost_blk_queue *queue;
	unsigned int i;

	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++) {
		queue = blk->queues[i];
		set_stopping(queue, false);
		if (vhost_vq_get_backend(&queue->vq))
			vhost_poll_queue(&queue->vq.poll);
	}
}

/* All but to let it go. */
static int prepare_queue(struct vhost_blk_queue *queue)
{
	int ret;

	ret = vhost_blk_pool_create(queue);
	if (ret)
		return ret;
	queue->broken = false;
	queue->starved = false;
	queue->used_count = 0;
	queue->poll_ns = 0;
	queue->quiet_since = 0;
	vhost_vq_set_backend(&queue->vq, queue->blk);
	ret = vhost_vq_init_access(&queue->vq);
	if (ret) {
		vhost_vq_set_backend(&queue->vq, NULL);
		vhost_blk_pool_destroy(queue);
	}
	return ret;
}

/* Returns 1 if the queue can run, 0 if the driver leaves it out, or an error. */
static int attach_queue(struct vhost_blk_queue *queue)
{
	int ret = 0;

	mutex_lock(&queue->vq.mutex);
	if (queue->vq.desc && queue->vq.avail && queue->vq.used) {
		ret = -EFAULT;
		if (vhost_vq_access_ok(&queue->vq))
			ret = prepare_queue(queue) ?: 1;
	}
	mutex_unlock(&queue->vq.mutex);
	return ret;
}

/*
 * What direct I/O to a file takes. A smaller piece would have to go through the
 * page cache, which reads the whole block and writes it back later: over what
 * direct I/O has written to the rest of it meanwhile.
 */
static u32 file_block_size(struct file *file)
{
	struct block_device *bdev = file_inode(file)->i_sb->s_bdev;
	u32 size = bdev ? bdev_logical_block_size(bdev) : SECTOR_SIZE;
	struct kstat stat;

	if (!(file->f_mode & FMODE_CAN_ODIRECT))
		return SECTOR_SIZE;
	if (!vfs_getattr_nosec(&file->f_path, &stat, STATX_DIOALIGN,
			       AT_STATX_DONT_SYNC) &&
	    stat.result_mask & STATX_DIOALIGN)
		size = stat.dio_offset_align;
	return max_t(u32, size, SECTOR_SIZE);
}

static int attach(struct vhost_blk *blk, struct file *file)
{
	struct inode *inode = file->f_mapping->host;
	unsigned int i, ready = 0;
	int ret = 0;

	blk->file = file;
	blk->bdev = S_ISBLK(inode->i_mode) ? I_BDEV(inode) : NULL;
	blk->block_size = file_block_size(file);
	blk->blkcg = get_blkcg();
	blk->ioprio = get_current_ioprio();
	blk->flush_error = 0;
	blk->detaching = false;
	for (i = 0; i < VHOST_BLK_MAX_QUEUES && ret >= 0; i++) {
		ret = attach_queue(blk->queues[i]);
		ready += ret > 0;
	}
	if (ret >= 0 && !ready)
		ret = -EFAULT;
	/* No queue has begun, so that there is nothing to wait for. */
	if (ret < 0)
		return vhost_blk_detach(blk, DRAIN_TIMEOUT) ?: ret;
	/* The driver may have rung before there was a disk. */
	vhost_blk_resume(blk);
	return 0;
}

/**
 * vhost_blk_set_backend() - VHOST_BLK_SET_BACKEND
 * @blk:	Device
 * @fd:		Disk, or VHOST_FILE_UNBIND
 *
 * A disk that was there before is detached first, once the new one has turned
 * out to be one.
 *
 * Context: Process context of the owner, dev.mutex held.
 *
 * Return: 0; -EBADF if @fd is not open for reading; -EINVAL if it is no disk;
 * -EOPNOTSUPP for zoned disks; -EBUSY if a block device's page cache cannot be
 * emptied; -EFAULT if no queue is set up, or one wrongly;
 * -ETIMEDOUT as vhost_blk_detach(); -ENOMEM.
 */
long vhost_blk_set_backend(struct vhost_blk *blk, int fd)
{
	struct file *file;
	long ret;

	if (fd == VHOST_FILE_UNBIND)
		return vhost_blk_detach(blk, DRAIN_TIMEOUT);
	file = get_file_of(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = vhost_blk_detach(blk, DRAIN_TIMEOUT);
	if (ret) {
		fput(file);
		return ret;
	}
	return attach(blk, file);
}
