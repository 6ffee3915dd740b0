// SPDX-License-Identifier: GPL-2.0
/*
 * The bios that requests become: several for a large one, in order, and
 * requests for which the disk has no room or the queue has no bios left.
 */
#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "trace.h"
#include "vhost_blk_checks.h"

/**
 * struct bios - bios in the trace
 * @count:	Number of bios
 * @next:	Sector behind the last bio
 * @in_order:	Each bio began where the one before it ended
 */
struct bios {
	unsigned int count;
	unsigned long long next;
	bool in_order;
};

/* block_bio_queue: MAJOR,MINOR FLAGS SECTOR + SECTORS [TASK] */
static void see_bio(uint64_t time, const char *what, void *context)
{
	unsigned long long sector;
	struct bios *bios = context;
	unsigned int sectors;

	(void)time;
	if (sscanf(what, "block_bio_queue: %*s R %llu + %u", &sector,
		   &sectors) != 2)
		return;
	bios->in_order &= sector == bios->next;
	bios->next = sector + sectors;
	bios->count++;
}

/* A large read is split into bios in ascending order, as hard disks need it. */
void parts_in_order(void)
{
	struct bios bios = { .in_order = true };

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR),
	       "a disk is attached");
	trace_set("trace", "\n");
	trace_set("events/block/block_bio_queue/enable", "1");
	trace_on(true);
	tap_eq(request(VIRTIO_BLK_T_IN, 0, DATA, 1 << 20), 0, "a large read");
	trace_on(false);
	trace_set("events/block/block_bio_queue/enable", "0");
	trace_read(see_bio, &bios);
	tap_ok(bios.count > 1 && bios.next == 1 << 11,
	       "the large read is made of several bios: %u", bios.count);
	tap_ok(bios.in_order, "the bios are in order");
}

/*
 * A flush has the flag of a request that somebody waits for. Without it the
 * kernel takes it for writeback, and may have it wait until other writes are
 * done.
 */
void flush_is_synchronous(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, CACHED, O_RDWR),
	       "a disk with a volatile cache is attached");
	trace_set("trace", "\n");
	trace_set("events/block/block_bio_queue/enable", "1");
	trace_on(true);
	tap_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0), 0, "a flush");
	trace_on(false);
	trace_set("events/block/block_bio_queue/enable", "0");
	tap_ok(!system("grep -q 'block_bio_queue: [0-9,]* FW*S ' " TRACE_DIR
		       "trace"),
	       "the flush is flagged as synchronous");
}

/*
 * A disk that takes one request at a time, for 20 ms each. The first request
 * must be completed at once, not when the last one has been submitted.
 */
void narrow_disk(void)
{
	tap_ok(make_disk("narrow", "irqmode=2 completion_nsec=20000000 "
				   "hw_queue_depth=1 ") &&
		       start_over(FLUSH_BIT | V1_BIT, NARROW, O_RDWR),
	       "a disk that takes one request at a time");
	flood(4096);
	tap_ok(is_used(500), "the first of %u requests is completed at once",
	       RING);
	for (; used_idx < RING && is_used(5000);)
		;
	tap_eq(used_idx, RING,
	       "all requests are completed, one after the other");
	tap_eq(mem[STATUS], 0, "the last request succeeds");
	tap_ok(round_trip(8, DATA, DATA + 0x800000, 2 << 20, 7),
	       "more data than it takes at once, there and back");
	tap_ok(!unset_disk() && remove_disk("narrow"), "the disk is released");
}

/* Requests for which the queue has no bios left must wait in the ring. */
void starvation(void)
{
	unsigned int i;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR),
	       "a fast disk is attached");
	flood(8 << 20);
	for (i = 0; i < RING && is_used(20000); i++)
		;
	tap_eq(i, RING, "%u requests of 8 MiB", RING);
	tap_eq(mem[STATUS], 0, "the last request succeeds");
}
