/* SPDX-License-Identifier: GPL-2.0 */
/* A device with two queues, of which raw_blk.h uses one at a time. */
#ifndef TWO_QUEUES_H
#define TWO_QUEUES_H

#include "raw_blk.h"

#define SECOND_RINGS 0x6000

/* One of two queues: the variables that raw_blk.h has for it */
struct side {
	unsigned int queue;
	uint32_t rings;
	int kick;
	int call;
	uint16_t avail_idx;
	uint16_t used_idx;
};

/* The queue that is not in use */
static struct side other = { .queue = 1, .rings = SECOND_RINGS };

/* Go over to the other one of two queues. */
static inline void change_sides(void)
{
	struct side was = { queue, rings, kick, call, avail_idx, used_idx };

	queue = other.queue;
	rings = other.rings;
	kick = other.kick;
	call = other.call;
	avail_idx = other.avail_idx;
	used_idx = other.used_idx;
	other = was;
}

/* Open a device, and set it up with two queues. */
static inline bool open_two(void)
{
	bool ok = raw_blk_open() && set_up(FLUSH_BIT | V1_BIT);

	if (!other.kick) {
		other.kick = eventfd(0, EFD_NONBLOCK);
		other.call = eventfd(0, EFD_NONBLOCK);
	}
	change_sides();
	ok &= set_up_queue();
	change_sides();
	return ok;
}

#endif /* TWO_QUEUES_H */
