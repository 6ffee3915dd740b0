/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints on the way of a request from the upcall to its completion, and of
 * MSIs. The meaning of their fields is in Documentation/tracing.md.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM acrn_hsm

#if !defined(HSM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define HSM_TRACE_H

#include <linux/tracepoint.h>

#include "acrn_hsm.h"

#define show_acrn_type(type)					\
	__print_symbolic(type,					\
			 { ACRN_IOREQ_TYPE_PORTIO, "pio" },	\
			 { ACRN_IOREQ_TYPE_MMIO, "mmio" },	\
			 { ACRN_IOREQ_TYPE_PCICFG, "pcicfg" })

/* The upcall has come. */
TRACE_EVENT(acrn_upcall,
	TP_PROTO(u64 since),
	TP_ARGS(since),
	TP_STRUCT__entry(__field(u64, since)),
	TP_fast_assign(__entry->since = since;),
	TP_printk("since=%llu", __entry->since)
);

/*
 * A VM has used up its share, and its requests are left to its thread for a
 * while.
 */
TRACE_EVENT(acrn_pause,
	TP_PROTO(u16 vmid, u64 ns),
	TP_ARGS(vmid, ns),
	TP_STRUCT__entry(
		__field(u16, vmid)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->vmid = vmid;
		__entry->ns = ns;
	),
	TP_printk("vm=%u ns=%llu", __entry->vmid, __entry->ns)
);

DECLARE_EVENT_CLASS(acrn_access,
	TP_PROTO(u16 vmid, unsigned int vcpu, bool write,
		 const struct acrn_access *access),
	TP_ARGS(vmid, vcpu, write, access),
	TP_STRUCT__entry(
		__field(u16, vmid)
		__field(u16, vcpu)
		__field(bool, write)
		__field(u32, type)
		__field(u32, size)
		__field(u64, address)
		__field(u64, value)
	),
	TP_fast_assign(
		__entry->vmid = vmid;
		__entry->vcpu = vcpu;
		__entry->write = write;
		__entry->type = access->type;
		__entry->size = access->size;
		__entry->address = access->address;
		__entry->value = access->value;
	),
	TP_printk("vm=%u vcpu=%u %s %s address=%#llx size=%u value=%#llx",
		  __entry->vmid, __entry->vcpu,
		  __entry->write ? "write" : "read",
		  show_acrn_type(__entry->type), __entry->address,
		  __entry->size, __entry->value)
);

/* The write of a guest rang a doorbell, which has been signalled. */
DEFINE_EVENT(acrn_access, acrn_doorbell,
	TP_PROTO(u16 vmid, unsigned int vcpu, bool write,
		 const struct acrn_access *access),
	TP_ARGS(vmid, vcpu, write, access)
);

/* The upcall leaves the access of a guest to the VM's thread. */
DEFINE_EVENT(acrn_access, acrn_defer,
	TP_PROTO(u16 vmid, unsigned int vcpu, bool write,
		 const struct acrn_access *access),
	TP_ARGS(vmid, vcpu, write, access)
);

/* A cookie was taken from the ring. It belongs to a doorbell unless known is 0. */
TRACE_EVENT(acrn_ring,
	TP_PROTO(u16 vmid, u64 cookie, bool known),
	TP_ARGS(vmid, cookie, known),
	TP_STRUCT__entry(
		__field(u16, vmid)
		__field(u64, cookie)
		__field(bool, known)
	),
	TP_fast_assign(
		__entry->vmid = vmid;
		__entry->cookie = cookie;
		__entry->known = known;
	),
	TP_printk("vm=%u cookie=%#llx known=%d", __entry->vmid,
		  __entry->cookie, __entry->known)
);

/* A request is complete, and its vCPU has been notified unless it polls. */
TRACE_EVENT(acrn_complete,
	TP_PROTO(u16 vmid, unsigned int vcpu),
	TP_ARGS(vmid, vcpu),
	TP_STRUCT__entry(
		__field(u16, vmid)
		__field(u16, vcpu)
	),
	TP_fast_assign(
		__entry->vmid = vmid;
		__entry->vcpu = vcpu;
	),
	TP_printk("vm=%u vcpu=%u", __entry->vmid, __entry->vcpu)
);

/* An MSI was injected, or the hypervisor has refused it. */
TRACE_EVENT(acrn_msi,
	TP_PROTO(u16 vmid, u64 addr, u64 data, int ret),
	TP_ARGS(vmid, addr, data, ret),
	TP_STRUCT__entry(
		__field(u16, vmid)
		__field(u64, addr)
		__field(u64, data)
		__field(int, ret)
	),
	TP_fast_assign(
		__entry->vmid = vmid;
		__entry->addr = addr;
		__entry->data = data;
		__entry->ret = ret;
	),
	TP_printk("vm=%u addr=%#llx data=%#llx ret=%d", __entry->vmid,
		  __entry->addr, __entry->data, __entry->ret)
);

#endif /* HSM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
