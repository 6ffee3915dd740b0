/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface of the ACRN hypervisor to the Service VM: the ids of
 * hypercalls, the structures that are their arguments, the upcall and the CPUID
 * leaves.
 *
 * Both hsm/, which makes hypercalls, and tests/hypervisor, which answers them,
 * include this file. Structures that belong to the ioctl interface as well,
 * such as struct acrn_io_request, are in <linux/acrn.h>.
 *
 * The numbers are those of the ACRN hypervisor (acrn_hv_defs.h) and of
 * drivers/virt/acrn of Linux.
 */
#ifndef ACRN_HYPERCALL_H
#define ACRN_HYPERCALL_H

#include <linux/types.h>
#include <linux/acrn.h>

/**
 * DOC: Calling convention
 *
 * A hypercall is VMCALL with the id in R8D and up to two arguments in RDI and
 * RSI. RAX has the result, 0 or a negative errno. A structure is passed by its
 * Service VM physical address. The hypervisor looks at the low eight bits of
 * the id only, and answers -ENOTTY if it does not know them. It refuses many
 * calls with -1, which is -EPERM.
 *
 * Above each id are its arguments; "pa of" is the physical address of a
 * structure. A User VM must not be powered off. If "created" or "paused" is
 * given, the call is allowed in that state of the VM alone.
 */
#define ACRN_HC(n)			(0x80000000U | (n))

/* General */

/* pa of two u32, major and minor, filled in */
#define ACRN_HC_GET_API_VERSION		ACRN_HC(0x00)
/* APIC id of a vCPU of the Service VM other than its first */
#define ACRN_HC_REMOVE_CPU		ACRN_HC(0x01)
/* vector of the upcall, which is ACRN_UPCALL_VECTOR before the first call */
#define ACRN_HC_SET_CALLBACK_VECTOR	ACRN_HC(0x02)
/* pa of a description of the platform; in older hypervisors only */
#define ACRN_HC_GET_PLATFORM_INFO	ACRN_HC(0x03)

/* A User VM's life */

/* pa of &struct acrn_vm_creation, whose vmid and vcpu_num are filled in */
#define ACRN_HC_CREATE_VM		ACRN_HC(0x10)
/* VM id; paused */
#define ACRN_HC_DESTROY_VM		ACRN_HC(0x11)
/* VM id; created, with an I/O request page */
#define ACRN_HC_START_VM		ACRN_HC(0x12)
/* VM id */
#define ACRN_HC_PAUSE_VM		ACRN_HC(0x13)
/* VM id, pa of vCPU and CPU; does nothing, as a VM is created with its vCPUs */
#define ACRN_HC_CREATE_VCPU		ACRN_HC(0x14)
/* VM id; paused */
#define ACRN_HC_RESET_VM		ACRN_HC(0x15)
/* VM id, pa of &struct acrn_vcpu_regs; created or paused */
#define ACRN_HC_SET_VCPU_REGS		ACRN_HC(0x16)

/* Interrupts */

/* VM id, pa of &struct acrn_msi_entry */
#define ACRN_HC_INJECT_MSI		ACRN_HC(0x23)
/* VM id, pa of &struct acrn_intr_monitor, page aligned */
#define ACRN_HC_VM_INTR_MONITOR		ACRN_HC(0x24)
/* VM id, &struct acrn_irqline by value */
#define ACRN_HC_SET_IRQLINE		ACRN_HC(0x25)

/* I/O requests */

/* VM id, pa of &struct acrn_ioreq_buffer_addr; created */
#define ACRN_HC_SET_IOREQ_BUFFER	ACRN_HC(0x30)
/* VM id, number of the vCPU */
#define ACRN_HC_NOTIFY_REQUEST_FINISH	ACRN_HC(0x31)
/* VM id, pa of &struct acrn_async_doorbell; any state, but only after SETUP_SBUF */
#define ACRN_HC_ASYNCIO_ASSIGN		ACRN_HC(0x32)
/* VM id, pa of the same */
#define ACRN_HC_ASYNCIO_DEASSIGN	ACRN_HC(0x33)

/* A User VM's memory */

/* VM id, pa of &struct acrn_gpa_to_hpa, whose hpa is filled in */
#define ACRN_HC_VM_GPA_TO_HPA		ACRN_HC(0x41)
/* pa of &struct acrn_memory_batch */
#define ACRN_HC_SET_MEMORY_REGIONS	ACRN_HC(0x42)
/* VM id, pa of a u8 (protect or not) and the u64 User VM address of a page */
#define ACRN_HC_WRITE_PROTECT_PAGE	ACRN_HC(0x43)
/* VM id, pa of &struct acrn_ring_param; any state */
#define ACRN_HC_SETUP_SBUF		ACRN_HC(0x44)

/* Devices of the machine, and those that the hypervisor emulates */

/* VM id, pa of &struct acrn_ptdev_irq; created. For INTx, not needed for MSIs */
#define ACRN_HC_SET_PTDEV_INTR		ACRN_HC(0x53)
/* VM id, pa of &struct acrn_ptdev_irq; created or paused */
#define ACRN_HC_RESET_PTDEV_INTR	ACRN_HC(0x54)
/* VM id, pa of &struct acrn_pcidev; created */
#define ACRN_HC_ASSIGN_PCIDEV		ACRN_HC(0x55)
/* VM id, pa of &struct acrn_pcidev; created or paused */
#define ACRN_HC_DEASSIGN_PCIDEV		ACRN_HC(0x56)
/* VM id, pa of &struct acrn_mmiodev; created */
#define ACRN_HC_ASSIGN_MMIODEV		ACRN_HC(0x57)
/* VM id, pa of &struct acrn_mmiodev; created or paused */
#define ACRN_HC_DEASSIGN_MMIODEV	ACRN_HC(0x58)
/* VM id, pa of &struct acrn_vdev; created */
#define ACRN_HC_CREATE_VDEV		ACRN_HC(0x59)
/* VM id, pa of &struct acrn_vdev; created or paused */
#define ACRN_HC_DESTROY_VDEV		ACRN_HC(0x5a)

/* Debugging, in debug builds of the hypervisor */

/* pa of where its log goes in the Intel trace hub */
#define ACRN_HC_SETUP_HV_NPK_LOG	ACRN_HC(0x61)
/* command, pa of what it works on */
#define ACRN_HC_PROFILING_OPS		ACRN_HC(0x62)
/* pa of a description of the CPU, filled in */
#define ACRN_HC_GET_HW_INFO		ACRN_HC(0x63)

/* For User VMs that have a secure world, not for the Service VM */

/* pa of where Trusty starts */
#define ACRN_HC_INITIALIZE_TRUSTY	ACRN_HC(0x70)
/* none */
#define ACRN_HC_WORLD_SWITCH		ACRN_HC(0x71)
/* none */
#define ACRN_HC_SAVE_RESTORE_SWORLD_CTX	ACRN_HC(0x72)

/* Power */

/* ACRN_PMCMD_*, pa of the result; the VM created or paused */
#define ACRN_HC_PM_GET_CPU_STATE	ACRN_HC(0x80)

/* Between a trusted and a rich execution environment, which are User VMs */

/* none */
#define ACRN_HC_TEE_VCPU_BOOT_DONE	ACRN_HC(0x90)
/* none */
#define ACRN_HC_SWITCH_EE		ACRN_HC(0x91)

/* The upcall: an edge on this vector of the Service VM's vCPU 0. */
#define ACRN_UPCALL_VECTOR		0xf3

/* CPUID leaves seen by every VM on ACRN. */
#define ACRN_CPUID_LEAF_BASE		0x40000000U
#define ACRN_CPUID_LEAF_FEATURES	0x40000001U
#define ACRN_CPUID_LEAF_TIMING		0x40000010U
#define ACRN_CPUID_PRIVILEGED_VM	0x1U

#define ACRN_VMID_INVALID		0xffffU

/*
 * &struct acrn_vm_creation.vm_flag: a vCPU polls for the completion of its I/O
 * request.
 */
#define ACRN_VM_FLAG_IO_COMPLETION_POLLING	0x4ULL
/* An RTVM: while it runs, the Service VM can neither pause nor interrupt it. */
#define ACRN_VM_FLAG_RT				0x10ULL

/* &struct acrn_memory_region.type */
#define ACRN_MEMORY_REGION_ADD		0
#define ACRN_MEMORY_REGION_DEL		2

/* &struct acrn_irqline.op */
#define ACRN_IRQLINE_SET_HIGH		0
#define ACRN_IRQLINE_SET_LOW		1
#define ACRN_IRQLINE_RISING_PULSE	2
#define ACRN_IRQLINE_FALLING_PULSE	3

/*
 * Fields of the argument of ACRN_HC_PM_GET_CPU_STATE other than
 * PMCMD_TYPE_MASK: number of the P-state, from 0, or of the C-state, from 1;
 * number of the vCPU; id of the VM
 */
#define ACRN_PMCMD_STATE_MASK	0x0000ff00U
#define ACRN_PMCMD_STATE_SHIFT	8
#define ACRN_PMCMD_VCPU_MASK	0x00ff0000U
#define ACRN_PMCMD_VMID_SHIFT	24
#define ACRN_PMCMD_VMID_MAX	0xffU

/* &struct acrn_intr_monitor.cmd */
#define ACRN_INTR_GET_DATA	0
#define ACRN_INTR_DELAY		1

/* Interrupts of assigned devices that &struct acrn_intr_monitor has room for */
#define ACRN_INTR_MONITOR_MAX	24

/**
 * struct acrn_intr_monitor - Argument of ACRN_HC_VM_INTR_MONITOR
 * @cmd:	ACRN_INTR_GET_DATA: fill @buffer; ACRN_INTR_DELAY: delay each
 *		interrupt by the number of milliseconds that the first element
 *		of @buffer gives
 * @buf_cnt:	Number of elements in @buffer; replaced by the number that was
 *		filled
 * @buffer:	Pairs of the number of an interrupt and its count
 *
 * The structure is at the beginning of a page of the device model.
 */
struct acrn_intr_monitor {
	__u32	cmd;
	__u32	buf_cnt;
	__u64	buffer[ACRN_INTR_MONITOR_MAX * 2];
};

/**
 * struct acrn_memory_region - A part of the address space of a User VM
 * @type:		ACRN_MEMORY_REGION_ADD or ACRN_MEMORY_REGION_DEL
 * @attr:		ACRN_MEM_ACCESS_* and ACRN_MEM_TYPE_* of <linux/acrn.h>
 * @user_vm_pa:		User VM physical address, page aligned
 * @service_vm_pa:	Service VM physical address, page aligned; ignored by
 *			ACRN_MEMORY_REGION_DEL
 * @size:		Number of bytes, a multiple of the page size
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
 * @vmid:	Id of the User VM
 * @reserved:	0
 * @number:	Number of &struct acrn_memory_region at @regions
 * @reserved1:	0
 * @regions:	Service VM physical address of the first region
 */
struct acrn_memory_batch {
	__u16	vmid;
	__u16	reserved[3];
	__u32	number;
	__u32	reserved1;
	__u64	regions;
};

/**
 * struct acrn_gpa_to_hpa - Argument of ACRN_HC_VM_GPA_TO_HPA
 * @user_vm_pa:	User VM physical address
 * @hpa:	Result: host physical address, if the address is mapped
 */
struct acrn_gpa_to_hpa {
	__u64	user_vm_pa;
	__u64	hpa;
};

/**
 * struct acrn_ioreq_buffer_addr - Argument of ACRN_HC_SET_IOREQ_BUFFER
 * @service_vm_pa: Service VM physical address of the page with 16 slots
 */
struct acrn_ioreq_buffer_addr {
	__u64	service_vm_pa;
};

/**
 * struct acrn_irqline - Argument of ACRN_HC_SET_IRQLINE, passed by value
 * @gsi:	Pin of the interrupt controllers of the User VM
 * @op:		ACRN_IRQLINE_*
 */
struct acrn_irqline {
	__u32	gsi;
	__u32	op;
};

/* &struct acrn_ring.magic */
#define ACRN_RING_MAGIC		0x5aa57aa71aa13aa3ULL

/**
 * struct acrn_ring - Header of a ring that the hypervisor fills
 * @magic:	ACRN_RING_MAGIC
 * @ele_num:	Number of elements in the memory that follows
 * @ele_size:	Bytes of an element
 * @head:	Offset of the oldest element; written by the Service VM
 * @tail:	Offset of the next element; written by the hypervisor
 * @flags:	0
 * @overrun_cnt: 0
 * @size:	@ele_num times @ele_size
 * @padding:	0
 *
 * The elements follow, and offsets are relative to the first one. The ring is
 * empty when @head and @tail are equal, and full when the element at @tail is
 * the last one before @head. The hypervisor uses these fields as they are,
 * without any check.
 */
struct acrn_ring {
	__u64	magic;
	__u32	ele_num;
	__u32	ele_size;
	__u32	head;
	__u32	tail;
	__u64	flags;
	__u32	overrun_cnt;
	__u32	size;
	__u32	padding[6];
};

/* &struct acrn_ring_param.cpu_id: the ring belongs to no CPU, as those below */
#define ACRN_RING_NO_CPU	0xffff

/* &struct acrn_ring_param.ring_id */
#define ACRN_RING_ASYNCIO	64
#define ACRN_RING_VM_EVENT	65

/**
 * struct acrn_ring_param - Argument of ACRN_HC_SETUP_SBUF
 * @cpu_id:	ACRN_RING_NO_CPU
 * @reserved:	0
 * @ring_id:	ACRN_RING_ASYNCIO for cookies of doorbells, eight bytes each;
 *		ACRN_RING_VM_EVENT for &struct acrn_hv_event
 * @address:	Service VM physical address of &struct acrn_ring
 */
struct acrn_ring_param {
	__u16	cpu_id;
	__u16	reserved;
	__u32	ring_id;
	__u64	address;
};

/* Largest number of asynchronous doorbells of a VM */
#define ACRN_ASYNC_DOORBELLS_MAX	64

/* &struct acrn_async_doorbell.type */
#define ACRN_ASYNC_DOORBELL_PIO		1
#define ACRN_ASYNC_DOORBELL_MMIO	2

/**
 * struct acrn_async_doorbell - Argument of ACRN_HC_ASYNCIO_ASSIGN and _DEASSIGN
 * @type:	ACRN_ASYNC_DOORBELL_*
 * @match_data:	Whether the guest has to write @data. Two doorbells at one
 *		address must both have this set, and have different data.
 * @address:	I/O port or User VM physical address, not 0
 * @cookie:	What the hypervisor writes to the ring
 * @data:	Value that the guest has to write
 *
 * The hypervisor returns 0 even if it has refused the doorbell. Releases before
 * 3.3 read neither @match_data nor @data.
 */
struct acrn_async_doorbell {
	__u32	type;
	__u32	match_data;
	__u64	address;
	__u64	cookie;
	__u64	data;
};

/* &struct acrn_hv_event.type */
#define ACRN_HV_EVENT_RTC_CHANGED	0
#define ACRN_HV_EVENT_POWEROFF		1
#define ACRN_HV_EVENT_TRIPLE_FAULT	2

/**
 * struct acrn_hv_event - Element of the ring ACRN_RING_VM_EVENT
 * @type:	ACRN_HV_EVENT_*
 * @data:	Details, depending on @type
 */
struct acrn_hv_event {
	__u32	type;
	__u8	data[28];
};

#ifdef __KERNEL__

#include <linux/io.h>
#include <asm/cpufeature.h> /* asm/acrn.h needs it */
#include <asm/acrn.h>

/*
 * The calls themselves. They can be made in any context. The hypervisor holds
 * its lock of the VM meanwhile. What a pointer points to must be in the linear
 * map, so not on the stack, which may be in vmalloc space.
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
 * When this has succeeded, the hypervisor does not use any memory of the VM any
 * more, and may give the id to another VM.
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_destroy_vm(u16 vmid)
{
	return acrn_hypercall1(ACRN_HC_DESTROY_VM, vmid);
}

/**
 * acrn_hc_start_vm() - Let a created or reset User VM run
 * @vmid:	User VM with an I/O request page and at least one vCPU. Without
 *		a vCPU the hypervisor itself faults.
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
 * acrn_hc_set_ioreq_buffer() - Set the I/O request page
 * @vmid:	User VM
 * @buffer:	Address of the page. All its slots become FREE.
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
 * @vcpu:	Number of the vCPU and of its slot
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_notify_request_finish(u16 vmid, u16 vcpu)
{
	return acrn_hypercall2(ACRN_HC_NOTIFY_REQUEST_FINISH, vmid, vcpu);
}

/**
 * acrn_hc_asyncio_assign() - Make a doorbell asynchronous
 * @vmid:	User VM with a ring for cookies. Without it the hypervisor
 *		itself faults.
 * @doorbell:	Accesses that ring the doorbell, and its cookie
 *
 * Return: 0, even if the hypervisor has refused the doorbell, or the
 *	   hypervisor's negative errno
 */
static inline int acrn_hc_asyncio_assign(u16 vmid,
					 struct acrn_async_doorbell *doorbell)
{
	return acrn_hypercall2(ACRN_HC_ASYNCIO_ASSIGN, vmid,
			       virt_to_phys(doorbell));
}

/**
 * acrn_hc_asyncio_deassign() - Undo acrn_hc_asyncio_assign()
 * @vmid:	User VM
 * @doorbell:	Argument of that call
 *
 * A vCPU that has looked the doorbell up before may still write the cookie, or 0.
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_asyncio_deassign(u16 vmid,
					   struct acrn_async_doorbell *doorbell)
{
	return acrn_hypercall2(ACRN_HC_ASYNCIO_DEASSIGN, vmid,
			       virt_to_phys(doorbell));
}

/**
 * acrn_hc_set_memory_regions() - Change the address space of a User VM
 * @batch:	Regions, which are processed in order up to the first that fails
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_set_memory_regions(struct acrn_memory_batch *batch)
{
	return acrn_hypercall1(ACRN_HC_SET_MEMORY_REGIONS, virt_to_phys(batch));
}

/**
 * acrn_hc_vm_gpa_to_hpa() - Find the host physical address of a User VM's address
 * @vmid:	User VM
 * @query:	The address and the result
 *
 * Return: 0; -EPERM when nothing is mapped there, upon which the hypervisor
 *	   writes a line to its log
 */
static inline int acrn_hc_vm_gpa_to_hpa(u16 vmid, struct acrn_gpa_to_hpa *query)
{
	return acrn_hypercall2(ACRN_HC_VM_GPA_TO_HPA, vmid,
			       virt_to_phys(query));
}

/**
 * acrn_hc_setup_sbuf() - Set the ring that the hypervisor writes to
 * @vmid:	User VM, in any state
 * @param:	Purpose and address of the ring
 *
 * The hypervisor uses the header of the ring without a check each time that it
 * writes, so nobody but the kernel may be able to write to it.
 *
 * While the VM runs, this call can make the hypervisor hang: it initialises the
 * lock of the ring, which a vCPU may hold if there was a ring before; and a
 * vCPU can find the first ring for doorbells before its lock is initialised.
 * The hypervisor forgets the asynchronous doorbells of the VM, which
 * nevertheless continue to take places.
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_setup_sbuf(u16 vmid, struct acrn_ring_param *param)
{
	return acrn_hypercall2(ACRN_HC_SETUP_SBUF, vmid, virt_to_phys(param));
}

/**
 * acrn_hc_remove_cpu() - Take a CPU from the Service VM for good
 * @apic_id:	APIC id of a CPU that is offline, and not the first CPU
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_remove_cpu(u32 apic_id)
{
	return acrn_hypercall1(ACRN_HC_REMOVE_CPU, apic_id);
}

/**
 * acrn_hc_vm_intr_monitor() - Set the page for interrupt statistics
 * @vmid:	User VM
 * @page:	Physical address of &struct acrn_intr_monitor, at the beginning
 *		of a page
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_vm_intr_monitor(u16 vmid, phys_addr_t page)
{
	return acrn_hypercall2(ACRN_HC_VM_INTR_MONITOR, vmid, page);
}

/**
 * acrn_hc_set_ptdev_intr() - Connect the interrupt pin of an assigned device
 * @vmid:	User VM, not started yet
 * @irq:	Device and pins
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_set_ptdev_intr(u16 vmid, struct acrn_ptdev_irq *irq)
{
	return acrn_hypercall2(ACRN_HC_SET_PTDEV_INTR, vmid, virt_to_phys(irq));
}

/**
 * acrn_hc_reset_ptdev_intr() - Undo acrn_hc_set_ptdev_intr()
 * @vmid:	User VM that does not run
 * @irq:	Device and pins
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_reset_ptdev_intr(u16 vmid, struct acrn_ptdev_irq *irq)
{
	return acrn_hypercall2(ACRN_HC_RESET_PTDEV_INTR, vmid,
			       virt_to_phys(irq));
}

/**
 * acrn_hc_assign_pcidev() - Give a PCI device of the Service VM to a User VM
 * @vmid:	User VM, not started yet
 * @device:	Which device, and where the User VM sees it
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_assign_pcidev(u16 vmid, struct acrn_pcidev *device)
{
	return acrn_hypercall2(ACRN_HC_ASSIGN_PCIDEV, vmid,
			       virt_to_phys(device));
}

/**
 * acrn_hc_deassign_pcidev() - Undo acrn_hc_assign_pcidev()
 * @vmid:	User VM that does not run
 * @device:	As it was assigned
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_deassign_pcidev(u16 vmid, struct acrn_pcidev *device)
{
	return acrn_hypercall2(ACRN_HC_DEASSIGN_PCIDEV, vmid,
			       virt_to_phys(device));
}

/**
 * acrn_hc_assign_mmiodev() - Give a device's memory to a User VM
 * @vmid:	User VM, not started yet
 * @device:	Regions of the device, which the Service VM loses
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_assign_mmiodev(u16 vmid, struct acrn_mmiodev *device)
{
	return acrn_hypercall2(ACRN_HC_ASSIGN_MMIODEV, vmid,
			       virt_to_phys(device));
}

/**
 * acrn_hc_deassign_mmiodev() - Undo acrn_hc_assign_mmiodev()
 * @vmid:	User VM that does not run
 * @device:	As it was assigned
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int
acrn_hc_deassign_mmiodev(u16 vmid, struct acrn_mmiodev *device)
{
	return acrn_hypercall2(ACRN_HC_DEASSIGN_MMIODEV, vmid,
			       virt_to_phys(device));
}

/**
 * acrn_hc_create_vdev() - Create a device that the hypervisor emulates
 * @vmid:	User VM, not started yet
 * @device:	What it is and where the User VM sees it
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_create_vdev(u16 vmid, struct acrn_vdev *device)
{
	return acrn_hypercall2(ACRN_HC_CREATE_VDEV, vmid, virt_to_phys(device));
}

/**
 * acrn_hc_destroy_vdev() - Undo acrn_hc_create_vdev()
 * @vmid:	User VM that does not run
 * @device:	As it was created
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_destroy_vdev(u16 vmid, struct acrn_vdev *device)
{
	return acrn_hypercall2(ACRN_HC_DESTROY_VDEV, vmid,
			       virt_to_phys(device));
}

/**
 * acrn_hc_pm_get_cpu_state() - Ask for P- or C-states
 * @command:	ACRN_PMCMD_GET_* with the numbers of state, vCPU and VM
 * @state:	Result. A count is one byte.
 *
 * Return: 0 or the hypervisor's negative errno
 */
static inline int acrn_hc_pm_get_cpu_state(u64 command, void *state)
{
	return acrn_hypercall2(ACRN_HC_PM_GET_CPU_STATE, command,
			       virt_to_phys(state));
}

#endif /* __KERNEL__ */

#endif /* ACRN_HYPERCALL_H */
