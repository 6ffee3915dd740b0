/* SPDX-License-Identifier: GPL-2.0 */
/* Emulation of model-specific registers. */
#ifndef HV_MSR_H
#define HV_MSR_H

#include "guest.h"

struct vcpu;

/*
 * Say in a permission map whether SVM intercepts reads and writes of an MSR. An
 * MSR outside the map's ranges, which SVM always intercepts, is ignored.
 */
void msrpm_intercept(u8 *map, u32 msr, bool read, bool write);

/* Emulate an access. Return 0, or -EINVAL for which the guest gets #GP. */
typedef int (*msr_read_fn)(struct guest_cpu *cpu, u32 msr, u64 *value);
typedef int (*msr_write_fn)(struct guest_cpu *cpu, u32 msr, u64 value);

/* Emulate the RDMSR or WRMSR for which the guest has exited. */
void msr_exit(struct guest_cpu *cpu, msr_read_fn read, msr_write_fn write);

/* Write EFER; guests do not see its SVME bit. Returns 0 or -EINVAL. */
int guest_write_efer(struct guest_cpu *cpu, u64 value);

/* The permission map of all User VMs; msr_init() fills it once. */
extern u8 user_msrpm[MSRPM_SIZE];
void msr_init(void);

/* msr_exit() with the MSRs of a User VM. In the vCPU's thread. */
void msr_user(struct vcpu *vcpu);

#endif /* HV_MSR_H */
