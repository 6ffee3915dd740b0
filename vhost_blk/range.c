// SPDX-License-Identifier: GPL-2.0
/*
 * Discarding and zeroing, piece by piece. A request may cover about 32 TiB, and
 * zeroing a disk that has no command for it takes hours. A reset of the device
 * and the end of the device model wait for the current piece only.
 *
 * All functions run in a workqueue without a lock. The request belongs to its
 * work, and the disk is constant while the request is in flight.
 */
#include <linux/math.h>
#include <linux/minmax.h>

#include "blk.h"
#include "range.h"

/* Sectors that are discarded at a time: 256 MiB. */
#define CHUNK_SECTORS	BIT(19)

/* Number of sectors that are discarded or zeroed at a time. */
static u64 chunk_sectors(const struct vhost_blk_request *request)
{
	return request->type == VIRTIO_BLK_T_WRITE_ZEROES ?
		vhost_blk_disk_of(request)->ops->zero_sectors : CHUNK_SECTORS;
}

/*
 * Discard or zero one range, in pieces that begin at a multiple of their size.
 * Returns 0 or a negative errno. In a workqueue, without a lock; sleeps.
 */
static int do_range(struct vhost_blk_request *request,
		    const struct vhost_blk_range *range)
{
	u64 end = range->sector + range->sectors, next;
	u64 size = chunk_sectors(request);
	struct vhost_blk_range chunk = *range;
	int ret;

	for (; chunk.sector < end; chunk.sector = next) {
		if (READ_ONCE(request->queue->blk->detaching))
			return -EINTR;
		next = min(round_down(chunk.sector, size) + size, end);
		chunk.sectors = next - chunk.sector;
		ret = vhost_blk_disk_of(request)->ops->do_range(request, &chunk);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * vhost_blk_do_ranges() - Discard or zero the ranges of a request
 * @request:	Request
 *
 * Context: A workqueue, without a lock; sleeps for long.
 *
 * Return: 0 or a negative errno; -EINTR if the disk is being detached.
 */
int vhost_blk_do_ranges(struct vhost_blk_request *request)
{
	struct vhost_blk_disk *disk = vhost_blk_disk_of(request);
	unsigned int i;
	int ret;

	for (i = 0; i < request->range_count; i++) {
		ret = do_range(request, &request->ranges[i]);
		if (ret)
			return ret;
	}
	return vhost_blk_write_through(request->queue) ?
		disk->ops->flush(disk) : 0;
}
