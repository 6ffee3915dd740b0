// SPDX-License-Identifier: GPL-2.0
/*
 * Requests pass by the page cache, that of a block device as well as that of a
 * file.
 */
#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

/* A block device's page cache is emptied when the disk is attached. */
void page_cache(void)
{
	int fd = open(FAST, O_RDWR);

	fill(DATA, 4096, 3);
	tap_ok(pwrite(fd, mem + DATA, 4096, 0) == 4096 && !unset_disk() &&
		       !set_disk(FAST, O_RDWR),
	       "a disk is attached whose page cache is dirty");
	tap_ok(!request(VIRTIO_BLK_T_IN, 0, DATA + 4096, 4096) &&
		       same(DATA, DATA + 4096, 4096),
	       "page cache: what it held is read from the disk");
	fill(DATA, 4096, 4);
	tap_ok(!request(VIRTIO_BLK_T_OUT, 0, DATA, 4096) &&
		       pread(fd, mem + DATA + 4096, 4096, 0) == 4096 &&
		       same(DATA, DATA + 4096, 4096),
	       "page cache: it holds nothing from before a write");
	close(fd);
}

/* Whether the beginning of the file is in the page cache. */
bool file_is_cached(void)
{
	int fd = open(FS_FILE, O_RDONLY);
	void *map = mmap(NULL, 65536, PROT_READ, MAP_SHARED, fd, 0);
	unsigned char pages[16] = { 0 };

	mincore(map, 65536, pages);
	munmap(map, 65536);
	close(fd);
	return memchr(pages, 1, sizeof(pages));
}

/*
 * Buffered I/O beside direct I/O to the same file can lose data, so unaligned
 * requests must not use the page cache either.
 */
void unaligned_file(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR) &&
		       round_trip(0, DATA, DATA + 0x800000, 65536, 1),
	       "a file is attached");
	tap_ok(!file_is_cached(), "a file: it is not in the page cache");
	tap_ok(round_trip(5, DATA + 3, DATA + 0x800005, 8192, 2),
	       "a file: from odd addresses");
	tap_ok(round_trip(5, DATA + 1, DATA + 0x800001, 300 * 512, 3),
	       "a file: a lot from odd addresses");
	tap_ok(!file_is_cached(), "a file: it still is not in the page cache");
	tap_success(unset_disk(), "the file is released");
}
