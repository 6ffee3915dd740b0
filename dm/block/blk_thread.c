// SPDX-License-Identifier: GPL-2.0
/*
 * The requests are handled by threads of this process, one per queue, that live
 * while the driver has the device running; one request after the other, through
 * the page cache.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <linux/virtio_ring.h>

#include "baseline/blk_request.h"
#include "baseline/blk_sync.h"
#include "block/blk.h"
#include "process/log.h"
#include "process/worker.h"

/* After so many requests the thread looks whether it is to end. */
#define BATCH 16

/**
 * struct blk_thread_queue - A queue and its thread
 * @blk:	Device
 * @worker:	Has @vq and @chain to itself
 * @kick:	eventfd: doorbell
 * @vq:		Queue
 * @chain:	The chain at hand
 *
 * The state of this backend is an array of them.
 */
struct blk_thread_queue {
	struct blk *blk;
	struct worker worker;
	int kick;
	struct virtqueue vq;
	struct virtqueue_chain chain;
};

/* Returns 1, 0 if there is no request, -errno if the queue is corrupt. */
static int next_request(struct blk_thread_queue *queue)
{
	struct blk_request request;
	int ret;

	ret = virtqueue_pop(&queue->vq, &queue->chain);
	if (ret <= 0)
		return ret;
	ret = blk_request_parse(&queue->chain, &request);
	if (ret)
		return ret;
	ret = blk_sync(queue->blk, &request);
	*request.status = blk_sync_status(ret);
	virtqueue_push(&queue->vq, queue->chain.head,
		       blk_sync_written(&request, ret));
	return 1;
}

/*
 * What the driver has made available; it never ends if the driver is fast.
 * Returns -errno if the queue is corrupt.
 */
static int run_queue(struct blk_thread_queue *queue, unsigned int index)
{
	unsigned int left = BATCH;
	int ret;

	while (left--) {
		ret = next_request(queue);
		if (ret < 0)
			return ret;
		if (virtqueue_publish(&queue->vq))
			virtio_interrupt(&queue->blk->pci.virtio, index);
		if (!ret && virtqueue_wait(&queue->vq, 0))
			return 0;
	}
	eventfd_write(queue->kick, 1);
	return 0;
}

/* Returns false when the thread is to end. */
static bool wait_for_work(struct blk_thread_queue *queue, bool broken)
{
	struct pollfd fds[] = {
		{ .fd = queue->worker.stop, .events = POLLIN },
		{ .fd = broken ? -1 : queue->kick, .events = POLLIN },
	};
	eventfd_t ignored;

	poll(fds, sizeof(fds) / sizeof(fds[0]), -1);
	eventfd_read(queue->kick, &ignored);
	return !fds[0].revents;
}

static void *queue_thread(void *opaque)
{
	struct blk_thread_queue *queue = opaque;
	struct blk_thread_queue *queues = queue->blk->state;
	bool broken = false;

	do {
		if (broken || !run_queue(queue, queue - queues))
			continue;
		virtio_broken(&queue->blk->pci.virtio,
			      "the guest made a corrupt ring");
		broken = true;
	} while (wait_for_work(queue, broken));
	return NULL;
}

static void stop_threads(struct blk *blk)
{
	struct blk_thread_queue *queues = blk->state;
	unsigned int i;

	for (i = 0; i < blk->options->queues; i++)
		worker_stop(&queues[i].worker);
}

static int start_thread(struct blk *blk, unsigned int index)
{
	struct virtio_dev *dev = &blk->pci.virtio;
	struct blk_thread_queue *queues = blk->state;
	struct blk_thread_queue *queue = &queues[index];
	int ret;

	if (virtqueue_init(&queue->vq, &blk->vm->mem,
			   &dev->queues[index].config,
			   virtio_has(dev, VIRTIO_RING_F_EVENT_IDX)))
		return -EPROTO;
	ret = worker_start(&queue->worker, queue_thread, queue);
	if (ret)
		log_error("%s cannot be started: %s", dev->name,
			  strerror(-ret));
	return ret;
}

/* Drivers that use fewer queues than there are use the first ones. */
static int blk_thread_start(struct virtio_dev *dev)
{
	struct blk *blk = blk_of(dev);
	unsigned int i;
	int ret;

	blk_starting(blk);
	for (i = 0; i < dev->queue_count && dev->queues[i].enabled; i++) {
		ret = start_thread(blk, i);
		if (ret) {
			stop_threads(blk);
			return ret;
		}
	}
	return 0;
}

static void blk_thread_stop(struct virtio_dev *dev)
{
	stop_threads(blk_of(dev));
}

static void blk_thread_notify(struct virtio_dev *dev, unsigned int queue)
{
	struct blk *blk = blk_of(dev);
	struct blk_thread_queue *queues = blk->state;

	blk->vm->stats.doorbells_user++;
	eventfd_write(queues[queue].kick, 1);
}

static const struct virtio_ops blk_thread_ops = {
	.negotiated = blk_negotiated,
	.start = blk_thread_start,
	.stop = blk_thread_stop,
	.notify = blk_thread_notify,
	.config_written = blk_config_written,
};

static void close_queues(struct blk_thread_queue *queues, unsigned int count)
{
	while (count--) {
		close(queues[count].kick);
		worker_deinit(&queues[count].worker);
	}
}

static int open_queue(struct blk_thread_queue *queue, struct blk *blk)
{
	int ret;

	queue->blk = blk;
	queue->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (queue->kick < 0)
		return -errno;
	ret = worker_init(&queue->worker);
	if (ret)
		close(queue->kick);
	return ret;
}

static void blk_thread_destroy(struct blk *blk)
{
	close_queues(blk->state, blk->options->queues);
	free(blk->state);
}

static int blk_thread_create(struct blk *blk)
{
	unsigned int i, count = blk->options->queues;
	struct blk_thread_queue *queues;
	int ret;

	queues = calloc(count, sizeof(*queues));
	if (!queues)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		ret = open_queue(&queues[i], blk);
		if (ret) {
			log_error("%s: no eventfd: %s", blk->options->path,
				  strerror(-ret));
			close_queues(queues, i);
			free(queues);
			return ret;
		}
	}
	blk->state = queues;
	return 0;
}

static uint64_t blk_thread_features(struct blk *blk, uint64_t wanted)
{
	(void)blk;
	return wanted;
}

const struct blk_backend blk_thread_backend = {
	.ops = &blk_thread_ops,
	.create = blk_thread_create,
	.destroy = blk_thread_destroy,
	.features = blk_thread_features,
	.cache_changed = blk_cache_changed,
};
