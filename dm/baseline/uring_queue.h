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
 */
#ifndef DM_URING_QUEUE_H
#define DM_URING_QUEUE_H

#include <stdbool.h>
#include <liburing.h>

#include "baseline/blk_request.h"
#include "block/blk.h"
#include "process/worker.h"
#include "virtio/virtqueue.h"

/* io_uring registers no more than this in one piece. */
#define URING_MAX_BUFFER (1ULL << 30)

/* Two regions of memory, see mem.h, of 16 GiB at most. */
#define URING_MAX_BUFFERS 18

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
 * struct uring_disk - What the queues of a disk share
 * @blk:	Device
 * @direct:	The disk, past the page cache; -1 if it cannot be opened so
 * @buffers:	The guest's memory in the pieces that are registered
 * @buffer_count: Their number
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
