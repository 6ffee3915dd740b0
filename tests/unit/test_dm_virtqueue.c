// sources: dm/virtio/virtqueue.c dm/bus/mem.c dm/process/log.c
// SPDX-License-Identifier: GPL-2.0
/* The device model's virtqueues, with honest and hostile drivers */
#include <stdint.h>
#include <string.h>
#include <linux/virtio_ring.h>

#include "dm/virtio/virtqueue.h"
#include "tap.h"

#define SIZE	 8
#define RAM_SIZE 0x10000
#define DESC	 0x1000
#define AVAIL	 0x2000
#define USED	 0x3000
#define TABLE	 0x4000
#define DATA	 0x8000

static uint8_t ram[RAM_SIZE];
static struct guest_mem mem;
static struct virtqueue vq;
static struct virtqueue_chain chain;

static struct vring_desc *const desc = (void *)(ram + DESC);
static struct vring_avail *const avail = (void *)(ram + AVAIL);
static struct vring_used *const used = (void *)(ram + USED);

static const struct virtqueue_config good = {
	.size = SIZE,
	.desc = DESC,
	.avail = AVAIL,
	.used = USED,
};

static void start(bool event_idx)
{
	memset(ram, 0, sizeof(ram));
	virtqueue_init(&vq, &mem, &good, event_idx);
}

static void set(struct vring_desc *d, uint64_t addr, uint32_t len,
		uint16_t flags, uint16_t next)
{
	*d = (struct vring_desc){ addr, len, flags, next };
}

static void offer(uint16_t head)
{
	avail->ring[avail->idx++ % SIZE] = head;
}

static int pop(void)
{
	return virtqueue_pop(&vq, &chain);
}

static void setup(void)
{
	struct virtqueue_config config = good;

	tap_eq(virtqueue_init(&vq, &mem, &good, false), 0, "a good queue");
	config.size = 0;
	tap_eq(-virtqueue_init(&vq, &mem, &config, false), EINVAL, "no size");
	config.size = 6;
	tap_eq(-virtqueue_init(&vq, &mem, &config, false), EINVAL,
	       "a size that is no power of two");
	config.size = 2 * VIRTQUEUE_MAX_SIZE;
	tap_eq(-virtqueue_init(&vq, &mem, &config, false), EINVAL, "too large");
	config = good;
	config.desc += 8;
	tap_eq(-virtqueue_init(&vq, &mem, &config, false), EFAULT,
	       "unaligned descriptors");
	config = good;
	config.used += 2;
	tap_eq(-virtqueue_init(&vq, &mem, &config, false), EFAULT,
	       "unaligned used ring");
	config = good;
	config.avail = RAM_SIZE - 4 - 2 * SIZE;
	tap_eq(-virtqueue_init(&vq, &mem, &config, false), EFAULT,
	       "no room for the event index");
	config.avail = UINT64_MAX - 1;
	tap_eq(-virtqueue_init(&vq, &mem, &config, false), EFAULT,
	       "a ring that wraps around");
}

static void chains(void)
{
	start(false);
	tap_eq(pop(), 0, "nothing there");
	set(&desc[2], DATA, 10, VRING_DESC_F_NEXT, 5);
	set(&desc[5], DATA + 16, 0, VRING_DESC_F_NEXT, 1);
	set(&desc[1], DATA + 32, 20, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 0);
	set(&desc[0], DATA + 64, 30, VRING_DESC_F_WRITE, 7);
	offer(2);
	tap_eq(pop(), 1, "a chain");
	tap_eq(chain.head, 2, "its head");
	tap_eq(chain.out, 1, "one buffer to read, without the empty one");
	tap_eq(chain.in, 2, "two to write");
	tap_ok(chain.iov[0].iov_base == ram + DATA &&
		       chain.iov[0].iov_len == 10,
	       "the first");
	tap_ok(chain.iov[2].iov_base == ram + DATA + 64 &&
		       chain.iov[2].iov_len == 30,
	       "the last");
	tap_eq(pop(), 0, "no other");
	virtqueue_unpop(&vq, 1);
	tap_eq(pop(), 1, "it comes back");

	virtqueue_push(&vq, 2, 50);
	tap_eq(used->idx, 0, "not seen before it is published");
	tap_ok(virtqueue_publish(&vq), "interrupt");
	tap_eq(used->idx, 1, "seen");
	tap_eq(used->ring[0].id, 2, "used head");
	tap_eq(used->ring[0].len, 50, "used length");
	tap_ok(!virtqueue_publish(&vq), "nothing new");

	set(&desc[3], TABLE, 32, VRING_DESC_F_INDIRECT, 0);
	set((void *)(ram + TABLE), DATA, 1, VRING_DESC_F_NEXT, 1);
	set((void *)(ram + TABLE + 16), DATA, 2, VRING_DESC_F_WRITE, 0);
	offer(3);
	tap_eq(pop(), 1, "an indirect chain");
	tap_ok(chain.out == 1 && chain.in == 1, "both buffers");
}

/* A queue that was found corrupt stays so, so each case starts a new one. */
static void hostile_chain(int want, const char *name)
{
	offer(0);
	tap_eq(-pop(), want, "%s", name);
	start(false);
}

static void hostile(void)
{
	start(false);
	offer(SIZE);
	tap_eq(-pop(), EINVAL, "a head that is none");
	start(false);
	avail->idx = SIZE + 1;
	tap_eq(-pop(), EINVAL, "more chains than entries");
	start(false);
	avail->idx = 0x8000;
	tap_eq(-pop(), EINVAL, "an index far ahead");
	start(false);

	set(&desc[0], DATA, 1, VRING_DESC_F_NEXT, 0);
	hostile_chain(EINVAL, "a loop");
	set(&desc[0], DATA, 0, VRING_DESC_F_NEXT, 0);
	hostile_chain(EINVAL, "a loop of nothing");
	set(&desc[0], DATA, 1, VRING_DESC_F_NEXT, SIZE);
	hostile_chain(EINVAL, "a next that is none");
	set(&desc[0], DATA, 1, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
	set(&desc[1], DATA, 1, 0, 0);
	hostile_chain(EINVAL, "to read behind to write");
	set(&desc[0], RAM_SIZE - 1, 2, 0, 0);
	hostile_chain(EFAULT, "a buffer across the end of RAM");
	set(&desc[0], UINT64_MAX, 2, 0, 0);
	hostile_chain(EFAULT, "a buffer that wraps around");
	set(&desc[0], RAM_SIZE + 1, 0, 0, 0);
	hostile_chain(EFAULT, "an empty buffer outside of RAM");

	set(&desc[0], TABLE, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1);
	hostile_chain(EINVAL, "indirect and next");
	set(&desc[0], TABLE, 0, VRING_DESC_F_INDIRECT, 0);
	hostile_chain(EINVAL, "an empty table");
	set(&desc[0], TABLE, 17, VRING_DESC_F_INDIRECT, 0);
	hostile_chain(EINVAL, "a table of one and a bit");
	set(&desc[0], RAM_SIZE - 16, 32, VRING_DESC_F_INDIRECT, 0);
	hostile_chain(EFAULT, "a table across the end of RAM");
	set(&desc[0], TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	set((void *)(ram + TABLE), TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	hostile_chain(EINVAL, "a table in a table");
	set(&desc[0], TABLE, 16, VRING_DESC_F_INDIRECT, 0);
	set((void *)(ram + TABLE), DATA, 1, VRING_DESC_F_NEXT, 1);
	hostile_chain(EINVAL, "a next behind the table");
}

static void long_table(void)
{
	struct vring_desc *table = (void *)(ram + TABLE);
	unsigned int i;

	for (i = 0; i < 2 * SIZE; i++)
		set(&table[i], DATA, 1, VRING_DESC_F_NEXT, i + 1);
	set(&desc[0], TABLE, 2 * SIZE * 16, VRING_DESC_F_INDIRECT, 0);
	offer(0);
	tap_eq(-pop(), EINVAL, "a chain longer than the queue");
}

static void events(void)
{
	start(true);
	set(&desc[0], DATA, 1, 0, 0);
	tap_ok(virtqueue_wait(&vq, 0), "nothing to do");
	offer(0);
	offer(0);
	tap_ok(!virtqueue_wait(&vq, 0), "something came meanwhile");
	tap_ok(virtqueue_wait(&vq, 2), "two are known");
	tap_eq(*(uint16_t *)&used->ring[SIZE], 2, "doorbell at the third");
	pop();
	pop();
	tap_ok(virtqueue_wait(&vq, 0), "nothing to do again");
	tap_eq(*(uint16_t *)&used->ring[SIZE], 2, "doorbell at the third");

	/* The driver wants an interrupt for the second used buffer. */
	avail->ring[SIZE] = 1;
	virtqueue_push(&vq, 0, 0);
	tap_ok(!virtqueue_publish(&vq), "no interrupt for the first");
	virtqueue_push(&vq, 0, 0);
	tap_ok(virtqueue_publish(&vq), "interrupt for the second");

	start(false);
	avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	virtqueue_push(&vq, 0, 0);
	tap_ok(!virtqueue_publish(&vq), "no interrupt wanted at all");
}

static void wrap_around(void)
{
	unsigned int i, ok = 0;

	start(false);
	set(&desc[0], DATA, 1, 0, 0);
	for (i = 0; i < 0x10010; i++) {
		offer(0);
		if (pop() != 1)
			break;
		virtqueue_push(&vq, chain.head, 0);
		ok += virtqueue_publish(&vq);
	}
	tap_eq(ok, 0x10010, "indices wrap around");
}

static void translation(void)
{
	struct guest_mem two;

	mem_layout(&two, MEM_LOW_MAX + 0x200000, NULL);
	tap_eq(two.count, 2, "more than fits below goes above 4 GiB");
	tap_eq(two.regions[1].size, 0x200000, "the rest of it");
	tap_ok(mem_ptr(&two, MEM_HIGH_BASE, 0x200000) == (void *)MEM_LOW_MAX,
	       "it follows in the mapping");
	tap_ok(!mem_ptr(&two, MEM_HIGH_BASE, 0x200001), "but ends");
	tap_ok(!mem_ptr(&two, MEM_LOW_MAX - 1, 2), "nothing across the hole");
	tap_ok(!mem_ptr(&two, MEM_LOW_MAX, 1), "nothing in the hole");
	tap_ok(!mem_ptr(&two, 0x1000, UINT64_MAX), "no huge length");
}

int main(void)
{
	mem_layout(&mem, RAM_SIZE, ram);
	setup();
	chains();
	hostile();
	long_table();
	events();
	wrap_around();
	translation();
	return tap_done();
}
