// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vhost-blk by raw ioctls: requests whose buffers are cut in odd ways,
 * requests that no driver makes, disks that are attached and detached while
 * requests are in flight, and power cuts. The device must still work at the
 * end. This file makes the disks and calls the checks, which are in the other
 * files.
 *
 * Argument: number of power cuts.
 */
#include "raw_blk.h"
#include "tap.h"
#include "tap_group.h"
#include "trace.h"
#include "vhost_blk_checks.h"
#include "vmstat.h"

static bool make_disks(void)
{
	return mount_configfs() && make_disk("fast", "") &&
	       make_disk("slow", "irqmode=2 completion_nsec=400000000 ") &&
	       make_disk("cached", "cache_size=16 ") &&
	       !system("truncate -s 64M " SMALL_FILE);
}

static bool remove_disks(void)
{
	return remove_disk("fast") && remove_disk("slow") &&
	       remove_disk("cached") && unmount_configfs();
}

/* Some checks leave the device without an owner. */
static void set_up_again(void)
{
	tap_ok(set_up(FLUSH_BIT | V1_BIT), "the device is set up");
}

static void block_device(void)
{
	arguments();
	page_cache();
	transfers("block device");
	discard_and_zero("block device");
	cuts();
	wrong_requests();
	corrupt_rings();
	read_only();
	too_large();
	disk_errors();
	priority();
}

static void small_file(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, SMALL_FILE, O_RDWR),
	       "a file is attached");
	transfers("file");
	discard_and_zero("file");
	cuts();
	wrong_requests();
}

static void written_through(void)
{
	tap_ok(start_over(V1_BIT, FAST, O_RDWR),
	       "a disk without a cache is attached");
	transfers("written through");
}

static void file_system(void)
{
	tap_ok(make_file(), "a file system is made");
	frozen();
	detached_copying();
	unaligned_file();
	lost_data();
	traced_write();
	unmapped();
	memory_in_file();
	memory_without_pages(FAST);
	memory_without_pages(FS_FILE);
	tap_success(ioctl(vhost, VHOST_RESET_OWNER), "reset the owner");
	appended();
	set_up_again();
	tap_ok(remove_file(), "the file system is removed");
}

static void attaching(void)
{
	in_flight();
	set_up_again();
	parts_in_order();
	flush_is_synchronous();
	half_attached();
	set_up_again();
	rings_in_kernel();
	set_up_again();
}

int main(int argc, char **argv)
{
	long pinned = pages_pinned();

	raw_blk_init();
	trace_init();
	tap_ok(make_disks() && make_large_blocks(), "the disks are made");
	stuck_begin();
	tap_ok(raw_blk_open(), "the device opens");
	block_device();
	small_file();
	written_through();
	large_blocks();
	power_cuts(argc > 1 ? strtoul(argv[1], NULL, 0) : 1);
	file_system();
	attaching();
	narrow_disk();
	tap_group("busy_disk", busy_disk);
	long_zeroing();
	starvation();
	tap_group("empty_tables", empty_tables);
	dirty_pages();
	log_of_claims();
	memory_changes();
	workers();
	tap_group("two_queues", two_queues);
	busyloop();
	held_interrupts();
	wanted_cpu();
	polling();
	counters();
	traces();
	batches();
	race();
	large_rings();
	tap_ok(guards_are_intact(), "only guest memory was written to");
	close(vhost);
	stuck_end();
	tap_eq(pages_pinned() - pinned, 0, "no page of memory stays pinned");
	tap_ok(remove_disks(), "the disks are removed: nothing is in use");
	return tap_done();
}
