/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of the fixture, the hypervisor of tests/hypervisor, for tests:
 * model-specific registers of the Service VM, which programs access by
 * /dev/cpu/0/msr. Both sides include this file.
 */
#ifndef HV_TEST_H
#define HV_TEST_H

#include <linux/types.h>

/*
 * Read and write: a hypercall that is made to fail. Bits 0 to 7 are the low
 * byte of its id, bits 8 to 19 the number of the first call that fails,
 * counting those for all VMs from 1, bits 20 to 31 the number of calls that
 * fail, and bits 32 to 63 the errno as a positive number. Such a call fails and
 * does nothing. The register counts down, and is 0 when all these calls have
 * failed; 0 means that no call fails.
 */
#define HV_MSR_FAULT 0x41435200U
/* In place of an id: count regions of SET_MEMORY_REGIONS, not calls */
#define HV_FAULT_REGION 0xffU
#define HV_FAULT(id, from, calls, error)                                       \
	((unsigned long long)(error) << 32 | (unsigned int)(calls) << 20 |     \
	 (from) << 8 | ((id)&0xff))

/*
 * Read only: the argument of the last hypercall about a device (0x53 to 0x5a).
 * The first register has the low byte of the id in bits 0 to 7, the VM id in
 * bits 16 to 31, and the size of the argument in bytes in bits 32 to 63. The
 * other registers have the argument, eight bytes each.
 */
#define HV_MSR_ARGUMENT_INFO   0x41435201U
#define HV_MSR_ARGUMENT	       0x41435300U
#define HV_ARGUMENT_MSRS       24
#define HV_ARGUMENT_ID(info)   ((info)&0xff)
#define HV_ARGUMENT_VMID(info) ((info) >> 16 & 0xffff)
#define HV_ARGUMENT_SIZE(info) ((info) >> 32)

/*
 * Make any hypercall: write the arguments to the other registers and then the
 * id to HV_MSR_CALL, and read the result from there.
 */
#define HV_MSR_CALL	 0x41435203U
#define HV_MSR_CALL_ARG0 0x41435204U
#define HV_MSR_CALL_ARG1 0x41435205U

/*
 * Read and write: what kind of hypervisor this is, as the number of bytes that
 * ASYNCIO_ASSIGN and ASYNCIO_DEASSIGN read. 32: as ACRN 3.3. 24: an older one,
 * which does not compare data and has no events. 0: one without asynchronous
 * doorbells and rings.
 */
#define HV_MSR_ASYNCIO_SIZE 0x41435206U
#define HV_ASYNCIO_SIZE	    32
#define HV_ASYNCIO_SIZE_OLD 24

/*
 * Write only: put this cookie in the ring of the VM whose id is in
 * HV_MSR_CALL_ARG0, as if its guest had rung a doorbell. Fails when the VM has
 * no ring or the ring is full.
 */
#define HV_MSR_FORGE 0x41435207U

/*
 * Write only: raise an event of this type (ACRN_HV_EVENT_*) for the VM whose id
 * is in HV_MSR_CALL_ARG0. Its data begins with HV_MSR_CALL_ARG1. Nothing
 * happens when the VM has no ring for events or the ring is full. Fails when
 * there is no such VM.
 */
#define HV_MSR_EVENT 0x41435208U

/*
 * Write only: forget which ids belonged to VMs that polled for completion,
 * except those that a VM has now. As on ACRN, a VM polls, whatever it was
 * created for, if an earlier VM with the same id did.
 */
#define HV_MSR_FORGET_POLLING 0x41435209U

/*
 * Write only: 1 holds upcalls back, as if they were still on their way; 0 ends
 * that, and raises an upcall if any was held back.
 */
#define HV_MSR_HOLD_UPCALLS 0x4143520aU

/*
 * The trace of hypercalls. Writing 1 enables it, and 0 disables it; both make
 * it empty. Reading returns the physical address of &struct hv_trace, which the
 * Service VM can read by /dev/mem, but not write to.
 */
#define HV_MSR_TRACE	 0x41435202U
#define HV_TRACE_ENTRIES 4095

/**
 * struct hv_trace_entry - A hypercall, or one region of those that map memory
 * @id:		Low byte of the hypercall's id
 * @vmid:	Which VM
 * @result:	What it returned
 * @args:	Arguments without addresses of the Service VM, see below
 *
 * @args of SET_MEMORY_REGIONS, which has an entry for each region: type,
 * attributes, User VM physical address, size, whether all of it leads to RAM of
 * the Service VM, and which: the sum of each page's first eight bytes times its
 * User VM page number, or where it is no RAM, its distance from the User VM
 * physical address.
 *
 * @args of ASYNCIO_ASSIGN and ASYNCIO_DEASSIGN: type, whether data counts,
 * address, cookie, data. @args[0] of SETUP_SBUF: which ring.
 *
 * @args[0] of others: the second argument, when that is a value; a digest of
 * the structure it points to, when it is an address; and where a page is all
 * that it points to, the offset within the page. CREATE_VM and
 * PM_GET_CPU_STATE have it in the first argument.
 */
struct hv_trace_entry {
	__u32 id;
	__u32 vmid;
	__s64 result;
	__u64 args[6];
};

/**
 * struct hv_trace - The last HV_TRACE_ENTRIES hypercalls
 * @count:	Number of entries since the trace was enabled
 * @active:	Hypercalls that have not returned, and have no entry yet
 * @reserved:	0
 * @entries:	Entries; number n is at n % HV_TRACE_ENTRIES
 */
struct hv_trace {
	__u64 count;
	__u64 active;
	__u64 reserved[6];
	struct hv_trace_entry entries[HV_TRACE_ENTRIES];
};

#endif /* HV_TEST_H */
