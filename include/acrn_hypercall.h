/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of the ACRN hypervisor towards the Service VM: hypercall ids,
 * the structures that hypercalls point to, the upcall and the CPUID leaves.
 *
 * Shared by hsm/, which calls, and tests/hypervisor, which answers. What is
 * part of the ioctl interface as well (struct acrn_io_request and others) is
 * in <linux/acrn.h>.
 *
 * The numbers are those of the ACRN hypervisor (acrn_hv_defs.h) and of Linux'
 * drivers/virt/acrn.
 */
#ifndef ACRN_HYPERCALL_H
#define ACRN_HYPERCALL_H

#include <linux/types.h>
#include <linux/acrn.h>

/*
 * Calling convention: VMCALL with the id in R8D and up to two arguments in RDI
 * and RSI; the result, 0 or a negative errno, in RAX. Arguments that are
 * structures are passed by Service VM physical address. The hypervisor looks
 * at the low eight bits of the id only.
 */
#define ACRN_HC(n)			(0x80000000U | (n))

#define ACRN_HC_GET_API_VERSION		ACRN_HC(0x00)
#define ACRN_HC_REMOVE_CPU		ACRN_HC(0x01)
#define ACRN_HC_SET_CALLBACK_VECTOR	ACRN_HC(0x02)

#define ACRN_HC_CREATE_VM		ACRN_HC(0x10)
#define ACRN_HC_DESTROY_VM		ACRN_HC(0x11)
#define ACRN_HC_START_VM		ACRN_HC(0x12)
#define ACRN_HC_PAUSE_VM		ACRN_HC(0x13)
#define ACRN_HC_RESET_VM		ACRN_HC(0x15)
#define ACRN_HC_SET_VCPU_REGS		ACRN_HC(0x16)

#define ACRN_HC_INJECT_MSI		ACRN_HC(0x23)
#define ACRN_HC_VM_INTR_MONITOR		ACRN_HC(0x24)
#define ACRN_HC_SET_IRQLINE		ACRN_HC(0x25)

#define ACRN_HC_SET_IOREQ_BUFFER	ACRN_HC(0x30)
#define ACRN_HC_NOTIFY_REQUEST_FINISH	ACRN_HC(0x31)
#define ACRN_HC_ASYNCIO_ASSIGN		ACRN_HC(0x32)
#define ACRN_HC_ASYNCIO_DEASSIGN	ACRN_HC(0x33)

#define ACRN_HC_VM_GPA_TO_HPA		ACRN_HC(0x41)
#define ACRN_HC_SET_MEMORY_REGIONS	ACRN_HC(0x42)
#define ACRN_HC_SETUP_SBUF		ACRN_HC(0x44)

#define ACRN_HC_SET_PTDEV_INTR		ACRN_HC(0x53)
#define ACRN_HC_RESET_PTDEV_INTR	ACRN_HC(0x54)
#define ACRN_HC_ASSIGN_PCIDEV		ACRN_HC(0x55)
#define ACRN_HC_DEASSIGN_PCIDEV		ACRN_HC(0x56)
#define ACRN_HC_ASSIGN_MMIODEV		ACRN_HC(0x57)
#define ACRN_HC_DEASSIGN_MMIODEV	ACRN_HC(0x58)
#define ACRN_HC_CREATE_VDEV		ACRN_HC(0x59)
#define ACRN_HC_DESTROY_VDEV		ACRN_HC(0x5a)

#define ACRN_HC_PM_GET_CPU_STATE	ACRN_HC(0x80)

/* The upcall: an edge on this vector of the Service VM's vCPU 0. */
#define ACRN_UPCALL_VECTOR		0xf3

/* CPUID leaves seen by every VM on ACRN. */
#define ACRN_CPUID_LEAF_BASE		0x40000000U
#define ACRN_CPUID_LEAF_FEATURES	0x40000001U
#define ACRN_CPUID_LEAF_TIMING		0x40000010U
#define ACRN_CPUID_PRIVILEGED_VM	0x1U

#define ACRN_VMID_INVALID		0xffffU

/* &struct acrn_vm_creation.vm_flag: vCPUs spin for their I/O requests. */
#define ACRN_VM_FLAG_IO_COMPLETION_POLLING	(1ULL << 2)

/* &struct acrn_memory_region.type */
#define ACRN_MEMORY_REGION_ADD		0
#define ACRN_MEMORY_REGION_DEL		2

/* &struct acrn_irqline.op */
#define ACRN_IRQLINE_SET_HIGH		0
#define ACRN_IRQLINE_SET_LOW		1
#define ACRN_IRQLINE_RISING_PULSE	2
#define ACRN_IRQLINE_FALLING_PULSE	3

/**
 * struct acrn_memory_region - One piece of a User VM's address space
 * @type:		ACRN_MEMORY_REGION_ADD or ACRN_MEMORY_REGION_DEL
 * @attr:		ACRN_MEM_ACCESS_* and ACRN_MEM_TYPE_* of <linux/acrn.h>
 * @user_vm_pa:		User VM physical address, page aligned
 * @service_vm_pa:	Service VM physical address, page aligned; ignored by
 *			ACRN_MEMORY_REGION_DEL
 * @size:		Bytes, a multiple of the page size
 */
struct acrn_memory_region {
	__u32	type;
	__u32	attr;
	__u64	user_vm_pa;
	__u64	service_vm_pa;
	__u64	size;
};

/**
 * struct acrn_memory_batch - Argument of ACRN_HC_SET_MEMORY_REGIONS
 * @vmid:	User VM
 * @reserved:	0
 * @number:	How many &struct acrn_memory_region follow at @regions
 * @reserved1:	0
 * @regions:	Service VM physical address of the first of them
 */
struct acrn_memory_batch {
	__u16	vmid;
	__u16	reserved[3];
	__u32	number;
	__u32	reserved1;
	__u64	regions;
};

/**
 * struct acrn_ioreq_buffer_addr - Argument of ACRN_HC_SET_IOREQ_BUFFER
 * @service_vm_pa: Service VM physical address of the page of 16 ioreq slots
 */
struct acrn_ioreq_buffer_addr {
	__u64	service_vm_pa;
};

/**
 * struct acrn_irqline - Argument of ACRN_HC_SET_IRQLINE, passed by value
 * @gsi:	Pin of the User VM's interrupt controller
 * @op:		ACRN_IRQLINE_*
 */
struct acrn_irqline {
	__u32	gsi;
	__u32	op;
};

#endif /* ACRN_HYPERCALL_H */
