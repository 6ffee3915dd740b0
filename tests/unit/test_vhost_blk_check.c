// sources: vhost_blk/check.c
// SPDX-License-Identifier: GPL-2.0
/* vhost-blk's checks of requests */
#include <errno.h>
#include <stdint.h>
#include <linux/virtio_blk.h>

#include "vhost_blk/check.h"
#include "tap.h"

static const struct vhost_blk_geometry small = { .sectors = 100,
						 .block_size = 512 };
static const struct vhost_blk_geometry large_blocks = { .sectors = 160,
							.block_size = 4096 };
static const struct vhost_blk_geometry huge = { .sectors = UINT64_MAX / 512,
						.block_size = 512 };

static void data(void)
{
	tap_eq(vhost_blk_check_data(&small, 0, 512), 0, "the first sector");
	tap_eq(vhost_blk_check_data(&small, 0, 51200), 0, "all of it");
	tap_eq(vhost_blk_check_data(&small, 99, 512), 0, "the last sector");
	tap_eq(vhost_blk_check_data(&small, 100, 0), 0, "nothing at the end");
	tap_eq(vhost_blk_check_data(&small, 99, 1024), -ENXIO, "beyond it");
	tap_eq(vhost_blk_check_data(&small, 100, 512), -ENXIO, "behind it");
	tap_eq(vhost_blk_check_data(&small, 101, 0), -ENXIO,
	       "nothing behind the end");
	tap_eq(vhost_blk_check_data(&small, 0, 51712), -ENXIO, "too long");
	tap_eq(vhost_blk_check_data(&small, 0, 511), -EINVAL, "no sector");
	tap_eq(vhost_blk_check_data(&small, UINT64_MAX, 512), -ENXIO,
	       "a sector that overflows with its length");
	tap_eq(vhost_blk_check_data(&small, UINT64_MAX - 7, 4096), -ENXIO,
	       "a sum that overflows to 0");
	tap_eq(vhost_blk_check_data(&small, 1, UINT64_MAX - 511), -ENXIO,
	       "a length that overflows");
	tap_eq(vhost_blk_check_data(&huge, UINT64_MAX / 512 - 1, 512), 0,
	       "the last sector of the largest disk");
	tap_eq(vhost_blk_check_data(&huge, UINT64_MAX / 512, 512), -ENXIO,
	       "behind that");
}

static void blocks(void)
{
	tap_eq(vhost_blk_check_data(&large_blocks, 8, 4096), 0, "a block");
	tap_eq(vhost_blk_check_data(&large_blocks, 152, 4096), 0,
	       "the last block");
	tap_eq(vhost_blk_check_data(&large_blocks, 160, 4096), -ENXIO,
	       "behind it");
	tap_eq(vhost_blk_check_data(&large_blocks, 4, 4096), -EINVAL,
	       "a block in between");
	tap_eq(vhost_blk_check_data(&large_blocks, 8, 512), -EINVAL,
	       "part of a block");
}

static int range(u32 type, u64 sector, u32 sectors, u32 flags)
{
	struct vhost_blk_range range = { .sector = sector,
					 .sectors = sectors,
					 .flags = flags };

	return vhost_blk_check_range(&small, type, &range);
}

static void ranges(void)
{
	const u32 discard = VIRTIO_BLK_T_DISCARD;
	const u32 zeroes = VIRTIO_BLK_T_WRITE_ZEROES;

	tap_eq(range(discard, 0, 100, 0), 0, "discard all");
	tap_eq(range(zeroes, 0, 100, 0), 0, "zero all");
	tap_eq(range(zeroes, 0, 1, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP), 0,
	       "zero and unmap");
	tap_eq(range(discard, 0, 1, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP),
	       -EOPNOTSUPP, "unmap is not for discard");
	tap_eq(range(zeroes, 0, 1, 2), -EOPNOTSUPP, "a flag that is none");
	tap_eq(range(zeroes, 0, 0, 0), -EINVAL, "an empty range");
	tap_eq(range(discard, 1, 100, 0), -ENXIO, "beyond the end");
	tap_eq(range(discard, 0, UINT32_MAX, 0), -ENXIO, "the longest");
	tap_eq(range(discard, UINT64_MAX, 1, 0), -ENXIO, "the farthest");
}

static void status(void)
{
	tap_eq(vhost_blk_status(0), VIRTIO_BLK_S_OK, "no error");
	tap_eq(vhost_blk_status(-EOPNOTSUPP), VIRTIO_BLK_S_UNSUPP,
	       "unsupported");
	tap_eq(vhost_blk_status(-EIO), VIRTIO_BLK_S_IOERR, "error");
	tap_eq(vhost_blk_status(-EINVAL), VIRTIO_BLK_S_IOERR, "nonsense");
	tap_eq(vhost_blk_status(-ENOSPC), VIRTIO_BLK_S_IOERR, "no space");
}

int main(void)
{
	data();
	blocks();
	ranges();
	status();
	return tap_done();
}
