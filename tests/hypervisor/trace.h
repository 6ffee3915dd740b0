/* SPDX-License-Identifier: GPL-2.0 */
/* The trace of hypercalls, for tests: tests/include/hv_test.h has its format.
 */
#ifndef HV_TRACE_H
#define HV_TRACE_H

#include "types.h"

/* The Service VM may read the trace. Part of setting it up. */
void trace_init(void);

/* A hypercall begins. Any CPU. */
void trace_begin(void);

/**
 * trace_end() - Keep a hypercall that has been carried out, if the trace is on
 * @id:		As the Service VM gave it, one that there is
 * @arg0:	First argument
 * @arg1:	Second argument
 * @ret:	What it returns
 *
 * Not before, as some return the VM id in their argument. Any CPU.
 */
void trace_end(u64 id, u64 arg0, u64 arg1, s64 ret);

/* What the Service VM's register says and does. */
u64 trace_address(void);
void trace_switch(bool on);

#endif /* HV_TRACE_H */
