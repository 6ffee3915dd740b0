// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupts that are held back while the worker polls; interrupt.h says why.
 * The functions run in process context and may sleep: in the queue's worker;
 * _init() in the ioctl that attaches the disk; _used() and _now() also in the
 * ioctl or the release of the file that detaches it. vq.mutex is held and
 * guards all of it.
 */
#include <linux/ktime.h>
#include <linux/minmax.h>

#include "blk.h"
#include "interrupt.h"
#include "trace.h"

/* Number of full batches after which a larger one is tried, at most. */
#define MAX_INTERVAL	128

/**
 * vhost_blk_interrupt_init() - Begin with an interrupt for each request
 * @interrupt:	Interrupt of a queue
 *
 * The queue tries larger batches at once.
 *
 * Context: Process context, vq.mutex held. The queue has no backend.
 */
void vhost_blk_interrupt_init(struct vhost_blk_interrupt *interrupt)
{
	*interrupt = (struct vhost_blk_interrupt){
		.batch = 1,
		.countdown = 1,
		.interval = 1,
	};
}

/**
 * vhost_blk_interrupt_now() - Interrupt the driver for all that is held back
 * @queue:	Queue
 *
 * Context: Process context, vq.mutex held, may sleep: the worker, or the ioctl or
 *	    the release of the file that detaches the disk, when no interrupt is
 *	    held back.
 */
void vhost_blk_interrupt_now(struct vhost_blk_queue *queue)
{
	if (!queue->interrupt.held)
		return;
	trace_vhost_blk_interrupt(queue);
	queue->stats.interrupts++;
	queue->interrupt.held = 0;
	vhost_signal(queue->vq.dev, &queue->vq);
}

/*
 * A batch was full before the driver had to wait: it may become larger. In the
 * worker, vq.mutex is held.
 */
static void batch_full(struct vhost_blk_interrupt *interrupt)
{
	if (interrupt->trial)
		interrupt->interval = 1;
	interrupt->trial = false;
	if (--interrupt->countdown)
		return;
	interrupt->countdown = interrupt->interval;
	if (interrupt->batch < VHOST_BLK_BATCH) {
		interrupt->batch *= 2;
		interrupt->trial = true;
	}
}

/**
 * vhost_blk_interrupt_used() - Entries were written to the used ring
 * @queue:	Queue
 * @count:	Number of entries
 *
 * The driver is interrupted at once unless the worker polls, and otherwise when a
 * batch is full or the time limit has been reached.
 *
 * Context: Process context, vq.mutex held, may sleep: the worker, or the ioctl or
 *	    the release of the file that detaches the disk, when no interrupt is
 *	    held back.
 */
void vhost_blk_interrupt_used(struct vhost_blk_queue *queue, unsigned int count)
{
	struct vhost_blk_interrupt *interrupt = &queue->interrupt;
	u64 now;

	if (!interrupt->holding) {
		interrupt->held += count;
		vhost_blk_interrupt_now(queue);
		return;
	}
	now = ktime_get_ns();
	if (!interrupt->held)
		interrupt->held_since = now;
	interrupt->held += count;
	if (interrupt->held >= interrupt->batch) {
		batch_full(interrupt);
		vhost_blk_interrupt_now(queue);
	} else if (now - interrupt->held_since >= interrupt->limit_ns) {
		vhost_blk_interrupt_now(queue);
	}
}

/**
 * vhost_blk_interrupt_stalled() - The driver waits for what is held back
 * @queue:	Queue with entries that are held back
 *
 * Context: The queue's worker, vq.mutex held.
 */
void vhost_blk_interrupt_stalled(struct vhost_blk_queue *queue)
{
	struct vhost_blk_interrupt *interrupt = &queue->interrupt;

	interrupt->batch = max(interrupt->held / 2, 1U);
	interrupt->interval = min(2 * interrupt->interval, MAX_INTERVAL);
	interrupt->countdown = interrupt->interval;
	interrupt->trial = false;
	vhost_blk_interrupt_now(queue);
}
