/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sharing a CPU between vCPUs, one per VM at most: round robin, with a time
 * slice when more than one can run.
 */
#ifndef HV_SCHED_H
#define HV_SCHED_H

#include "types.h"

struct pcpu;
struct vcpu;

/* Microseconds for which a CPU without work looks for some before it halts. */
extern u32 sched_spin_us;

/* Run this CPU's vCPUs for good. */
void sched_run(struct pcpu *cpu) __attribute__((noreturn));

/* The running thread gives up the CPU; returns when it is its turn again. */
void sched_yield(struct vcpu *vcpu);

/*
 * After an interrupt, in the running thread: fire timers that are due and give
 * up the CPU if the time slice is over and another vCPU can run. No lock held.
 */
void sched_preempt(struct vcpu *vcpu);

/*
 * Once around a loop in which the running thread waits with the CPU in its
 * hands: takes interrupts, lets others run, and does not return when the VM is
 * paused. No lock held.
 */
void sched_spin(struct vcpu *vcpu);

#endif /* HV_SCHED_H */
