// SPDX-License-Identifier: GPL-2.0
/*
 * A disk with blocks of 4 KiB, and a file on it, which take requests for whole
 * blocks only.
 */
#include <linux/loop.h>

#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

#define LARGE	   "/dev/loop0"
#define LARGE_FILE "/run/large"

/*
 * Make a disk with blocks of 4 KiB. It is a loop device, because null_blk needs
 * each buffer to have whole blocks.
 */
bool make_large_blocks(void)
{
	struct loop_config config = { .block_size = 4096 };
	int loop = open(LARGE, O_RDWR);
	bool ok;

	config.fd = open(LARGE_FILE, O_RDWR | O_CREAT, 0600);
	ok = !ftruncate(config.fd, 64 << 20) &&
	     !ioctl(loop, LOOP_CONFIGURE, &config);
	close(config.fd);
	close(loop);
	return ok;
}

/* Requests that are not for whole blocks, of a disk that has blocks of 4 KiB */
static void parts_of_blocks(const char *disk)
{
	tap_eq(request(VIRTIO_BLK_T_OUT, 1, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "4 KiB blocks, %s: no write that begins within a block", disk);
	tap_eq(request(VIRTIO_BLK_T_OUT, 8, DATA, 512), VIRTIO_BLK_S_IOERR,
	       "4 KiB blocks, %s: no write of a part of a block", disk);
	tap_eq(request(VIRTIO_BLK_T_IN, 0, DATA, 4608), VIRTIO_BLK_S_IOERR,
	       "4 KiB blocks, %s: no read of a part of a block", disk);
}

/* A file on a file system whose disk has blocks of 4 KiB. */
static void large_block_file(void)
{
	tap_ok(!unset_disk() &&
		       !system("mke2fs -b 4096 " LARGE " > /dev/null && "
			       "mkdir -p /mnt && mount -t ext4 " LARGE
			       " /mnt && "
			       "truncate -s 4M " FS_FILE),
	       "4 KiB blocks: a file system is made");
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR) &&
		       round_trip(0, DATA, DATA + 0x800000, 65536, 1),
	       "4 KiB blocks: a file on it");
	tap_ok(round_trip(8, DATA + 3, DATA + 0x800005, 8192, 2),
	       "4 KiB blocks: data from odd addresses");
	parts_of_blocks("a file");
	tap_ok(!file_is_cached(),
	       "4 KiB blocks: the file is not in the page cache");
	tap_ok(!unset_disk() && !system("umount /mnt"),
	       "4 KiB blocks: the file system is unmounted");
}

void large_blocks(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, LARGE, O_RDWR),
	       "a disk with blocks of 4 KiB is attached");
	tap_ok(round_trip(8, DATA + 512, DATA + 0x800200, 65536, 5),
	       "4 KiB blocks: data that is not aligned in memory");
	parts_of_blocks("block device");
	large_block_file();
}
