// SPDX-License-Identifier: GPL-2.0
/*
 * All memory that the requests of a queue take, allocated before the first of
 * them and bounded by the size of the ring.
 */
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "blk.h"

/* More requests than this are in flight at no time, however large the ring. */
#define MAX_REQUESTS	1024

/* Enough for a request of some size even in a small ring. */
#define MIN_PARTS	32

static void init_requests(struct vhost_blk_queue *queue)
{
	unsigned int i;

	INIT_LIST_HEAD(&queue->free);
	for (i = 0; i < queue->request_count; i++) {
		queue->requests[i].queue = queue;
		vhost_blk_request_init(&queue->requests[i]);
		list_add_tail(&queue->requests[i].list, &queue->free);
	}
}

static void init_parts(struct vhost_blk_queue *queue, unsigned int count)
{
	unsigned int i;

	queue->parts = NULL;
	for (i = 0; i < count; i++) {
		queue->part_memory[i].next = queue->parts;
		queue->parts = &queue->part_memory[i];
	}
	queue->part_count = count;
	queue->parts_free = count;
}

/**
 * vhost_blk_pool_create() - Take the memory for a queue
 * @queue:	Queue without memory; its ring has its final size
 *
 * Context: vq.mutex held, may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_blk_pool_create(struct vhost_blk_queue *queue)
{
	unsigned int requests = min(queue->vq.num, MAX_REQUESTS);
	unsigned int parts = max(requests, MIN_PARTS);

	queue->request_count = requests;
	queue->requests = kvcalloc(requests, sizeof(*queue->requests),
				   GFP_KERNEL_ACCOUNT);
	/* A regular file needs no bio of ours. */
	if (queue->blk->bdev)
		queue->part_memory = kvcalloc(parts,
					      sizeof(*queue->part_memory),
					      GFP_KERNEL_ACCOUNT);
	queue->bounce = kmalloc(VHOST_BLK_BOUNCE, GFP_KERNEL_ACCOUNT);
	if (!queue->requests || !queue->bounce ||
	    (queue->blk->bdev && !queue->part_memory)) {
		vhost_blk_pool_destroy(queue);
		return -ENOMEM;
	}
	init_requests(queue);
	init_parts(queue, queue->part_memory ? parts : 0);
	return 0;
}

/* Give the memory back. No request is in use. */
void vhost_blk_pool_destroy(struct vhost_blk_queue *queue)
{
	unsigned int i;

	for (i = 0; queue->requests && i < queue->request_count; i++) {
		kvfree(queue->requests[i].iov.data);
		kvfree(queue->requests[i].log.data);
	}
	kfree(queue->bounce);
	kvfree(queue->part_memory);
	kvfree(queue->requests);
	queue->bounce = NULL;
	queue->part_memory = NULL;
	queue->requests = NULL;
}

/**
 * vhost_blk_request_get() - Take a free request
 * @queue:	Queue
 *
 * Context: vq.mutex held.
 *
 * Return: The request, or NULL if all are in use.
 */
struct vhost_blk_request *vhost_blk_request_get(struct vhost_blk_queue *queue)
{
	struct vhost_blk_request *request;

	request = list_first_entry_or_null(&queue->free,
					   struct vhost_blk_request, list);
	if (!request)
		return NULL;
	list_del(&request->list);
	request->error = 0;
	request->parts = NULL;
	return request;
}

/* Give a request back, without any part. vq.mutex held. */
void vhost_blk_request_put(struct vhost_blk_request *request)
{
	list_add(&request->list, &request->queue->free);
}

/*
 * It is the owner's memory, and where there is little of it the request waits
 * rather than fails. Up to 6.1 a worker is charged for none of its own accord.
 */
static void grow(struct vhost_blk_buffer *buffer, struct mm_struct *owner,
		 size_t bytes)
{
	struct mem_cgroup *memcg = get_mem_cgroup_from_mm(owner);
	struct mem_cgroup *old = set_active_memcg(memcg);

	kvfree(buffer->data);
	buffer->size = roundup_pow_of_two(bytes);
	buffer->data = kvmalloc(buffer->size,
				GFP_KERNEL_ACCOUNT | __GFP_NOFAIL);
	set_active_memcg(old);
	mem_cgroup_put(memcg);
}

/**
 * vhost_blk_buffer_fill() - Copy something into a buffer of a request
 * @buffer:	Buffer
 * @owner:	Who is charged for its memory
 * @data:	What it is to hold
 * @bytes:	Length of @data, at most UIO_MAXIOV entries of 16 bytes
 *
 * The buffer grows if it has to, and is never smaller again: the requests to
 * come use it as well.
 *
 * Context: Process context, vq.mutex held.
 */
void vhost_blk_buffer_fill(struct vhost_blk_buffer *buffer,
			   struct mm_struct *owner, const void *data,
			   size_t bytes)
{
	if (!bytes)
		return;
	if (bytes > buffer->size)
		grow(buffer, owner, bytes);
	memcpy(buffer->data, data, bytes);
}

/* Add a part behind those of a request; NULL if there is none. vq.mutex held. */
struct vhost_blk_part *vhost_blk_part_get(struct vhost_blk_request *request)
{
	struct vhost_blk_queue *queue = request->queue;
	struct vhost_blk_part *part = queue->parts;

	if (!part)
		return NULL;
	queue->parts = part->next;
	queue->parts_free--;
	part->request = request;
	part->next = NULL;
	if (request->parts)
		request->last_part->next = part;
	else
		request->parts = part;
	request->last_part = part;
	return part;
}

/* Give all parts of a request back. vq.mutex held. */
void vhost_blk_parts_put(struct vhost_blk_request *request)
{
	struct vhost_blk_queue *queue = request->queue;
	struct vhost_blk_part *part;

	while (request->parts) {
		part = request->parts;
		request->parts = part->next;
		part->next = queue->parts;
		queue->parts = part;
		queue->parts_free++;
	}
}
