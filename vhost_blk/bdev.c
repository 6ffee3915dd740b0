// SPDX-License-Identifier: GPL-2.0
/*
 * A disk that is a block device. Requests become bios on the guest's own pages. A
 * bio whose submission would have to wait until the device has room is submitted
 * once more in a workqueue; the worker returns other requests meanwhile.
 *
 * Data that the device cannot reach where it lies, because of its alignment or
 * because there are no pages behind it, is copied through the bounce buffer of
 * the queue, and the worker waits for each piece. A driver that respects the
 * block size of its disk never causes this.
 *
 * Contexts: transfer(), start_flush() and what they call run in the queue's
 * worker, under vq.mutex, which guards the pool and the bounce buffer;
 * release() likewise, and for a request that has ended also in the ioctl or the
 * release of the file that detaches the disk; submit_slowly(), flush() and
 * do_range() in a workqueue without a lock, flush() also in an ioctl under
 * dev.mutex; part_end_io() where a bio ends, up to hard IRQ; put_pending() in
 * any of these. A request and its bios belong to one of these at a time: to the
 * worker until submit(), then to the last holder of a reference in its field
 * pending, then to whoever holds vq.mutex to return it. The disk is constant
 * while a request is in flight.
 */
#include <linux/blkdev.h>
#include <linux/limits.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "bdev.h"
#include "blk.h"

/* A bio that is cut back to whole blocks leaves up to two vectors unused. */
#define USABLE_VECS	(VHOST_BLK_BIO_VECS - 2)

/* Sectors that are zeroed at a time, 8 MiB: the device may have to write them. */
#define ZERO_SECTORS	BIT(14)

/*
 * A write that somebody waits for. The block layer's throttling of writeback lets
 * pass what has both flags, and has the worker wait with anything else, in spite of
 * REQ_NOWAIT.
 */
#define SYNC_WRITE	(REQ_OP_WRITE | REQ_SYNC | REQ_IDLE)

/*
 * The block device that a request is for. Any context; constant while it is in
 * flight.
 */
static struct block_device *bdev_of(const struct vhost_blk_request *request)
{
	return vhost_blk_disk_of(request)->bdev;
}

/* The block layer knows the size of the device at this moment. Any context. */
static void get_geometry(const struct vhost_blk_disk *disk,
			 struct vhost_blk_geometry *geometry)
{
	geometry->sectors = bdev_nr_sectors(disk->bdev);
	geometry->block_size = bdev_logical_block_size(disk->bdev);
}

/*
 * A block device can become read-only after it was opened for writing. Any
 * context.
 */
static bool is_read_only(const struct vhost_blk_disk *disk)
{
	return bdev_read_only(disk->bdev);
}

static bool is_read(const struct vhost_blk_request *request)
{
	return request->type == VIRTIO_BLK_T_IN;
}

/* Operation and flags for the bios of a read or a write. Any context. */
static blk_opf_t transfer_opf(const struct vhost_blk_request *request)
{
	blk_opf_t opf = SYNC_WRITE;

	if (is_read(request))
		return REQ_OP_READ;
	if (vhost_blk_write_through(request->queue))
		opf |= REQ_FUA;
	return opf;
}

/*
 * Drop a reference to a request. With the last one it is done, or a workqueue
 * submits the bios that the device had no room for. Any context, up to hard
 * IRQ; the counter is atomic, and whoever drops the last reference owns the
 * request.
 */
static void put_pending(struct vhost_blk_request *request)
{
	if (!atomic_dec_and_test(&request->pending))
		return;
	if (request->unsubmitted && !request->error)
		queue_work(request->queue->blk->slow_workqueue, &request->work);
	else
		vhost_blk_request_done(request, request->error);
}

/*
 * A bio has ended: record its error, or that it has to be submitted once more,
 * for the workqueue. Any context, up to hard IRQ, without a lock; the other
 * bios of the request may end at the same time.
 */
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

/*
 * Take a bio for a request from the pool. Returns NULL if all are in use.
 * Called by the worker under vq.mutex, which guards the pool.
 */
static struct bio *add_bio(struct vhost_blk_request *request, blk_opf_t opf)
{
	struct vhost_blk_disk *disk = vhost_blk_disk_of(request);
	struct vhost_blk_part *part;
	struct bio *bio;

	part = vhost_blk_part_get(&request->queue->pool, request);
	if (!part)
		return NULL;
	bio = &part->bio;
	bio_init(bio, disk->bdev, part->vecs, ARRAY_SIZE(part->vecs), opf);
	bio->bi_ioprio = disk->ioprio;
	bio->bi_private = part;
	bio->bi_end_io = part_end_io;
	part->to_submit = true;
	return bio;
}

/*
 * Keep what the block layer may change of a bio until it comes back. Called by
 * the worker before the bio is submitted.
 */
static void keep_bio(struct vhost_blk_part *part)
{
	part->iter = part->bio.bi_iter;
	part->vec_count = part->bio.bi_vcnt;
	part->flags = part->bio.bi_flags;
}

/*
 * Make the bio what it was before it was submitted, but allow it to wait. In a
 * workqueue, which has the request alone.
 */
static void restore_bio(struct vhost_blk_part *part)
{
	const struct vhost_blk_disk *disk = vhost_blk_disk_of(part->request);
	struct bio *bio = &part->bio;

	bio_reset(bio, disk->bdev, bio->bi_opf & ~REQ_NOWAIT);
	bio->bi_ioprio = disk->ioprio;
	bio->bi_iter = part->iter;
	bio->bi_vcnt = part->vec_count;
	bio->bi_flags = part->flags;
	bio->bi_private = part;
	bio->bi_end_io = part_end_io;
}

/*
 * Release bios and pages of a request that has ended or was not submitted.
 * Called under vq.mutex: by the worker, or by the ioctl or the release of the
 * file that detaches the disk.
 */
static void release(struct vhost_blk_request *request)
{
	bool dirty = is_read(request) && !request->error;
	struct vhost_blk_part *part;

	for (part = request->parts; part; part = part->next) {
		bio_release_pages(&part->bio, dirty);
		bio_uninit(&part->bio);
	}
	vhost_blk_parts_put(&request->queue->pool, request);
}

/*
 * The whole pages that the device takes in one piece. The block layer would have
 * to split a larger bio, which it refuses to do for one that must not wait.
 */
static size_t max_part_bytes(struct block_device *bdev)
{
	return round_down(queue_max_bytes(bdev_get_queue(bdev)), PAGE_SIZE);
}

/*
 * Pin as many of the guest's pages as fit into one bio. Called by the worker,
 * in the address space of the device's owner; may sleep.
 */
static int pin_pages(struct bio *bio, struct iov_iter *data)
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

/*
 * Pin the guest's pages and put them into bios. Returns 0; -ENOBUFS when no bio
 * is left; or the errno of pinning. After a failure the caller releases the
 * parts. Called by the worker under vq.mutex.
 */
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
		ret = pin_pages(bio, data);
		if (ret)
			return ret;
		sector += bio_sectors(bio);
	}
	return 0;
}

/*
 * Number of parts for the data, which is exact for data of whole pages. In the
 * worker.
 */
static unsigned int count_parts(struct block_device *bdev,
				const struct iov_iter *data)
{
	unsigned int pages = iov_iter_npages(data, INT_MAX);

	return max_t(unsigned int, DIV_ROUND_UP(pages, USABLE_VECS),
		     DIV_ROUND_UP(iov_iter_count(data), max_part_bytes(bdev)));
}

/*
 * Number of parts in flight beyond which requests wait in the ring: as many as
 * the device takes at once. While others use the device it takes fewer of ours;
 * submit() deals with that. In the worker.
 */
static unsigned int max_parts(const struct vhost_blk_queue *queue)
{
	struct request_queue *disk = bdev_get_queue(queue->blk->disk.bdev);

	if (!queue_is_mq(disk))
		return queue->pool.part_count;
	return min_t(unsigned int, queue->pool.part_count, disk->nr_requests);
}

/*
 * Submit a bio, which may end before this returns. In the worker, or in a
 * workqueue for a bio that may wait.
 */
static void submit_part(struct vhost_blk_part *part)
{
	part->to_submit = false;
	atomic_inc(&part->request->pending);
	submit_bio(&part->bio);
}

/*
 * Submit all bios of a request without waiting for room in the device. The
 * reference that this holds itself keeps the request from being done before the
 * last bio is submitted. Called by the worker under vq.mutex; the request is
 * not its own any more when this returns.
 */
static void submit(struct vhost_blk_request *request)
{
	bool nowait = bdev_nowait(bdev_of(request));
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

/*
 * Submit the bios that the device had no room for, and wait until it has. In a
 * workqueue, without a lock: no other bio of the request is in flight.
 */
static void submit_slowly(struct vhost_blk_request *request)
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

/*
 * Transfer one piece between bounce buffer and device, and wait for it. Called by
 * the worker under vq.mutex, which guards the buffer.
 */
static int bounce_io(struct vhost_blk_request *request, u64 sector,
		     unsigned int bytes)
{
	const struct vhost_blk_disk *disk = vhost_blk_disk_of(request);
	void *buffer = request->queue->pool.bounce;
	struct bio_vec vec;
	struct bio bio;
	int ret;

	bio_init(&bio, disk->bdev, &vec, 1, transfer_opf(request));
	bio.bi_ioprio = disk->ioprio;
	bio.bi_iter.bi_sector = sector;
	__bio_add_page(&bio, virt_to_page(buffer), bytes,
		       offset_in_page(buffer));
	ret = submit_bio_wait(&bio);
	bio_uninit(&bio);
	/* The caller takes -EAGAIN for a request that has to wait in the ring. */
	return ret == -EAGAIN ? -EIO : ret;
}

/*
 * Transfer as much as the bounce buffer takes, and wait for it. Returns the
 * number of bytes or a negative errno. Called by the worker under vq.mutex,
 * which guards the buffer; @data is memory of the guest.
 */
static int bounce_piece(struct vhost_blk_request *request, u64 sector,
			struct iov_iter *data)
{
	unsigned int bytes = min_t(size_t, iov_iter_count(data),
				   VHOST_BLK_BOUNCE);
	void *buffer = request->queue->pool.bounce;
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

/*
 * Transfer the data of a request piece by piece through the bounce buffer, and
 * end the request. Returns 0 or a negative errno, -EAGAIN if the disk is being
 * taken away. Called by the worker under vq.mutex; waits for the disk.
 */
static int bounce(struct vhost_blk_request *request, u64 sector,
		  struct iov_iter *data)
{
	int ret;

	while (iov_iter_count(data)) {
		/* All of it is transferred again when the disk is back. */
		if (READ_ONCE(request->queue->inflight.stopping))
			return -EAGAIN;
		ret = bounce_piece(request, sector, data);
		if (ret < 0)
			return ret;
		sector += ret >> SECTOR_SHIFT;
	}
	vhost_blk_request_done(request, 0);
	return 0;
}

/*
 * Start a read or a write: with bios on the guest's pages, or through the
 * bounce buffer where these cannot be used. See @transfer of &struct
 * vhost_blk_disk_ops for what it returns. Called by the worker under vq.mutex,
 * which keeps the number of free parts from changing.
 */
static int transfer(struct vhost_blk_request *request, u64 sector,
		    struct iov_iter *data)
{
	struct vhost_blk_queue *queue = request->queue;
	unsigned int in_flight = queue->pool.part_count - queue->pool.parts_free;
	struct block_device *bdev = bdev_of(request);
	struct iov_iter rest = *data;
	unsigned int parts;
	int ret;

	if (!bdev_iter_is_aligned(bdev, data))
		return bounce(request, sector, data);
	parts = count_parts(bdev, data);
	if (parts > queue->pool.part_count)
		return bounce(request, sector, data);
	/* A request that is alone may have more parts than the device takes. */
	if (in_flight && in_flight + parts > max_parts(queue))
		return -EAGAIN;
	ret = add_data(request, sector, &rest);
	if (!ret) {
		submit(request);
		return 0;
	}
	release(request);
	if (ret == -ENOBUFS && in_flight)
		return -EAGAIN;
	return bounce(request, sector, data);
}

/*
 * Start a flush. -EAGAIN if no bio is left. Called by the worker under
 * vq.mutex.
 */
static int start_flush(struct vhost_blk_request *request)
{
	if (!add_bio(request, SYNC_WRITE | REQ_PREFLUSH))
		return -EAGAIN;
	submit(request);
	return 0;
}

/*
 * Flush the device, and wait for it. In a workqueue without a lock, or in an
 * ioctl under dev.mutex.
 */
static int flush(struct vhost_blk_disk *disk)
{
	return blkdev_issue_flush(disk->bdev);
}

/*
 * Discard or zero a range, and wait for it. In a workqueue, without a lock; the
 * request is the caller's.
 */
static int do_range(struct vhost_blk_request *request,
		    const struct vhost_blk_range *range)
{
	bool unmap = range->flags & VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	struct block_device *bdev = bdev_of(request);

	if (request->type == VIRTIO_BLK_T_DISCARD)
		return blkdev_issue_discard(bdev, range->sector, range->sectors,
					    GFP_KERNEL);
	return blkdev_issue_zeroout(bdev, range->sector, range->sectors,
				    GFP_KERNEL,
				    unmap ? 0 : BLKDEV_ZERO_NOUNMAP);
}

static const struct vhost_blk_disk_ops bdev_ops = {
	.needs_bios = true,
	.get_geometry = get_geometry,
	.is_read_only = is_read_only,
	.transfer = transfer,
	.transfer_slowly = submit_slowly,
	.release = release,
	.start_flush = start_flush,
	.flush = flush,
	.do_range = do_range,
	.zero_sectors = ZERO_SECTORS,
};

/*
 * bios pass by the page cache of the block device. Dirty pages there would be
 * written over the guest's data later, and clean ones would become stale.
 *
 * Returns -EBUSY if somebody holds on to a page, as a mounted ext4 does. This
 * claims nothing: other users of a block device hold no page of it. In an ioctl
 * under dev.mutex; may sleep for long.
 */
static int empty_page_cache(struct address_space *mapping)
{
	int ret = filemap_write_and_wait(mapping);

	return ret ?: invalidate_inode_pages2(mapping);
}

/**
 * vhost_blk_bdev_init() - Make a disk of an open block device
 * @disk:	Disk; its file is set, and is open for reading
 *
 * Context: Process context: the ioctl that attaches the disk, dev.mutex held;
 *	    may sleep for long. @disk is the caller's own: no queue has it yet.
 *
 * Return: 0; -EOPNOTSUPP for a zoned device; -EBUSY if its page cache cannot be
 * emptied; -EIO and others if it cannot be written back.
 */
int vhost_blk_bdev_init(struct vhost_blk_disk *disk)
{
	struct address_space *mapping = disk->file->f_mapping;

	disk->ops = &bdev_ops;
	disk->bdev = I_BDEV(mapping->host);
	if (bdev_is_zoned(disk->bdev))
		return -EOPNOTSUPP;
	return empty_page_cache(mapping);
}
