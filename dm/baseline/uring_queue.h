/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A queue of a disk that is handled by io_uring, with a thread and a ring of
 * its own while the driver has the device running.
 *
 * All requests that a doorbell announces are submitted by one system call,
 * which also waits; all that have ended by then share an interrupt. The disk
 * and the guest's memory are registered. Requests go past the page cache where
 * the disk allows it, and by way of blk_bounce() when their memory is not
 * aligned for that.
 *
 * What uring_thread() calls runs in the queue's thread, all else in the thread
 * that handles I/O requests.
 */
#ifndef DM_URING_QUEUE_H
#define DM_URING_QUEUE_H

#include <stdbool.h>
#include <liburing.h>

#include "baseline/blk_request.h"
#include "block/blk.h"
#include "process/worker.h"
#include "virtio/virtqueue.h"

/* io_uring registers buffers of no more than 1 GiB. */
#define URING_MAX_BUFFER (1ULL << 30)

/* RAM of up to 16 GiB in two regions, see mem.h, in pieces of that size. */
#define URING_MAX_BUFFERS 18

/**
 * struct uring_request - A request in flight
 * @next_free:	Index of the next free request
 * @retries:	How often it was given to io_uring again
 * @write_through: The write is on the medium when it ends
 * @chain:	Buffers of the driver
 * @request:	Request that is in them
 */
struct uring_request {
	unsigned int next_free;
	unsigned int retries;
	bool write_through;
	struct virtqueue_chain chain;
	struct blk_request request;
};

/**
 * struct uring_disk - What the queues of a disk share
 * @blk:	Device
 * @direct:	The disk, opened for direct I/O; -1 if it takes none
 * @buffers:	The guest's memory in the pieces that are registered
 * @buffer_count: Number of @buffers
 *
 * Does not change while a queue runs.
 */
struct uring_disk {
	struct blk *blk;
	int direct;
	struct iovec buffers[URING_MAX_BUFFERS];
	unsigned int buffer_count;
};

/**
 * struct uring_queue - A queue and its thread
 * @disk:	What it shares with the other queues
 * @worker:	Thread, the only user of all other fields while it runs
 * @ring:	io_uring, open while @worker runs
 * @fixed:	The guest's memory is registered with @ring
 * @kick:	eventfd: doorbell
 * @call:	eventfd: interrupt
 * @error:	eventfd: the queue was found corrupt
 * @stopping:	Take no more requests, and end when none is in flight
 * @vq:		Queue
 * @in_flight:	Number of requests that io_uring has not ended yet
 * @free:	Index of the first free request, VIRTQUEUE_MAX_SIZE if there is
 *		none
 * @requests:	Requests, in flight or free
 */
struct uring_queue {
	const struct uring_disk *disk;
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

int uring_queue_start(struct uring_queue *queue,
		      const struct virtqueue_config *config, bool event_idx);
void uring_queue_stop(struct uring_queue *queue);

#endif /* DM_URING_QUEUE_H */
