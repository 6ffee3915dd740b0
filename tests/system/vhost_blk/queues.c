// SPDX-License-Identifier: GPL-2.0
/*
 * Two queues of a device, with a worker each or with the same, and what they do
 * to one another.
 */
#include "clock.h"
#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "two_queues.h"
#include "vhost_blk_checks.h"
#include "vhost_worker.h"

#define LAZY "/dev/lazy"

/* Give queue 1 a worker, which before Linux 6.5 it gets by itself. */
static bool add_worker(void)
{
	struct vhost_vring_worker worker = { .index = 1 };
	struct vhost_worker_state state = { 0 };

	if (ioctl(vhost, VHOST_NEW_WORKER, &state))
		return errno == ENOTTY;
	worker.worker_id = state.worker_id;
	return !ioctl(vhost, VHOST_ATTACH_VRING_WORKER, &worker);
}

/* Ring for a read of 4 KiB from the first sector. */
static void ring_for_read(uint32_t data, uint32_t status)
{
	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	add_in(data, 4096);
	add_in(status, 1);
	ring(0);
}

/*
 * A read to an odd address makes a queue's worker wait for the disk. The worker
 * of the other queue serves that meanwhile.
 */
static void own_workers(void)
{
	tap_ok(make_disk("lazy", "irqmode=2 completion_nsec=800000000 ") &&
		       open_two() && add_worker() && !set_disk(LAZY, O_RDWR),
	       "two queues with a worker each");
	ring_for_read(DATA + 1, STATUS + 64);
	usleep(100000);
	change_sides();
	tap_eq(request(VIRTIO_BLK_T_GET_ID, 0, DATA + 8192, 20), 0,
	       "two workers: a request of the second queue");
	change_sides();
	tap_ok(!used()->idx, "two workers: the first still waits for the disk");
	tap_ok(is_used(5000) && !mem[STATUS + 64],
	       "two workers: and is done with its request in the end");
	close(vhost);
	tap_ok(remove_disk("lazy"), "two workers: the disk is removed");
}

/* Make the first chain available again as often as it was used. */
static void fill_ring(void)
{
	for (unsigned int i = 0; i < 100; i++)
		avail()->idx = used()->idx + RING;
	ring_if_asked();
}

/*
 * Make a request of the other queue while there is always one of this queue.
 * Returns how many of this queue are done before it, with which it has to share
 * a worker.
 */
static unsigned int done_before_other(void)
{
	volatile struct vring_used *others = (void *)(mem + other.rings + USED);
	uint64_t end = now_ms() + 5000;
	uint16_t before;

	ring_for_read(DATA, STATUS);
	while (used()->idx < 100 && now_ms() < end)
		fill_ring();
	before = used()->idx;
	change_sides();
	ring_for_read(DATA, STATUS);
	change_sides();
	while (!others->idx && now_ms() < end)
		fill_ring();
	return (uint16_t)(used()->idx - before);
}

/* One worker for two queues: a busy one does not keep it from the other. */
static void shared_worker(void)
{
	struct vhost_worker_state worker;
	unsigned int count;

	tap_ok(open_two() && !set_disk(FAST, O_RDWR), "two queues");
	/* Before Linux 6.5 each has its own. */
	if (ioctl(vhost, VHOST_NEW_WORKER, &worker)) {
		tap_skip("each queue has one", "one worker: turns");
	} else {
		count = done_before_other();
		tap_ok(count < 1000,
		       "one worker: it changes over after %u requests", count);
	}
	close(vhost);
}

/* A worker that polls for a queue leaves that for other things to do. */
static void interrupted_poll(void)
{
	uint64_t start;

	tap_ok(open_two() && !set_disk(FAST, O_RDWR) && poll_for_long(),
	       "a disk is polled for");
	start = now_ms();
	change_sides();
	tap_ok(!request(VIRTIO_BLK_T_IN, 0, DATA, 512) &&
		       now_ms() - start < 3000,
	       "polling ends for a request of another queue");
	change_sides();
	tap_ok(!request(VIRTIO_BLK_T_IN, 0, DATA, 512), "it is polled again");
	start = now_ms();
	tap_ok(!unset_disk() && now_ms() - start < 3000,
	       "polling ends when the disk is detached");
	close(vhost);
}

void two_queues(void)
{
	raw_blk_init();
	own_workers();
	shared_worker();
	interrupted_poll();
}
