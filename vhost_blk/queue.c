// SPDX-License-Identifier: GPL-2.0
/*
 * The worker's part: take requests from the ring, start them, and give back
 * those that are done.
 *
 * A kick makes the worker start all there is, up to the limits of weight. The
 * end of I/O puts a request on the queue's list and has the worker look at the
 * list, unless it is going to anyway: that is how one used index and one
 * interrupt serve many requests, and how those that end while they are started
 * cost no wakeup.
 */
#include <linux/blkdev.h>
#include <linux/uaccess.h>

#include "blk.h"
#include "compat.h"

/*
 * Stop the queue. What was started is completed; all else waits for the device
 * model to reset the device.
 */
static void queue_broken(struct vhost_blk_queue *queue, const char *why)
{
	queue->broken = true;
	vq_err(&queue->vq, "vhost_blk: %s\n", why);
}

/* Write what is done to the used ring. */
static void publish(struct vhost_blk_queue *queue)
{
	unsigned int count = queue->used_count;

	queue->used_count = 0;
	if (count && vhost_add_used_n(&queue->vq, queue->used, count))
		queue_broken(queue, "the used ring is not writable");
}

static void give_back(struct vhost_blk_queue *queue,
		      struct vhost_blk_request *request)
{
	struct vring_used_elem *used = &queue->used[queue->used_count];

	if (put_user(vhost_blk_status(request->error), request->status)) {
		queue_broken(queue, "a status byte is not writable");
		return;
	}
	if (vhost_blk_log_write(request)) {
		queue_broken(queue, "the log is not writable");
		return;
	}
	used->id = cpu_to_vhost32(&queue->vq, request->head);
	/* Of what failed, nothing but the status is sure to be written. */
	used->len = cpu_to_vhost32(&queue->vq,
				   request->error ? 1 : request->written);
	if (++queue->used_count == ARRAY_SIZE(queue->used))
		publish(queue);
}

static bool take_done(struct vhost_blk_queue *queue, struct list_head *done)
{
	spin_lock_irq(&queue->lock);
	list_splice_init(&queue->done, done);
	if (list_empty(done))
		queue->reaping = false;
	spin_unlock_irq(&queue->lock);
	return !list_empty(done);
}

/**
 * vhost_blk_queue_claim() - Requests that end need not wake the worker
 * @queue:	Queue
 *
 * Until the next vhost_blk_queue_reap().
 *
 * Context: The queue's worker, vq.mutex held.
 */
void vhost_blk_queue_claim(struct vhost_blk_queue *queue)
{
	spin_lock_irq(&queue->lock);
	queue->reaping = true;
	spin_unlock_irq(&queue->lock);
}

/**
 * vhost_blk_queue_reap() - Give back the requests that are done
 * @queue:	Queue
 * @tell:	Tell the driver; false when its memory may be out of reach
 *
 * Context: Process context, vq.mutex held; with @tell in the owner's address
 * space.
 */
void vhost_blk_queue_reap(struct vhost_blk_queue *queue, bool tell)
{
	struct vhost_blk_request *request, *next;
	bool any = false;
	LIST_HEAD(done);

	while (take_done(queue, &done)) {
		any = true;
		list_for_each_entry_safe(request, next, &done, list) {
			list_del(&request->list);
			vhost_blk_bdev_release(request);
			if (tell)
				give_back(queue, request);
			vhost_blk_request_put(request);
		}
	}
	if (!any || !tell)
		return;
	publish(queue);
	vhost_signal(queue->vq.dev, &queue->vq);
	if (queue->starved) {
		queue->starved = false;
		vhost_poll_queue(&queue->vq.poll);
	}
}

/* Requests are done. Worker. */
static void reap_work(struct vhost_work *work)
{
	struct vhost_blk_queue *queue =
		container_of(work, struct vhost_blk_queue, work);

	mutex_lock(&queue->vq.mutex);
	vhost_blk_queue_reap(queue, true);
	mutex_unlock(&queue->vq.mutex);
}

/**
 * vhost_blk_request_done() - A request has come to its end
 * @request:	Request
 * @error:	0 or a negative errno
 *
 * Context: Any, from within the start of the request to hard IRQ. The request
 * belongs to the worker afterwards.
 */
void vhost_blk_request_done(struct vhost_blk_request *request, int error)
{
	struct vhost_blk_queue *queue = request->queue;
	unsigned long flags;

	request->error = error;
	spin_lock_irqsave(&queue->lock, flags);
	list_add_tail(&request->list, &queue->done);
	if (!queue->reaping) {
		queue->reaping = true;
		/* Fails when the worker was killed; the release reaps then. */
		vhost_vq_work_queue(&queue->vq, &queue->work);
	}
	/* Under the lock: who waits takes it before the queue goes away. */
	if (!--queue->in_flight)
		wake_up(&queue->idle);
	spin_unlock_irqrestore(&queue->lock, flags);
}

static void count_in_flight(struct vhost_blk_queue *queue, int change)
{
	spin_lock_irq(&queue->lock);
	queue->in_flight += change;
	spin_unlock_irq(&queue->lock);
}

/* Leave the request in the ring until other ones have ended. */
static void starve(struct vhost_blk_queue *queue,
		   struct vhost_blk_request *request)
{
	queue->starved = true;
	vhost_discard_vq_desc(&queue->vq, 1);
	count_in_flight(queue, -1);
	vhost_blk_request_put(request);
}

/* Start the request of @head. Returns 0, or -errno when the queue is to pause. */
static int start_request(struct vhost_blk_queue *queue, unsigned int head,
			 unsigned int out, unsigned int in,
			 unsigned int log_count)
{
	struct vhost_blk_request *request = vhost_blk_request_get(queue);
	int ret;

	request->head = head;
	count_in_flight(queue, 1);
	vhost_blk_log_keep(request, log_count);
	ret = vhost_blk_request_start(request, out, in);
	if (ret == -EAGAIN) {
		starve(queue, request);
	} else if (ret) {
		count_in_flight(queue, -1);
		vhost_blk_request_put(request);
		queue_broken(queue, "a chain without header or status");
	}
	return ret;
}

/**
 * struct vhost_blk_load - What the worker has done in a row
 * @requests:	Requests that were started
 * @bytes:	Their data, and all else in their buffers
 */
struct vhost_blk_load {
	int requests;
	size_t bytes;
};

/* Returns 1, 0 if there is none, -errno if the queue has to pause. */
static int next_request(struct vhost_blk_queue *queue,
			struct vhost_blk_load *load)
{
	struct vhost_virtqueue *vq = &queue->vq;
	struct vhost_log *log = NULL;
	unsigned int out, in, log_count = 0;
	int head, ret;

	if (list_empty(&queue->free)) {
		queue->starved = true;
		return -EAGAIN;
	}
	if (unlikely(vhost_has_feature(vq, VHOST_F_LOG_ALL)))
		log = vq->log;
	head = vhost_get_vq_desc(vq, vq->iov, ARRAY_SIZE(vq->iov), &out, &in,
				 log, &log_count);
	if (head < 0) {
		queue_broken(queue, "a corrupt ring");
		return head;
	}
	if (head == vq->num)
		return 0;
	load->requests++;
	load->bytes += iov_length(vq->iov, out + in);
	ret = start_request(queue, head, out, in, log_count);
	return ret ?: 1;
}

static bool exceeds_weight(struct vhost_blk_queue *queue,
			   const struct vhost_blk_load *load)
{
	return vhost_exceeds_weight(&queue->vq, load->requests,
				    min_t(size_t, load->bytes, INT_MAX));
}

/* So many requests are started before those that are done are given back. */
#define REAP_EVERY	32

/* Returns true when the ring is empty, false when the queue has to pause. */
static bool start_requests(struct vhost_blk_queue *queue,
			   struct vhost_blk_load *load)
{
	struct blk_plug plug;
	int ret;

	vhost_blk_queue_claim(queue);
	blk_start_plug(&plug);
	do {
		ret = next_request(queue, load);
		if (ret > 0 && !(load->requests % REAP_EVERY)) {
			vhost_blk_queue_reap(queue, true);
			vhost_blk_queue_claim(queue);
		}
	} while (ret > 0 && !READ_ONCE(queue->stopping) &&
		 !exceeds_weight(queue, load));
	blk_finish_plug(&plug);
	vhost_blk_queue_reap(queue, true);
	return !ret;
}

/* Returns false if there are requests that the driver rings no bell for. */
static bool wait_for_kick(struct vhost_blk_queue *queue)
{
	struct vhost_virtqueue *vq = &queue->vq;

	if (!vhost_enable_notify(vq->dev, vq)) {
		vhost_blk_poll_quiet(queue);
		return true;
	}
	vhost_disable_notify(vq->dev, vq);
	return false;
}

static void run_queue(struct vhost_blk_queue *queue)
{
	struct vhost_virtqueue *vq = &queue->vq;
	struct vhost_blk_load load = { 0 };

	vhost_blk_poll_rung(queue);
	vhost_disable_notify(vq->dev, vq);
	while (start_requests(queue, &load))
		if (!vhost_blk_poll(queue) && wait_for_kick(queue))
			break;
}

/* The worker counts as a request in flight while it can start some. */
static bool enter(struct vhost_blk_queue *queue)
{
	bool enters;

	spin_lock_irq(&queue->lock);
	enters = !queue->stopping;
	queue->in_flight += enters;
	spin_unlock_irq(&queue->lock);
	return enters;
}

static void leave(struct vhost_blk_queue *queue)
{
	spin_lock_irq(&queue->lock);
	if (!--queue->in_flight)
		wake_up(&queue->idle);
	spin_unlock_irq(&queue->lock);
}

/* The driver rang, or the worker has asked itself to go on. */
static void handle_kick(struct vhost_work *work)
{
	struct vhost_virtqueue *vq =
		container_of(work, struct vhost_virtqueue, poll.work);
	struct vhost_blk_queue *queue =
		container_of(vq, struct vhost_blk_queue, vq);

	mutex_lock(&vq->mutex);
	if (vhost_vq_get_backend(vq) && !queue->broken && enter(queue)) {
		run_queue(queue);
		leave(queue);
	}
	mutex_unlock(&vq->mutex);
}

/* Before vhost_dev_init(). */
void vhost_blk_queue_init(struct vhost_blk_queue *queue, struct vhost_blk *blk)
{
	queue->blk = blk;
	queue->vq.handle_kick = handle_kick;
	queue->stopping = true;
	vhost_work_init(&queue->work, reap_work);
	mutex_init(&queue->bounce_mutex);
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->free);
	INIT_LIST_HEAD(&queue->done);
	init_waitqueue_head(&queue->idle);
}
