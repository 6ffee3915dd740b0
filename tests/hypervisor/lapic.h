/* SPDX-License-Identifier: GPL-2.0 */
/* The physical local APIC, in xAPIC mode: QEMU's TCG has no x2APIC. */
#ifndef HV_LAPIC_H
#define HV_LAPIC_H

#include "types.h"

/*
 * Vectors that the hypervisor uses, on CPUs that the Service VM does not have
 */
#define HV_VECTOR_KICK	   0xf0
#define HV_VECTOR_TIMER	   0xf1
#define HV_VECTOR_SPURIOUS 0xff

#define LAPIC_BASE  0xfee00000UL
#define LAPIC_ID    0x020
#define LAPIC_EOI   0x0b0
#define LAPIC_SVR   0x0f0
#define LAPIC_ICR   0x300
#define LAPIC_ICR2  0x310
#define LAPIC_LVTT  0x320
#define LAPIC_TMICT 0x380
#define LAPIC_TMCCT 0x390
#define LAPIC_TDCR  0x3e0

#define LAPIC_SVR_ENABLE BIT(8)
#define LAPIC_LVT_MASKED BIT(16)
#define LAPIC_TDCR_DIV_1 0xb

/* Interrupt command register, of the physical APIC and of the emulated ones */
#define ICR_VECTOR    0x000000ff
#define ICR_MODE      0x00000700
#define ICR_FIXED     0x00000000
#define ICR_LOWEST    0x00000100
#define ICR_NMI	      0x00000400
#define ICR_INIT      0x00000500
#define ICR_STARTUP   0x00000600
#define ICR_LOGICAL   0x00000800
#define ICR_ASSERT    0x00004000
#define ICR_LEVEL     0x00008000
#define ICR_SHORTHAND 0x000c0000
#define ICR_SELF      0x00040000
#define ICR_ALL	      0x00080000
#define ICR_OTHERS    0x000c0000

static inline u32 lapic_read(u32 reg)
{
	return *(volatile u32 *)(LAPIC_BASE + reg);
}

static inline void lapic_write(u32 reg, u32 value)
{
	*(volatile u32 *)(LAPIC_BASE + reg) = value;
}

static inline void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

/* Set this CPU's APIC up for kicks and timer interrupts. */
void lapic_init(void);

/* Undo lapic_init(): leave this CPU's APIC as the firmware did. */
void lapic_release(void);

/**
 * lapic_send() - Send an IPI
 * @cpu:	Physical APIC id; not used with a shorthand
 * @command:	ICR_*
 *
 * Any CPU, any context. Restores ICR2: the Service VM's kernel writes ICR2 and
 * then ICR, and a hypercall from its interrupt handler may get here in between.
 */
void lapic_send(u32 cpu, u32 command);

/* Make a CPU leave guest mode or HLT. Any CPU. */
static inline void lapic_kick(u32 cpu)
{
	lapic_send(cpu, ICR_FIXED | ICR_ASSERT | HV_VECTOR_KICK);
}

#endif /* HV_LAPIC_H */
