/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which requests a disk accepts, and which status an error becomes. Pure
 * functions of their arguments: they take no lock and can be called anywhere.
 */
#ifndef VHOST_BLK_CHECK_H
#define VHOST_BLK_CHECK_H

#include <linux/types.h>

/**
 * struct vhost_blk_geometry - The size and the block size of a disk
 * @sectors:	Size of the disk in sectors of 512 bytes
 * @block_size:	Requests begin and end at a multiple of this many bytes: a
 *		power of two, 512 or more
 */
struct vhost_blk_geometry {
	u64 sectors;
	u32 block_size;
};

/**
 * struct vhost_blk_range - Sectors to discard or to fill with zeroes
 * @sector:	First sector
 * @sectors:	Number of sectors
 * @flags:	VIRTIO_BLK_WRITE_ZEROES_FLAG_*
 */
struct vhost_blk_range {
	u64 sector;
	u32 sectors;
	u32 flags;
};

int vhost_blk_check_data(const struct vhost_blk_geometry *disk, u64 sector,
			 u64 bytes);
int vhost_blk_check_range(const struct vhost_blk_geometry *disk, u32 type,
			  const struct vhost_blk_range *range);
u8 vhost_blk_status(int error);

#endif /* VHOST_BLK_CHECK_H */
