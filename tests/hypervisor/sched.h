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

/*
 * Microseconds for which a CPU without a runnable vCPU looks for one before it
 * halts. Constant after boot.
 */
extern u32 sched_spin_us;

/* Run the vCPUs of User VMs on this CPU. Never returns. */
void sched_run(struct pcpu *cpu) __attribute__((noreturn));

/*
 * Give up the CPU. Called by the vCPU's thread with no lock held; returns when
 * the scheduler picks the vCPU again.
 */
void sched_yield(struct vcpu *vcpu);

/*
 * Called by the vCPU's thread after an interrupt, no lock held: fire timers
 * that are due, and give up the CPU if the time slice is over and a vCPU of
 * another VM can run.
 */
void sched_preempt(struct vcpu *vcpu);

/*
 * Body of a loop in which the vCPU's thread spins. Called with no lock held.
 * Takes interrupts and lets other vCPUs run; gives up the CPU while the VM does
 * not run.
 */
void sched_spin(struct vcpu *vcpu);

#endif /* HV_SCHED_H */
