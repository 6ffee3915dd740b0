// SPDX-License-Identifier: GPL-2.0
/*
 * The worker's part of a queue. A doorbell makes the worker start all requests of
 * the ring, up to the limits of weight. Requests that end meanwhile are returned
 * without a wakeup; for those that end later, the end of I/O wakes the worker.
 *
 * handle_kick() and reap_work() run in the queue's worker and take vq.mutex;
 * what they call runs with it held. vq.mutex guards the ring and all of &struct
 * vhost_blk_queue but @inflight, whose count and list have a lock of their own.
 * No lock guards a request that was started: it belongs to its I/O until it has
 * ended, see pool.h. vhost_blk_queue_init() runs when the device is opened, and
 * the functions behind it in an ioctl or in the release of the file, with
 * dev.mutex held.
 */
#include <linux/blkdev.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/sched.h>

#include "blk.h"
#include "log.h"
#include "poll.h"
#include "queue.h"
#include "reap.h"
#include "request.h"
#include "worker.h"

/* Number of requests that are started before those that ended are returned. */
#define REAP_EVERY	32

/*
 * Time after which the worker goes on to the next of its queues. A driver can
 * make requests that take long and have few bytes: the vhost core reads up to
 * 65536 empty descriptors for each entry of the ring.
 */
#define WEIGHT_MS	10

/* Work of the worker: requests have ended. Takes vq.mutex. */
static void reap_work(struct vhost_work *work)
{
	struct vhost_blk_queue *queue =
		container_of(work, struct vhost_blk_queue, inflight.work);

	mutex_lock(&queue->vq.mutex);
	vhost_blk_queue_reap(queue, true);
	mutex_unlock(&queue->vq.mutex);
}

/*
 * Leave the request in the ring until other ones have ended. In the worker,
 * vq.mutex is held.
 */
static void starve(struct vhost_blk_queue *queue,
		   struct vhost_blk_request *request)
{
	queue->starved = true;
	vhost_discard_vq_desc(&queue->vq, 1);
	vhost_blk_inflight_drop(&queue->inflight);
	vhost_blk_request_put(&queue->pool, request);
}

/*
 * Count a request that is being started, by the number that are in flight. In
 * the worker, vq.mutex is held; the number is read without its lock, as it may
 * change at any time.
 */
static void count_start(struct vhost_blk_queue *queue,
			struct vhost_blk_request *request)
{
	/* The worker counts as one request as well. */
	unsigned int depth = READ_ONCE(queue->inflight.count) - 1;

	queue->stats.depth[histogram_bucket(depth, VHOST_BLK_DEPTHS)]++;
	request->start_ns = 0;
	if (static_branch_unlikely(&vhost_blk_latency_key))
		request->start_ns = ktime_get_ns();
}

/*
 * Start the request of @head; the caller has seen that one is free in the pool.
 * Returns 0, upon which the request belongs to its I/O; -EAGAIN when it waits
 * in the ring until others have ended; another -errno when the queue is broken
 * and takes no more. In the worker, vq.mutex is held; may sleep.
 */
static int start_request(struct vhost_blk_queue *queue, unsigned int head,
			 unsigned int out, unsigned int in,
			 unsigned int log_count)
{
	struct vhost_blk_request *request = vhost_blk_request_get(&queue->pool);
	int ret;

	request->head = head;
	vhost_blk_inflight_add(&queue->inflight);
	count_start(queue, request);
	vhost_blk_log_keep(request, log_count);
	ret = vhost_blk_request_start(request, out, in);
	if (ret == -EAGAIN) {
		starve(queue, request);
	} else if (ret) {
		vhost_blk_inflight_drop(&queue->inflight);
		vhost_blk_request_put(&queue->pool, request);
		vhost_blk_queue_broken(queue, "a chain without header or status");
	}
	return ret;
}

/**
 * struct vhost_blk_load - What the worker has done in a row
 * @requests:	Requests that were started
 * @bytes:	Length of all their buffers
 * @end:	Time after which it is the next queue's turn, in jiffies
 */
struct vhost_blk_load {
	int requests;
	size_t bytes;
	unsigned long end;
};

/*
 * Take the next request from the ring and start it. Returns 1 if it was
 * started, 0 if the ring is empty, -errno if the queue has to pause. Called by
 * the worker under vq.mutex, which guards the ring and vq.iov.
 */
static int next_request(struct vhost_blk_queue *queue,
			struct vhost_blk_load *load)
{
	struct vhost_virtqueue *vq = &queue->vq;
	struct vhost_log *log = NULL;
	unsigned int out, in, log_count = 0;
	int head, ret;

	if (list_empty(&queue->pool.free)) {
		queue->starved = true;
		return -EAGAIN;
	}
	if (unlikely(vhost_has_feature(vq, VHOST_F_LOG_ALL)))
		log = vq->log;
	head = vhost_get_vq_desc(vq, vq->iov, ARRAY_SIZE(vq->iov), &out, &in,
				 log, &log_count);
	if (head < 0) {
		vhost_blk_queue_broken(queue, "a corrupt ring");
		return head;
	}
	if (head == vq->num)
		return 0;
	load->requests++;
	load->bytes += iov_length(vq->iov, out + in);
	ret = start_request(queue, head, out, in, log_count);
	return ret ?: 1;
}

/*
 * Whether it is the turn of the worker's next queue. Then it is queued again.
 */
static bool exceeds_weight(struct vhost_blk_queue *queue,
			   const struct vhost_blk_load *load)
{
	if (time_after(jiffies, load->end)) {
		vhost_poll_queue(&queue->vq.poll);
		return true;
	}
	return vhost_exceeds_weight(&queue->vq, load->requests,
				    min_t(size_t, load->bytes, INT_MAX));
}

/*
 * Start the requests in the ring, and return those that have ended meanwhile.
 * Returns true when the ring is empty, false when the queue has to pause. In
 * the worker, vq.mutex is held.
 */
static bool start_requests(struct vhost_blk_queue *queue,
			   struct vhost_blk_load *load)
{
	struct vhost_blk_load before = *load;
	u64 start = ktime_get_ns();
	struct blk_plug plug;
	int ret;

	vhost_blk_inflight_claim(&queue->inflight);
	blk_start_plug(&plug);
	do {
		ret = next_request(queue, load);
		if (ret > 0 && !(load->requests % REAP_EVERY)) {
			vhost_blk_queue_reap(queue, true);
			vhost_blk_inflight_claim(&queue->inflight);
		}
	} while (ret > 0 && !READ_ONCE(queue->inflight.stopping) &&
		 !exceeds_weight(queue, load));
	blk_finish_plug(&plug);
	vhost_blk_queue_reap(queue, true);
	if (load->requests > before.requests)
		vhost_blk_poll_started(queue, ktime_get_ns() - start,
				       load->requests - before.requests,
				       load->bytes - before.bytes);
	return !ret;
}

/*
 * Ask the driver for doorbells. Returns false if it has made requests available
 * in the meantime, for which it does not ring. In the worker, vq.mutex is held.
 */
static bool wait_for_kick(struct vhost_blk_queue *queue)
{
	struct vhost_virtqueue *vq = &queue->vq;

	if (!vhost_enable_notify(vq->dev, vq)) {
		queue->stats.waits++;
		return true;
	}
	vhost_disable_notify(vq->dev, vq);
	return false;
}

/*
 * Start requests until the ring is empty and the driver has been asked for a
 * doorbell. Called by the worker under vq.mutex.
 */
static void run_queue(struct vhost_blk_queue *queue)
{
	struct vhost_virtqueue *vq = &queue->vq;
	struct vhost_blk_load load = {
		.end = jiffies + msecs_to_jiffies(WEIGHT_MS),
	};

	vhost_blk_poll_begin(queue);
	vhost_disable_notify(vq->dev, vq);
	while (start_requests(queue, &load))
		if (!vhost_blk_poll(queue) && wait_for_kick(queue))
			break;
	vhost_blk_poll_end(queue);
}

/*
 * Work of the worker: the driver rang, or the worker has asked itself to go on.
 * Takes vq.mutex. Does nothing while the disk is being taken away.
 */
static void handle_kick(struct vhost_work *work)
{
	struct vhost_virtqueue *vq =
		container_of(work, struct vhost_virtqueue, poll.work);
	struct vhost_blk_queue *queue =
		container_of(vq, struct vhost_blk_queue, vq);

	mutex_lock(&vq->mutex);
	if (vhost_vq_get_backend(vq) && !queue->broken &&
	    vhost_blk_inflight_enter(&queue->inflight)) {
		run_queue(queue);
		vhost_blk_inflight_drop(&queue->inflight);
	}
	mutex_unlock(&vq->mutex);
}

/**
 * vhost_blk_queue_init() - Begin with a queue without a disk
 * @queue:	Queue, zeroed
 * @blk:	Device
 *
 * Context: Process context, before vhost_dev_init().
 */
void vhost_blk_queue_init(struct vhost_blk_queue *queue, struct vhost_blk *blk)
{
	queue->blk = blk;
	queue->vq.handle_kick = handle_kick;
	vhost_blk_pool_init(&queue->pool);
	vhost_blk_inflight_init(&queue->inflight, &queue->vq, reap_work);
}

/*
 * Allocate the requests of a queue. In an ioctl, dev.mutex and vq.mutex are
 * held; may sleep.
 */
static int create_pool(struct vhost_blk_queue *queue)
{
	struct vhost_blk_pool *pool = &queue->pool;
	unsigned int i;
	int ret;

	ret = vhost_blk_pool_create(pool, queue->vq.num,
				    queue->blk->disk.ops->needs_bios);
	if (ret)
		return ret;
	for (i = 0; i < pool->request_count; i++)
		vhost_blk_request_init(&pool->requests[i], queue);
	return 0;
}

/*
 * Prepare all that a queue needs to start requests. In an ioctl, dev.mutex and
 * vq.mutex are held; may sleep. The worker sees the backend only after vq.mutex
 * is released.
 */
static int prepare_queue(struct vhost_blk_queue *queue)
{
	int ret;

	ret = create_pool(queue);
	if (ret)
		return ret;
	queue->broken = false;
	queue->starved = false;
	queue->used_count = 0;
	queue->poll = (struct vhost_blk_poll){ 0 };
	vhost_blk_interrupt_init(&queue->interrupt);
	vhost_vq_set_backend(&queue->vq, queue->blk);
	ret = vhost_vq_init_access(&queue->vq);
	if (ret) {
		vhost_vq_set_backend(&queue->vq, NULL);
		vhost_blk_pool_destroy(&queue->pool);
	}
	return ret;
}

/**
 * vhost_blk_queue_attach() - Give a queue the disk of its device
 * @queue:	Queue
 *
 * No request is started yet.
 *
 * Context: Process context, dev.mutex held, under which the addresses of the ring
 * are set. Takes vq.mutex.
 *
 * Return: 1 if the queue can run; 0 if the driver does not use it; -EFAULT if its
 * ring does not lie in guest memory; as vhost_blk_worker_start(); -ENOMEM.
 */
int vhost_blk_queue_attach(struct vhost_blk_queue *queue)
{
	int ret;

	if (!queue->vq.desc || !queue->vq.avail || !queue->vq.used)
		return 0;
	ret = vhost_blk_worker_start(queue);
	if (ret)
		return ret;
	mutex_lock(&queue->vq.mutex);
	ret = -EFAULT;
	if (vhost_vq_access_ok(&queue->vq))
		ret = prepare_queue(queue) ?: 1;
	mutex_unlock(&queue->vq.mutex);
	return ret;
}

/**
 * vhost_blk_queue_detach() - Take the disk away from a queue
 * @queue:	Queue without a request in flight
 *
 * Context: Process context, dev.mutex held. Takes vq.mutex.
 */
void vhost_blk_queue_detach(struct vhost_blk_queue *queue)
{
	struct vhost_virtqueue *vq = &queue->vq;

	mutex_lock(&vq->mutex);
	if (vhost_vq_get_backend(vq)) {
		/*
		 * A process that exits has no address space any more, and the
		 * used ring cannot be reached; the results are dropped.
		 */
		vhost_blk_queue_reap(queue, current->mm == vq->dev->mm);
		vhost_vq_set_backend(vq, NULL);
		vhost_blk_pool_destroy(&queue->pool);
	}
	mutex_unlock(&vq->mutex);
}
