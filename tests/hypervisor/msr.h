/* SPDX-License-Identifier: GPL-2.0 */
/* Model-specific registers. */
#ifndef HV_MSR_H
#define HV_MSR_H

#include "guest.h"

struct vcpu;

/* Have SVM intercept reads, writes or both of an MSR. */
void msrpm_intercept(u8 *map, u32 msr, bool read, bool write);

/* Return 0, or -EINVAL for #GP. */
typedef int (*msr_read_fn)(struct guest_cpu *cpu, u32 msr, u64 *value);
typedef int (*msr_write_fn)(struct guest_cpu *cpu, u32 msr, u64 value);

/* Carry out the RDMSR or WRMSR that the guest exited with. */
void msr_exit(struct guest_cpu *cpu, msr_read_fn read, msr_write_fn write);

/* Write EFER as a guest sees it, that is without SVME. 0 or -EINVAL. */
int guest_write_efer(struct guest_cpu *cpu, u64 value);

/* The permission map that all User VMs share. */
extern u8 user_msrpm[MSRPM_SIZE];
void msr_init(void);

/* RDMSR or WRMSR in a User VM. */
void msr_user(struct vcpu *vcpu);

#endif /* HV_MSR_H */
