// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that wait for the disk. They are handled in the thread of their
 * queue, and so several of a disk at a time; what they share, @write_back and
 * @flush_error of struct blk, is atomic, and all else that they read is
 * constant. blk_cache_changed() runs in the thread that handles I/O requests.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <linux/falloc.h>
#include <linux/fs.h>

#include "baseline/blk_sync.h"
#include "virtio/buffers.h"

/**
 * blk_flushed() - A flush has ended
 * @blk:	Disk
 * @error:	0 or -errno
 *
 * The kernel reports data that it could not write only once. The next flush
 * would succeed although the data is still lost, so the driver gets the error
 * for each flush until it resets the device. Any thread.
 *
 * Return: The result for the driver: 0 or -errno.
 */
int blk_flushed(struct blk *blk, int error)
{
	if (error)
		blk->flush_error = error;
	return blk->flush_error;
}

/* Flush the disk and wait for it. Any thread. Returns 0 or -errno. */
static int flush(struct blk *blk)
{
	return blk_flushed(blk, fdatasync(blk->disk.fd) ? -errno : 0);
}

/**
 * blk_written() - A write has succeeded
 * @blk:	Disk
 * @through:	The data is on the medium already
 *
 * If the driver has turned the cache off since the write began, the flush at
 * that moment has not included this write, and a flush is made here. Any
 * thread.
 *
 * Return: 0 or -errno.
 */
int blk_written(struct blk *blk, bool through)
{
	return through || blk->write_back ? 0 : flush(blk);
}

/* For struct blk_backend. Thread of I/O requests; waits for the disk. */
int blk_cache_changed(struct blk *blk)
{
	return blk->write_back ? 0 : flush(blk);
}

/**
 * blk_check_transfer() - Can data be read or written as the driver asks?
 * @blk:	Disk
 * @request:	VIRTIO_BLK_T_IN or VIRTIO_BLK_T_OUT
 *
 * Return: 0; -EROFS for a write to a disk that is read-only; -EINVAL as
 * blk_request_check().
 */
int blk_check_transfer(const struct blk *blk, const struct blk_request *request)
{
	if (request->type == VIRTIO_BLK_T_OUT && blk->disk.is.read_only)
		return -EROFS;
	return blk_request_check(&blk->disk, request->sector, request->bytes);
}

/* Write the serial number to the driver's buffers. */
static int get_id(struct blk *blk, const struct blk_request *request)
{
	char id[VIRTIO_BLK_ID_BYTES] = { 0 };

	memcpy(id, blk->options->serial, strlen(blk->options->serial));
	buffers_write(request->iov, request->iov_count, 0, id, sizeof(id));
	return 0;
}

/* Discard or zero a range. Returns 0 or -errno. Thread of the queue, waits. */
static int change_range(struct blk *blk, uint32_t type,
			const struct virtio_blk_discard_write_zeroes *range)
{
	uint64_t extent[] = { range->sector * DISK_SECTOR,
			      (uint64_t)range->num_sectors * DISK_SECTOR };
	bool unmap = type == VIRTIO_BLK_T_DISCARD || range->flags;
	int ret;

	if (blk->disk.is.is_device)
		ret = ioctl(blk->disk.fd,
			    type == VIRTIO_BLK_T_DISCARD ? BLKDISCARD
							 : BLKZEROOUT,
			    extent);
	else
		ret = fallocate(blk->disk.fd,
				FALLOC_FL_KEEP_SIZE |
					(unmap ? FALLOC_FL_PUNCH_HOLE
					       : FALLOC_FL_ZERO_RANGE),
				extent[0], extent[1]);
	return ret ? -errno : 0;
}

/* Check a range as the driver has described it. Returns 0 or -errno. */
static int check_range(const struct blk *blk, uint32_t type,
		       const struct virtio_blk_discard_write_zeroes *range)
{
	uint32_t known = type == VIRTIO_BLK_T_WRITE_ZEROES
				 ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP
				 : 0;

	if (range->flags & ~known)
		return -EOPNOTSUPP;
	if (!range->num_sectors || range->num_sectors > ACRNVHOST_BLK_MAX_RANGE)
		return -EINVAL;
	return blk_request_check(&blk->disk, range->sector,
				 (uint64_t)range->num_sectors * DISK_SECTOR);
}

/* All ranges are checked before the first one is changed. */
static int discard_or_zero(struct blk *blk, const struct blk_request *request)
{
	struct virtio_blk_discard_write_zeroes ranges[VHOST_BLK_MAX_RANGES];
	unsigned int i, count = request->bytes / sizeof(ranges[0]);
	int ret = 0;

	if (blk->disk.is.read_only)
		return -EROFS;
	if (!count || request->bytes > sizeof(ranges) ||
	    request->bytes % sizeof(ranges[0]))
		return -EINVAL;
	buffers_read(request->iov, request->iov_count, 0, ranges,
		     request->bytes);
	for (i = 0; i < count && !ret; i++)
		ret = check_range(blk, request->type, &ranges[i]);
	for (i = 0; i < count && !ret; i++)
		ret = change_range(blk, request->type, &ranges[i]);
	if (!ret && !blk->write_back)
		ret = flush(blk);
	return ret;
}

/**
 * blk_sync() - Handle a request that moves no data to or from the disk
 * @blk:	Disk
 * @request:	Request, not VIRTIO_BLK_T_FLUSH; a read or write only if it is
 *		empty or if blk_check_transfer() refuses it
 *
 * Waits for the disk. Return: 0 or -errno.
 */
int blk_sync(struct blk *blk, const struct blk_request *request)
{
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		return blk_check_transfer(blk, request);
	case VIRTIO_BLK_T_GET_ID:
		return get_id(blk, request);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return discard_or_zero(blk, request);
	default:
		return -EOPNOTSUPP;
	}
}

/* Returns the VIRTIO_BLK_S_* for 0 or -errno. */
uint8_t blk_sync_status(int error)
{
	if (!error)
		return VIRTIO_BLK_S_OK;
	return error == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

/* Returns how many bytes of the chain were written to, with the status. */
uint32_t blk_sync_written(const struct blk_request *request, int error)
{
	bool in = request->type == VIRTIO_BLK_T_IN ||
		  request->type == VIRTIO_BLK_T_GET_ID;

	return error || !in ? 1 : request->bytes + 1;
}
