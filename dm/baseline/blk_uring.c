// SPDX-License-Identifier: GPL-2.0
/*
 * The requests are handled by io_uring, with a thread and a ring for each queue
 * while the driver has the device running. Doorbells and interrupts go past the
 * device model's main thread, by ioeventfd and irqfd, as with vhost.
 *
 * All requests that a doorbell announces are submitted by one system call,
 * which also waits; all that have ended by then share an interrupt. The disk
 * and the guest's memory are registered. Requests go past the page cache where
 * the disk allows it, and by way of blk_bounce() when their memory is not
 * aligned for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <liburing.h>
#include <linux/virtio_ring.h>
#include <acrnvhost.h>

#include "baseline/blk_bounce.h"
#include "baseline/blk_request.h"
#include "baseline/blk_sync.h"
#include "block/blk.h"
#include "process/log.h"
#include "process/worker.h"
#include "virtio/vhost.h"

/* io_uring registers no more than this in one piece. */
#define MAX_BUFFER (1ULL << 30)

/* Two regions of memory, see mem.h, of 16 GiB at most. */
#define MAX_BUFFERS 18

/* What a completion belongs to, but for requests: those have their index. */
#define KICK VIRTQUEUE_MAX_SIZE
#define STOP (VIRTQUEUE_MAX_SIZE + 1)

/* The disk, registered. */
#define DISK_INDEX 0

/* So many requests are taken before others may end, or the thread itself. */
#define BATCH 32

/* How often a request that the kernel could not do just then is made again. */
#define MAX_RETRIES 100

/**
 * struct uring_request - A request in flight
 * @next_free:	Index of the next free one
 * @retries:	How often it was made again
 * @through:	A write that is on the medium when it ends
 * @chain:	Its buffers
 * @request:	Its meaning
 */
struct uring_request {
	unsigned int next_free;
	unsigned int retries;
	bool through;
	struct virtqueue_chain chain;
	struct blk_request request;
};

/**
 * struct uring_queue - A queue and its thread
 * @blk:	Device
 * @worker:	Has all that follows to itself
 * @ring:	io_uring, there while @worker is running
 * @fixed:	The guest's memory is registered with it
 * @kick:	eventfd: doorbell
 * @call:	eventfd: interrupt
 * @error:	eventfd: the guest has made a corrupt ring
 * @stopping:	@worker is to end
 * @vq:		Queue
 * @in_flight:	Number of requests that io_uring has
 * @free:	Index of the first free request, VIRTQUEUE_MAX_SIZE if there is
 *		none
 * @requests:	Requests
 */
struct uring_queue {
	struct blk *blk;
	struct worker worker;
	struct io_uring ring;
	bool fixed;
	int kick;
	int call;
	int error;
	bool stopping;
	struct virtqueue vq;
	unsigned int in_flight;
	unsigned int free;
	struct uring_request requests[VIRTQUEUE_MAX_SIZE];
};

/**
 * struct blk_uring - State of this backend
 * @vhost:	Doorbells and interrupts
 * @direct:	The disk, past the page cache; -1 if it cannot be opened so
 * @buffers:	The guest's memory in the pieces that are registered
 * @buffer_count: Their number
 * @queues:	Queues
 */
struct blk_uring {
	struct vhost *vhost;
	int direct;
	struct iovec buffers[MAX_BUFFERS];
	unsigned int buffer_count;
	struct uring_queue queues[];
};

static int open_user(struct acrnvhost **dev, void *owner, unsigned int index)
{
	const struct blk *blk = owner;

	(void)index;
	return acrnvhost_user_open(dev, blk->vm->hsm.fd, blk->options->queues);
}

static const struct vhost_kind io_uring_kind = {
	.name = "io_uring",
	.open = open_user,
};

static struct blk_uring *state_of(struct uring_queue *queue)
{
	return queue->blk->state;
}

/*
 * From now on each signal is a completion, until one says that it was the last.
 * The eventfd need not be read in between. The submission queue has room for
 * all requests and both eventfds.
 */
static void watch(struct uring_queue *queue, int fd, unsigned int id)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&queue->ring);

	io_uring_prep_poll_multishot(sqe, fd, POLLIN);
	io_uring_sqe_set_data64(sqe, id);
}

/* The registered piece that a buffer lies in, -1 if there is none. */
static int find_buffer(const struct blk_uring *state, const struct iovec *iov)
{
	unsigned int i;

	for (i = 0; i < state->buffer_count; i++) {
		uint64_t offset = (uint8_t *)iov->iov_base -
				  (uint8_t *)state->buffers[i].iov_base;

		if (offset < state->buffers[i].iov_len &&
		    iov->iov_len <= state->buffers[i].iov_len - offset)
			return i;
	}
	return -1;
}

static void prepare_transfer(struct uring_queue *queue,
			     struct io_uring_sqe *sqe,
			     struct uring_request *uring_request)
{
	const struct blk_request *request = &uring_request->request;
	off_t offset = request->sector * DISK_SECTOR;
	const struct iovec *iov = request->iov;
	bool read = request->type == VIRTIO_BLK_T_IN;
	int buffer = -1;

	if (queue->fixed && request->iov_count == 1)
		buffer = find_buffer(state_of(queue), iov);
	if (read && buffer >= 0)
		io_uring_prep_read_fixed(sqe, DISK_INDEX, iov->iov_base,
					 iov->iov_len, offset, buffer);
	else if (read)
		io_uring_prep_readv(sqe, DISK_INDEX, iov, request->iov_count,
				    offset);
	else if (buffer >= 0)
		io_uring_prep_write_fixed(sqe, DISK_INDEX, iov->iov_base,
					  iov->iov_len, offset, buffer);
	else
		io_uring_prep_writev(sqe, DISK_INDEX, iov, request->iov_count,
				     offset);
	uring_request->through = !queue->blk->write_back;
	if (!read && uring_request->through)
		sqe->rw_flags |= RWF_DSYNC;
}

static void finish(struct uring_queue *queue, unsigned int id, int error)
{
	struct uring_request *request = &queue->requests[id];

	*request->request.status = blk_sync_status(error);
	virtqueue_push(&queue->vq, request->chain.head,
		       blk_sync_written(&request->request, error));
	request->next_free = queue->free;
	queue->free = id;
}

/* Drop the pieces that header and status have left empty. */
static void trim(struct blk_request *request)
{
	while (request->iov_count && !request->iov->iov_len) {
		request->iov++;
		request->iov_count--;
	}
	while (request->iov_count &&
	       !request->iov[request->iov_count - 1].iov_len)
		request->iov_count--;
}

static bool is_transfer(const struct blk *blk,
			const struct blk_request *request)
{
	return (request->type == VIRTIO_BLK_T_IN ||
		request->type == VIRTIO_BLK_T_OUT) &&
	       request->bytes && !blk_check_transfer(blk, request);
}

/* Give a request to io_uring, with IOSQE_* in @flags. */
static void submit(struct uring_queue *queue, unsigned int id,
		   unsigned int flags)
{
	struct uring_request *request = &queue->requests[id];
	struct io_uring_sqe *sqe = io_uring_get_sqe(&queue->ring);

	if (request->request.type == VIRTIO_BLK_T_FLUSH)
		io_uring_prep_fsync(sqe, DISK_INDEX, IORING_FSYNC_DATASYNC);
	else
		prepare_transfer(queue, sqe, request);
	sqe->flags |= IOSQE_FIXED_FILE | flags;
	io_uring_sqe_set_data64(sqe, id);
	queue->in_flight++;
}

/* What io_uring is not for is done at once. */
static void start_request(struct uring_queue *queue, unsigned int id)
{
	struct uring_request *request = &queue->requests[id];

	if (request->request.type != VIRTIO_BLK_T_FLUSH &&
	    !is_transfer(queue->blk, &request->request)) {
		finish(queue, id, blk_sync(queue->blk, &request->request));
		return;
	}
	trim(&request->request);
	request->retries = 0;
	submit(queue, id, 0);
}

/* Returns 1, 0 if there is no request, -errno if the queue is corrupt. */
static int next_request(struct uring_queue *queue)
{
	unsigned int id = queue->free;
	struct uring_request *request;
	int ret;

	/*
	 * As many as the largest ring has, and each is in the ring once: there
	 * cannot be another entry.
	 */
	if (id == VIRTQUEUE_MAX_SIZE)
		return virtqueue_wait(&queue->vq, 0) ? 0 : -EINVAL;
	request = &queue->requests[id];
	ret = virtqueue_pop(&queue->vq, &request->chain);
	if (ret <= 0)
		return ret;
	ret = blk_request_parse(&request->chain, &request->request);
	if (ret)
		return ret;
	queue->free = request->next_free;
	start_request(queue, id);
	return 1;
}

static void publish(struct uring_queue *queue)
{
	if (virtqueue_publish(&queue->vq))
		eventfd_write(queue->call, 1);
}

/* What the driver has made available; it never ends if the driver is fast. */
static void start_requests(struct uring_queue *queue)
{
	unsigned int left = BATCH;
	int ret = 1;

	while (ret > 0 && left--) {
		ret = next_request(queue);
		if (!ret && !virtqueue_wait(&queue->vq, 0))
			ret = 1;
	}
	if (ret > 0)
		eventfd_write(queue->kick, 1);
	if (ret < 0) {
		queue->stopping = true;
		eventfd_write(queue->error, 1);
	}
}

/*
 * Did the kernel not find the means to go on just then, or was it disturbed?
 * Then the request is made again, by a thread of the kernel's that can wait.
 */
static bool try_again(struct uring_queue *queue, unsigned int id, int res)
{
	if ((res != -EAGAIN && res != -EINTR) ||
	    queue->requests[id].retries == MAX_RETRIES)
		return false;
	queue->requests[id].retries++;
	submit(queue, id, IOSQE_ASYNC);
	return true;
}

/* Direct I/O refuses what is not aligned; a short transfer is an error. */
static int transfer_ended(struct blk *blk, const struct uring_request *uring,
			  int res)
{
	const struct blk_request *request = &uring->request;
	struct blk_uring *state = blk->state;

	if (res == -EINVAL && state->direct >= 0)
		return blk_bounce(blk, state->direct, request);
	if (res < 0)
		return res;
	if ((uint64_t)res != request->bytes)
		return -EIO;
	return request->type == VIRTIO_BLK_T_IN
		       ? 0
		       : blk_written(blk, uring->through);
}

static void request_ended(struct uring_queue *queue, unsigned int id, int res)
{
	const struct uring_request *request = &queue->requests[id];

	queue->in_flight--;
	if (try_again(queue, id, res))
		return;
	if (request->request.type == VIRTIO_BLK_T_FLUSH)
		res = blk_flushed(queue->blk, res);
	else
		res = transfer_ended(queue->blk, request, res);
	finish(queue, id, res);
}

static void handle(struct uring_queue *queue, const struct io_uring_cqe *cqe)
{
	switch (cqe->user_data) {
	case KICK:
		if (!(cqe->flags & IORING_CQE_F_MORE))
			watch(queue, queue->kick, KICK);
		if (!queue->stopping)
			start_requests(queue);
		break;
	case STOP:
		queue->stopping = true;
		break;
	default:
		request_ended(queue, cqe->user_data, cqe->res);
	}
}

static void *uring_thread(void *opaque)
{
	struct uring_queue *queue = opaque;
	struct io_uring_cqe *cqe;
	unsigned int head, count;

	if (io_uring_enable_rings(&queue->ring)) {
		eventfd_write(queue->error, 1);
		return NULL;
	}
	watch(queue, queue->worker.stop, STOP);
	watch(queue, queue->kick, KICK);
	while (!queue->stopping || queue->in_flight) {
		io_uring_submit_and_wait(&queue->ring, 1);
		count = 0;
		io_uring_for_each_cqe(&queue->ring, head, cqe)
		{
			handle(queue, cqe);
			count++;
		}
		io_uring_cq_advance(&queue->ring, count);
		publish(queue);
	}
	return NULL;
}

static void init_requests(struct uring_queue *queue)
{
	unsigned int i;

	for (i = 0; i < VIRTQUEUE_MAX_SIZE; i++)
		queue->requests[i].next_free = i + 1;
	queue->free = 0;
	queue->in_flight = 0;
	queue->stopping = false;
}

/*
 * The ring belongs to the thread that enables it, which is the only one to use
 * it, and which alone is interrupted for completions, when it waits for them.
 * Without registered buffers all works as well, only slower.
 */
static int set_up_ring(struct uring_queue *queue)
{
	const unsigned int flags = IORING_SETUP_SINGLE_ISSUER |
				   IORING_SETUP_DEFER_TASKRUN |
				   IORING_SETUP_R_DISABLED;
	struct blk_uring *state = state_of(queue);
	int fd = state->direct >= 0 ? state->direct : queue->blk->disk.fd;
	int ret;

	ret = io_uring_queue_init(2 * VIRTQUEUE_MAX_SIZE, &queue->ring, flags);
	if (ret)
		return ret;
	ret = io_uring_register_files(&queue->ring, &fd, 1);
	if (ret) {
		io_uring_queue_exit(&queue->ring);
		return ret;
	}
	queue->fixed = !io_uring_register_buffers(&queue->ring, state->buffers,
						  state->buffer_count);
	return 0;
}

static int start_queue(struct blk *blk, unsigned int index)
{
	struct virtio_dev *dev = &blk->pci.virtio;
	struct blk_uring *state = blk->state;
	struct uring_queue *queue = &state->queues[index];
	int ret;

	if (virtqueue_init(&queue->vq, &blk->vm->mem,
			   &dev->queues[index].config,
			   virtio_has(dev, VIRTIO_RING_F_EVENT_IDX)))
		return -EPROTO;
	init_requests(queue);
	ret = set_up_ring(queue);
	if (!ret) {
		ret = worker_start(&queue->worker, uring_thread, queue);
		if (ret)
			io_uring_queue_exit(&queue->ring);
	}
	if (ret)
		log_error("%s: no io_uring: %s", dev->name, strerror(-ret));
	return ret;
}

static void stop_queues(struct blk *blk)
{
	struct blk_uring *state = blk->state;
	struct uring_queue *queue;
	unsigned int i;

	for (i = 0; i < blk->options->queues; i++) {
		queue = &state->queues[i];
		if (!queue->worker.running)
			continue;
		worker_stop(&queue->worker);
		io_uring_queue_exit(&queue->ring);
	}
}

static void find_buffers(struct blk_uring *state, const struct guest_mem *mem)
{
	uint64_t done, size;
	unsigned int i;

	state->buffer_count = 0;
	for (i = 0; i < mem->count; i++)
		for (done = 0; done < mem->regions[i].size; done += size) {
			size = mem->regions[i].size - done;
			if (size > MAX_BUFFER)
				size = MAX_BUFFER;
			state->buffers[state->buffer_count++] = (struct iovec){
				.iov_base = mem->regions[i].va + done,
				.iov_len = size,
			};
		}
}

static int blk_uring_start(struct virtio_dev *dev)
{
	struct blk *blk = blk_of(dev);
	struct blk_uring *state = blk->state;
	unsigned int i;
	int ret;

	blk_starting(blk);
	find_buffers(state, &blk->vm->mem);
	ret = vhost_start(dev, dev->accepted, 1);
	if (ret)
		return ret;
	for (i = 0; i < dev->queue_count && !ret; i++)
		if (dev->queues[i].enabled)
			ret = start_queue(blk, i);
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
};

static void deinit_workers(struct blk_uring *state, unsigned int count)
{
	while (count--)
		worker_deinit(&state->queues[count].worker);
}

static void blk_uring_destroy(struct blk *blk)
{
	struct blk_uring *state = blk->state;

	deinit_workers(state, blk->options->queues);
	vhost_destroy(state->vhost);
	if (state->direct >= 0)
		close(state->direct);
	free(state);
}

static int open_queue(struct blk *blk, struct blk_uring *state,
		      unsigned int index)
{
	struct uring_queue *queue = &state->queues[index];

	queue->blk = blk;
	queue->kick = acrnvhost_kick_fd(state->vhost->devs[0], index);
	queue->call = acrnvhost_call_fd(state->vhost->devs[0], index);
	queue->error = acrnvhost_error_fd(state->vhost->devs[0], index);
	return worker_init(&queue->worker);
}

static int open_queues(struct blk *blk, struct blk_uring *state)
{
	unsigned int i;
	int ret;

	for (i = 0; i < blk->options->queues; i++) {
		ret = open_queue(blk, state, i);
		if (ret) {
			log_error("%s: no eventfd: %s", blk->options->path,
				  strerror(-ret));
			deinit_workers(state, i);
			return ret;
		}
	}
	return 0;
}

static int blk_uring_create(struct blk *blk)
{
	const struct blk_options *options = blk->options;
	const struct vhost_setup setup = {
		.kind = &io_uring_kind,
		.vm = blk->vm,
		.pci = &blk->pci,
		.owner = blk,
		.devices = 1,
		.queues = options->queues,
	};
	struct blk_uring *state;
	int ret;

	state = calloc(1, sizeof(*state) +
				  options->queues * sizeof(state->queues[0]));
	if (!state)
		return -ENOMEM;
	ret = vhost_create(&state->vhost, &setup);
	if (ret)
		goto free;
	ret = open_queues(blk, state);
	if (ret)
		goto destroy;
	state->direct = disk_open_direct(&blk->disk, options->path);
	blk->state = state;
	return 0;

destroy:
	vhost_destroy(state->vhost);
free:
	free(state);
	return ret;
}

static uint64_t blk_uring_features(struct blk *blk, uint64_t wanted)
{
	(void)blk;
	return wanted;
}

const struct blk_backend blk_uring_backend = {
	.ops = &blk_uring_ops,
	.create = blk_uring_create,
	.destroy = blk_uring_destroy,
	.features = blk_uring_features,
	.cache_changed = blk_cache_changed,
};
