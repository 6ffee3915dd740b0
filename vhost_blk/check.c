// SPDX-License-Identifier: GPL-2.0
/*
 * Which requests a disk accepts, and which status an error becomes. The
 * functions look at nothing but their arguments: any context, no lock needed.
 */
#include <linux/errno.h>
#include <linux/virtio_blk.h>

#include "check.h"

#define SECTOR_BYTES	512

/**
 * vhost_blk_check_data() - Check the place of a read or write on the disk
 * @disk:	Disk
 * @sector:	First sector
 * @bytes:	Length
 *
 * Context: Any.
 *
 * Return: 0; -EINVAL if place or length are no multiple of the block size;
 * -ENXIO if the data does not lie on the disk from its first to its last byte.
 */
int vhost_blk_check_data(const struct vhost_blk_geometry *disk, u64 sector,
			 u64 bytes)
{
	u64 blocks = disk->block_size / SECTOR_BYTES;

	if ((bytes & (disk->block_size - 1)) || (sector & (blocks - 1)))
		return -EINVAL;
	/* The first comparison keeps the subtraction from wrapping around. */
	if (sector > disk->sectors ||
	    bytes / SECTOR_BYTES > disk->sectors - sector)
		return -ENXIO;
	return 0;
}

/**
 * vhost_blk_check_range() - Check a range to be discarded or zeroed
 * @disk:	Disk
 * @type:	VIRTIO_BLK_T_DISCARD or VIRTIO_BLK_T_WRITE_ZEROES
 * @range:	Range
 *
 * Context: Any.
 *
 * Return: 0; -EOPNOTSUPP for flags that are unknown or not allowed with @type;
 * -EINVAL for an empty range; otherwise as vhost_blk_check_data().
 */
int vhost_blk_check_range(const struct vhost_blk_geometry *disk, u32 type,
			  const struct vhost_blk_range *range)
{
	u32 known = type == VIRTIO_BLK_T_WRITE_ZEROES ?
		VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;

	if (range->flags & ~known)
		return -EOPNOTSUPP;
	if (!range->sectors)
		return -EINVAL;
	return vhost_blk_check_data(disk, range->sector,
				    (u64)range->sectors * SECTOR_BYTES);
}

/**
 * vhost_blk_status() - The status byte that reports an error to the driver
 * @error:	0 or a negative errno
 *
 * Context: Any.
 *
 * Return: VIRTIO_BLK_S_*
 */
u8 vhost_blk_status(int error)
{
	switch (error) {
	case 0:
		return VIRTIO_BLK_S_OK;
	case -EOPNOTSUPP:
		return VIRTIO_BLK_S_UNSUPP;
	default:
		return VIRTIO_BLK_S_IOERR;
	}
}
