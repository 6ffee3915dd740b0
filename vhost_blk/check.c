// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/virtio_blk.h>

#include "check.h"

#define SECTOR_BYTES	512

/**
 * vhost_blk_check_data() - Can this be read from or written to the disk?
 * @disk:	Disk
 * @sector:	First sector
 * @bytes:	Length
 *
 * Return: 0; -EINVAL if it is no multiple of the block size; -ENXIO if it is
 * not all on the disk.
 */
int vhost_blk_check_data(const struct vhost_blk_geometry *disk, u64 sector,
			 u64 bytes)
{
	u64 blocks = disk->block_size / SECTOR_BYTES;

	if ((bytes & (disk->block_size - 1)) || (sector & (blocks - 1)))
		return -EINVAL;
	/* In this order nothing can overflow, whatever the guest says. */
	if (sector > disk->sectors ||
	    bytes / SECTOR_BYTES > disk->sectors - sector)
		return -ENXIO;
	return 0;
}

/**
 * vhost_blk_check_range() - Can this range be discarded or zeroed?
 * @disk:	Disk
 * @type:	VIRTIO_BLK_T_DISCARD or VIRTIO_BLK_T_WRITE_ZEROES
 * @range:	Range
 *
 * Return: 0; -EOPNOTSUPP for flags that are unknown or not for @type; else as
 * vhost_blk_check_data(), with -EINVAL for an empty range, too.
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
 * vhost_blk_status() - What the guest is told
 * @error:	0 or a negative errno
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
