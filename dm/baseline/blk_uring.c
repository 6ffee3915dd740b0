// SPDX-License-Identifier: GPL-2.0
/*
 * Disks on io_uring. The main thread creates and destroys the backend, when no
 * I/O requests are handled; all else runs in the thread that handles I/O
 * requests, which starts and stops the threads of the queues. A queue and its
 * thread are in uring_queue.c. What the queues share does not change while one
 * of them runs.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_ring.h>
#include <acrnvhost.h>

#include "baseline/blk_sync.h"
#include "baseline/blk_uring.h"
#include "baseline/uring_queue.h"
#include "process/alloc.h"
#include "process/log.h"
#include "virtio/vhost.h"

/**
 * struct blk_uring - State of this backend
 * @disk:	What the queues share
 * @queues:	Queues
 */
struct blk_uring {
	struct uring_disk disk;
	struct uring_queue queues[];
};

static int open_user(struct acrnvhost **result, struct virtio_dev *dev,
		     unsigned int index)
{
	const struct blk *blk = blk_of(dev);

	(void)index;
	return acrnvhost_user_open(result, blk->vm->hsm.fd,
				   blk->options->queues);
}

static const struct vhost_kind io_uring_kind = {
	.name = "io_uring",
	.open = open_user,
};

/* Stop the threads of all queues, and wait for their requests in flight. */
static void stop_queues(struct blk *blk)
{
	struct blk_uring *state = blk->state;
	unsigned int i;

	for (i = 0; i < blk->options->queues; i++)
		uring_queue_stop(&state->queues[i]);
}

/* Divide the guest's memory into pieces that io_uring can register. */
static void divide_memory(struct uring_disk *disk, const struct guest_mem *mem)
{
	uint64_t done, size;
	unsigned int i;

	disk->buffer_count = 0;
	for (i = 0; i < mem->count; i++)
		for (done = 0; done < mem->regions[i].size; done += size) {
			size = mem->regions[i].size - done;
			if (size > URING_MAX_BUFFER)
				size = URING_MAX_BUFFER;
			disk->buffers[disk->buffer_count++] = (struct iovec){
				.iov_base = mem->regions[i].va + done,
				.iov_len = size,
			};
		}
}

/* For struct virtio_ops: start a thread for each queue that the driver uses. */
static int blk_uring_start(struct virtio_dev *dev)
{
	struct blk *blk = blk_of(dev);
	struct blk_uring *state = blk->state;
	bool event_idx = virtio_has(dev, VIRTIO_RING_F_EVENT_IDX);
	unsigned int i;
	int ret;

	blk_starting(blk);
	divide_memory(&state->disk, &blk->vm->mem);
	ret = vhost_start(dev, dev->accepted, 1);
	if (ret)
		return ret;
	for (i = 0; i < dev->queue_count && !ret; i++)
		if (dev->queues[i].enabled)
			ret = uring_queue_start(&state->queues[i],
						&dev->queues[i].config,
						event_idx);
	if (ret) {
		stop_queues(blk);
		vhost_stop(dev);
	}
	return ret;
}

static void blk_uring_stop(struct virtio_dev *dev)
{
	stop_queues(blk_of(dev));
	vhost_stop(dev);
}

static const struct virtio_ops blk_uring_ops = {
	.negotiated = blk_negotiated,
	.start = blk_uring_start,
	.stop = blk_uring_stop,
	.notify = vhost_notify,
	.config_written = blk_config_written,
	.vector_changed = vhost_vector_changed,
	.vector_pending = vhost_vector_pending,
	.doorbells_moved = vhost_doorbells_moved,
	.destroy = blk_destroy,
};

static void deinit_workers(struct blk_uring *state, unsigned int count)
{
	while (count--)
		worker_deinit(&state->queues[count].worker);
}

/* For struct blk_backend: undo blk_uring_create(). Main thread. */
static void blk_uring_destroy(struct blk *blk)
{
	struct blk_uring *state = blk->state;

	deinit_workers(state, blk->options->queues);
	vhost_destroy(&blk->pci.virtio);
	if (state->disk.direct >= 0)
		close(state->disk.direct);
	free(state);
}

/*
 * Give a queue its eventfds and its worker, which does not run yet. Main
 * thread.
 */
static int open_queue(struct blk *blk, struct blk_uring *state,
		      unsigned int index)
{
	struct acrnvhost *dev = vhost_of(&blk->pci.virtio)->devs[0];
	struct uring_queue *queue = &state->queues[index];

	queue->disk = &state->disk;
	queue->kick = acrnvhost_kick_fd(dev, index);
	queue->call = acrnvhost_call_fd(dev, index);
	queue->error = acrnvhost_error_fd(dev, index);
	return worker_init(&queue->worker);
}

/*
 * Do so for all queues. Returns 0 or -errno, with a message printed. Main
 * thread.
 */
static int open_queues(struct blk *blk, struct blk_uring *state)
{
	unsigned int i;
	int ret;

	for (i = 0; i < blk->options->queues; i++) {
		ret = open_queue(blk, state, i);
		if (ret) {
			log_error("%s: cannot make an eventfd: %s",
				  blk->options->path, strerror(-ret));
			deinit_workers(state, i);
			return ret;
		}
	}
	return 0;
}

/*
 * For struct blk_backend: make doorbells, interrupts and queues. Main thread.
 */
static int blk_uring_create(struct blk *blk)
{
	const struct blk_options *options = blk->options;
	const struct vhost_setup setup = {
		.kind = &io_uring_kind,
		.vm = blk->vm,
		.pci = &blk->pci,
		.devices = 1,
		.queues = options->queues,
	};
	struct blk_uring *state;
	int ret;

	state = alloc_zeroed(sizeof(*state) +
			     options->queues * sizeof(state->queues[0]));
	if (!state)
		return -ENOMEM;
	ret = vhost_create(&setup);
	if (ret)
		goto free;
	ret = open_queues(blk, state);
	if (ret)
		goto destroy;
	state->disk.blk = blk;
	state->disk.direct = disk_open_direct(&blk->disk, options->path);
	blk->state = state;
	return 0;

destroy:
	vhost_destroy(&blk->pci.virtio);
free:
	free(state);
	return ret;
}

const struct blk_backend blk_uring_backend = {
	.ops = &blk_uring_ops,
	.create = blk_uring_create,
	.destroy = blk_uring_destroy,
	.cache_changed = blk_cache_changed,
};
