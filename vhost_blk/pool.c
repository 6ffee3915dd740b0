// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a queue's requests. It is allocated in the ioctl that attaches
 * the disk and freed in the ioctl or the release of the file that detaches it,
 * under dev.mutex; in between, the queue's worker takes pieces of it and gives
 * them back. vq.mutex guards which are free.
 */
#include <linux/log2.h>
#include <linux/memcontrol.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pool.h"

/* However large the ring is, no more requests than this are in flight. */
#define MAX_REQUESTS	1024

/* Even a small ring has bios enough for a request of about 8 MiB. */
#define MIN_PARTS	32

/**
 * vhost_blk_pool_init() - Begin with a pool without memory
 * @pool:	Pool, zeroed
 *
 * Context: Process context, before any other function of the pool.
 */
void vhost_blk_pool_init(struct vhost_blk_pool *pool)
{
	mutex_init(&pool->bounce_mutex);
	INIT_LIST_HEAD(&pool->free);
}

/* Make all requests free. vq.mutex is held. */
static void init_requests(struct vhost_blk_pool *pool)
{
	unsigned int i;

	INIT_LIST_HEAD(&pool->free);
	for (i = 0; i < pool->request_count; i++)
		list_add_tail(&pool->requests[i].list, &pool->free);
}

/* Make all parts free. vq.mutex is held. */
static void init_parts(struct vhost_blk_pool *pool, unsigned int count)
{
	unsigned int i;

	pool->parts = NULL;
	for (i = 0; i < count; i++) {
		pool->part_memory[i].next = pool->parts;
		pool->parts = &pool->part_memory[i];
	}
	pool->part_count = count;
	pool->parts_free = count;
}

/**
 * vhost_blk_pool_create() - Allocate the memory of a queue's requests
 * @pool:	Pool without memory
 * @ring_size:	Number of descriptors in the ring
 * @bios:	Requests take bios of ours; a regular file needs none
 *
 * Context: Process context, dev.mutex and vq.mutex held, may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int vhost_blk_pool_create(struct vhost_blk_pool *pool, unsigned int ring_size,
			  bool bios)
{
	unsigned int requests = min(ring_size, MAX_REQUESTS);
	unsigned int parts = bios ? max(requests, MIN_PARTS) : 0;

	pool->request_count = requests;
	pool->requests = kvcalloc(requests, sizeof(*pool->requests),
				  GFP_KERNEL_ACCOUNT);
	if (parts)
		pool->part_memory = kvcalloc(parts, sizeof(*pool->part_memory),
					     GFP_KERNEL_ACCOUNT);
	pool->bounce = kmalloc(VHOST_BLK_BOUNCE, GFP_KERNEL_ACCOUNT);
	if (!pool->requests || !pool->bounce || (parts && !pool->part_memory)) {
		vhost_blk_pool_destroy(pool);
		return -ENOMEM;
	}
	init_requests(pool);
	init_parts(pool, parts);
	return 0;
}

/**
 * vhost_blk_pool_destroy() - Free the memory of a pool
 * @pool:	Pool of which no request is in use
 *
 * Context: Process context, dev.mutex and vq.mutex held, may sleep. No work uses
 *	    the bounce buffer any more, so bounce_mutex is not needed.
 */
void vhost_blk_pool_destroy(struct vhost_blk_pool *pool)
{
	unsigned int i;

	for (i = 0; pool->requests && i < pool->request_count; i++) {
		kvfree(pool->requests[i].iov.data);
		kvfree(pool->requests[i].log.data);
	}
	kfree(pool->bounce);
	kvfree(pool->part_memory);
	kvfree(pool->requests);
	pool->bounce = NULL;
	pool->part_memory = NULL;
	pool->requests = NULL;
}

/**
 * vhost_blk_request_get() - Take a free request
 * @pool:	Pool
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: The request, or NULL if all are in use.
 */
struct vhost_blk_request *vhost_blk_request_get(struct vhost_blk_pool *pool)
{
	struct vhost_blk_request *request;

	request = list_first_entry_or_null(&pool->free,
					   struct vhost_blk_request, list);
	if (!request)
		return NULL;
	list_del(&request->list);
	request->error = 0;
	request->parts = NULL;
	return request;
}

/**
 * vhost_blk_request_put() - Give back a request
 * @pool:	Pool
 * @request:	Request that has no parts any more
 *
 * Context: Process context, vq.mutex held: the worker, or the ioctl or the
 *	    release of the file that detaches the disk.
 */
void vhost_blk_request_put(struct vhost_blk_pool *pool,
			   struct vhost_blk_request *request)
{
	list_add(&request->list, &pool->free);
}

/*
 * Give a buffer room for @bytes bytes. Called by the worker under vq.mutex; may
 * sleep.
 *
 * The memory is charged to @owner: up to Linux 6.1 a vhost worker is in no
 * memory cgroup by itself. __GFP_NOFAIL makes the request wait for memory
 * instead of failing.
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
 * vhost_blk_buffer_fill() - Copy data into a buffer of a request
 * @buffer:	Buffer
 * @owner:	Process that is charged for the memory
 * @data:	Data to copy
 * @bytes:	Length of @data, at most UIO_MAXIOV entries of 16 bytes
 *
 * A buffer that is too small grows, and keeps its size for the requests to
 * come.
 *
 * Context: The queue's worker, vq.mutex held, may sleep.
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

/**
 * vhost_blk_part_get() - Append a free part to those of a request
 * @pool:	Pool
 * @request:	Request
 *
 * Context: The queue's worker, vq.mutex held.
 *
 * Return: The part, or NULL if all are in use.
 */
struct vhost_blk_part *vhost_blk_part_get(struct vhost_blk_pool *pool,
					  struct vhost_blk_request *request)
{
	struct vhost_blk_part *part = pool->parts;

	if (!part)
		return NULL;
	pool->parts = part->next;
	pool->parts_free--;
	part->request = request;
	part->next = NULL;
	if (request->parts)
		request->last_part->next = part;
	else
		request->parts = part;
	request->last_part = part;
	return part;
}

/**
 * vhost_blk_parts_put() - Give back all parts of a request
 * @pool:	Pool
 * @request:	Request
 *
 * Context: Process context, vq.mutex held: the worker, or the ioctl or the
 *	    release of the file that detaches the disk.
 */
void vhost_blk_parts_put(struct vhost_blk_pool *pool,
			 struct vhost_blk_request *request)
{
	struct vhost_blk_part *part;

	while (request->parts) {
		part = request->parts;
		request->parts = part->next;
		part->next = pool->parts;
		pool->parts = part;
		pool->parts_free++;
	}
}
