// SPDX-License-Identifier: GPL-2.0
/*
 * The disk's cache. What was flushed survives a power cut, and so does each
 * write without a cache. A write that was made without one is done before the
 * driver's cache is on.
 */
#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

/* Cut the disk's power: it loses the contents of its volatile cache. */
static bool cut_power(void)
{
	return !unset_disk() &&
	       !system("cd /sys/kernel/config/nullb/cached && "
		       "echo 0 > power && echo 1 > power") &&
	       !set_disk(CACHED, O_RDWR);
}

static bool write_block(uint64_t block, unsigned int seed)
{
	fill(DATA, 4096, seed);
	return request(VIRTIO_BLK_T_OUT, block * 8, DATA, 4096) == 0;
}

static bool block_is(uint64_t block, unsigned int seed)
{
	fill(DATA, 4096, seed);
	memset(mem + DATA + 4096, 0, 4096);
	return request(VIRTIO_BLK_T_IN, block * 8, DATA + 4096, 4096) == 0 &&
	       same(DATA, DATA + 4096, 4096);
}

/*
 * Whether a flushed block survives a power cut. Also checks that a block that
 * was not flushed is lost, without which the test would prove nothing.
 */
static bool flushed_survives(unsigned int cut)
{
	const uint64_t block = 2 * cut;

	return write_block(block, cut) &&
	       request(VIRTIO_BLK_T_FLUSH, 0, 0, 0) == 0 &&
	       write_block(block + 1, cut) && block_is(block + 1, cut) &&
	       cut_power() && block_is(block, cut) &&
	       reads_zeroes((block + 1) * 8, 4096);
}

/*
 * Whether a sector that is zeroed without a cache survives a power cut.
 * null_blk writes to its cache only where the disk has no page yet or the cache
 * has one. So that zeroes go to the cache, another sector of their page is
 * written there before the disk gets the page.
 */
static bool zeroed_survives(void)
{
	const uint64_t sector = 1001 * 8;
	int fd = open(CACHED, O_WRONLY | O_DIRECT);
	bool ok;

	fill(DATA, 512, 3);
	ok = pwrite(fd, mem + DATA, 512, sector * 512) == 512;
	close(fd);
	return ok && !request(VIRTIO_BLK_T_OUT, sector + 1, DATA, 512) &&
	       !ranges(VIRTIO_BLK_T_WRITE_ZEROES, sector + 1, 1, 0, 1) &&
	       cut_power() && reads_zeroes(sector + 1, 512);
}

/* A write without a cache keeps its promise when the cache is turned on. */
static void turned_on_in_flight(void)
{
	tap_ok(start_over(V1_BIT, SLOW, O_RDWR),
	       "a slow disk without a cache is attached");
	chain(VIRTIO_BLK_T_OUT, 0, DATA, 4096);
	ring(0);
	tap_ok(!is_used(SLOW_MILLIS / 4) && !set_features(FLUSH_BIT | V1_BIT),
	       "the driver turns the cache on during a write");
	tap_eq(count_used(), 1, "that write is done before the cache is on");
}

/* The disk's power is cut @count times with a cache, and as often without. */
void power_cuts(unsigned int count)
{
	unsigned int i;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, CACHED, O_RDWR),
	       "a disk with a volatile cache is attached");
	for (i = 0; i < count && flushed_survives(i); i++)
		;
	tap_eq(i, count, "what was flushed survives %u power cuts", count);
	tap_ok(write_block(199, 1) && !set_features(V1_BIT),
	       "the driver turns the cache off after a write");
	tap_ok(cut_power() && block_is(199, 1),
	       "that write survives a power cut");
	for (i = 0; i < count; i++)
		if (!write_block(200 + i, i) || !cut_power() ||
		    !block_is(200 + i, i))
			break;
	tap_eq(i, count, "without a cache each write survives, %u power cuts",
	       count);
	fill(DATA + 1, 4096, 2);
	tap_ok(!request(VIRTIO_BLK_T_OUT, 1000 * 8, DATA + 1, 4096) &&
		       cut_power() && block_is(1000, 2),
	       "so does one from an odd address");
	tap_ok(zeroed_survives(), "so does what is zeroed");
	turned_on_in_flight();
}
