// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to a regular file: direct and asynchronous where the file system
 * can, through the page cache otherwise, with the worker waiting.
 */
#include <linux/fs.h>
#include <linux/falloc.h>

#include "blk.h"

static bool is_write(const struct vhost_blk_request *request)
{
	return request->type == VIRTIO_BLK_T_OUT;
}

/* End of a transfer. Any context. */
static void transfer_complete(struct kiocb *iocb, long ret)
{
	struct vhost_blk_request *request =
		container_of(iocb, struct vhost_blk_request, iocb);

	if (is_write(request))
		kiocb_end_write(iocb);
	/* A file that has shrunk meanwhile gives less than was asked for. */
	if (ret >= 0)
		ret = ret == request->bytes ? 0 : -EIO;
	vhost_blk_request_done(request, ret);
}

static ssize_t transfer(struct vhost_blk_request *request, u64 sector,
			struct iov_iter *data, bool direct)
{
	struct file *file = request->queue->blk->file;
	struct kiocb *iocb = &request->iocb;

	init_sync_kiocb(iocb, file);
	iocb->ki_pos = sector << SECTOR_SHIFT;
	iocb->ki_complete = transfer_complete;
	iocb->ki_flags &= ~IOCB_DIRECT;
	if (direct)
		iocb->ki_flags |= IOCB_DIRECT;
	if (!is_write(request))
		return file->f_op->read_iter(iocb, data);
	if (vhost_blk_write_through(request->queue))
		iocb->ki_flags |= IOCB_DSYNC;
	return file->f_op->write_iter(iocb, data);
}

/**
 * vhost_blk_file_transfer() - Read or write
 * @request:	Request
 * @sector:	First sector; the range was checked
 * @data:	The guest's memory
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: 0, as the request always ends by vhost_blk_request_done().
 */
int vhost_blk_file_transfer(struct vhost_blk_request *request, u64 sector,
			    struct iov_iter *data)
{
	struct file *file = request->queue->blk->file;
	bool direct = file->f_mode & FMODE_CAN_ODIRECT;
	struct iov_iter again = *data;
	ssize_t ret;

	request->iocb.ki_filp = file;
	if (is_write(request))
		kiocb_start_write(&request->iocb);
	ret = transfer(request, sector, data, direct);
	/* Alignment that direct I/O does not take. */
	if (ret == -EINVAL && direct)
		ret = transfer(request, sector, &again, false);
	if (ret != -EIOCBQUEUED)
		transfer_complete(&request->iocb, ret);
	return 0;
}

/**
 * vhost_blk_file_flush() - Have all that was completed on the medium
 * @request:	Request
 *
 * Context: Process context, may sleep for long.
 *
 * Return: 0 or a negative errno.
 */
int vhost_blk_file_flush(struct vhost_blk_request *request)
{
	/* With the metadata that is needed to find the data again. */
	return vfs_fsync(request->queue->blk->file, 1);
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
 * vhost_blk_file_ranges() - Discard or zero the ranges of a request
 * @request:	Request
 *
 * Context: Process context, may sleep for long.
 *
 * Return: 0 or a negative errno.
 */
int vhost_blk_file_ranges(struct vhost_blk_request *request)
{
	struct file *file = request->queue->blk->file;
	const struct vhost_blk_range *range;
	unsigned int i;
	int ret;

	for (i = 0; i < request->range_count; i++) {
		range = &request->ranges[i];
		ret = vfs_fallocate(file, range_mode(request, range),
				    (loff_t)range->sector << SECTOR_SHIFT,
				    (loff_t)range->sectors << SECTOR_SHIFT);
		if (ret)
			return ret;
	}
	if (vhost_blk_write_through(request->queue))
		return vhost_blk_file_flush(request);
	return 0;
}
