// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to a block device: bios on the guest's own pages. What would have to
 * wait for the device to have room is begun once more in a workqueue, so that the
 * worker can give back what is done meanwhile.
 *
 * Data that the device cannot reach where it lies, because of its alignment or
 * because there are no pages behind it, goes through the bounce buffer of the
 * queue, with the worker waiting. Drivers do not do that to disks whose block
 * size they know.
 */
#include <linux/blkdev.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>

#include "blk.h"

/*
 * A bio whose end is cut back to a whole block leaves up to two pages of its
 * table unused.
 */
#define USABLE_VECS	(VHOST_BLK_BIO_VECS - 2)

static bool is_read(const struct vhost_blk_request *request)
{
	return request->type == VIRTIO_BLK_T_IN;
}

static blk_opf_t transfer_opf(const struct vhost_blk_request *request)
{
	blk_opf_t opf = REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;

	if (is_read(request))
		return REQ_OP_READ;
	if (vhost_blk_write_through(request->queue))
		opf |= REQ_FUA;
	return opf;
}

static void put_pending(struct vhost_blk_request *request)
{
	if (!atomic_dec_and_test(&request->pending))
		return;
	if (request->unsubmitted && !request->error)
		queue_work(request->queue->blk->slow_workqueue, &request->work);
	else
		vhost_blk_request_done(request, request->error);
}

/* End of a bio. Any context. */
static void part_end_io(struct bio *bio)
{
	struct vhost_blk_part *part = bio->bi_private;
	struct vhost_blk_request *request = part->request;

	if (bio->bi_status == BLK_STS_AGAIN && bio->bi_opf & REQ_NOWAIT) {
		part->to_submit = true;
		WRITE_ONCE(request->unsubmitted, true);
	} else if (bio->bi_status) {
		WRITE_ONCE(request->error, blk_status_to_errno(bio->bi_status));
	}
	put_pending(request);
}

static struct bio *add_bio(struct vhost_blk_request *request, blk_opf_t opf)
{
	struct vhost_blk_part *part = vhost_blk_part_get(request);
	struct bio *bio;

	if (!part)
		return NULL;
	bio = &part->bio;
	bio_init(bio, request->queue->blk->bdev, part->vecs,
		 ARRAY_SIZE(part->vecs), opf);
	bio->bi_ioprio = request->queue->blk->ioprio;
	bio->bi_private = part;
	bio->bi_end_io = part_end_io;
	part->to_submit = true;
	return bio;
}

static void keep_bio(struct vhost_blk_part *part)
{
	part->iter = part->bio.bi_iter;
	part->vec_count = part->bio.bi_vcnt;
	part->flags = part->bio.bi_flags;
}

/* The bio as it was before it was submitted, but with time to wait */
static void restore_bio(struct vhost_blk_part *part)
{
	const struct vhost_blk *blk = part->request->queue->blk;
	struct bio *bio = &part->bio;

	bio_reset(bio, blk->bdev, bio->bi_opf & ~REQ_NOWAIT);
	bio->bi_ioprio = blk->ioprio;
	bio->bi_iter = part->iter;
	bio->bi_vcnt = part->vec_count;
	bio->bi_flags = part->flags;
	bio->bi_private = part;
	bio->bi_end_io = part_end_io;
}

/**
 * vhost_blk_bdev_release() - Give back bios and pages of a request
 * @request:	Request that is done or was not submitted
 *
 * Context: Process context, vq.mutex held.
 */
void vhost_blk_bdev_release(struct vhost_blk_request *request)
{
	bool dirty = is_read(request) && !request->error;
	struct vhost_blk_part *part;

	for (part = request->parts; part; part = part->next) {
		bio_release_pages(&part->bio, dirty);
		bio_uninit(&part->bio);
	}
	vhost_blk_parts_put(request);
}

/*
 * Whole pages that the device takes in one piece: the block layer refuses to cut
 * a larger bio without waiting.
 */
static size_t max_part_bytes(struct block_device *bdev)
{
	return round_down(queue_max_bytes(bdev_get_queue(bdev)), PAGE_SIZE);
}

/* Pin as many of the guest's pages as one bio takes. */
static int add_pages(struct bio *bio, struct iov_iter *data)
{
	size_t most = max_part_bytes(bio->bi_bdev);
	size_t rest = iov_iter_count(data);
	int ret;

	rest -= min(rest, most);
	iov_iter_truncate(data, most);
	ret = bio_iov_iter_get_pages(bio, data);
	iov_iter_reexpand(data, iov_iter_count(data) + rest);
	return ret;
}

/* Pin the guest's pages. On failure there is nothing to undo but the parts. */
static int add_data(struct vhost_blk_request *request, u64 sector,
		    struct iov_iter *data)
{
	blk_opf_t opf = transfer_opf(request);
	struct bio *bio;
	int ret;

	while (iov_iter_count(data)) {
		bio = add_bio(request, opf);
		if (!bio)
			return -ENOBUFS;
		bio->bi_iter.bi_sector = sector;
		ret = add_pages(bio, data);
		if (ret)
			return ret;
		sector += bio_sectors(bio);
	}
	return 0;
}

/* What the data takes, unless it lies in memory in a strange way */
static unsigned int count_parts(struct block_device *bdev,
				const struct iov_iter *data)
{
	unsigned int pages = iov_iter_npages(data, INT_MAX);

	return max_t(unsigned int, DIV_ROUND_UP(pages, USABLE_VECS),
		     DIV_ROUND_UP(iov_iter_count(data), max_part_bytes(bdev)));
}

/*
 * Parts in flight beyond which others wait in the ring: what the device takes
 * at once. It may be less at times, as when others use it as well.
 */
static unsigned int max_parts(const struct vhost_blk_queue *queue)
{
	struct request_queue *disk = bdev_get_queue(queue->blk->bdev);

	if (!queue_is_mq(disk))
		return queue->part_count;
	return min_t(unsigned int, queue->part_count, disk->nr_requests);
}

static void submit_part(struct vhost_blk_part *part)
{
	part->to_submit = false;
	atomic_inc(&part->request->pending);
	submit_bio(&part->bio);
}

static void submit(struct vhost_blk_request *request)
{
	bool nowait = bdev_nowait(request->queue->blk->bdev);
	struct vhost_blk_part *part;

	request->unsubmitted = false;
	atomic_set(&request->pending, 1);
	for (part = request->parts; part; part = part->next) {
		keep_bio(part);
		if (nowait)
			part->bio.bi_opf |= REQ_NOWAIT;
		submit_part(part);
	}
	put_pending(request);
}

/**
 * vhost_blk_bdev_submit_slowly() - Submit what had no room, and wait for it
 * @request:	Request that would have had to wait
 *
 * It ends by vhost_blk_request_done().
 *
 * Context: Workqueue.
 */
void vhost_blk_bdev_submit_slowly(struct vhost_blk_request *request)
{
	struct vhost_blk_part *part;

	request->unsubmitted = false;
	atomic_set(&request->pending, 1);
	for (part = request->parts; part; part = part->next) {
		if (!part->to_submit)
			continue;
		restore_bio(part);
		submit_part(part);
	}
	put_pending(request);
}

/* One piece between bounce buffer and device; the worker waits. */
static int bounce_io(struct vhost_blk_request *request, u64 sector,
		     unsigned int bytes)
{
	struct vhost_blk_queue *queue = request->queue;
	struct bio_vec vec;
	struct bio bio;
	int ret;

	bio_init(&bio, queue->blk->bdev, &vec, 1, transfer_opf(request));
	bio.bi_ioprio = queue->blk->ioprio;
	bio.bi_iter.bi_sector = sector;
	__bio_add_page(&bio, virt_to_page(queue->bounce), bytes,
		       offset_in_page(queue->bounce));
	ret = submit_bio_wait(&bio);
	bio_uninit(&bio);
	/* Which would have the request wait in the ring, for nothing. */
	return ret == -EAGAIN ? -EIO : ret;
}

static int bounce_piece(struct vhost_blk_request *request, u64 sector,
			struct iov_iter *data)
{
	unsigned int bytes = min_t(size_t, iov_iter_count(data),
				   VHOST_BLK_BOUNCE);
	void *buffer = request->queue->bounce;
	int ret;

	if (!is_read(request) && !copy_from_iter_full(buffer, bytes, data))
		return -EFAULT;
	ret = bounce_io(request, sector, bytes);
	if (ret)
		return ret;
	if (is_read(request) && copy_to_iter(buffer, bytes, data) != bytes)
		return -EFAULT;
	return bytes;
}

static int bounce(struct vhost_blk_request *request, u64 sector,
		  struct iov_iter *data)
{
	int ret;

	while (iov_iter_count(data)) {
		/* Written once more when the request is taken again. */
		if (READ_ONCE(request->queue->stopping))
			return -EAGAIN;
		ret = bounce_piece(request, sector, data);
		if (ret < 0)
			return ret;
		sector += ret >> SECTOR_SHIFT;
	}
	vhost_blk_request_done(request, 0);
	return 0;
}

/**
 * vhost_blk_bdev_transfer() - Read or write
 * @request:	Request
 * @sector:	First sector; the range was checked
 * @data:	The guest's memory
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: 0 if the request ends by vhost_blk_request_done(); -EAGAIN if it has
 * to wait for other requests' parts; another negative errno if it failed.
 */
int vhost_blk_bdev_transfer(struct vhost_blk_request *request, u64 sector,
			    struct iov_iter *data)
{
	struct vhost_blk_queue *queue = request->queue;
	unsigned int in_flight = queue->part_count - queue->parts_free;
	struct iov_iter rest = *data;
	unsigned int parts;
	int ret;

	if (!bdev_iter_is_aligned(queue->blk->bdev, data))
		return bounce(request, sector, data);
	parts = count_parts(queue->blk->bdev, data);
	if (parts > queue->part_count)
		return bounce(request, sector, data);
	/* By itself, a request may have more. */
	if (in_flight && in_flight + parts > max_parts(queue))
		return -EAGAIN;
	ret = add_data(request, sector, &rest);
	if (!ret) {
		submit(request);
		return 0;
	}
	vhost_blk_bdev_release(request);
	if (ret == -ENOBUFS && in_flight)
		return -EAGAIN;
	return bounce(request, sector, data);
}

/**
 * vhost_blk_bdev_flush() - Have all that was completed on the medium
 * @request:	Request
 *
 * Context and result as for vhost_blk_bdev_transfer().
 */
int vhost_blk_bdev_flush(struct vhost_blk_request *request)
{
	if (!add_bio(request, REQ_OP_WRITE | REQ_PREFLUSH))
		return -EAGAIN;
	submit(request);
	return 0;
}

/**
 * vhost_blk_bdev_range() - Discard or zero a range
 * @request:	Request
 * @range:	Range
 *
 * Context: Process context, sleeps.
 *
 * Return: 0 or a negative errno.
 */
int vhost_blk_bdev_range(struct vhost_blk_request *request,
			 const struct vhost_blk_range *range)
{
	struct block_device *bdev = request->queue->blk->bdev;
	bool unmap = range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;

	if (request->type == VIRTIO_BLK_T_DISCARD)
		return blkdev_issue_discard(bdev, range->sector, range->sectors,
					    GFP_KERNEL);
	return blkdev_issue_zeroout(bdev, range->sector, range->sectors,
				    GFP_KERNEL,
				    unmap ? 0 : BLKDEV_ZERO_NOUNMAP);
}
