// SPDX-License-Identifier: GPL-2.0
/*
 * Discarding and zeroing: which ranges the device takes, what they read as,
 * whether a file keeps its blocks, and a reset during a long zeroing.
 */
#include <sys/stat.h>

#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

#define FS_LOOP "/dev/loop2"

/* Zero sectors 64 and 80 by one request. */
static int two_ranges(void)
{
	struct virtio_blk_discard_write_zeroes *r = (void *)(mem + DATA);

	r[0] = (struct virtio_blk_discard_write_zeroes){ 64, 1, 1 };
	r[1] = (struct virtio_blk_discard_write_zeroes){ 80, 1, 1 };
	return request(VIRTIO_BLK_T_WRITE_ZEROES, 0, DATA, 2 * sizeof(*r));
}

/* Zero across a multiple of 8 MiB: a block device is zeroed in such pieces. */
static bool zero_in_pieces(void)
{
	const uint64_t sector = (8 << 11) - 8;

	return round_trip(sector, DATA, DATA + 0x800000, 8192, 6) &&
	       !ranges(VIRTIO_BLK_T_WRITE_ZEROES, sector, 16, 1, 1) &&
	       reads_zeroes(sector, 8192);
}

void discard_and_zero(const char *disk)
{
	const uint32_t discard = VIRTIO_BLK_T_DISCARD;
	const uint32_t zeroes = VIRTIO_BLK_T_WRITE_ZEROES;

	round_trip(0, DATA, DATA + 0x800000, 65536, 1);
	tap_eq(ranges(zeroes, 8, 8, 1, 1), 0, "%s: zero and unmap", disk);
	tap_ok(reads_zeroes(8, 4096), "%s: what was zeroed reads as zeroes",
	       disk);
	tap_eq(ranges(discard, 24, 8, 0, 1), 0, "%s: discard", disk);
	tap_ok(reads_zeroes(24, 4096), "%s: what was discarded reads as zeroes",
	       disk);
	tap_eq(ranges(discard, 0, 8, 0, 16), 0, "%s: 16 ranges", disk);
	tap_eq(two_ranges(), 0, "%s: two ranges that are apart", disk);
	tap_ok(reads_zeroes(64, 512) && reads_zeroes(80, 512),
	       "%s: both ranges read as zeroes", disk);
	tap_ok(!request(VIRTIO_BLK_T_IN, 65, DATA + 0x800000, 512) &&
		       mem[DATA + 0x800000],
	       "%s: the sector between them does not", disk);
	tap_ok(zero_in_pieces(), "%s: two pieces are zeroed", disk);
	tap_eq(ranges(discard, 0, 8, 0, 17), VIRTIO_BLK_S_IOERR,
	       "%s: 17 ranges", disk);
	tap_eq(ranges(discard, 0, 0, 0, 1), VIRTIO_BLK_S_IOERR,
	       "%s: an empty range", disk);
	tap_eq(ranges(discard, SECTORS, 8, 0, 1), VIRTIO_BLK_S_IOERR,
	       "%s: a range behind the end", disk);
	tap_eq(ranges(discard, 0, 8, 1, 1), VIRTIO_BLK_S_UNSUPP,
	       "%s: discard with unmap", disk);
	tap_eq(ranges(zeroes, 0, 8, 2, 1), VIRTIO_BLK_S_UNSUPP,
	       "%s: an unknown flag", disk);
	tap_eq(request(discard, 0, DATA, 0), VIRTIO_BLK_S_IOERR, "%s: no range",
	       disk);
	tap_eq(request(discard, 0, DATA, 15), VIRTIO_BLK_S_IOERR,
	       "%s: part of a range", disk);
}

/*
 * The owner is reset while the disk is being zeroed, which takes four seconds.
 * The zeroing must stop early, before it gets to the end of the disk.
 */
void long_zeroing(void)
{
	tap_ok(make_disk("narrow", "mbps=16 ") &&
		       start_over(FLUSH_BIT | V1_BIT, NARROW, O_RDWR) &&
		       round_trip(SECTORS - 8, DATA, DATA + 0x800000, 4096, 1),
	       "a disk that takes 16 MB a second");
	*(struct virtio_blk_discard_write_zeroes *)(mem + DATA + 0x1000) =
		(struct virtio_blk_discard_write_zeroes){ .num_sectors =
								  SECTORS };
	chain(VIRTIO_BLK_T_WRITE_ZEROES, 0, DATA + 0x1000, 16);
	ring(0);
	tap_ok(!is_used(300), "zeroing the whole disk takes its time");
	tap_ok(start_over(FLUSH_BIT | V1_BIT, NARROW, O_RDWR) &&
		       !request(VIRTIO_BLK_T_IN, SECTORS - 8, DATA + 0x800000,
				4096) &&
		       same(DATA, DATA + 0x800000, 4096),
	       "a reset does not wait for the end of zeroing");
	tap_ok(reads_zeroes(0, 4096), "the beginning of the disk was zeroed");
	tap_ok(!unset_disk() && remove_disk("narrow"), "the disk is released");
}

static long blocks_of_file(void)
{
	struct stat file;

	return stat(FS_FILE, &file) ? -1 : file.st_blocks;
}

/* Zeroing gives blocks of the file back only if the driver allows that. */
static void unmapping(const char *disk, const char *what)
{
	const uint32_t zeroes = VIRTIO_BLK_T_WRITE_ZEROES;
	long blocks;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, disk, O_RDWR) &&
		       !request(VIRTIO_BLK_T_OUT, 0, DATA, 65536) &&
		       !request(VIRTIO_BLK_T_FLUSH, 0, 0, 0),
	       "%s is attached", what);
	blocks = blocks_of_file();
	tap_ok(!ranges(zeroes, 0, 128, 0, 1) && blocks_of_file() >= blocks,
	       "%s: what is zeroed stays allocated", what);
	tap_ok(!ranges(zeroes, 0, 128, 1, 1) && blocks_of_file() < blocks,
	       "%s: what may be unmapped does not", what);
	tap_ok(reads_zeroes(0, 65536), "%s: both read as zeroes", what);
	tap_success(unset_disk(), "%s is released", what);
}

void unmapped(void)
{
	unmapping(FS_FILE, "a file with holes");
	tap_ok(!system("losetup " FS_LOOP " " FS_FILE), "a loop device");
	unmapping(FS_LOOP, "a loop device with holes");
	tap_ok(!system("losetup -d " FS_LOOP), "the loop device is removed");
}
