// SPDX-License-Identifier: GPL-2.0
/*
 * The device's side of a virtqueue. A queue belongs to the thread that handles
 * it, so there is no lock; virtqueue_map() uses nothing but its arguments. What
 * orders this thread with the driver in the guest is said where it matters.
 */
#include <errno.h>
#include <stddef.h>
#include <linux/virtio_ring.h>

#include "virtio/virtqueue.h"

#define READ_ONCE(x)	 __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)

/* Find a ring in guest memory. NULL if it is not aligned, or not all RAM. */
static void *map_ring(const struct guest_mem *mem, uint64_t gpa, uint64_t len,
		      unsigned int align)
{
	return gpa % align ? NULL : mem_ptr(mem, gpa, len);
}

/**
 * virtqueue_map() - Check a queue's set-up and find its rings
 * @mem:	RAM
 * @config:	What the driver wrote
 * @rings:	Result
 *
 * The rings include the two event index fields behind them, whether they are
 * used or not, as drivers have to leave room for them.
 *
 * Return: 0; -EINVAL for a bad size; -EFAULT if a ring is unaligned or not RAM.
 */
int virtqueue_map(const struct guest_mem *mem,
		  const struct virtqueue_config *config,
		  struct virtqueue_rings *rings)
{
	uint64_t size = config->size;

	if (!size || size > VIRTQUEUE_MAX_SIZE || size & (size - 1))
		return -EINVAL;
	rings->desc =
		map_ring(mem, config->desc, size * sizeof(struct vring_desc),
			 VRING_DESC_ALIGN_SIZE);
	rings->avail = map_ring(mem, config->avail,
				sizeof(struct vring_avail) + (size + 1) * 2,
				VRING_AVAIL_ALIGN_SIZE);
	rings->used =
		map_ring(mem, config->used,
			 sizeof(struct vring_used) +
				 size * sizeof(struct vring_used_elem) + 2,
			 VRING_USED_ALIGN_SIZE);
	return rings->desc && rings->avail && rings->used ? 0 : -EFAULT;
}

/*
 * Begin with a queue that the driver has just set up. Returns as
 * virtqueue_map().
 */
int virtqueue_init(struct virtqueue *vq, const struct guest_mem *mem,
		   const struct virtqueue_config *config, bool event_idx)
{
	*vq = (struct virtqueue){
		.mem = mem,
		.size = config->size,
		.event_idx = event_idx,
	};
	return virtqueue_map(mem, config, &vq->rings);
}

/* The used index from which on the driver wants an interrupt. */
static uint16_t used_event(const struct virtqueue *vq)
{
	return READ_ONCE(vq->rings.avail->ring[vq->size]);
}

/* Tell the driver from which available index on to ring the doorbell. */
static void set_avail_event(struct virtqueue *vq, uint16_t index)
{
	uint16_t *event = (uint16_t *)&vq->rings.used->ring[vq->size];

	WRITE_ONCE(*event, index);
}

/*
 * Copy descriptor @index of a table of @count. Each field is read once, as the
 * guest may write to it at any time.
 */
static int read_desc(const struct vring_desc *table, uint32_t index,
		     uint32_t count, struct vring_desc *desc)
{
	if (index >= count)
		return -EINVAL;
	desc->addr = READ_ONCE(table[index].addr);
	desc->len = READ_ONCE(table[index].len);
	desc->flags = READ_ONCE(table[index].flags);
	desc->next = READ_ONCE(table[index].next);
	return 0;
}

/*
 * Append the buffer of a descriptor. Readable ones must precede writable ones.
 */
static int add_buffer(const struct virtqueue *vq, const struct vring_desc *desc,
		      struct virtqueue_chain *chain)
{
	bool in = desc->flags & VRING_DESC_F_WRITE;
	struct iovec *iov;
	void *va;

	if (!in && chain->in)
		return -EINVAL;
	va = mem_ptr(vq->mem, desc->addr, desc->len);
	if (!va)
		return -EFAULT;
	if (!desc->len)
		return 0;
	iov = &chain->iov[chain->out + chain->in];
	iov->iov_base = va;
	iov->iov_len = desc->len;
	if (in)
		chain->in++;
	else
		chain->out++;
	return 0;
}

/*
 * Append the buffers of a chain, which begins at @index in @table of @count
 * descriptors. A chain of more than @left descriptors, a loop for one, is
 * refused.
 */
static int follow_chain(const struct virtqueue *vq,
			const struct vring_desc *table, uint32_t count,
			uint32_t index, unsigned int left,
			struct virtqueue_chain *chain)
{
	struct vring_desc desc;
	int ret;

	for (;;) {
		if (!left--)
			return -EINVAL;
		ret = read_desc(table, index, count, &desc);
		if (ret)
			return ret;
		if (desc.flags & VRING_DESC_F_INDIRECT)
			return -EINVAL;
		ret = add_buffer(vq, &desc, chain);
		if (ret)
			return ret;
		if (!(desc.flags & VRING_DESC_F_NEXT))
			return 0;
		index = desc.next;
	}
}

/*
 * Append the buffers of a chain in a table of its own, which @desc points to.
 */
static int follow_indirect(const struct virtqueue *vq,
			   const struct vring_desc *desc,
			   struct virtqueue_chain *chain)
{
	const struct vring_desc *table;

	if (desc->flags & VRING_DESC_F_NEXT || !desc->len ||
	    desc->len % sizeof(*table))
		return -EINVAL;
	table = mem_ptr(vq->mem, desc->addr, desc->len);
	if (!table)
		return -EFAULT;
	return follow_chain(vq, table, desc->len / sizeof(*table), 0, vq->size,
			    chain);
}

/**
 * virtqueue_pop() - Take the next chain that the driver made available
 * @vq:		Queue
 * @chain:	Result
 *
 * Return: 1; 0 if there is none; -EINVAL or -EFAULT if ring or chain are
 * corrupt, after which the queue cannot be used.
 */
int virtqueue_pop(struct virtqueue *vq, struct virtqueue_chain *chain)
{
	struct vring_avail *avail = vq->rings.avail;
	struct vring_desc head;
	uint16_t index, ready;
	int ret;

	/* Pairs with the driver's barrier between entry and index. */
	index = __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE);
	ready = index - vq->next_avail;
	if (!ready)
		return 0;
	if (ready > vq->size)
		return -EINVAL;

	chain->head = READ_ONCE(avail->ring[vq->next_avail % vq->size]);
	chain->out = 0;
	chain->in = 0;
	ret = read_desc(vq->rings.desc, chain->head, vq->size, &head);
	if (ret)
		return ret;
	if (head.flags & VRING_DESC_F_INDIRECT)
		ret = follow_indirect(vq, &head, chain);
	else
		ret = follow_chain(vq, vq->rings.desc, vq->size, chain->head,
				   vq->size, chain);
	if (ret)
		return ret;
	vq->next_avail++;
	return 1;
}

/* Put the last @count chains back, so that they are popped again later. */
void virtqueue_unpop(struct virtqueue *vq, unsigned int count)
{
	vq->next_avail -= count;
}

/*
 * Give a chain back, with @len bytes written to it. The driver sees it after
 * virtqueue_publish().
 */
void virtqueue_push(struct virtqueue *vq, uint16_t head, uint32_t len)
{
	struct vring_used_elem *elem;

	elem = &vq->rings.used->ring[vq->next_used++ % vq->size];
	WRITE_ONCE(elem->id, head);
	WRITE_ONCE(elem->len, len);
}

/*
 * Show the driver the chains that were pushed. Returns whether it wants an
 * interrupt for them.
 */
bool virtqueue_publish(struct virtqueue *vq)
{
	uint16_t old = vq->published, new = vq->next_used;

	if (old == new)
		return false;
	__atomic_store_n(&vq->rings.used->idx, new, __ATOMIC_RELEASE);
	vq->published = new;
	/*
	 * The driver must see the index before this thread reads whether it
	 * wants an interrupt: it may be about to sleep.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vq->event_idx)
		return vring_need_event(used_event(vq), new, old);
	return !(READ_ONCE(vq->rings.avail->flags) &
		 VRING_AVAIL_F_NO_INTERRUPT);
}

/**
 * virtqueue_wait() - Ask the driver for a doorbell before going to sleep
 * @vq:		Queue
 * @seen:	Number of available chains that the device knows of and has left
 *		in the ring
 *
 * Return: true if there are no others, so the next one comes with a doorbell;
 * false if there are more by now, which may come without one.
 */
bool virtqueue_wait(struct virtqueue *vq, uint16_t seen)
{
	uint16_t index = vq->next_avail + seen;

	if (vq->event_idx)
		set_avail_event(vq, index);
	/*
	 * The driver must see the request before this thread reads the index.
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return READ_ONCE(vq->rings.avail->idx) == index;
}
