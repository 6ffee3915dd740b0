// SPDX-License-Identifier: GPL-2.0
/*
 * Polling: what a busyloop timeout changes, that no interrupt is held back,
 * that the CPU is left to others, and how many doorbells and interrupts are
 * saved.
 */
#include <pthread.h>
#include <sched.h>

#include "clock.h"
#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

#define POLL_PARAM "/sys/module/vhost_blk/parameters/poll"

/*
 * Make requests without ringing. Returns how many of 50 are done nevertheless.
 * Before each, the worker gets time to enable doorbells, because it looks at
 * the ring once more after that. On a busy machine it may be late for a few.
 */
static unsigned int done_unasked(void)
{
	unsigned int i, count = 0;

	for (i = 0; i < 50; i++) {
		if (request(VIRTIO_BLK_T_IN, 0, DATA, 512))
			return 0;
		usleep(2000);
		offer(0);
		if (is_used(20)) {
			count++;
			continue;
		}
		eventfd_write(kick, 1);
		if (!is_used(5000))
			return 0;
	}
	return count;
}

void busyloop(void)
{
	unsigned int count;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       !system("echo 0 > " POLL_PARAM),
	       "a disk that is not polled for");
	count = done_unasked();
	tap_ok(count < 5, "%u requests are done without a doorbell", count);
	tap_success(vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 100000),
		    "a busyloop timeout is set");
	count = done_unasked();
	tap_ok(count > 5, "%u requests are done without a doorbell", count);
	tap_success(vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 0),
		    "the busyloop timeout is set to 0");
	count = done_unasked();
	tap_ok(count < 5, "%u requests are done without a doorbell again",
	       count);
	tap_ok(!system("echo 1 > " POLL_PARAM), "polling is on again");
}

/* Run on CPU 0 only, or on both CPUs: the worker gets the other one. */
static void stay_on_cpu(bool on)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (!on)
		CPU_SET(1, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* However long the worker polls, an interrupt is not held back for that long.
 */
void held_interrupts(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) && poll_for_long(),
	       "a disk is polled for");
	tap_eq(storm(1, 300).done, 300,
	       "no interrupt is held back while the driver waits for it");
	tap_success(unset_disk(), "the disk is detached");
}

static void *spin(void *stop)
{
	while (!*(volatile bool *)stop)
		;
	return NULL;
}

/*
 * While the slow disk is busy, make a request that needs no disk. A worker that
 * slept until the disk is done would not see it: while it polls, the driver
 * does not ring.
 */
static void request_meanwhile(void)
{
	usleep(SLOW_MILLIS * 1000 / 4);
	offer_beside(VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_ID_BYTES);
	ring_if_asked();
	tap_ok(is_used(3000) && mem[STATUS] == NO_STATUS,
	       "other threads want the CPU: no request waits for the disk");
}

/*
 * Somebody else wants the worker's CPU while it polls for a slow disk: it gives
 * it away, and polls no more.
 */
void wanted_cpu(void)
{
	volatile bool stop = false;
	pthread_t threads[2];
	long long waits;
	uint64_t end;
	int i;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR) && poll_for_long(),
	       "a slow disk is polled for");
	waits = counter("waits");
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, spin, (void *)&stop);
	mem[STATUS] = NO_STATUS;
	ring(0);
	request_meanwhile();
	tap_ok(is_used(3000), "other threads want the CPU: a request is done");
	for (end = now_ms() + 2000; now_ms() < end;)
		if (counter("waits") > waits)
			break;
	tap_ok(counter("waits") > waits, "the worker leaves the CPU to them");
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	tap_success(unset_disk(), "the disk is detached");
}

/* How often the worker polls while there is a read every 10 ms. */
static long long polls_while_idle(void)
{
	long long polls = counter("polls");

	for (unsigned int i = 0; i < 40; i++) {
		usleep(10000);
		if (request(VIRTIO_BLK_T_IN, 0, DATA, 512))
			break;
	}
	return counter("polls") - polls;
}

void polling(void)
{
	const unsigned int many = 4000;
	long long found, waits, polls = 20, interrupts;
	struct storm result;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR),
	       "a disk is attached");
	stay_on_cpu(true);
	found = counter("polls_found");
	interrupts = counter("interrupts");
	result = storm(1, 500);
	tap_eq(counter("interrupts") - interrupts, 500,
	       "one request in flight: each interrupt is counted");
	tap_eq(result.done, 500, "one request in flight: all are done");
	tap_eq(result.interrupts, 500,
	       "one request in flight: each has its interrupt");
	waits = counter("waits");
	result = storm(32, many);
	waits = counter("waits") - waits;
	tap_eq(result.done, many, "32 in flight: all are done");
	tap_ok(waits >= 0 && waits < many / 4, "32 in flight: %lld doorbells",
	       waits);
	tap_ok(result.interrupts < many / 4, "32 in flight: %u interrupts",
	       result.interrupts);
	found = counter("polls_found") - found;
	tap_ok(found > 0, "polling has found something %lld times", found);
	result = storm(1, 500);
	tap_eq(result.done, 500, "one in flight again: all are done");
	/* While the host is busy, 10 ms may seem short to the worker. */
	for (unsigned int tries = 0; tries < 5 && polls >= 20; tries++)
		polls = polls_while_idle();
	tap_ok(polls < 20,
	       "a disk that is idle is hardly polled for: %lld times", polls);
	stay_on_cpu(false);
}
