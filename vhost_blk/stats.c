// SPDX-License-Identifier: GPL-2.0
/*
 * The counters of a device: those of its queues together. Each queue's worker
 * counts under its vq.mutex; whoever reads takes no lock, and may miss what is
 * just being counted.
 */
#include "blk.h"

/**
 * vhost_blk_stats_sum() - See VHOST_BLK_SUM()
 * @blk:	Device
 * @offset:	Offset of the counter in &struct vhost_blk_stats
 *
 * Context: Any, no lock needed. The worker may be counting.
 *
 * Return: The sum of the counters of all queues
 */
u64 vhost_blk_stats_sum(const struct vhost_blk *blk, size_t offset)
{
	u64 total = 0;
	unsigned int i;

	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++)
		total += READ_ONCE(*(u64 *)((char *)&blk->queues[i]->stats +
					    offset));
	return total;
}
