/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test hypervisor offers to tests beyond ACRN's interface: model
 * specific registers of the Service VM, for which user space has
 * /dev/cpu/0/msr. Included by both sides.
 */
#ifndef HV_TEST_H
#define HV_TEST_H

#include <linux/types.h>

/*
 * Read and write: which hypercall is going to fail. Bits 0 to 7 are the low
 * byte of its id; bits 8 to 19 say from which call on, those for other VMs
 * included: 1 is the next one; bits 20 to 31 say how many calls; bits 32 to 63
 * are the errno, positive. Such a call does nothing but fail. The register
 * counts down and is zero, which means none, when all is done.
 */
#define HV_MSR_FAULT 0x41435200U
/* In place of an id: each region of SET_MEMORY_REGIONS */
#define HV_FAULT_REGION 0xffU
#define HV_FAULT(id, from, calls, error)                                       \
	((unsigned long long)(error) << 32 | (unsigned int)(calls) << 20 |     \
	 (from) << 8 | ((id)&0xff))

/*
 * Read only: the last argument of a device hypercall (0x53 to 0x5a). Bits 0 to
 * 7 of the first are the low byte of the hypercall's id, bits 16 to 31 the VM
 * id, bits 32 to 63 the size in bytes; the others are the argument, eight bytes
 * each.
 */
#define HV_MSR_ARGUMENT_INFO   0x41435201U
#define HV_MSR_ARGUMENT	       0x41435300U
#define HV_ARGUMENT_MSRS       24
#define HV_ARGUMENT_ID(info)   ((info)&0xff)
#define HV_ARGUMENT_VMID(info) ((info) >> 16 & 0xffff)
#define HV_ARGUMENT_SIZE(info) ((info) >> 32)

/*
 * A hypercall by hand: writing its id to HV_MSR_CALL carries it out with what
 * the others hold as arguments, and reading gives its result.
 */
#define HV_MSR_CALL	 0x41435203U
#define HV_MSR_CALL_ARG0 0x41435204U
#define HV_MSR_CALL_ARG1 0x41435205U

/*
 * Read and write: how many bytes ASYNCIO_ASSIGN and ASYNCIO_DEASSIGN read: 32;
 * 24, as hypervisors do that know nothing of data nor of events; or 0 for a
 * hypervisor without asynchronous doorbells and rings.
 */
#define HV_MSR_ASYNCIO_SIZE 0x41435206U
#define HV_ASYNCIO_SIZE	    32
#define HV_ASYNCIO_SIZE_OLD 24

/*
 * Write only: put a cookie in the ring of the VM whose id is in
 * HV_MSR_CALL_ARG0, as if one of its doorbells had rung. Fails when there is no
 * ring, or no room.
 */
#define HV_MSR_FORGE 0x41435207U

/*
 * Write only: an event of that type (ACRN_HV_EVENT_*) of the VM whose id is in
 * HV_MSR_CALL_ARG0, whose data begins with HV_MSR_CALL_ARG1. Nothing happens
 * when there is no ring, or no room. Fails when there is no such VM.
 */
#define HV_MSR_EVENT 0x41435208U

/*
 * Write only: as on ACRN, a VM polls for completion, whatever it was created
 * for, once another one of the same number has; this makes the hypervisor
 * forget that of numbers that no VM has now.
 */
#define HV_MSR_FORGET_POLLING 0x41435209U

/*
 * Write only: 1 holds upcalls back, as if they were still on their way; 0
 * raises one if any was held back.
 */
#define HV_MSR_HOLD_UPCALLS 0x4143520aU

/*
 * The trace of hypercalls. Written: 1 switches it on and 0 off, either forgets
 * what there was. Read: the physical address of &struct hv_trace, which the
 * Service VM can read (/dev/mem) but not write to.
 */
#define HV_MSR_TRACE	 0x41435202U
#define HV_TRACE_ENTRIES 4095

/**
 * struct hv_trace_entry - A hypercall, or one region of those that map memory
 * @id:		Low byte of the hypercall's id
 * @vmid:	Which VM
 * @result:	What it returned
 * @args:	What the Service VM asked for, without its own addresses, see
 * below
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
 * struct hv_trace - The last HV_TRACE_ENTRIES of them
 * @count:	How many there were
 * @active:	How many hypercalls are being carried out, which are not among
 *		the entries yet
 * @reserved:	0
 * @entries:	Entry n is at n % HV_TRACE_ENTRIES
 */
struct hv_trace {
	__u64 count;
	__u64 active;
	__u64 reserved[6];
	struct hv_trace_entry entries[HV_TRACE_ENTRIES];
};

#endif /* HV_TEST_H */
