/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The local APIC of a User VM's vCPU, always in x2APIC mode. Everything here is
 * guarded by the VM's lock and called with it held.
 */
#ifndef HV_VLAPIC_H
#define HV_VLAPIC_H

#include "types.h"

struct vm;
struct vcpu;

#define MSR_X2APIC_FIRST 0x800
#define MSR_X2APIC_LAST	 0x8ff

#define NR_LVTS 6

/**
 * struct vlapic - Registers
 * @tpr:	Task priority
 * @svr:	Spurious interrupt vector and the enable bit
 * @esr:	Errors
 * @icr:	Last interrupt command
 * @lvt:	Local vector table: timer, thermal, performance, LINT0, LINT1,
 *		error
 * @timer_initial: Count that was written; 0 in TSC-deadline mode
 * @timer_divide: Divide configuration as written
 * @deadline:	TSC at which the timer fires, or 0
 * @irr:	Interrupts requested
 * @isr:	Interrupts in service
 * @tmr:	Those that are level-triggered
 */
struct vlapic {
	u32 tpr;
	u32 svr;
	u32 esr;
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
 * struct interrupt_message - An interrupt on its way to one or more vCPUs
 * @destination: APIC id, or logical destination, or @broadcast's
 * @logical:	@destination is a logical x2APIC destination
 * @mode:	ICR_FIXED, ICR_LOWEST, ICR_NMI, ICR_INIT or ICR_STARTUP
 * @vector:	Vector; page number for ICR_STARTUP
 * @level:	Level-triggered: the end of interrupt is told to the I/O APIC
 */
struct interrupt_message {
	u32 destination;
	bool logical;
	u32 mode;
	u8 vector;
	bool level;
};

/* &struct interrupt_message.destination for all vCPUs. */
#define APIC_BROADCAST 0xffffffffU

void vlapic_reset(struct vcpu *vcpu);

/* Deliver to the vCPUs that match; those that sleep or run are woken. */
void vlapic_deliver(struct vm *vm, const struct interrupt_message *message);

/* Vector of the interrupt to take now, or -1. */
int vlapic_pending(const struct vcpu *vcpu);

/* The vCPU takes interrupt @vector; and it did not get to it after all. */
void vlapic_accept(struct vcpu *vcpu, u8 vector);
void vlapic_unaccept(struct vcpu *vcpu, u8 vector);

/* Fire the timer if it is due. Returns when it is due next, or 0. */
u64 vlapic_run_timer(struct vcpu *vcpu, u64 now);

/* Access by MSR. 0, or -EINVAL for #GP. */
int vlapic_read_msr(struct vcpu *vcpu, u32 msr, u64 *value);
int vlapic_write_msr(struct vcpu *vcpu, u32 msr, u64 value);

/* MSR_TSC_DEADLINE */
u64 vlapic_read_deadline(const struct vcpu *vcpu);
void vlapic_write_deadline(struct vcpu *vcpu, u64 value);

#endif /* HV_VLAPIC_H */
