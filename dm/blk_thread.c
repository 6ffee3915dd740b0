// SPDX-License-Identifier: GPL-2.0
/*
 * The requests are handled by threads of this process, one per queue, that live
 * while the driver has the device running; one request after the other, through
 * the page cache.
 */
#define _GNU_SOURCE /* pwritev2(), fallocate() */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/virtio_ring.h>

#include "blk.h"
#include "blk_request.h"
#include "log.h"

/**
 * struct blk_thread_queue - A queue and its thread
 * @blk:	Device
 * @thread:	Has @vq and @chain to itself
 * @kick:	eventfd: doorbell
 * @stop:	eventfd: the thread is to end
 * @vq:		Queue
 * @chain:	The chain at hand
 */
struct blk_thread_queue {
	struct blk *blk;
	pthread_t thread;
	int kick;
	int stop;
	struct virtqueue vq;
	struct virtqueue_chain chain;
};

/**
 * struct blk_thread - State of this backend
 * @is_device:	The disk is a block device
 * @running:	Number of threads
 * @queues:	Queues
 */
struct blk_thread {
	bool is_device;
	unsigned int running;
	struct blk_thread_queue queues[];
};

static int transfer(struct blk *blk, const struct blk_request *request)
{
	off_t offset = request->sector * DISK_SECTOR;
	int flags = blk->write_back ? 0 : RWF_DSYNC;
	ssize_t n;

	if (blk_request_check(&blk->disk, request->sector, request->bytes))
		return -EINVAL;
	if (request->type == VIRTIO_BLK_T_IN)
		n = preadv(blk->disk.fd, request->iov, request->iov_count,
			   offset);
	else if (blk->disk.read_only)
		return -EROFS;
	else
		n = pwritev2(blk->disk.fd, request->iov, request->iov_count,
			     offset, flags);
	if (n < 0)
		return -errno;
	return (uint64_t)n == request->bytes ? 0 : -EIO;
}

static int flush(struct blk *blk)
{
	return fdatasync(blk->disk.fd) ? -errno : 0;
}

static int get_id(struct blk *blk, const struct blk_request *request)
{
	char id[VIRTIO_BLK_ID_BYTES] = { 0 };
	unsigned int i;
	size_t done = 0;

	memcpy(id, blk->options->serial, strlen(blk->options->serial));
	for (i = 0; i < request->iov_count && done < sizeof(id); i++) {
		size_t n = request->iov[i].iov_len;

		if (n > sizeof(id) - done)
			n = sizeof(id) - done;
		memcpy(request->iov[i].iov_base, id + done, n);
		done += n;
	}
	return 0;
}

static int do_range(struct blk *blk, uint32_t type,
		    const struct virtio_blk_discard_write_zeroes *range)
{
	const struct blk_thread *state = blk->state;
	uint64_t extent[] = { range->sector * DISK_SECTOR,
			      (uint64_t)range->num_sectors * DISK_SECTOR };
	bool unmap = type == VIRTIO_BLK_T_DISCARD || range->flags;
	int ret;

	if (state->is_device)
		ret = ioctl(blk->disk.fd,
			    type == VIRTIO_BLK_T_DISCARD ? BLKDISCARD
							 : BLKZEROOUT,
			    extent);
	else
		ret = fallocate(blk->disk.fd,
				FALLOC_FL_KEEP_SIZE |
					(unmap ? FALLOC_FL_PUNCH_HOLE
					       : FALLOC_FL_ZERO_RANGE),
				extent[0], extent[1]);
	return ret ? -errno : 0;
}

static int check_range(const struct blk *blk, uint32_t type,
		       const struct virtio_blk_discard_write_zeroes *range)
{
	uint32_t known = type == VIRTIO_BLK_T_WRITE_ZEROES
				 ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP
				 : 0;

	if (range->flags & ~known)
		return -EOPNOTSUPP;
	if (!range->num_sectors)
		return -EINVAL;
	return blk_request_check(&blk->disk, range->sector,
				 (uint64_t)range->num_sectors * DISK_SECTOR);
}

/* All ranges are checked before anything is done to the first. */
static int discard_or_zero(struct blk *blk, const struct blk_request *request)
{
	struct virtio_blk_discard_write_zeroes ranges[VHOST_BLK_MAX_RANGES];
	unsigned int i, count = request->bytes / sizeof(ranges[0]);
	size_t done = 0;
	int ret = 0;

	if (blk->disk.read_only)
		return -EROFS;
	if (!count || request->bytes > sizeof(ranges) ||
	    request->bytes % sizeof(ranges[0]))
		return -EINVAL;
	for (i = 0; i < request->iov_count; i++) {
		memcpy((char *)ranges + done, request->iov[i].iov_base,
		       request->iov[i].iov_len);
		done += request->iov[i].iov_len;
	}
	for (i = 0; i < count && !ret; i++)
		ret = check_range(blk, request->type, &ranges[i]);
	for (i = 0; i < count && !ret; i++)
		ret = do_range(blk, request->type, &ranges[i]);
	if (!ret && !blk->write_back)
		ret = flush(blk);
	return ret;
}

static int do_request(struct blk *blk, const struct blk_request *request)
{
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		return transfer(blk, request);
	case VIRTIO_BLK_T_FLUSH:
		return flush(blk);
	case VIRTIO_BLK_T_GET_ID:
		return get_id(blk, request);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return discard_or_zero(blk, request);
	default:
		return -EOPNOTSUPP;
	}
}

static uint8_t status_of(int error)
{
	if (!error)
		return VIRTIO_BLK_S_OK;
	return error == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

static uint32_t bytes_written(const struct blk_request *request, int error)
{
	bool in = request->type == VIRTIO_BLK_T_IN ||
		  request->type == VIRTIO_BLK_T_GET_ID;

	return error || !in ? 1 : request->bytes + 1;
}

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
	ret = do_request(queue->blk, &request);
	*request.status = status_of(ret);
	virtqueue_push(&queue->vq, queue->chain.head,
		       bytes_written(&request, ret));
	return 1;
}

/* Returns -errno if the queue is corrupt. */
static int run_queue(struct blk_thread_queue *queue, unsigned int index)
{
	int ret;

	do {
		ret = next_request(queue);
		if (ret < 0)
			return ret;
		if (virtqueue_publish(&queue->vq))
			virtio_interrupt(&queue->blk->pci.virtio, index);
	} while (ret || !virtqueue_wait(&queue->vq, 0));
	return 0;
}

/* Returns false when the thread is to end. */
static bool wait_for_work(struct blk_thread_queue *queue, bool broken)
{
	struct pollfd fds[] = {
		{ .fd = queue->stop, .events = POLLIN },
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
	struct blk_thread *state = queue->blk->state;
	bool broken = false;

	do {
		if (broken || !run_queue(queue, queue - state->queues))
			continue;
		virtio_broken(&queue->blk->pci.virtio,
			      "the guest made a corrupt ring");
		broken = true;
	} while (wait_for_work(queue, broken));
	return NULL;
}

static void stop_threads(struct blk_thread *state)
{
	struct blk_thread_queue *queue;
	eventfd_t ignored;

	while (state->running) {
		queue = &state->queues[--state->running];
		eventfd_write(queue->stop, 1);
		pthread_join(queue->thread, NULL);
		eventfd_read(queue->stop, &ignored);
	}
}

static int start_thread(struct blk *blk, unsigned int index)
{
	struct virtio_dev *dev = &blk->pci.virtio;
	struct blk_thread *state = blk->state;
	struct blk_thread_queue *queue = &state->queues[index];
	int ret;

	if (virtqueue_init(&queue->vq, &blk->vm->mem,
			   &dev->queues[index].config,
			   virtio_has(dev, VIRTIO_RING_F_EVENT_IDX)))
		return -EPROTO;
	ret = -pthread_create(&queue->thread, NULL, queue_thread, queue);
	if (ret)
		log_error("%s cannot be started: %s", dev->name,
			  strerror(-ret));
	else
		state->running++;
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
			stop_threads(blk->state);
			return ret;
		}
	}
	return 0;
}

static void blk_thread_stop(struct virtio_dev *dev)
{
	stop_threads(blk_of(dev)->state);
}

static void blk_thread_notify(struct virtio_dev *dev, unsigned int queue)
{
	struct blk *blk = blk_of(dev);
	struct blk_thread *state = blk->state;

	blk->vm->stats.doorbells_user++;
	eventfd_write(state->queues[queue].kick, 1);
}

static const struct virtio_ops blk_thread_ops = {
	.start = blk_thread_start,
	.stop = blk_thread_stop,
	.notify = blk_thread_notify,
	.config_written = blk_config_written,
};

static void close_queues(struct blk_thread *state, unsigned int count)
{
	while (count--) {
		close(state->queues[count].kick);
		close(state->queues[count].stop);
	}
}

static int open_queue(struct blk_thread_queue *queue, struct blk *blk)
{
	int ret;

	queue->blk = blk;
	queue->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (queue->kick < 0)
		return -errno;
	queue->stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (queue->stop >= 0)
		return 0;
	ret = -errno;
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
	struct blk_thread *state;
	struct stat st;
	int ret;

	state = calloc(1, sizeof(*state) + count * sizeof(state->queues[0]));
	if (!state)
		return -ENOMEM;
	state->is_device = !fstat(blk->disk.fd, &st) && S_ISBLK(st.st_mode);
	for (i = 0; i < count; i++) {
		ret = open_queue(&state->queues[i], blk);
		if (ret) {
			log_error("%s: no eventfd: %s", blk->options->path,
				  strerror(-ret));
			close_queues(state, i);
			free(state);
			return ret;
		}
	}
	blk->state = state;
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
};
