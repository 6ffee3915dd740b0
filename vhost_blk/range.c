// SPDX-License-Identifier: GPL-2.0
/*
 * Discarding and zeroing. A request may be about 32 TiB, and zeroing a disk that
 * cannot do so by itself takes hours, for which a device model that is killed
 * shall not have to wait.
 */
#include <linux/blkdev.h>
#include <linux/math.h>
#include <linux/minmax.h>

#include "blk.h"

/* Sectors at a time: 256 MiB. */
#define CHUNK	BIT(19)

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
	struct vhost_blk_range chunk = *range;
	int ret;

	for (; chunk.sector < end; chunk.sector = next) {
		if (READ_ONCE(request->queue->blk->closing))
			return -EINTR;
		next = min(round_down(chunk.sector, CHUNK) + CHUNK, end);
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
 * Return: 0 or a negative errno; -EINTR if the device is being closed.
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
