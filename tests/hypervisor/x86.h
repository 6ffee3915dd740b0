/* SPDX-License-Identifier: GPL-2.0 */
/* Instructions that C cannot express, and the bits of x86's registers. */
#ifndef HV_X86_H
#define HV_X86_H

#include "types.h"

#define CR0_PE BIT(0)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)
/* PE, MP, EM, TS, ET, NE, WP, AM, NW, CD, PG */
#define CR0_KNOWN 0xe005003fUL

#define CR4_PSE	    BIT(4)
#define CR4_PAE	    BIT(5)
#define CR4_PGE	    BIT(7)
#define CR4_LA57    BIT(12)
#define CR4_OSXSAVE BIT(18)
#define CR4_SMEP    BIT(20)
#define CR4_SMAP    BIT(21)
/* VME to OSXMMEXCPT, UMIP, FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP, PKE */
#define CR4_KNOWN 0x770fffUL

#define EFER_SCE  BIT(0)
#define EFER_LME  BIT(8)
#define EFER_LMA  BIT(10)
#define EFER_NXE  BIT(11)
#define EFER_SVME BIT(12)

#define RFLAGS_FIXED BIT(1)
#define RFLAGS_CF    BIT(0)
#define RFLAGS_PF    BIT(2)
#define RFLAGS_AF    BIT(4)
#define RFLAGS_ZF    BIT(6)
#define RFLAGS_SF    BIT(7)
#define RFLAGS_IF    BIT(9)
#define RFLAGS_DF    BIT(10)
#define RFLAGS_OF    BIT(11)

#define MSR_TSC		 0x00000010
#define MSR_APIC_BASE	 0x0000001b
#define MSR_TSC_ADJUST	 0x0000003b
#define MSR_TSC_DEADLINE 0x000006e0
#define MSR_EFER	 0xc0000080
#define MSR_TSC_AUX	 0xc0000103
#define MSR_VM_CR	 0xc0010114
#define MSR_VM_HSAVE_PA	 0xc0010117

#define APIC_BASE_BSP	 BIT(8)
#define APIC_BASE_EXTD	 BIT(10)
#define APIC_BASE_ENABLE BIT(11)
#define APIC_BASE_ADDR	 0xfee00000UL

/* Exceptions */
#define VECTOR_DB  1
#define VECTOR_NMI 2
#define VECTOR_UD  6
#define VECTOR_GP  13
#define VECTOR_PF  14

/* Error code of a page fault, and of a nested page fault */
#define PF_PRESENT BIT(0)
#define PF_WRITE   BIT(1)
#define PF_USER	   BIT(2)
#define PF_FETCH   BIT(4)

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid_regs cpuid(u32 leaf, u32 subleaf)
{
	struct cpuid_regs r;

	asm volatile("cpuid"
		     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
		     : "a"(leaf), "c"(subleaf));
	return r;
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr"
		     :
		     : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32))
		     : "memory");
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

static inline void outb(u16 port, u8 value)
{
	asm volatile("outb %0, %1" : : "a"(value), "d"(port));
}

static inline u32 inl(u16 port)
{
	u32 value;

	asm volatile("inl %1, %0" : "=a"(value) : "d"(port));
	return value;
}

static inline u64 read_cr2(void)
{
	u64 value;

	asm volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline u64 read_cr4(void)
{
	u64 value;

	asm volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void write_cr4(u64 value)
{
	asm volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

static inline u64 read_cr8(void)
{
	u64 value;

	asm volatile("mov %%cr8, %0" : "=r"(value));
	return value;
}

static inline void write_cr8(u64 value)
{
	asm volatile("mov %0, %%cr8" : : "r"(value) : "memory");
}

static inline u64 xgetbv(void)
{
	u32 lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (u64)hi << 32 | lo;
}

static inline void xsetbv(u64 value)
{
	asm volatile("xsetbv"
		     :
		     : "c"(0), "a"((u32)value), "d"((u32)(value >> 32)));
}

/*
 * Called in loops that wait for another CPU. Does not execute PAUSE: for that
 * QEMU leaves emulation and takes its global lock, which delays every access of
 * the other CPU to its APIC.
 */
static inline void cpu_relax(void)
{
	asm volatile("" : : : "memory");
}

/* Stores before this are visible before stores after it; x86 orders stores. */
static inline void smp_wmb(void)
{
	asm volatile("" : : : "memory");
}

/* No load or store is reordered across this. */
static inline void smp_mb(void)
{
	asm volatile("mfence" : : : "memory");
}

static inline void clgi(void)
{
	asm volatile("clgi" : : : "memory");
}

#endif /* HV_X86_H */
