// SPDX-License-Identifier: GPL-2.0
/*
 * Disks that fail: requests of bad sectors, and a flush of a file after the
 * page cache has lost data.
 */
#include <linux/fs.h>

#include "raw_blk.h"
#include "tap.h"
#include "vhost_blk_checks.h"

#define FS_BLOCK 4096

/* Make sectors 100 to 107 of the fast disk fail, or work again. */
bool bad_sectors(bool bad)
{
	return !system(bad ? "echo +100-107 > "
			     "/sys/kernel/config/nullb/fast/badblocks"
			   : "echo -100-107 > "
			     "/sys/kernel/config/nullb/fast/badblocks");
}

void disk_errors(void)
{
	const uint32_t in = VIRTIO_BLK_T_IN, out = VIRTIO_BLK_T_OUT;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       bad_sectors(true),
	       "a disk with bad sectors");
	tap_eq(request(in, 96, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "bad sectors: a read fails");
	tap_eq(request(out, 96, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "bad sectors: a write fails");
	tap_eq(request(in, 100, DATA + 3, 512), VIRTIO_BLK_S_IOERR,
	       "bad sectors: a read to an odd address fails");
	tap_eq(request(in, 0, DATA, 4 << 20), VIRTIO_BLK_S_IOERR,
	       "bad sectors: a large read that has them fails");
	tap_eq(request(in, 92, DATA, 4096), 0,
	       "bad sectors: a read beside them works");
	tap_ok(bad_sectors(false) && !request(in, 96, DATA, 4096),
	       "sectors that are good again are read");
}

/* Make the first block of the file fail, or work again. */
static bool bad_block(bool bad)
{
	int fd = open(FS_FILE, O_RDONLY), block = 0;
	char command[128];

	if (ioctl(fd, FIBMAP, &block) || block <= 0)
		return false;
	close(fd);
	snprintf(command, sizeof(command),
		 "echo %c%u-%u > /sys/kernel/config/nullb/fs/badblocks",
		 bad ? '+' : '-', block * FS_BLOCK / 512,
		 (block + 1) * FS_BLOCK / 512 - 1);
	return !system(command);
}

/* Write a block to the page cache whose writeback to the disk will fail. */
static bool lose_data(void)
{
	int fd = open(FS_FILE, O_WRONLY);
	bool ok = bad_block(true) && pwrite(fd, mem, FS_BLOCK, 0) == FS_BLOCK;

	close(fd);
	return ok;
}

void lost_data(void)
{
	const uint32_t flush = VIRTIO_BLK_T_FLUSH;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR),
	       "a file is attached");
	tap_eq(request(flush, 0, 0, 0), 0, "a flush");
	tap_ok(lose_data(), "data in the page cache is lost");
	tap_eq(request(flush, 0, 0, 0), VIRTIO_BLK_S_IOERR,
	       "a flush fails after data was lost");
	tap_eq(request(flush, 0, 0, 0), VIRTIO_BLK_S_IOERR,
	       "so does the next flush");
	tap_ok(bad_block(false) &&
		       start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR) &&
		       !request(flush, 0, 0, 0),
	       "a flush works after a restart");
	tap_success(unset_disk(), "the file is released");
}
