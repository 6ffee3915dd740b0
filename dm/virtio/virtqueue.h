/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device's side of a split virtqueue, for queues that this process handles.
 *
 * Rings and descriptors lie in guest memory and cannot be trusted: every value
 * is read once, every index and address is checked, and no chain is longer than
 * the queue. A queue is used by one thread; there is no lock.
 */
#ifndef DM_VIRTQUEUE_H
#define DM_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "bus/mem.h"

#define VIRTQUEUE_MAX_SIZE 256

/**
 * struct virtqueue_config - A queue as the driver has set it up
 * @size:	Number of descriptors
 * @desc:	Guest physical address of the descriptor table
 * @avail:	Guest physical address of the available ring
 * @used:	Guest physical address of the used ring
 */
struct virtqueue_config {
	uint16_t size;
	uint64_t desc;
	uint64_t avail;
	uint64_t used;
};

/**
 * struct virtqueue_rings - The rings of a queue as this process has them mapped
 * @desc:	Descriptor table
 * @avail:	Available ring
 * @used:	Used ring
 */
struct virtqueue_rings {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
};

/**
 * struct virtqueue - A queue that is being handled
 * @mem:	RAM
 * @size:	Number of descriptors
 * @event_idx:	VIRTIO_RING_F_EVENT_IDX was negotiated
 * @rings:	Rings
 * @next_avail:	Index of the next available entry to take
 * @next_used:	Index of the next used entry to fill
 * @published:	Used index in the ring, which the driver reads
 */
struct virtqueue {
	const struct guest_mem *mem;
	uint16_t size;
	bool event_idx;
	struct virtqueue_rings rings;
	uint16_t next_avail;
	uint16_t next_used;
	uint16_t published;
};

/**
 * struct virtqueue_chain - Buffers that the driver has made available
 * @head:	Index of the first descriptor, which identifies the chain
 * @out:	Number of @iov that the device reads
 * @in:		Number of @iov, behind those, that the device writes
 * @iov:	Buffers
 */
struct virtqueue_chain {
	uint16_t head;
	unsigned int out;
	unsigned int in;
	struct iovec iov[VIRTQUEUE_MAX_SIZE];
};

int virtqueue_map(const struct guest_mem *mem,
		  const struct virtqueue_config *config,
		  struct virtqueue_rings *rings);
int virtqueue_init(struct virtqueue *vq, const struct guest_mem *mem,
		   const struct virtqueue_config *config, bool event_idx);
int virtqueue_pop(struct virtqueue *vq, struct virtqueue_chain *chain);
void virtqueue_unpop(struct virtqueue *vq, unsigned int count);
void virtqueue_push(struct virtqueue *vq, uint16_t head, uint32_t len);
bool virtqueue_publish(struct virtqueue *vq);
bool virtqueue_wait(struct virtqueue *vq, uint16_t seen);

#endif /* DM_VIRTQUEUE_H */
