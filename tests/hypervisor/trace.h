/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The trace of hypercalls, for tests: tests/include/hv_test.h has its format.
 */
#ifndef HV_TRACE_H
#define HV_TRACE_H

#include "types.h"

/* Map the trace read-only into the Service VM. Called by service_vm_init(). */
void trace_init(void);

/* Called when a hypercall begins, followed by trace_end(). Any CPU. */
void trace_begin(void);

/**
 * trace_end() - Add a hypercall to the trace, if the trace is on
 * @id:		Id as the Service VM gave it; a hypercall that exists
 * @arg0:	First argument
 * @arg1:	Second argument
 * @ret:	Its result
 *
 * Called after the hypercall has been carried out, because CREATE_VM returns
 * the VM id in its argument. Any CPU.
 */
void trace_end(u64 id, u64 arg0, u64 arg1, s64 ret);

/* HV_MSR_TRACE: machine address of the trace; switch it on, emptied, or off */
u64 trace_address(void);
void trace_switch(bool on);

#endif /* HV_TRACE_H */
