// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to a block device: bios on the guest's own pages.
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

/* End of a bio. Any context. */
static void part_end_io(struct bio *bio)
{
	struct vhost_blk_part *part = bio->bi_private;
	struct vhost_blk_request *request = part->request;

	if (bio->bi_status)
		WRITE_ONCE(request->error, blk_status_to_errno(bio->bi_status));
	if (atomic_dec_and_test(&request->pending))
		vhost_blk_request_done(request, READ_ONCE(request->error));
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
	return bio;
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
		ret = bio_iov_iter_get_pages(bio, data);
		if (ret)
			return ret;
		sector += bio_sectors(bio);
	}
	return 0;
}

static void submit(struct vhost_blk_request *request)
{
	struct vhost_blk_part *part, *next;
	unsigned int count = 0;

	for (part = request->parts; part; part = part->next)
		count++;
	atomic_set(&request->pending, count);
	for (part = request->parts; part; part = next) {
		next = part->next;
		submit_bio(&part->bio);
	}
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
	struct iov_iter rest = *data;
	unsigned int parts;

	if (!bdev_iter_is_aligned(queue->blk->bdev, data))
		return bounce(request, sector, data);
	parts = DIV_ROUND_UP(iov_iter_npages(data, INT_MAX), USABLE_VECS);
	if (parts > queue->part_count)
		return bounce(request, sector, data);
	if (parts > queue->parts_free)
		return -EAGAIN;
	if (add_data(request, sector, &rest)) {
		vhost_blk_bdev_release(request);
		return bounce(request, sector, data);
	}
	submit(request);
	return 0;
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
