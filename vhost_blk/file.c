// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to a regular file: direct and asynchronous. What would have to wait
 * before it is on its way to the disk, for blocks to be allocated, for a frozen
 * file system or because it has to go through the page cache, is begun once more
 * in a workqueue, so that the worker does not wait.
 */
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include "blk.h"

static bool is_write(const struct vhost_blk_request *request)
{
	return request->type == VIRTIO_BLK_T_OUT;
}

/* The worker uses vq.iov for the next request. */
static void keep_iov(struct vhost_blk_request *request)
{
	struct vhost_virtqueue *vq = &request->queue->vq;
	const struct iovec *iov = vq->iov;
	unsigned int count = is_write(request) ? request->out : request->in;

	if (!is_write(request))
		iov += request->out;
	vhost_blk_buffer_fill(&request->iov, vq->dev->mm, iov,
			      count * sizeof(*iov));
}

static void get_data(struct vhost_blk_request *request, struct iov_iter *data)
{
	const struct iovec *iov = request->iov.data;
	size_t header = sizeof(struct virtio_blk_outhdr);

	if (!is_write(request)) {
		iov_iter_init(data, ITER_DEST, iov, request->in,
			      request->bytes);
		return;
	}
	iov_iter_init(data, ITER_SOURCE, iov, request->out,
		      header + request->bytes);
	iov_iter_advance(data, header);
}

static void end_transfer(struct vhost_blk_request *request)
{
	struct kiocb *iocb = &request->iocb;
	ssize_t ret = request->result;
	bool whole = ret >= 0 && ret == request->bytes;

	if (is_write(request))
		kiocb_end_write(iocb);
	/* Which may also end in the middle, where it would have to wait. */
	if (iocb->ki_flags & IOCB_NOWAIT && !whole) {
		queue_work(request->queue->blk->slow_workqueue, &request->work);
		return;
	}
	/* A file that has shrunk meanwhile gives less than was asked for. */
	if (ret >= 0)
		ret = whole ? 0 : -EIO;
	vhost_blk_request_done(request, ret);
}

/*
 * A transfer has come to its end when the I/O has ended and the call that
 * submitted it has returned, whichever is later: a file system uses kiocb and
 * file after the last bio is on its way.
 */
static void put_transfer(struct vhost_blk_request *request)
{
	if (atomic_dec_and_test(&request->pending))
		end_transfer(request);
}

/* End of the I/O. Any context. */
static void transfer_complete(struct kiocb *iocb, long ret)
{
	struct vhost_blk_request *request =
		container_of(iocb, struct vhost_blk_request, iocb);

	request->result = ret;
	put_transfer(request);
}

static ssize_t submit(struct vhost_blk_request *request, struct kiocb *iocb,
		      struct iov_iter *data, int flags)
{
	struct file *file = iocb->ki_filp;

	/* O_APPEND may have been set since; a disk has no end to write to. */
	iocb->ki_flags = iocb_flags(file) & ~(IOCB_DIRECT | IOCB_APPEND);
	iocb->ki_flags |= flags;
	if (!is_write(request))
		return file->f_op->read_iter(iocb, data);
	/* Which overlayfs goes by when it ends what it has begun */
	iocb->ki_flags |= IOCB_WRITE;
	if (vhost_blk_write_through(request->queue))
		iocb->ki_flags |= IOCB_DSYNC;
	return file->f_op->write_iter(iocb, data);
}

/* Returns -EIOCBQUEUED if it ends by transfer_complete(), or how it ended. */
static ssize_t transfer(struct vhost_blk_request *request, int flags)
{
	struct kiocb *iocb = &request->iocb;
	struct iov_iter data;

	get_data(request, &data);
	iocb->ki_pos = request->pos;
	return submit(request, iocb, &data, flags);
}

/* Between bounce buffer and file. Returns how much, or a negative errno. */
static ssize_t bounce_io(struct vhost_blk_request *request, loff_t pos,
			 size_t bytes)
{
	struct vhost_blk_queue *queue = request->queue;
	struct iov_iter data;
	struct bio_vec vec;
	struct kiocb iocb;

	bvec_set_page(&vec, virt_to_page(queue->bounce), bytes,
		      offset_in_page(queue->bounce));
	iov_iter_bvec(&data, is_write(request) ? ITER_SOURCE : ITER_DEST, &vec,
		      1, bytes);
	init_sync_kiocb(&iocb, queue->blk->file);
	iocb.ki_pos = pos;
	return submit(request, &iocb, &data, IOCB_DIRECT);
}

/* Returns 0 or a negative errno. */
static int bounce_piece(struct vhost_blk_request *request, loff_t pos,
			struct iov_iter *data)
{
	size_t bytes = min_t(size_t, iov_iter_count(data), VHOST_BLK_BOUNCE);
	void *buffer = request->queue->bounce;
	ssize_t ret;

	if (READ_ONCE(request->queue->blk->closing))
		return -EINTR;
	if (is_write(request) && !copy_from_iter_full(buffer, bytes, data))
		return -EFAULT;
	ret = bounce_io(request, pos, bytes);
	if (ret < 0)
		return ret;
	if (ret != bytes)
		return -EIO;
	if (!is_write(request) && copy_to_iter(buffer, bytes, data) != bytes)
		return -EFAULT;
	return 0;
}

/*
 * Memory that direct I/O does not take. Not through the page cache: where it
 * reads a whole block for the sake of a sector, there may be direct I/O to the
 * other sectors in flight, whose data would be overwritten later.
 *
 * Returns as transfer(), but does not leave anything in flight.
 */
static ssize_t bounce(struct vhost_blk_request *request)
{
	struct vhost_blk_queue *queue = request->queue;
	struct iov_iter data;
	size_t done = 0;
	int ret = 0;

	get_data(request, &data);
	mutex_lock(&queue->bounce_mutex);
	while (!ret && iov_iter_count(&data)) {
		ret = bounce_piece(request, request->pos + done, &data);
		done = request->bytes - iov_iter_count(&data);
	}
	mutex_unlock(&queue->bounce_mutex);
	return ret ?: done;
}

/*
 * As kiocb_start_write(), without waiting for a file system that is frozen.
 * Returns false if it is.
 */
static bool try_start_write(struct kiocb *iocb)
{
	struct super_block *sb = file_inode(iocb->ki_filp)->i_sb;

	if (!sb_start_write_trylock(sb))
		return false;
	/* For lockdep: who ends it is another. */
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return true;
}

static bool is_direct(const struct file *file)
{
	return file->f_mode & FMODE_CAN_ODIRECT;
}

/**
 * vhost_blk_file_transfer() - Read or write
 * @request:	Request
 * @sector:	First sector; the range was checked
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: 0: the request ends by vhost_blk_request_done().
 */
int vhost_blk_file_transfer(struct vhost_blk_request *request, u64 sector)
{
	struct vhost_blk *blk = request->queue->blk;
	struct kiocb *iocb = &request->iocb;
	struct file *file = blk->file;
	ssize_t ret;

	keep_iov(request);
	request->pos = sector << SECTOR_SHIFT;
	init_sync_kiocb(iocb, file);
	iocb->ki_ioprio = blk->ioprio;
	iocb->ki_complete = transfer_complete;
	if (!is_direct(file) || !(file->f_mode & FMODE_NOWAIT) ||
	    (is_write(request) && !try_start_write(iocb))) {
		queue_work(blk->slow_workqueue, &request->work);
		return 0;
	}
	atomic_set(&request->pending, 2);
	ret = transfer(request, IOCB_DIRECT | IOCB_NOWAIT);
	if (ret != -EIOCBQUEUED)
		transfer_complete(iocb, ret);
	put_transfer(request);
	return 0;
}

/**
 * vhost_blk_file_transfer_slowly() - Read or write, and wait if need be
 * @request:	Request that vhost_blk_file_transfer() has put off
 *
 * It ends by vhost_blk_request_done().
 *
 * Context: Workqueue; the owner's address space lasts for as long as requests
 * are in flight.
 */
void vhost_blk_file_transfer_slowly(struct vhost_blk_request *request)
{
	struct mm_struct *mm = request->queue->vq.dev->mm;
	struct kiocb *iocb = &request->iocb;
	bool direct = is_direct(iocb->ki_filp);
	ssize_t ret;

	kthread_use_mm(mm);
	if (is_write(request))
		kiocb_start_write(iocb);
	atomic_set(&request->pending, 2);
	ret = transfer(request, direct ? IOCB_DIRECT : 0);
	if (ret == -EINVAL && direct)
		ret = bounce(request);
	if (ret != -EIOCBQUEUED)
		transfer_complete(iocb, ret);
	kthread_unuse_mm(mm);
	put_transfer(request);
}

/**
 * vhost_blk_file_flush() - Have all that was completed on the medium
 * @blk:	Device with a file
 *
 * The kernel tells of data that it could not write once, and forgets it then.
 * The driver is told each time: it may have several flushes in flight, and what
 * is lost is not there the next time either.
 *
 * Context: Process context, may sleep for long.
 *
 * Return: 0 or a negative errno.
 */
int vhost_blk_file_flush(struct vhost_blk *blk)
{
	/* With the metadata that is needed to find the data again. */
	int ret = vfs_fsync(blk->file, 1);

	if (ret)
		WRITE_ONCE(blk->flush_error, ret);
	return READ_ONCE(blk->flush_error);
}

static int range_mode(const struct vhost_blk_request *request,
		      const struct vhost_blk_range *range)
{
	if (request->type == VIRTIO_BLK_T_DISCARD ||
	    range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)
		return FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	return FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
}

/**
 * vhost_blk_file_range() - Discard or zero a range
 * @request:	Request
 * @range:	Range
 *
 * Context: Process context, sleeps.
 *
 * Return: 0 or a negative errno.
 */
int vhost_blk_file_range(struct vhost_blk_request *request,
			 const struct vhost_blk_range *range)
{
	return vfs_fallocate(request->queue->blk->file,
			     range_mode(request, range),
			     (loff_t)range->sector << SECTOR_SHIFT,
			     (loff_t)range->sectors << SECTOR_SHIFT);
}
