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
#define ACRN_VM_FLAG_IO_COMPLETION_POLLING	0x4ULL

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

#ifdef __KERNEL__

#include <linux/io.h>
#include <asm/acrn.h>

/*
 * The calls themselves. All can be made from any context; each takes the lock
 * of the VM concerned within the hypervisor. What a pointer points to must be
 * in the linear map, which rules out the stack: it may be in vmalloc space.
 */

/**
 * acrn_hc_create_vm() - Create a User VM
 * @vm:	What to create; vmid and vcpu_num are filled in
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_create_vm(struct acrn_vm_creation *vm)
{
	return acrn_hypercall1(ACRN_HC_CREATE_VM, virt_to_phys(vm));
}

/**
 * acrn_hc_destroy_vm() - Destroy a paused User VM
 * @vmid:	User VM
 *
 * From success on, the hypervisor no longer uses any page given to the VM and
 * may give the id to another VM.
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_destroy_vm(u16 vmid)
{
	return acrn_hypercall1(ACRN_HC_DESTROY_VM, vmid);
}

/**
 * acrn_hc_start_vm() - Let a created or reset User VM run
 * @vmid:	User VM, with an I/O request page and at least one vCPU: the
 *		hypervisor itself faults when there is none
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_start_vm(u16 vmid)
{
	return acrn_hypercall1(ACRN_HC_START_VM, vmid);
}

/**
 * acrn_hc_pause_vm() - Stop all vCPUs of a User VM
 * @vmid:	User VM
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_pause_vm(u16 vmid)
{
	return acrn_hypercall1(ACRN_HC_PAUSE_VM, vmid);
}

/**
 * acrn_hc_reset_vm() - Put a paused User VM back to the state after creation
 * @vmid:	User VM. Its memory stays, its I/O request slots become FREE.
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_reset_vm(u16 vmid)
{
	return acrn_hypercall1(ACRN_HC_RESET_VM, vmid);
}

/**
 * acrn_hc_set_vcpu_regs() - Set the registers that a vCPU starts with
 * @vmid:	User VM, not running
 * @regs:	vCPU and registers
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_set_vcpu_regs(u16 vmid, struct acrn_vcpu_regs *regs)
{
	return acrn_hypercall2(ACRN_HC_SET_VCPU_REGS, vmid, virt_to_phys(regs));
}

/**
 * acrn_hc_inject_msi() - Deliver a message signalled interrupt
 * @vmid:	User VM
 * @msi:	Address and data as the guest programmed them
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_inject_msi(u16 vmid, struct acrn_msi_entry *msi)
{
	return acrn_hypercall2(ACRN_HC_INJECT_MSI, vmid, virt_to_phys(msi));
}

/**
 * acrn_hc_set_irqline() - Drive a pin of the User VM's interrupt controllers
 * @vmid:	User VM
 * @line:	&struct acrn_irqline in eight bytes
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_set_irqline(u16 vmid, u64 line)
{
	return acrn_hypercall2(ACRN_HC_SET_IRQLINE, vmid, line);
}

/**
 * acrn_hc_set_ioreq_buffer() - Say where the I/O request page is
 * @vmid:	User VM
 * @buffer:	Address of the page, whose slots all become FREE
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int
acrn_hc_set_ioreq_buffer(u16 vmid, struct acrn_ioreq_buffer_addr *buffer)
{
	return acrn_hypercall2(ACRN_HC_SET_IOREQ_BUFFER, vmid,
			       virt_to_phys(buffer));
}

/**
 * acrn_hc_notify_request_finish() - Wake the vCPU whose I/O request is COMPLETE
 * @vmid:	User VM
 * @vcpu:	vCPU, which is also the number of its slot
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_notify_request_finish(u16 vmid, u16 vcpu)
{
	return acrn_hypercall2(ACRN_HC_NOTIFY_REQUEST_FINISH, vmid, vcpu);
}

/**
 * acrn_hc_set_memory_regions() - Change the address space of a User VM
 * @batch:	Regions, taken in order up to the first that fails
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_set_memory_regions(struct acrn_memory_batch *batch)
{
	return acrn_hypercall1(ACRN_HC_SET_MEMORY_REGIONS, virt_to_phys(batch));
}

#endif /* __KERNEL__ */

#endif /* ACRN_HYPERCALL_H */
