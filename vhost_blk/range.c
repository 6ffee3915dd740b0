// SPDX-License-Identifier: GPL-2.0
/*
 * Discarding and zeroing, in pieces. A request may be about 32 TiB, and zeroing
 * a disk that cannot do so by itself takes hours: neither a reset of the device
 * nor the end of the device model is to wait for more than the piece at hand.
 */
#include <linux/blkdev.h>
#include <linux/math.h>
#include <linux/minmax.h>

#include "blk.h"

/* Sectors at a time: 256 MiB; 8 MiB where they may have to be written. */
#define CHUNK		BIT(19)
#define CHUNK_WRITTEN	BIT(14)

static u64 chunk_size(const struct vhost_blk_request *request)
{
	return request->queue->blk->bdev &&
	       request->type == VIRTIO_BLK_T_WRITE_ZEROES ?
		CHUNK_WRITTEN : CHUNK;
}

static int do_chunk(struct vhost_blk_request *request,
		    const struct vhost_blk_range *chunk)
{
	return request->queue->blk->bdev ?
		vhost_blk_bdev_range(request, chunk) :
		vhost_blk_file_range(request, chunk);
}

static int do_range(struct vhost_blk_request *request,
		    const struct vhost_blk_range *range)
{
	u64 end = range->sector + range->sectors, next;
	u64 size = chunk_size(request);
	struct vhost_blk_range chunk = *range;
	int ret;

	for (; chunk.sector < end; chunk.sector = next) {
		if (READ_ONCE(request->queue->blk->detaching))
			return -EINTR;
		next = min(round_down(chunk.sector, size) + size, end);
		chunk.sectors = next - chunk.sector;
		ret = do_chunk(request, &chunk);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * vhost_blk_do_ranges() - Discard or zero the ranges of a request
 * @request:	Request
 *
 * Context: Process context, may sleep for long.
 *
 * Return: 0 or a negative errno; -EINTR if the disk is being detached.
 */
int vhost_blk_do_ranges(struct vhost_blk_request *request)
{
	unsigned int i;
	int ret;

	for (i = 0; i < request->range_count; i++) {
		ret = do_range(request, &request->ranges[i]);
		if (ret)
			return ret;
	}
	return vhost_blk_write_through(request->queue) ?
		vhost_blk_flush(request->queue->blk) : 0;
}
