/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The worker polls for the driver's next request before it asks for a doorbell: on
 * a hypervisor each doorbell stops a virtual CPU. It returns requests that end
 * meanwhile, and is spared a wakeup for each.
 *
 * All times are measured in requests: in what it takes the worker to start a small
 * one. So they suit the machine, and time that was polled in vain is never more than
 * some requests' worth. How long the worker polls follows what comes of it. The time
 * doubles when the next request comes soon after the ring has become empty, and
 * halves when it does not: a disk that is idle costs nothing but its first few
 * polls, and neither does one whose guest waits for the disk.
 */
#ifndef VHOST_BLK_POLL_H
#define VHOST_BLK_POLL_H

#include <linux/types.h>

struct vhost_blk_queue;

/**
 * struct vhost_blk_poll - Polling of a queue
 * @request_ns:	What it takes the worker to start a small request; 0 before the
 *		first of them
 * @window_ns:	How long the worker polls; 0 if it does not
 * @empty_since: Time at which the ring became empty, if the worker then asked for a
 *		doorbell; otherwise 0
 *
 * All of it is under vq.mutex. Times are those of ktime_get_ns().
 */
struct vhost_blk_poll {
	u64 request_ns;
	u64 window_ns;
	u64 empty_since;
};

void vhost_blk_poll_begin(struct vhost_blk_queue *queue);
void vhost_blk_poll_started(struct vhost_blk_queue *queue, u64 ns,
			    unsigned int requests, size_t bytes);
bool vhost_blk_poll(struct vhost_blk_queue *queue);
void vhost_blk_poll_end(struct vhost_blk_queue *queue);

#endif /* VHOST_BLK_POLL_H */
