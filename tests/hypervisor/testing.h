/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registers with which tests of the HSM control the hypervisor;
 * tests/include/hv_test.h describes them.
 */
#ifndef HV_TESTING_H
#define HV_TESTING_H

#include "types.h"

/*
 * Returns the negative errno with which a test wants this call of hypercall @id
 * to fail, or 0. Counts the call. Any CPU.
 */
s64 testing_fault(u64 id);

/**
 * testing_record() - Keep the argument of a hypercall for tests to read
 * @id:		Hypercall
 * @vmid:	VM id as the caller gave it
 * @argument:	Structure
 * @size:	Its size, at most 192
 *
 * Also writes a line to the log, "vm 1: hypercall 0x55: " and the bytes in
 * hexadecimal, each two digits.
 */
void testing_record(u64 id, u64 vmid, const void *argument, u32 size);

/* Size of an asynchronous doorbell, 0 without them: HV_MSR_ASYNCIO_SIZE */
u32 testing_asyncio_size(void);

/*
 * Called before an upcall is raised. Returns true when a test holds upcalls
 * back; one is then raised when the test ends that. Any CPU.
 */
bool testing_holds_upcall(void);

/*
 * The Service VM reads or writes one of the registers. Return 0, or -EINVAL for
 * which it gets #GP.
 */
int testing_read_msr(u32 msr, u64 *value);
int testing_write_msr(u32 msr, u64 value);

#endif /* HV_TESTING_H */
