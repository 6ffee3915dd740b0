/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The local APIC of a User VM's vCPU, in xAPIC or x2APIC mode. Its id is that
 * of the CPU that the vCPU is on, as on ACRN. Everything here is guarded by the
 * VM's lock; the functions whose comment says so take it, the others are called
 * with it held.
 *
 * vlapic.c has the registers, vlapic_irq.c what becomes of an interrupt within
 * one, vlapic_message.c the way of interrupts to one, vlapic_timer.c its timer.
 */
#ifndef HV_VLAPIC_H
#define HV_VLAPIC_H

#include "types.h"
#include "x86.h"

struct vm;
struct vcpu;
struct mmio_access;

#define VLAPIC_BASE	 0xfee00000UL
#define MSR_X2APIC_FIRST 0x800
#define MSR_X2APIC_LAST	 0x8ff

/* Index of a local vector table entry; CMCI's register is not beside the rest.
 */
enum {
	LVT_TIMER,
	LVT_THERMAL,
	LVT_PERF,
	LVT_LINT0,
	LVT_LINT1,
	LVT_ERROR,
	LVT_CMCI,
	NR_LVTS,
};

#define LVT_MASKED BIT(16)

/* Errors, bits of &struct vlapic.esr */
#define ESR_SEND_ILLEGAL_VECTOR	   BIT(5)
#define ESR_RECEIVE_ILLEGAL_VECTOR BIT(6)

#define FIRST_LEGAL_VECTOR 16

/**
 * struct vlapic - Registers
 * @base:	IA32_APIC_BASE
 * @id:		The id: in bits 24 to 31 in xAPIC mode
 * @tpr:	Task priority
 * @ldr:	Logical destination; set from the id on entering x2APIC mode
 * @dfr:	Destination format, flat or cluster; xAPIC mode only
 * @svr:	Spurious interrupt vector and the enable bit
 * @esr:	Errors, as of the last write
 * @esr_pending: Errors since then
 * @icr:	Last interrupt command
 * @lvt:	Local vector table
 * @timer_initial: Count that was written
 * @timer_divide: Divide configuration as written
 * @deadline:	TSC at which the timer fires, or 0
 * @irr:	Interrupts requested
 * @isr:	Interrupts in service
 * @tmr:	Those that are level-triggered
 */
struct vlapic {
	u64 base;
	u32 id;
	u32 tpr;
	u32 ldr;
	u32 dfr;
	u32 svr;
	u32 esr;
	u32 esr_pending;
	u64 icr;
	u32 lvt[NR_LVTS];
	u32 timer_initial;
	u32 timer_divide;
	u64 deadline;
	u32 irr[8];
	u32 isr[8];
	u32 tmr[8];
};

/**
 * struct interrupt_message - An interrupt from a device to one or more vCPUs
 * @destination: Eight bits: an APIC id, or a logical destination
 * @logical:	@destination is a logical one
 * @lowest:	If it is, one of those that match is enough
 * @mode:	ICR_FIXED or ICR_LOWEST; others are dropped
 * @vector:	Vector
 * @level:	Level-triggered: the end of interrupt is told to the I/O APIC
 */
struct interrupt_message {
	u32 destination;
	bool logical;
	bool lowest;
	u32 mode;
	u8 vector;
	bool level;
};

/* Power-on: xAPIC mode. */
void vlapic_power_on(struct vcpu *vcpu);

/* INIT: mode and id stay. */
void vlapic_init(struct vcpu *vcpu);

bool vlapic_in_x2apic_mode(const struct vlapic *lapic);
bool vlapic_enabled(const struct vlapic *lapic);

/* Deliver to the vCPUs that match; those that sleep or run are woken. */
void vlapic_deliver(struct vm *vm, const struct interrupt_message *message);

/* The vCPU has written its interrupt command register. */
void vlapic_send_ipi(struct vcpu *vcpu);

/* Request an interrupt; note an error. */
void vlapic_request(struct vcpu *vcpu, u8 vector, bool level);
void vlapic_set_error(struct vcpu *vcpu, u32 error);

/* The end of the interrupt in service. */
void vlapic_end_interrupt(struct vcpu *vcpu);

/* The processor priority register. */
u32 vlapic_priority(const struct vlapic *lapic);

/* Vector of the interrupt to take now, or -1. */
int vlapic_pending(const struct vcpu *vcpu);

/* The vCPU takes interrupt @vector; and it did not get to it after all. */
void vlapic_accept(struct vcpu *vcpu, u8 vector);
void vlapic_unaccept(struct vcpu *vcpu, u8 vector);

/* Fire the timer if it is due. Returns when it is due next, or 0. */
u64 vlapic_run_timer(struct vcpu *vcpu, u64 now);

/* The timer's registers but for its vector table entry. */
u32 vlapic_timer_initial(const struct vlapic *lapic);
u32 vlapic_timer_current(const struct vlapic *lapic);
void vlapic_start_timer(struct vlapic *lapic, u32 initial);

/* The vector table entry is going to be @lvt: another mode disarms the timer.
 */
void vlapic_set_timer_mode(struct vlapic *lapic, u32 lvt);

/* The local APIC is switched on or off. */
void vlapic_enable_timer(struct vlapic *lapic, bool on);

/* TSC_DEADLINE, by the vCPU's TSC. On its own CPU, outside guest mode. */
u64 vlapic_timer_deadline(const struct vcpu *vcpu);
void vlapic_set_deadline(struct vcpu *vcpu, u64 value);

/* Is it a register, APIC_BASE or TSC_DEADLINE? */
static inline bool vlapic_is_msr(u32 msr)
{
	return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE ||
	       (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST);
}

/*
 * RDMSR and WRMSR of those. Take the VM's lock. Return 0, or -EINVAL for #GP,
 * which in xAPIC mode all registers deserve.
 */
int vlapic_read_msr(struct vcpu *vcpu, u32 msr, u64 *value);
int vlapic_write_msr(struct vcpu *vcpu, u32 msr, u64 value);

/* Access to the page of registers at VLAPIC_BASE. Takes the VM's lock. */
void vlapic_access(struct vcpu *vcpu, struct mmio_access *access);

#endif /* HV_VLAPIC_H */
