// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that several groups of checks make: data there and back, ranges that
 * are discarded or zeroed, and many requests at a time.
 */
#include "raw_blk.h"
#include "requests.h"

/* Microseconds to poll, so that the worker polls for seconds at least */
#define LONG_POLL 100000000

/* Fill memory with bytes that depend on @seed and are not zero. */
void fill(uint32_t offset, uint32_t bytes, unsigned int seed)
{
	uint32_t i;

	for (i = 0; i < bytes; i++)
		mem[offset + i] = (i * 7 + i / 251 + seed) | 1;
}

bool same(uint32_t a, uint32_t b, uint32_t bytes)
{
	return !memcmp(mem + a, mem + b, bytes);
}

/* Write @bytes at @offset, read them to @to, and compare. */
bool round_trip(uint64_t sector, uint32_t offset, uint32_t to, uint32_t bytes,
		unsigned int seed)
{
	fill(offset, bytes, seed);
	memset(mem + to, 0, bytes);
	return request(VIRTIO_BLK_T_OUT, sector, offset, bytes) == 0 &&
	       request(VIRTIO_BLK_T_IN, sector, to, bytes) == 0 &&
	       same(offset, to, bytes);
}

/* Discard or zero the same range @number times by one request. */
int ranges(uint32_t type, uint64_t sector, uint32_t count, uint32_t flags,
	   unsigned int number)
{
	struct virtio_blk_discard_write_zeroes *r = (void *)(mem + DATA);
	unsigned int i;

	for (i = 0; i < number; i++)
		r[i] = (struct virtio_blk_discard_write_zeroes){
			.sector = sector, .num_sectors = count, .flags = flags
		};
	return request(type, 0, DATA, number * sizeof(*r));
}

bool reads_zeroes(uint64_t sector, uint32_t bytes)
{
	uint32_t i;

	memset(mem + DATA, 0xee, bytes);
	if (request(VIRTIO_BLK_T_IN, sector, DATA, bytes))
		return false;
	for (i = 0; i < bytes; i++)
		if (mem[DATA + i])
			return false;
	return true;
}

/* Make as many reads of @bytes as the ring has room for, without waiting. */
void flood(uint32_t bytes)
{
	unsigned int i;

	chain(VIRTIO_BLK_T_IN, 0, DATA, bytes);
	for (i = 0; i < RING; i++)
		ring(0);
}

/* Fill the ring of the slow disk with reads, and let it begin with them. */
void begin_slow_reads(void)
{
	flood(4096);
	usleep(SLOW_MILLIS * 1000 / 4);
}

/* Ring unless the device has asked for no doorbells. */
void ring_if_asked(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(used()->flags & VRING_USED_F_NO_NOTIFY))
		eventfd_write(kick, 1);
}

/* Make @count reads, @depth at a time, sleeping until the device interrupts. */
struct storm storm(unsigned int depth, unsigned int count)
{
	struct storm storm = { 0 };
	unsigned int offered = 0;
	eventfd_t signalled;

	chain(VIRTIO_BLK_T_IN, 0, DATA, 4096);
	eventfd_read(call, &signalled);
	while (storm.done < count) {
		for (; offered < count && offered - storm.done < depth;
		     offered++) {
			offer(0);
			ring_if_asked();
		}
		if (poll(&(struct pollfd){ call, POLLIN, 0 }, 1, 5000) != 1)
			break;
		eventfd_read(call, &signalled);
		storm.interrupts += signalled;
		for (; count_used(); used_idx++)
			storm.done++;
	}
	return storm;
}

/* Have the worker poll for many seconds after a request of the queue in use. */
bool poll_for_long(void)
{
	return !vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, LONG_POLL) &&
	       !request(VIRTIO_BLK_T_IN, 0, DATA, 512) &&
	       !request(VIRTIO_BLK_T_IN, 0, DATA, 512);
}
