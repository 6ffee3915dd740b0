// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of tens of thousands of descriptors without a length. The vhost core
 * reads them all, which takes the worker long; meanwhile it must not neglect
 * the device's other queue.
 */
#include "raw_blk.h"
#include "tap.h"
#include "two_queues.h"
#include "vhost_blk_checks.h"

#define EMPTY_DESCRIPTORS 65536
#define LARGE_TABLE	  (DATA + 0x100000)

/* Fill queue 0 with requests that each have a table of empty descriptors. */
static void flood_tables(void)
{
	struct vring_desc *table = (void *)(mem + LARGE_TABLE);
	unsigned int i;

	for (i = 0; i < EMPTY_DESCRIPTORS - 1; i++)
		table[i] = (struct vring_desc){ .flags = VRING_DESC_F_NEXT };
	table[i] = (struct vring_desc){ 0 };
	header(VIRTIO_BLK_T_GET_ID, 0);
	begin();
	add_out(HEADER, 16);
	add(GPA + LARGE_TABLE, EMPTY_DESCRIPTORS * sizeof(*table),
	    VRING_DESC_F_INDIRECT);
	add_in(STATUS, 1);
	for (i = 0; i < RING; i++)
		offer(0);
	eventfd_write(kick, 1);
}

void empty_tables(void)
{
	volatile struct vring_used *first;

	raw_blk_init();
	tap_ok(open_two() && !set_disk(FAST, O_RDWR),
	       "empty descriptors: two queues of one worker");
	first = used();
	flood_tables();
	change_sides();
	tap_eq(request(VIRTIO_BLK_T_GET_ID, 0, DATA, VIRTIO_BLK_ID_BYTES), 0,
	       "empty descriptors: the other queue is served");
	tap_ok(first->idx < RING / 2,
	       "empty descriptors: after %u of the first queue's %u requests",
	       first->idx, RING);
	change_sides();
	tap_success(unset_disk(), "empty descriptors: the disk is released");
	close(vhost);
}
