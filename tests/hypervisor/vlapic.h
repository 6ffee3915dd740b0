/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The local APIC of a User VM's vCPU, in xAPIC or x2APIC mode. As on ACRN, its
 * id is that of the CPU on which the vCPU runs. Everything here is guarded by
 * the VM's lock; the functions whose comment says so take it, the others are
 * called with it held.
 *
 * vlapic.c emulates the registers, vlapic_message.c finds the local APICs for
 * which an interrupt is, vlapic_irq.c follows it within one of them, and
 * vlapic_timer.c is the timer.
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

/*
 * Index of a local vector table entry; CMCI's register is not beside the rest.
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
 * struct vlapic - Registers of a local APIC
 * @base:	IA32_APIC_BASE
 * @id:		APIC id; in xAPIC mode in bits 24 to 31
 * @tpr:	Task priority
 * @ldr:	Logical destination; set from the id on entering x2APIC mode
 * @dfr:	Destination format, flat or cluster; xAPIC mode only
 * @svr:	Spurious interrupt vector and the enable bit
 * @esr:	Errors until the guest last wrote the register
 * @esr_pending: Errors since that write
 * @icr:	Last interrupt command
 * @lvt:	Local vector table
 * @timer_initial: Initial count as written
 * @timer_divide: Divide configuration as written
 * @deadline:	TSC at which the timer fires, or 0
 * @irr:	Interrupts requested
 * @isr:	Interrupts in service
 * @tmr:	Interrupts that are level-triggered
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
 * @lowest:	Deliver to one vCPU of a logical destination, that of the lowest
 *		priority, instead of all
 * @mode:	ICR_FIXED or ICR_LOWEST; any other message is dropped
 * @vector:	Interrupt vector
 * @level:	Level-triggered: its end is reported to the I/O APIC
 */
struct interrupt_message {
	u32 destination;
	bool logical;
	bool lowest;
	u32 mode;
	u8 vector;
	bool level;
};

/* Put all registers in the state after power-on: xAPIC mode. */
void vlapic_power_on(struct vcpu *vcpu);

/* Put all registers but mode and id in the state after INIT. */
void vlapic_init(struct vcpu *vcpu);

bool vlapic_in_x2apic_mode(const struct vlapic *lapic);
bool vlapic_enabled(const struct vlapic *lapic);

/* Request the interrupt in the vCPUs that @message addresses, and kick them. */
void vlapic_deliver(struct vm *vm, const struct interrupt_message *message);

/* Send the IPI that the vCPU has written to its interrupt command register. */
void vlapic_send_ipi(struct vcpu *vcpu);

/* Request an interrupt in a vCPU, and kick it. */
void vlapic_request(struct vcpu *vcpu, u8 vector, bool level);

/* Note ESR_* bits in a vCPU, and request its error interrupt. */
void vlapic_set_error(struct vcpu *vcpu, u32 error);

/* End the interrupt in service that has the highest priority. */
void vlapic_end_interrupt(struct vcpu *vcpu);

/* Value of the processor priority register. */
u32 vlapic_priority(const struct vlapic *lapic);

/* Vector of the interrupt that the vCPU is to take next, or -1. */
int vlapic_pending(const struct vcpu *vcpu);

/*
 * Move interrupt @vector from requested to in service, as it is delivered; and
 * back, if the delivery failed.
 */
void vlapic_accept(struct vcpu *vcpu, u8 vector);
void vlapic_unaccept(struct vcpu *vcpu, u8 vector);

/*
 * Fire the timer if it is due. Returns the TSC at which it is due next, or 0.
 */
u64 vlapic_run_timer(struct vcpu *vcpu, u64 now);

/* The timer's count registers; writing the initial count starts the timer. */
u32 vlapic_timer_initial(const struct vlapic *lapic);
u32 vlapic_timer_current(const struct vlapic *lapic);
void vlapic_start_timer(struct vlapic *lapic, u32 initial);

/*
 * Called before @lvt is written to the timer's vector table entry: disarms the
 * timer if its mode changes.
 */
void vlapic_set_timer_mode(struct vlapic *lapic, u32 lvt);

/*
 * Called when the local APIC is switched on or off: starts or stops the timer.
 */
void vlapic_enable_timer(struct vlapic *lapic, bool on);

/*
 * Value of the MSR TSC_DEADLINE, in the vCPU's TSC. Called on the vCPU's CPU,
 * outside guest mode.
 */
u64 vlapic_timer_deadline(const struct vcpu *vcpu);
void vlapic_set_deadline(struct vcpu *vcpu, u64 value);

/* Whether the MSR is one of the local APIC, APIC_BASE or TSC_DEADLINE. */
static inline bool vlapic_is_msr(u32 msr)
{
	return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE ||
	       (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST);
}

/*
 * Access an MSR for which vlapic_is_msr() is true. Take the VM's lock. Return
 * 0, or -EINVAL for which the guest gets #GP, as it does in xAPIC mode for
 * every register of the local APIC.
 */
int vlapic_read_msr(struct vcpu *vcpu, u32 msr, u64 *value);
int vlapic_write_msr(struct vcpu *vcpu, u32 msr, u64 value);

/* Access to the page of registers at VLAPIC_BASE. Takes the VM's lock. */
void vlapic_access(struct vcpu *vcpu, struct mmio_access *access);

#endif /* HV_VLAPIC_H */
