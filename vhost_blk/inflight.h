/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests in flight of a queue: how many there are, which have ended, and who
 * is told of it. Who detaches the disk waits here until none is left.
 */
#ifndef VHOST_BLK_INFLIGHT_H
#define VHOST_BLK_INFLIGHT_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <vhost.h>

struct task_struct;
struct vhost_blk_request;

/**
 * struct vhost_blk_inflight - Requests in flight of a queue
 * @vq:		Queue
 * @work:	Work of the queue's worker that gives back the requests in @done
 * @lock:	Guards the members below. The innermost lock; the end of I/O takes
 *		it in hard-IRQ context.
 * @stopping:	No request may be started; true while there is no disk
 * @done:	Requests that have ended and were not given back yet
 * @count:	Number of requests that were started and are not in @done, and one
 *		more while the worker is starting some
 * @reaping:	@work is queued, or the worker is going to look at @done anyway
 * @idle:	Woken when @count becomes 0
 * @sleeper:	The worker while it sleeps in vhost_blk_inflight_sleep()
 */
struct vhost_blk_inflight {
	struct vhost_virtqueue *vq;
	struct vhost_work work;
	/* Guards all members below. */
	spinlock_t lock;
	bool stopping;
	struct list_head done;
	unsigned int count;
	bool reaping;
	wait_queue_head_t idle;
	struct task_struct *sleeper;
};

void vhost_blk_inflight_init(struct vhost_blk_inflight *inflight,
			     struct vhost_virtqueue *vq, vhost_work_fn_t reap);
bool vhost_blk_inflight_enter(struct vhost_blk_inflight *inflight);
void vhost_blk_inflight_add(struct vhost_blk_inflight *inflight);
void vhost_blk_inflight_drop(struct vhost_blk_inflight *inflight);
void vhost_blk_inflight_done(struct vhost_blk_inflight *inflight,
			     struct vhost_blk_request *request);
void vhost_blk_inflight_claim(struct vhost_blk_inflight *inflight);
bool vhost_blk_inflight_take(struct vhost_blk_inflight *inflight,
			     struct list_head *done);
bool vhost_blk_inflight_sleep(struct vhost_blk_inflight *inflight, u64 ns);
void vhost_blk_inflight_stop(struct vhost_blk_inflight *inflight, bool stop);
long vhost_blk_inflight_wait(struct vhost_blk_inflight *inflight, long timeout);

#endif /* VHOST_BLK_INFLIGHT_H */
