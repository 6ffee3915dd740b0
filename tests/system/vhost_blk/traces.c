// SPDX-License-Identifier: GPL-2.0
/* The tracepoints of vhost_blk. */
#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "trace.h"
#include "vhost_blk_checks.h"

/* Each is seen at least once, while the worker polls for many reads. */
void traces(void)
{
	const char *const events[] = {
		"vhost_blk_start: device=0 head=0 type=0",
		"vhost_blk_end: device=0 head=0 type=0 "
		"written=4097 error=0",
		"vhost_blk_poll: device=0 found=1",
		"vhost_blk_interrupt: device=0"
	};
	char command[160];

	trace_set("trace", "\n");
	trace_set("events/vhost_blk/enable", "1");
	vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 100000);
	trace_on(true);
	storm(8, 400);
	trace_on(false);
	vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 0);
	trace_set("events/vhost_blk/enable", "0");
	for (unsigned int i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		snprintf(command, sizeof(command),
			 "grep -q '%s' " TRACE_DIR "trace", events[i]);
		tap_ok(!system(command), "traced: %s", events[i]);
	}
}

static void see_batch(uint64_t time, const char *what, void *context)
{
	(void)time;
	sscanf(what, "vhost_blk_interrupt: device=%*d entries=%*u batch=%u",
	       (unsigned int *)context);
}

/*
 * Number of requests that interrupts are to tell of after @count reads; 0 if
 * these were not done or there was no interrupt.
 */
static unsigned int batch_after(unsigned int depth, unsigned int count)
{
	unsigned int batch = 0, done;

	trace_set("trace", "\n");
	trace_on(true);
	done = storm(depth, count).done;
	trace_on(false);
	trace_read(see_batch, &batch);
	return done == count ? batch : 0;
}

/*
 * Read with 32 requests on their way until an interrupt is to tell of several.
 * How many it is depends on how many were left at the end. Returns their
 * number.
 */
static unsigned int large_batch(void)
{
	unsigned int batch = 0;

	for (unsigned int i = 0; i < 50 && batch < 4; i++)
		batch = batch_after(32, 200);
	return batch;
}

/*
 * A driver that had many requests on their way has one now, and waits for its
 * interrupt, while the worker polls for a short time only. An interrupt that it
 * holds back for that long shows that the driver waits: the batch is made
 * small, and the next interrupts are not held back.
 */
void batches(void)
{
	unsigned int batch;

	trace_set("events/vhost_blk/vhost_blk_interrupt/enable", "1");
	vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 100000);
	batch = large_batch();
	tap_ok(batch >= 4, "32 in flight: an interrupt for %u", batch);
	tap_success(vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 30),
		    "a short busyloop timeout is set");
	batch = batch_after(1, 50);
	tap_ok(batch == 1 || batch == 2,
	       "then one at a time: an interrupt for %u", batch);
	vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 0);
	trace_set("events/vhost_blk/enable", "0");
}
