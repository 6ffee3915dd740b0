// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of tens of thousands of descriptors without a length. The vhost core
 * reads them all, which takes the worker long; meanwhile it must not neglect
 * the device's other queue.
 */
#include "raw_blk.h"
#include "tap.h"
#include "vhost_blk_checks.h"

#define EMPTY_DESCRIPTORS 65536
#define LARGE_TABLE	  (DATA + 0x100000)
#define SECOND_RINGS	  0x6000

static int second_kick, second_call;

static int second_file(unsigned long request, int fd)
{
	struct vhost_vring_file file = { .index = 1, .fd = fd };

	return ioctl(vhost, request, &file);
}

/* Set up queue 1 of a device whose queue 0 is set up. */
static bool set_up_second(void)
{
	struct vhost_vring_state size = { .index = 1, .num = RING };
	struct vhost_vring_addr addr = {
		.index = 1,
		.desc_user_addr = (uintptr_t)mem + SECOND_RINGS,
		.avail_user_addr = (uintptr_t)mem + SECOND_RINGS + AVAIL,
		.used_user_addr = (uintptr_t)mem + SECOND_RINGS + USED,
	};

	second_kick = eventfd(0, EFD_NONBLOCK);
	second_call = eventfd(0, EFD_NONBLOCK);
	return !ioctl(vhost, VHOST_SET_VRING_NUM, &size) &&
	       !ioctl(vhost, VHOST_SET_VRING_ADDR, &addr) &&
	       !second_file(VHOST_SET_VRING_CALL, second_call) &&
	       !second_file(VHOST_SET_VRING_KICK, second_kick);
}

/* Let the functions of raw_blk.h use queue 1, which is new. */
static void use_second(void)
{
	kick = second_kick;
	call = second_call;
	rings = SECOND_RINGS;
	avail_idx = 0;
	used_idx = 0;
}

/* Fill queue 0 with requests that each have a table of empty descriptors. */
static void flood(void)
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
	tap_ok(raw_blk_open() && set_up(FLUSH_BIT | V1_BIT) &&
		       set_up_second() && !set_disk(FAST, O_RDWR),
	       "empty descriptors: two queues of one worker");
	first = used();
	flood();
	use_second();
	tap_eq(request(VIRTIO_BLK_T_GET_ID, 0, DATA, VIRTIO_BLK_ID_BYTES), 0,
	       "empty descriptors: the other queue is served");
	tap_ok(first->idx < RING / 2,
	       "empty descriptors: after %u of the first queue's %u requests",
	       first->idx, RING);
	tap_success(unset_disk(), "empty descriptors: the disk is released");
	close(vhost);
}
