// SPDX-License-Identifier: GPL-2.0
/*
 * A queue that io_uring handles. What uring_thread() calls runs in the thread
 * of the queue, to which struct uring_queue belongs while it runs; all else
 * runs in the thread that handles I/O requests, uring_queue_stop() also in the
 * main thread when that has ended: before the queue's thread is started, or to
 * end it and after it has. So there is no lock. What all queues of a
 * disk share is atomic or does not change while one of them runs.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "baseline/blk_bounce.h"
#include "baseline/blk_sync.h"
#include "baseline/uring_queue.h"
#include "process/log.h"

/* The user data of a completion is the index of a request, or one of these. */
#define KICK VIRTQUEUE_MAX_SIZE
#define STOP (VIRTQUEUE_MAX_SIZE + 1)

/* Index of the disk among the registered files. */
#define DISK_INDEX 0

/* Number of requests that are taken before completions are looked at again. */
#define BATCH 32

/*
 * How often a request is submitted again that the kernel could not do just
 * then.
 */
#define MAX_RETRIES 100

/*
 * Have a completion come each time that @fd is signalled. Thread of the queue.
 */
static void poll_eventfd(struct uring_queue *queue, int fd, unsigned int id)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&queue->ring);

	io_uring_prep_poll_multishot(sqe, fd, POLLIN);
	io_uring_sqe_set_data64(sqe, id);
}

/*
 * Returns the index in @buffers, the guest's memory as registered with
 * io_uring, of the one that contains all of @iov, or -1. Thread of the queue;
 * @disk is constant while that runs.
 */
static int find_buffer(const struct uring_disk *disk, const struct iovec *iov)
{
	unsigned int i;

	for (i = 0; i < disk->buffer_count; i++) {
		uint64_t offset = (uint8_t *)iov->iov_base -
				  (uint8_t *)disk->buffers[i].iov_base;

		if (offset < disk->buffers[i].iov_len &&
		    iov->iov_len <= disk->buffers[i].iov_len - offset)
			return i;
	}
	return -1;
}

/*
 * Describe a read or a write to io_uring: with registered memory if the request
 * is one buffer there. Thread of the queue.
 */
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
		buffer = find_buffer(queue->disk, iov);
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
	uring_request->write_through = !queue->disk->blk->write_back;
	if (!read && uring_request->write_through)
		sqe->rw_flags |= RWF_DSYNC;
}

/*
 * Write the status, return the chain to the driver and free the request. Thread
 * of the queue.
 */
static void complete_request(struct uring_queue *queue, unsigned int id,
			     int error)
{
	struct uring_request *request = &queue->requests[id];

	*request->request.status = blk_sync_status(error);
	virtqueue_push(&queue->vq, request->chain.head,
		       blk_sync_written(&request->request, error));
	request->next_free = queue->free;
	queue->free = id;
}

/* Drop the buffers that contained only header and status. */
static void drop_empty_buffers(struct blk_request *request)
{
	while (request->iov_count && !request->iov->iov_len) {
		request->iov++;
		request->iov_count--;
	}
	while (request->iov_count &&
	       !request->iov[request->iov_count - 1].iov_len)
		request->iov_count--;
}

/* Whether a request is a read or a write that the disk can do. */
static bool is_transfer(const struct blk *blk,
			const struct blk_request *request)
{
	return (request->type == VIRTIO_BLK_T_IN ||
		request->type == VIRTIO_BLK_T_OUT) &&
	       request->bytes && !blk_check_transfer(blk, request);
}

/* Give a request to io_uring; @flags are IOSQE_*. Thread of the queue. */
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

/*
 * Give a request to io_uring, or handle it at once if it is not a transfer.
 * Thread of the queue, which waits in the latter case.
 */
static void start_request(struct uring_queue *queue, unsigned int id)
{
	struct uring_request *request = &queue->requests[id];

	if (request->request.type != VIRTIO_BLK_T_FLUSH &&
	    !is_transfer(queue->disk->blk, &request->request)) {
		complete_request(queue, id,
				 blk_sync(queue->disk->blk, &request->request));
		return;
	}
	drop_empty_buffers(&request->request);
	request->retries = 0;
	submit(queue, id, 0);
}

/*
 * Take the next request from the ring and start it. Returns 1; 0 if there is no
 * request; -errno if the queue is corrupt. Thread of the queue.
 */
static int next_request(struct uring_queue *queue)
{
	unsigned int id = queue->free;
	struct uring_request *request;
	int ret;

	/*
	 * There are as many requests as descriptors in the largest ring. If all
	 * are in flight and another one is available, the driver has reused a
	 * descriptor that it had not got back.
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

/* Show the driver what was used, and signal the irqfd if it wants. */
static void publish_used(struct uring_queue *queue)
{
	if (virtqueue_publish(&queue->vq))
		eventfd_write(queue->call, 1);
}

/*
 * Start the requests that the driver has made available, but no more than a
 * batch: a fast driver would keep this thread from everything else. The rest
 * has its turn after the completions, for which the kick eventfd is signalled.
 * Thread of the queue.
 */
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
 * Submit a request again that has failed for lack of resources or because of a
 * signal, this time for a kernel thread that can wait. Returns whether it did.
 * Thread of the queue.
 */
static bool resubmit(struct uring_queue *queue, unsigned int id, int res)
{
	if ((res != -EAGAIN && res != -EINTR) ||
	    queue->requests[id].retries == MAX_RETRIES)
		return false;
	queue->requests[id].retries++;
	submit(queue, id, IOSQE_ASYNC);
	return true;
}

/*
 * Returns the result of a read or write for the driver. Direct I/O refuses
 * memory that is not aligned for it; a short transfer is an error. Thread of
 * the queue, which may wait for the disk.
 */
static int transfer_ended(const struct uring_disk *disk,
			  const struct uring_request *uring, int res)
{
	const struct blk_request *request = &uring->request;

	if (res == -EINVAL && disk->direct >= 0)
		return blk_bounce(disk->blk, disk->direct, request);
	if (res < 0)
		return res;
	if ((uint64_t)res != request->bytes)
		return -EIO;
	return request->type == VIRTIO_BLK_T_IN
		       ? 0
		       : blk_written(disk->blk, uring->write_through);
}

/*
 * io_uring has ended a request with @res: complete it, or give it once more.
 * Thread of the queue.
 */
static void handle_request_end(struct uring_queue *queue, unsigned int id,
			       int res)
{
	const struct uring_request *request = &queue->requests[id];

	queue->in_flight--;
	if (resubmit(queue, id, res))
		return;
	if (request->request.type == VIRTIO_BLK_T_FLUSH)
		res = blk_flushed(queue->disk->blk, res);
	else
		res = transfer_ended(queue->disk, request, res);
	complete_request(queue, id, res);
}

/*
 * A doorbell, the signal to stop, or the end of a request. Thread of the queue.
 */
static void handle_completion(struct uring_queue *queue,
			      const struct io_uring_cqe *cqe)
{
	switch (cqe->user_data) {
	case KICK:
		if (!(cqe->flags & IORING_CQE_F_MORE))
			poll_eventfd(queue, queue->kick, KICK);
		if (!queue->stopping)
			start_requests(queue);
		break;
	case STOP:
		queue->stopping = true;
		break;
	default:
		handle_request_end(queue, cqe->user_data, cqe->res);
	}
}

/*
 * The thread of a queue, until it is stopped or the ring is corrupt, and no
 * request is in flight.
 */
static void *uring_thread(void *opaque)
{
	struct uring_queue *queue = opaque;
	struct io_uring_cqe *cqe;
	unsigned int head, count;

	if (io_uring_enable_rings(&queue->ring)) {
		eventfd_write(queue->error, 1);
		return NULL;
	}
	poll_eventfd(queue, queue->worker.stop, STOP);
	poll_eventfd(queue, queue->kick, KICK);
	while (!queue->stopping || queue->in_flight) {
		io_uring_submit_and_wait(&queue->ring, 1);
		count = 0;
		io_uring_for_each_cqe(&queue->ring, head, cqe)
		{
			handle_completion(queue, cqe);
			count++;
		}
		io_uring_cq_advance(&queue->ring, count);
		publish_used(queue);
	}
	return NULL;
}

/* All requests are free. Called before the thread of the queue runs. */
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
 * Open the ring. It is disabled until its thread enables it, because
 * SINGLE_ISSUER ties it to the thread that does, and DEFER_TASKRUN handles
 * completions in that thread when it waits for them. If memory cannot be
 * registered, requests are only slower.
 */
static int set_up_ring(struct uring_queue *queue)
{
	const unsigned int flags = IORING_SETUP_SINGLE_ISSUER |
				   IORING_SETUP_DEFER_TASKRUN |
				   IORING_SETUP_R_DISABLED;
	const struct uring_disk *disk = queue->disk;
	int fd = disk->direct >= 0 ? disk->direct : disk->blk->disk.fd;
	int ret;

	ret = io_uring_queue_init(2 * VIRTQUEUE_MAX_SIZE, &queue->ring, flags);
	if (ret)
		return ret;
	ret = io_uring_register_files(&queue->ring, &fd, 1);
	if (ret) {
		io_uring_queue_exit(&queue->ring);
		return ret;
	}
	queue->fixed = !io_uring_register_buffers(&queue->ring, disk->buffers,
						  disk->buffer_count);
	return 0;
}

/**
 * uring_queue_start() - Start to handle requests
 * @queue:	Queue with its disk, worker and eventfds; it does not run
 * @config:	Queue as the driver has set it up
 * @event_idx:	VIRTIO_RING_F_EVENT_IDX was negotiated
 *
 * Return: 0; -EPROTO if the driver has set it up wrongly; another -errno, with
 * a message printed.
 */
int uring_queue_start(struct uring_queue *queue,
		      const struct virtqueue_config *config, bool event_idx)
{
	struct blk *blk = queue->disk->blk;
	int ret;

	if (virtqueue_init(&queue->vq, &blk->vm->mem, config, event_idx))
		return -EPROTO;
	init_requests(queue);
	ret = set_up_ring(queue);
	if (!ret) {
		ret = worker_start(&queue->worker, uring_thread, queue);
		if (ret)
			io_uring_queue_exit(&queue->ring);
	}
	if (ret)
		log_error("%s: cannot start io_uring: %s", blk->options->path,
			  strerror(-ret));
	return ret;
}

/* Stop the queue, if it runs, when the requests in flight have ended. */
void uring_queue_stop(struct uring_queue *queue)
{
	if (!queue->worker.running)
		return;
	worker_stop(&queue->worker);
	io_uring_queue_exit(&queue->ring);
}
