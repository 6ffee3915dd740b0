/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a queue has done. The worker counts under vq.mutex, without atomic
 * operations; whoever reads the counters takes no lock. What they mean
 * is in Documentation/counters.md and tracing.md.
 */
#ifndef VHOST_BLK_STATS_H
#define VHOST_BLK_STATS_H

#include <linux/jump_label.h>
#include <linux/types.h>
#include <linux/virtio_blk.h>

#include "histogram.h"

/* VIRTIO_BLK_T_* that are told apart; the last one is for all beyond. */
#define VHOST_BLK_TYPES		(VIRTIO_BLK_T_WRITE_ZEROES + 2)

/* Up to 1024 requests can be in flight. */
#define VHOST_BLK_DEPTHS	11

/**
 * struct vhost_blk_stats - Counters of a queue
 * @requests:	Requests that have ended, by VIRTIO_BLK_T_*
 * @errors:	Those among them that have failed
 * @depth:	Requests by the number that was in flight when they were started, the
 *		request itself included: [i] are those from 2^i to 2^(i+1) - 1
 * @latency:	Requests by the nanoseconds from their start to their return to the
 *		driver, as @depth; counted while vhost_blk_latency_key is on
 * @polls:	How often the worker polled
 * @polls_found: How often that found a request
 * @waits:	How often the worker asked the driver for a doorbell
 * @interrupts:	How often the worker interrupted the driver
 */
struct vhost_blk_stats {
	u64 requests[VHOST_BLK_TYPES];
	u64 errors;
	u64 depth[VHOST_BLK_DEPTHS];
	u64 latency[HISTOGRAM_NS_BUCKETS];
	u64 polls;
	u64 polls_found;
	u64 waits;
	u64 interrupts;
};

DECLARE_STATIC_KEY_FALSE(vhost_blk_latency_key);

struct vhost_blk;

u64 vhost_blk_stats_sum(const struct vhost_blk *blk, size_t offset);

/* The sum of a counter of &struct vhost_blk_stats over all queues of @blk. */
#define VHOST_BLK_SUM(blk, counter)					\
	vhost_blk_stats_sum(blk, offsetof(struct vhost_blk_stats, counter))

#endif /* VHOST_BLK_STATS_H */
