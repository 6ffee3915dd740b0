/* SPDX-License-Identifier: GPL-2.0 */
/*
 * AMD's virtual machine control block. Numbers from the AMD64 Architecture
 * Programmer's Manual, volume 2, appendices B and C.
 */
#ifndef HV_SVM_H
#define HV_SVM_H

#include "types.h"

/* Intercepts of control registers: reads, then writes */
#define INTERCEPT_CR8_WRITE BIT(16 + 8)

/* Intercepts, word 3 */
#define INTERCEPT_INTR	   BIT(0)
#define INTERCEPT_NMI	   BIT(1)
#define INTERCEPT_RDPMC	   BIT(15)
#define INTERCEPT_CPUID	   BIT(18)
#define INTERCEPT_IRET	   BIT(20)
#define INTERCEPT_HLT	   BIT(24)
#define INTERCEPT_INVLPGA  BIT(26)
#define INTERCEPT_IOIO	   BIT(27)
#define INTERCEPT_MSR	   BIT(28)
#define INTERCEPT_SHUTDOWN BIT(31)

/* Intercepts, word 4 */
#define INTERCEPT_VMRUN	  BIT(0)
#define INTERCEPT_VMMCALL BIT(1)
#define INTERCEPT_VMLOAD  BIT(2)
#define INTERCEPT_VMSAVE  BIT(3)
#define INTERCEPT_STGI	  BIT(4)
#define INTERCEPT_CLGI	  BIT(5)
#define INTERCEPT_SKINIT  BIT(6)
#define INTERCEPT_WBINVD  BIT(9)
#define INTERCEPT_MONITOR BIT(10)
#define INTERCEPT_MWAIT	  BIT(11)
/* All instructions of SVM, which CPUID hides from guests */
#define INTERCEPT_SVM                                                          \
	(INTERCEPT_VMRUN | INTERCEPT_VMMCALL | INTERCEPT_VMLOAD |              \
	 INTERCEPT_VMSAVE | INTERCEPT_STGI | INTERCEPT_CLGI |                  \
	 INTERCEPT_SKINIT)

#define TLB_CONTROL_FLUSH_ALL 1

#define INT_CTL_TPR	   0x0fU
#define INT_CTL_IRQ	   BIT(8)
#define INT_CTL_PRIO_MAX   (0xfUL << 16)
#define INT_CTL_IGNORE_TPR BIT(20)
#define INT_CTL_MASKING	   BIT(24)

#define INT_STATE_SHADOW  BIT(0)
#define NESTED_CTL_ENABLE BIT(0)

#define EVENT_VECTOR	0xffU
#define EVENT_TYPE	0x700U
#define EVENT_INTERRUPT 0x000U
#define EVENT_NMI	0x200U
#define EVENT_EXCEPTION 0x300U
#define EVENT_HAS_ERROR BIT(11)
#define EVENT_VALID	BIT(31)

#define EXIT_CR8_WRITE	  0x18
#define EXIT_EXCEPTION(n) (0x40 + (n))
#define EXIT_INTR	  0x60
#define EXIT_NMI	  0x61
#define EXIT_RDPMC	  0x6f
#define EXIT_CPUID	  0x72
#define EXIT_IRET	  0x74
#define EXIT_HLT	  0x78
#define EXIT_INVLPGA	  0x7a
#define EXIT_IOIO	  0x7b
#define EXIT_MSR	  0x7c
#define EXIT_SHUTDOWN	  0x7f
#define EXIT_VMRUN	  0x80
#define EXIT_SKINIT	  0x86
#define EXIT_WBINVD	  0x89
#define EXIT_MONITOR	  0x8a
#define EXIT_MWAIT	  0x8b
#define EXIT_NPF	  0x400

#define IOIO_IN		BIT(0)
#define IOIO_STRING	BIT(2)
#define IOIO_SIZE(info) (((info) >> 4) & 7)
#define IOIO_PORT(info) ((u16)((info) >> 16))

/*
 * exit_info_1 of EXIT_NPF, besides PF_*: the fault was for the guest's own page
 * tables, not for the data
 */
#define NPF_GUEST_TABLES BIT(33)

/* Segment attributes: the descriptor's bits 40-47 and 52-55, adjacent. */
#define SEG_CODE64    0xa9b
#define SEG_DATA32    0xc93
#define SEG_CODE16    0x09b
#define SEG_DATA16    0x093
#define SEG_LDT	      0x082
#define SEG_TSS_BUSY  0x08b
#define SEG_LONG      BIT(9)
#define SEG_DEFAULT32 BIT(10)

struct vmcb_segment {
	u16 selector;
	u16 attributes;
	u32 limit;
	u64 base;
};

struct vmcb {
	/* Control area */
	u32 intercept_cr;
	u32 intercept_dr;
	u32 intercept_exceptions;
	u32 intercept_3;
	u32 intercept_4;
	u8 reserved_14[0x40 - 0x14];
	u64 iopm;
	u64 msrpm;
	u64 tsc_offset;
	u32 asid;
	u32 tlb_control;
	u32 int_ctl;
	u32 int_vector;
	u64 int_state;
	u64 exit_code;
	u64 exit_info_1;
	u64 exit_info_2;
	u32 exit_int_info;
	u32 exit_int_error;
	u64 nested_ctl;
	u8 reserved_98[0xa8 - 0x98];
	u32 event_inject;
	u32 event_error;
	u64 nested_cr3;
	u8 reserved_b8[0x400 - 0xb8];

	/* State save area */
	struct vmcb_segment es, cs, ss, ds, fs, gs;
	struct vmcb_segment gdtr, ldtr, idtr, tr;
	u8 reserved_4a0[0x4cb - 0x4a0];
	u8 cpl;
	u32 reserved_4cc;
	u64 efer;
	u8 reserved_4d8[0x548 - 0x4d8];
	u64 cr4;
	u64 cr3;
	u64 cr0;
	u64 dr7;
	u64 dr6;
	u64 rflags;
	u64 rip;
	u8 reserved_580[0x5d8 - 0x580];
	u64 rsp;
	u8 reserved_5e0[0x5f8 - 0x5e0];
	u64 rax;
	u64 star, lstar, cstar, sfmask;
	u64 kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 cr2;
	u8 reserved_648[0x668 - 0x648];
	u64 pat;
	u8 reserved_670[0x1000 - 0x670];
} __attribute__((aligned(4096)));

_Static_assert(offsetof(struct vmcb, exit_code) == 0x70, "VMCB layout");
_Static_assert(offsetof(struct vmcb, nested_cr3) == 0xb0, "VMCB layout");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "VMCB layout");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "VMCB layout");
_Static_assert(offsetof(struct vmcb, pat) == 0x668, "VMCB layout");
_Static_assert(sizeof(struct vmcb) == 0x1000, "VMCB layout");

/* Permission maps: a bit per I/O port, two bits (read, write) per MSR. */
#define IOPM_SIZE  0x3000
#define MSRPM_SIZE 0x2000

#endif /* HV_SVM_H */
