// SPDX-License-Identifier: GPL-2.0
/*
 * A disk that is a regular file. Requests become direct, asynchronous I/O on it.
 * A request that would have to wait before its I/O is on its way, for blocks to
 * be allocated, for a frozen file system or because it goes through the page
 * cache, is started once more in a workqueue, so that the worker does not wait.
 *
 * Contexts: transfer(), keep_iov() and try_start_write() run in the queue's
 * worker, under vq.mutex; transfer_slowly(), bounce() and what it calls, flush()
 * and do_range() in a workqueue without a lock, flush() also in an ioctl under
 * dev.mutex; get_data(), submit() and submit_iov() in the worker or a workqueue;
 * transfer_complete(), put_transfer() and end_transfer() there too, and where
 * the I/O ends, up to hard IRQ. No lock guards a request: it belongs to the
 * worker until transfer() has submitted it or queued its work; to the work until
 * that has submitted it; then to whoever drops the last of the two references in
 * its field pending; and after vhost_blk_request_done() to whoever holds vq.mutex
 * to return it. The disk is constant while a request is in flight.
 */
#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/falloc.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/stat.h>
#include <linux/uio.h>

#include "blk.h"
#include "file.h"

/* Sectors that are zeroed at a time, 256 MiB: file systems mark them as such. */
#define ZERO_SECTORS	BIT(19)

/*
 * A request of more bytes that is copied ends with an error when the file is
 * detached: a ring full of them takes minutes. What is smaller is completed, as the
 * guest whose device is stopped for a moment must not see an error.
 */
#define MAX_LAST_COPY	SZ_2M

/*
 * The file has its size at this moment; the block size is constant. Any
 * context.
 */
static void get_geometry(const struct vhost_blk_disk *disk,
			 struct vhost_blk_geometry *geometry)
{
	geometry->sectors = i_size_read(file_inode(disk->file)) >> SECTOR_SHIFT;
	geometry->block_size = disk->block_size;
}

static bool is_write(const struct vhost_blk_request *request)
{
	return request->type == VIRTIO_BLK_T_OUT;
}

/*
 * Copy the addresses of the data: the next request overwrites vq.iov. Called by
 * the worker under vq.mutex, which guards vq.iov; may sleep.
 */
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

/*
 * Let @data be the data of a read or a write, without the header. In the worker
 * or in a workqueue, whichever owns the request.
 */
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

/*
 * Whether the I/O that has ended was direct and could not reach the data where it
 * lies: it is not aligned, or in memory that cannot be pinned. Memory that is not
 * mapped at all gives the same error; to copy it fails as well, for good. Any
 * context; the request is the caller's.
 */
static bool needs_copy(const struct vhost_blk_request *request)
{
	return request->iocb.ki_flags & IOCB_DIRECT &&
	       (request->result == -EINVAL || request->result == -EFAULT);
}

/*
 * I/O on the file has ended: complete the request, or start all of it once more
 * in a workqueue. Any context, up to hard IRQ; the caller has dropped the last
 * reference and so owns the request.
 */
static void end_transfer(struct vhost_blk_request *request)
{
	struct kiocb *iocb = &request->iocb;
	ssize_t ret = request->result;
	bool whole = ret >= 0 && ret == request->bytes;

	if (is_write(request))
		kiocb_end_write(iocb);
	/* I/O with IOCB_NOWAIT may also stop in the middle. */
	if ((iocb->ki_flags & IOCB_NOWAIT && !whole) || needs_copy(request)) {
		queue_work(request->queue->blk->slow_workqueue, &request->work);
		return;
	}
	/* A file that has become smaller returns less than was asked for. */
	if (ret >= 0)
		ret = whole ? 0 : -EIO;
	vhost_blk_request_done(request, ret);
}

/*
 * A transfer ends when the I/O has ended and the call that submitted it has
 * returned, whichever is later: a file system uses kiocb and file even after the
 * last bio is on its way. Any context, up to hard IRQ; the counter is atomic.
 */
static void put_transfer(struct vhost_blk_request *request)
{
	if (atomic_dec_and_test(&request->pending))
		end_transfer(request);
}

/*
 * The I/O has ended. Called by the file system in any context, up to hard IRQ,
 * or by whoever submitted I/O that has ended at once.
 */
static void transfer_complete(struct kiocb *iocb, long ret)
{
	struct vhost_blk_request *request =
		container_of(iocb, struct vhost_blk_request, iocb);

	request->result = ret;
	put_transfer(request);
}

/*
 * Begin to read or write. Returns -EIOCBQUEUED if the I/O ends later by the
 * function in @iocb, otherwise its result. In the worker, where @flags have
 * IOCB_NOWAIT, or in a workqueue, where this may sleep. The request belongs to
 * the caller until the I/O is submitted.
 */
static ssize_t submit(struct vhost_blk_request *request, struct kiocb *iocb,
		      struct iov_iter *data, int flags)
{
	struct file *file = iocb->ki_filp;

	/* The owner may have set O_APPEND meanwhile; writes keep their place. */
	iocb->ki_flags = iocb_flags(file) & ~(IOCB_DIRECT | IOCB_APPEND);
	iocb->ki_flags |= flags;
	if (!is_write(request))
		return file->f_op->read_iter(iocb, data);
	/* overlayfs ends a write only if the kiocb says that it is one. */
	iocb->ki_flags |= IOCB_WRITE;
	if (vhost_blk_write_through(request->queue))
		iocb->ki_flags |= IOCB_DSYNC;
	return file->f_op->write_iter(iocb, data);
}

/*
 * Begin to read or write the data of a request. Returns -EIOCBQUEUED if the I/O
 * ends by transfer_complete(), otherwise its result. As submit().
 */
static ssize_t submit_iov(struct vhost_blk_request *request, int flags)
{
	struct kiocb *iocb = &request->iocb;
	struct iov_iter data;

	get_data(request, &data);
	iocb->ki_pos = request->pos;
	return submit(request, iocb, &data, flags);
}

/*
 * Transfer between bounce buffer and file, and wait for it. Returns the number
 * of bytes, or a negative errno. In a workqueue; the bounce_mutex of the pool
 * is held.
 */
static ssize_t bounce_io(struct vhost_blk_request *request, loff_t pos,
			 size_t bytes)
{
	void *buffer = request->queue->pool.bounce;
	struct iov_iter data;
	struct bio_vec vec;
	struct kiocb iocb;

	bvec_set_page(&vec, virt_to_page(buffer), bytes,
		      offset_in_page(buffer));
	iov_iter_bvec(&data, is_write(request) ? ITER_SOURCE : ITER_DEST, &vec,
		      1, bytes);
	init_sync_kiocb(&iocb, vhost_blk_disk_of(request)->file);
	iocb.ki_pos = pos;
	return submit(request, &iocb, &data, IOCB_DIRECT);
}

/* Whether a request that is copied ends early, with an error. In a workqueue. */
static bool is_given_up(const struct vhost_blk_request *request)
{
	const struct vhost_blk *blk = request->queue->blk;

	return READ_ONCE(blk->closing) ||
	       (READ_ONCE(blk->detaching) && request->bytes > MAX_LAST_COPY);
}

/*
 * Transfer as much as the bounce buffer takes. Returns 0 or a negative errno.
 * In a workqueue, in the address space of the device's owner; the bounce_mutex
 * of the pool is held.
 */
static int bounce_piece(struct vhost_blk_request *request, loff_t pos,
			struct iov_iter *data)
{
	size_t bytes = min_t(size_t, iov_iter_count(data), VHOST_BLK_BOUNCE);
	void *buffer = request->queue->pool.bounce;
	ssize_t ret;

	if (is_given_up(request))
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
 * Transfer data that direct I/O cannot reach where it lies. The page cache is no
 * way out: it would read a whole block for the sake of one sector and write all
 * of it back later, over what direct I/O has written to the other sectors.
 *
 * Returns as submit_iov(), but leaves nothing in flight. In a workqueue, in the
 * address space of the device's owner. Takes the bounce_mutex of the pool;
 * sleeps.
 */
static ssize_t bounce(struct vhost_blk_request *request)
{
	struct vhost_blk_pool *pool = &request->queue->pool;
	struct iov_iter data;
	size_t done = 0;
	int ret = 0;

	get_data(request, &data);
	/* This is no direct I/O on the data: its end is that of the request. */
	request->iocb.ki_flags = 0;
	mutex_lock(&pool->bounce_mutex);
	while (!ret && iov_iter_count(&data)) {
		ret = bounce_piece(request, request->pos + done, &data);
		done = request->bytes - iov_iter_count(&data);
	}
	mutex_unlock(&pool->bounce_mutex);
	return ret ?: done;
}

/*
 * Do what kiocb_start_write() does, but do not wait for a file system that is
 * frozen. Returns false if it is. In the worker.
 */
static bool try_start_write(struct kiocb *iocb)
{
	struct super_block *sb = file_inode(iocb->ki_filp)->i_sb;

	if (!sb_start_write_trylock(sb))
		return false;
	/* For lockdep: another thread ends the write. */
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return true;
}

static bool is_direct(const struct file *file)
{
	return file->f_mode & FMODE_CAN_ODIRECT;
}

/*
 * Start a read or a write, or leave it to a workqueue if that would wait.
 * Returns 0: the request ends by vhost_blk_request_done(). Called by the worker
 * under vq.mutex. The two references are those of the I/O and of this function.
 */
static int transfer(struct vhost_blk_request *request, u64 sector,
		    struct iov_iter *data)
{
	struct vhost_blk *blk = request->queue->blk;
	struct kiocb *iocb = &request->iocb;
	struct file *file = blk->disk.file;
	ssize_t ret;

	keep_iov(request);
	request->pos = sector << SECTOR_SHIFT;
	request->result = 0;
	init_sync_kiocb(iocb, file);
	iocb->ki_ioprio = blk->disk.ioprio;
	iocb->ki_complete = transfer_complete;
	if (!is_direct(file) || !(file->f_mode & FMODE_NOWAIT) ||
	    (is_write(request) && !try_start_write(iocb))) {
		queue_work(blk->slow_workqueue, &request->work);
		return 0;
	}
	atomic_set(&request->pending, 2);
	ret = submit_iov(request, IOCB_DIRECT | IOCB_NOWAIT);
	if (ret != -EIOCBQUEUED)
		transfer_complete(iocb, ret);
	put_transfer(request);
	return 0;
}

/*
 * Do what transfer() could not do without waiting. In a workqueue, without a
 * lock; sleeps. The address space of the device's owner lasts for as long as a
 * request is in flight.
 */
static void transfer_slowly(struct vhost_blk_request *request)
{
	struct mm_struct *mm = request->queue->vq.dev->mm;
	struct kiocb *iocb = &request->iocb;
	ssize_t ret;

	kthread_use_mm(mm);
	if (is_write(request))
		kiocb_start_write(iocb);
	atomic_set(&request->pending, 2);
	if (needs_copy(request))
		ret = bounce(request);
	else
		ret = submit_iov(request,
				 is_direct(iocb->ki_filp) ? IOCB_DIRECT : 0);
	if (ret != -EIOCBQUEUED)
		transfer_complete(iocb, ret);
	kthread_unuse_mm(mm);
	put_transfer(request);
}

/*
 * Put all completed writes on the medium. In a workqueue without a lock, or in
 * an ioctl under dev.mutex; sleeps.
 *
 * The kernel reports data that it could not write back once, and then forgets
 * about it. Every later flush of the driver's fails as well: it may have several
 * in flight, and the data is still missing at the next one.
 */
static int flush(struct vhost_blk_disk *disk)
{
	/* 1: with the metadata that is needed to find the data again. */
	int ret = vfs_fsync(disk->file, 1);

	if (ret)
		WRITE_ONCE(disk->flush_error, ret);
	return READ_ONCE(disk->flush_error);
}

/* The mode of vfs_fallocate() for a range. Any context. */
static int range_mode(const struct vhost_blk_request *request,
		      const struct vhost_blk_range *range)
{
	if (request->type == VIRTIO_BLK_T_DISCARD ||
	    range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)
		return FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	return FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
}

/* Discard or zero a range. In a workqueue, without a lock; sleeps. */
static int do_range(struct vhost_blk_request *request,
		    const struct vhost_blk_range *range)
{
	return vfs_fallocate(vhost_blk_disk_of(request)->file,
			     range_mode(request, range),
			     (loff_t)range->sector << SECTOR_SHIFT,
			     (loff_t)range->sectors << SECTOR_SHIFT);
}

static const struct vhost_blk_disk_ops file_ops = {
	.get_geometry = get_geometry,
	.transfer = transfer,
	.transfer_slowly = transfer_slowly,
	.flush = flush,
	.do_range = do_range,
	.zero_sectors = ZERO_SECTORS,
};

/*
 * The block size that direct I/O to the file requires. A smaller write would
 * have to go through the page cache, which reads the whole block and writes it
 * back later, over what direct I/O has written to the rest of it meanwhile. In
 * an ioctl under dev.mutex; may sleep.
 */
static u32 file_block_size(struct file *file)
{
	struct block_device *bdev = file_inode(file)->i_sb->s_bdev;
	u32 size = bdev ? bdev_logical_block_size(bdev) : SECTOR_SIZE;
	struct kstat stat;

	if (!is_direct(file))
		return SECTOR_SIZE;
	if (!vfs_getattr_nosec(&file->f_path, &stat, STATX_DIOALIGN,
			       AT_STATX_DONT_SYNC) &&
	    stat.result_mask & STATX_DIOALIGN)
		size = stat.dio_offset_align;
	return max_t(u32, size, SECTOR_SIZE);
}

/**
 * vhost_blk_file_init() - Make a disk of an open regular file
 * @disk:	Disk; its file is set, and is open for reading
 *
 * Context: Process context, dev.mutex held, may sleep. No queue has the disk
 *	    yet.
 *
 * Return: 0; -EINVAL if the file was opened with O_APPEND, or its file system
 * cannot read and write it in the usual way.
 */
int vhost_blk_file_init(struct vhost_blk_disk *disk)
{
	struct file *file = disk->file;

	if (!file->f_op->read_iter)
		return -EINVAL;
	if (file->f_mode & FMODE_WRITE &&
	    (!file->f_op->write_iter || file->f_flags & O_APPEND))
		return -EINVAL;
	disk->ops = &file_ops;
	disk->block_size = file_block_size(file);
	return 0;
}
