// SPDX-License-Identifier: GPL-2.0
/*
 * One request: a header that the device reads, data one way or the other, and a
 * byte of status that the device writes. How the driver has cut that into
 * descriptors means nothing.
 */
#include <linux/blkdev.h>
#include <linux/ioprio.h>
#include <linux/kthread.h>
#include <linux/uio.h>

#include "blk.h"
#include "compat.h"

static void get_geometry(struct vhost_blk *blk, struct vhost_blk_geometry *disk)
{
	if (blk->bdev) {
		disk->sectors = bdev_nr_sectors(blk->bdev);
		disk->block_size = bdev_logical_block_size(blk->bdev);
	} else {
		disk->sectors = i_size_read(file_inode(blk->file)) >>
			SECTOR_SHIFT;
		disk->block_size = blk->block_size;
	}
}

/* A block device can become read-only after it was opened. */
static bool is_writable(const struct vhost_blk_queue *queue)
{
	const struct vhost_blk *blk = queue->blk;

	return blk->file->f_mode & FMODE_WRITE &&
	       !(queue->vq.acked_features & BIT_ULL(VIRTIO_BLK_F_RO)) &&
	       !(blk->bdev && bdev_read_only(blk->bdev));
}

static int transfer(struct vhost_blk_request *request, u64 sector,
		    struct iov_iter *data)
{
	struct vhost_blk_queue *queue = request->queue;
	struct vhost_blk_geometry disk;
	int ret;

	request->bytes = iov_iter_count(data);
	get_geometry(queue->blk, &disk);
	ret = vhost_blk_check_data(&disk, sector, request->bytes);
	if (ret)
		return ret;
	if (request->bytes > VHOST_BLK_MAX_BYTES)
		return -E2BIG;
	if (request->type == VIRTIO_BLK_T_IN)
		request->written += request->bytes;
	else if (!is_writable(queue))
		return -EROFS;
	if (!request->bytes) {
		vhost_blk_request_done(request, 0);
		return 0;
	}
	if (queue->blk->bdev)
		return vhost_blk_bdev_transfer(request, sector, data);
	return vhost_blk_file_transfer(request, sector);
}

static void do_slowly(struct vhost_blk_request *request)
{
	struct vhost_blk *blk = request->queue->blk;

	if (READ_ONCE(blk->closing)) {
		vhost_blk_request_done(request, -EINTR);
		return;
	}
	if (request->parts) {
		vhost_blk_bdev_submit_slowly(request);
		return;
	}
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		vhost_blk_file_transfer_slowly(request);
		break;
	case VIRTIO_BLK_T_FLUSH:
		vhost_blk_request_done(request, vhost_blk_flush(blk));
		break;
	default:
		vhost_blk_request_done(request, vhost_blk_do_ranges(request));
	}
}

/*
 * What takes its time and goes through no ring of the disk's. The I/O is that of
 * whoever attached the disk, not of this thread of the kernel's, which serves
 * others next.
 */
static void slow_work(struct work_struct *work)
{
	struct vhost_blk_request *request =
		container_of(work, struct vhost_blk_request, work);
	struct vhost_blk *blk = request->queue->blk;

	kthread_associate_blkcg(blk->blkcg);
	set_task_ioprio(current, blk->ioprio);
	do_slowly(request);
	set_task_ioprio(current, IOPRIO_DEFAULT);
	kthread_associate_blkcg(NULL);
}

static int flush(struct vhost_blk_request *request)
{
	struct vhost_blk *blk = request->queue->blk;

	if (blk->bdev)
		return vhost_blk_bdev_flush(request);
	queue_work(blk->slow_workqueue, &request->work);
	return 0;
}

static int get_id(struct vhost_blk_request *request, struct iov_iter *data)
{
	size_t bytes = min_t(size_t, iov_iter_count(data), VIRTIO_BLK_ID_BYTES);

	request->written += bytes;
	if (copy_to_iter(request->queue->blk->serial, bytes, data) != bytes)
		return -EFAULT;
	vhost_blk_request_done(request, 0);
	return 0;
}

static int take_range(struct vhost_blk_request *request,
		      const struct vhost_blk_geometry *disk,
		      struct iov_iter *data)
{
	struct virtio_blk_discard_write_zeroes raw;
	struct vhost_blk_range *range;

	if (request->range_count == VHOST_BLK_MAX_RANGES ||
	    !copy_from_iter_full(&raw, sizeof(raw), data))
		return -EINVAL;
	range = &request->ranges[request->range_count++];
	range->sector = le64_to_cpu(raw.sector);
	range->sectors = le32_to_cpu(raw.num_sectors);
	range->flags = le32_to_cpu(raw.flags);
	return vhost_blk_check_range(disk, request->type, range);
}

/* All ranges are checked before anything is done to the first. */
static int discard_or_zero(struct vhost_blk_request *request,
			   struct iov_iter *data)
{
	struct vhost_blk *blk = request->queue->blk;
	struct vhost_blk_geometry disk;
	int ret;

	if (!is_writable(request->queue))
		return -EROFS;
	get_geometry(blk, &disk);
	request->range_count = 0;
	do {
		ret = take_range(request, &disk, data);
		if (ret)
			return ret;
	} while (iov_iter_count(data));
	queue_work(blk->range_workqueue, &request->work);
	return 0;
}

static int dispatch(struct vhost_blk_request *request, u64 sector,
		    struct iov_iter *out, struct iov_iter *in)
{
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
		return transfer(request, sector, in);
	case VIRTIO_BLK_T_OUT:
		return transfer(request, sector, out);
	case VIRTIO_BLK_T_FLUSH:
		return flush(request);
	case VIRTIO_BLK_T_GET_ID:
		return get_id(request, in);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return discard_or_zero(request, out);
	default:
		return -EOPNOTSUPP;
	}
}

/* The last byte that the device may write, which is there. */
static u8 __user *status_byte(const struct iovec *iov, unsigned int count)
{
	while (!iov[--count].iov_len)
		;
	return (u8 __user *)iov[count].iov_base + iov[count].iov_len - 1;
}

/**
 * vhost_blk_request_start() - Begin the request in vq.iov
 * @request:	Request with its head
 * @out:	Number of vq.iov that the device reads
 * @in:		Number of vq.iov behind those, that the device writes
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: 0 if the request ends or has ended by vhost_blk_request_done(), with
 * whatever status; -EAGAIN if it has to wait in the ring; -EINVAL if it is no
 * request, as there is no room for header and status.
 */
int vhost_blk_request_start(struct vhost_blk_request *request,
			    unsigned int out, unsigned int in)
{
	struct vhost_virtqueue *vq = &request->queue->vq;
	struct iov_iter out_iter, in_iter;
	struct virtio_blk_outhdr header;
	size_t writable;
	int ret;

	writable = iov_length(vq->iov + out, in);
	iov_iter_init(&out_iter, ITER_SOURCE, vq->iov, out,
		      iov_length(vq->iov, out));
	if (!writable || !copy_from_iter_full(&header, sizeof(header), &out_iter))
		return -EINVAL;
	request->out = out;
	request->in = in;
	request->status = status_byte(vq->iov + out, in);
	request->written = 1;
	request->type = vhost32_to_cpu(vq, header.type);
	iov_iter_init(&in_iter, ITER_DEST, vq->iov + out, in, writable - 1);

	ret = dispatch(request, vhost64_to_cpu(vq, header.sector), &out_iter,
		       &in_iter);
	if (ret && ret != -EAGAIN) {
		vhost_blk_request_done(request, ret);
		ret = 0;
	}
	return ret;
}

/* Once per request, when its memory is new. */
void vhost_blk_request_init(struct vhost_blk_request *request)
{
	INIT_WORK(&request->work, slow_work);
}
