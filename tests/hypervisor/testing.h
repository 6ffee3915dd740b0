/* SPDX-License-Identifier: GPL-2.0 */
/* For tests of the HSM: tests/include/hv_test.h says what there is. */
#ifndef HV_TESTING_H
#define HV_TESTING_H

#include "types.h"

/* What this call of the hypercall is to fail with, or 0. Any CPU. */
s64 testing_fault(u64 id);

/**
 * testing_record() - Keep the argument of a hypercall for the tests to see
 * @id:		Hypercall
 * @vmid:	VM id as the caller gave it
 * @argument:	Structure
 * @size:	Its size, at most 192
 *
 * Also writes a line to the log, "vm 1: hypercall 0x55: " and the bytes in
 * hexadecimal, each two digits.
 */
void testing_record(u64 id, u64 vmid, const void *argument, u32 size);

/* HV_MSR_ASYNCIO_SIZE */
u32 testing_asyncio_size(void);

/* Whether an upcall is not to be raised now, but later. Any CPU. */
bool testing_holds_upcall(void);

/* Access of the Service VM to a register. 0, or -EINVAL for #GP. */
int testing_read_msr(u32 msr, u64 *value);
int testing_write_msr(u32 msr, u64 value);

#endif /* HV_TESTING_H */
