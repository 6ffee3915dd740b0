/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers of a vCPU that neither the VMCB nor &struct guest_cpu holds: vector
 * registers, debug addresses, TSC_AUX. The hypervisor does not use them, so a
 * vCPU's values stay in the CPU until another vCPU is to run there.
 */
#ifndef HV_CONTEXT_H
#define HV_CONTEXT_H

#include "types.h"

/* Size of an XSAVE area with AVX-512; context_init() panics if it is larger. */
#define XSAVE_AREA_SIZE 2752

/**
 * struct vcpu_state - A vCPU's registers while another vCPU runs on its CPU
 * @xsave:	x87, SSE and AVX registers
 * @xcr0:	State components that the guest has switched on
 * @dr:		Debug address registers DR0 to DR3
 * @tsc_aux:	MSR_TSC_AUX
 */
struct vcpu_state {
	u8 xsave[XSAVE_AREA_SIZE] __attribute__((aligned(64)));
	u64 xcr0;
	u64 dr[4];
	u64 tsc_aux;
};

/* Find out which components the CPU has. Called once, on any CPU. */
void context_init(void);

/* Fill @state with the values that a processor has after a reset. */
void context_reset(struct vcpu_state *state);

/* Copy this CPU's registers to @state, and back. */

void context_save(struct vcpu_state *state);
void context_load(const struct vcpu_state *state);

#endif /* HV_CONTEXT_H */
