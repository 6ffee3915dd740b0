/* SPDX-License-Identifier: GPL-2.0 */
/* The CPUID instruction in the Service VM and in User VMs. */
#ifndef HV_CPUID_H
#define HV_CPUID_H

#include "guest.h"

struct vcpu;

/* Emulate the CPUID instruction for which the guest has exited. */
void cpuid_service(struct guest_cpu *cpu);
void cpuid_user(struct vcpu *vcpu);

#endif /* HV_CPUID_H */
