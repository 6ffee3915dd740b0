// SPDX-License-Identifier: GPL-2.0
/*
 * One request: a header that the device reads, data in one direction or the
 * other, and a status byte that the device writes. The driver may cut these into
 * descriptors in any way (VIRTIO_F_ANY_LAYOUT).
 *
 * vhost_blk_request_start() and what it calls run in the queue's worker, in the
 * address space of the device's owner, with vq.mutex held. slow_work() and
 * do_slowly() run in a workqueue without a lock: a request belongs to the
 * worker until it is given to the disk or its work is queued, and to the work
 * while that runs.
 */
#include <linux/ioprio.h>
#include <linux/kthread.h>
#include <linux/uio.h>

#include "blk.h"
#include "range.h"
#include "request.h"
#include "trace.h"

/* Whether the driver may write to the disk at this moment. In the worker. */
static bool is_writable(const struct vhost_blk_queue *queue)
{
	const struct vhost_blk_disk *disk = &queue->blk->disk;

	return disk->file->f_mode & FMODE_WRITE &&
	       !(queue->vq.acked_features & BIT_ULL(VIRTIO_BLK_F_RO)) &&
	       !(disk->ops->is_read_only && disk->ops->is_read_only(disk));
}

/*
 * Check a read or a write, and have the disk start it. Returns as @transfer of
 * &struct vhost_blk_disk_ops. In the worker, vq.mutex is held.
 */
static int transfer(struct vhost_blk_request *request, u64 sector,
		    struct iov_iter *data)
{
	const struct vhost_blk_disk *disk = vhost_blk_disk_of(request);
	struct vhost_blk_geometry geometry;
	int ret;

	request->bytes = iov_iter_count(data);
	disk->ops->get_geometry(disk, &geometry);
	ret = vhost_blk_check_data(&geometry, sector, request->bytes);
	if (ret)
		return ret;
	if (request->bytes > VHOST_BLK_MAX_BYTES)
		return -E2BIG;
	if (request->type == VIRTIO_BLK_T_IN)
		request->written += request->bytes;
	else if (!is_writable(request->queue))
		return -EROFS;
	if (!request->bytes) {
		vhost_blk_request_done(request, 0);
		return 0;
	}
	return disk->ops->transfer(request, sector, data);
}

/*
 * Carry out a request that sleeps. In a workqueue without a lock; the request
 * belongs to this work, and ends by vhost_blk_request_done().
 */
static void do_slowly(struct vhost_blk_request *request)
{
	struct vhost_blk *blk = request->queue->blk;
	const struct vhost_blk_disk_ops *ops = blk->disk.ops;

	if (READ_ONCE(blk->closing)) {
		vhost_blk_request_done(request, -EINTR);
		return;
	}
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		ops->transfer_slowly(request);
		break;
	case VIRTIO_BLK_T_FLUSH:
		if (ops->start_flush)
			ops->transfer_slowly(request);
		else
			vhost_blk_request_done(request, ops->flush(&blk->disk));
		break;
	default:
		vhost_blk_request_done(request, vhost_blk_do_ranges(request));
	}
}

/*
 * The workqueue's part of a request. The thread takes on the block cgroup and the
 * I/O priority of the process that attached the disk for as long as the request
 * lasts, and gets its own back afterwards: it serves others next.
 */
static void slow_work(struct work_struct *work)
{
	struct vhost_blk_request *request =
		container_of(work, struct vhost_blk_request, work);
	struct vhost_blk_disk *disk = vhost_blk_disk_of(request);

	kthread_associate_blkcg(disk->blkcg);
	set_task_ioprio(current, disk->ioprio);
	do_slowly(request);
	set_task_ioprio(current, IOPRIO_DEFAULT);
	kthread_associate_blkcg(NULL);
}

/*
 * Start a flush, or leave it to a workqueue. Returns 0, or -EAGAIN if it has to
 * wait in the ring. In the worker, vq.mutex is held.
 */
static int flush(struct vhost_blk_request *request)
{
	struct vhost_blk *blk = request->queue->blk;

	if (blk->disk.ops->start_flush)
		return blk->disk.ops->start_flush(request);
	queue_work(blk->slow_workqueue, &request->work);
	return 0;
}

/*
 * Answer with the serial, which is constant while a disk is attached, and end
 * the request. In the worker, vq.mutex is held.
 */
static int get_id(struct vhost_blk_request *request, struct iov_iter *data)
{
	size_t bytes = min_t(size_t, iov_iter_count(data), VIRTIO_BLK_ID_BYTES);

	request->written += bytes;
	if (copy_to_iter(request->queue->blk->serial, bytes, data) != bytes)
		return -EFAULT;
	vhost_blk_request_done(request, 0);
	return 0;
}

/*
 * Read a range to discard or to zero from the data of the request, once, and
 * check it. Called by the worker under vq.mutex.
 */
static int take_range(struct vhost_blk_request *request,
		      const struct vhost_blk_geometry *geometry,
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
	return vhost_blk_check_range(geometry, request->type, range);
}

/*
 * Leave a discard or write-zeroes request to a workqueue. All ranges are
 * checked before the first is touched. In the worker, vq.mutex is held.
 */
static int discard_or_zero(struct vhost_blk_request *request,
			   struct iov_iter *data)
{
	struct vhost_blk *blk = request->queue->blk;
	struct vhost_blk_geometry geometry;
	int ret;

	if (!is_writable(request->queue))
		return -EROFS;
	blk->disk.ops->get_geometry(&blk->disk, &geometry);
	request->range_count = 0;
	do {
		ret = take_range(request, &geometry, data);
		if (ret)
			return ret;
	} while (iov_iter_count(data));
	queue_work(blk->range_workqueue, &request->work);
	return 0;
}

/*
 * Start a request by its type. Returns 0 if it ends by
 * vhost_blk_request_done(), or a negative errno. Called by the worker under
 * vq.mutex.
 */
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

/* The last byte that the device may write. There is at least one. */
static u8 __user *status_byte(const struct iovec *iov, unsigned int count)
{
	while (!iov[--count].iov_len)
		;
	return (u8 __user *)iov[count].iov_base + iov[count].iov_len - 1;
}

/**
 * vhost_blk_request_start() - Parse, check and start the request in vq.iov
 * @request:	Request; its head is set
 * @out:	Number of entries of vq.iov that the device reads
 * @in:		Number of entries behind those that the device writes
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: 0 if the request ends or has ended by vhost_blk_request_done(), well
 * or with an error; -EAGAIN if it has to wait in the ring; -EINVAL if the buffers
 * have no room for header and status.
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

	trace_vhost_blk_start(request, vhost64_to_cpu(vq, header.sector));
	ret = dispatch(request, vhost64_to_cpu(vq, header.sector), &out_iter,
		       &in_iter);
	if (ret && ret != -EAGAIN) {
		vhost_blk_request_done(request, ret);
		ret = 0;
	}
	return ret;
}

/**
 * vhost_blk_request_init() - Prepare a request of a pool
 * @request:	Request, zeroed
 * @queue:	Queue that it is for
 *
 * Context: Process context, vq.mutex held, before the request is used.
 */
void vhost_blk_request_init(struct vhost_blk_request *request,
			    struct vhost_blk_queue *queue)
{
	request->queue = queue;
	INIT_WORK(&request->work, slow_work);
}
