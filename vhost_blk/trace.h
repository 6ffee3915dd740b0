/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of a request's way through the worker. What their fields mean is in
 * Documentation/tracing.md.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vhost_blk

#if !defined(VHOST_BLK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VHOST_BLK_TRACE_H

#include <linux/tracepoint.h>

#include "blk.h"

/* A request has been checked, and is given to the disk. */
TRACE_EVENT(vhost_blk_start,
	TP_PROTO(const struct vhost_blk_request *request, u64 sector),
	TP_ARGS(request, sector),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, head)
		__field(u32, type)
		__field(u64, sector)
	),
	TP_fast_assign(
		__entry->device = request->queue->blk->number;
		__entry->head = request->head;
		__entry->type = request->type;
		__entry->sector = sector;
	),
	TP_printk("device=%d head=%u type=%u sector=%llu", __entry->device,
		  __entry->head, __entry->type, __entry->sector)
);

/* A request has ended, and returns to the driver. */
TRACE_EVENT(vhost_blk_end,
	TP_PROTO(const struct vhost_blk_request *request),
	TP_ARGS(request),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, head)
		__field(u32, type)
		__field(u32, written)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->device = request->queue->blk->number;
		__entry->head = request->head;
		__entry->type = request->type;
		__entry->written = request->written;
		__entry->error = request->error;
	),
	TP_printk("device=%d head=%u type=%u written=%u error=%d",
		  __entry->device, __entry->head, __entry->type,
		  __entry->written, __entry->error)
);

/* The worker has polled, and found a request or given up. */
TRACE_EVENT(vhost_blk_poll,
	TP_PROTO(const struct vhost_blk_queue *queue, bool found),
	TP_ARGS(queue, found),
	TP_STRUCT__entry(
		__field(int, device)
		__field(bool, found)
		__field(u64, window)
	),
	TP_fast_assign(
		__entry->device = queue->blk->number;
		__entry->found = found;
		__entry->window = queue->poll.window_ns;
	),
	TP_printk("device=%d found=%d window=%llu", __entry->device,
		  __entry->found, __entry->window)
);

/* The driver is interrupted for entries of the used ring. */
TRACE_EVENT(vhost_blk_interrupt,
	TP_PROTO(const struct vhost_blk_queue *queue),
	TP_ARGS(queue),
	TP_STRUCT__entry(
		__field(int, device)
		__field(u32, entries)
		__field(u32, batch)
	),
	TP_fast_assign(
		__entry->device = queue->blk->number;
		__entry->entries = queue->interrupt.held;
		__entry->batch = queue->interrupt.batch;
	),
	TP_printk("device=%d entries=%u batch=%u", __entry->device,
		  __entry->entries, __entry->batch)
);

#endif /* VHOST_BLK_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
