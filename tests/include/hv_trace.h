/* SPDX-License-Identifier: GPL-2.0 */
/* The fixture's trace of hypercalls, for tests in the Service VM. */
#ifndef HV_TRACE_H
#define HV_TRACE_H

#include <stdio.h>
#include <sys/mman.h>

#include "acrn_hypercall.h"
#include "raw_hv.h"

/**
 * struct trace - A reader of the trace
 * @shared:	Memory of the hypervisor; NULL if this is not the fixture, whose
 *		trace has no entries
 * @seen:	Number of entries that were read
 */
struct trace {
	const struct hv_trace *shared;
	uint64_t seen;
};

/* Begin to trace hypercalls. On another hypervisor there are no entries. */
static inline struct trace trace_start(void)
{
	struct trace trace = { 0 };
	int fd;

	if (!hv_is_fixture())
		return trace;
	fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "/dev/mem");
	trace.shared = mmap(NULL, sizeof(*trace.shared), PROT_READ, MAP_SHARED,
			    fd, hv_read_msr(HV_MSR_TRACE));
	if (trace.shared == MAP_FAILED)
		err(1, "the trace of hypercalls");
	close(fd);
	hv_write_msr(HV_MSR_TRACE, 1);
	return trace;
}

static inline void trace_stop(struct trace *trace)
{
	if (!trace->shared)
		return;
	hv_write_msr(HV_MSR_TRACE, 0);
	munmap((void *)trace->shared, sizeof(*trace->shared));
}

/*
 * Merge the region @next into @entry if it follows: a test must not depend on
 * how the HSM cuts a segment into regions. Returns false if it does not follow.
 */
static inline bool trace_merge(struct hv_trace_entry *entry,
			       const struct hv_trace_entry *next)
{
	if (entry->id != (ACRN_HC_SET_MEMORY_REGIONS & 0xff) ||
	    next->id != entry->id || next->vmid != entry->vmid ||
	    next->result != entry->result || next->args[0] != entry->args[0] ||
	    next->args[1] != entry->args[1] ||
	    next->args[2] != entry->args[2] + entry->args[3] ||
	    next->args[4] != entry->args[4])
		return false;
	if (!next->args[4] && next->args[5] != entry->args[5])
		return false;
	entry->args[3] += next->args[3];
	if (next->args[4])
		entry->args[5] += next->args[5];
	return true;
}

/*
 * Return the next hypercall, or NULL. Waits for those that have not returned.
 */
static inline const struct hv_trace_entry *trace_next(struct trace *trace)
{
	uint64_t count;

	if (!trace->shared)
		return NULL;
	while (__atomic_load_n(&trace->shared->active, __ATOMIC_ACQUIRE))
		;
	count = __atomic_load_n(&trace->shared->count, __ATOMIC_ACQUIRE);

	if (count - trace->seen > HV_TRACE_ENTRIES)
		errx(1, "more hypercalls than the trace holds");
	if (trace->seen == count)
		return NULL;
	return &trace->shared->entries[trace->seen++ % HV_TRACE_ENTRIES];
}

/*
 * Read the hypercalls since the last time, @max of them at most, and return
 * their number.
 */
static inline unsigned int trace_take(struct trace *trace,
				      struct hv_trace_entry *entries,
				      unsigned int max)
{
	const struct hv_trace_entry *next;
	unsigned int n = 0;

	while ((next = trace_next(trace))) {
		if (n && trace_merge(&entries[n - 1], next))
			continue;
		if (n == max)
			errx(1, "more than %u hypercalls", max);
		entries[n++] = *next;
	}
	return n;
}

/* Return the number of hypercalls with this id since the last time. */
static inline unsigned int trace_calls(struct trace *trace, uint32_t id)
{
	const struct hv_trace_entry *next;
	unsigned int calls = 0;

	while ((next = trace_next(trace)))
		calls += next->id == (id & 0xff);
	return calls;
}

#endif /* HV_TRACE_H */
