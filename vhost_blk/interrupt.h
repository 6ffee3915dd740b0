/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts that are held back while the worker polls.
 *
 * A request that has ended is in the used ring at once. The interrupt that tells
 * of it waits for more of them while the driver is busy making further requests
 * available: it would only disturb the virtual CPU. How many requests one interrupt
 * can tell of depends on how many the driver keeps in flight, which nobody tells
 * the device. So it is found out: @batch doubles from time to time, and when the
 * driver then makes no more requests available, it waits for the interrupt, and
 * has fewer in flight than were to be collected. @batch becomes half of what was
 * collected, so that the driver gets the next interrupt before it has to wait. A
 * driver with one request in flight gets each interrupt at once, but for one in 128
 * when the attempt fails.
 */
#ifndef VHOST_BLK_INTERRUPT_H
#define VHOST_BLK_INTERRUPT_H

#include <linux/types.h>

struct vhost_blk_queue;

/**
 * struct vhost_blk_interrupt - The interrupt of a queue
 * @holding:	The worker polls, and may hold the interrupt back
 * @held:	Number of entries of the used ring that no interrupt has told of
 * @held_since:	Time at which the first of them was written
 * @batch:	Number of entries that one interrupt tells of
 * @trial:	@batch has been doubled, and was not reached since
 * @countdown:	Number of full batches until @batch is doubled
 * @interval:	What @countdown begins with
 * @limit_ns:	How long an entry may be held back
 *
 * All of it is under vq.mutex. Times are those of ktime_get_ns().
 */
struct vhost_blk_interrupt {
	bool holding;
	unsigned int held;
	u64 held_since;
	unsigned int batch;
	bool trial;
	unsigned int countdown;
	unsigned int interval;
	u64 limit_ns;
};

void vhost_blk_interrupt_init(struct vhost_blk_interrupt *interrupt);
void vhost_blk_interrupt_used(struct vhost_blk_queue *queue, unsigned int count);
void vhost_blk_interrupt_stalled(struct vhost_blk_queue *queue);
void vhost_blk_interrupt_now(struct vhost_blk_queue *queue);

#endif /* VHOST_BLK_INTERRUPT_H */
