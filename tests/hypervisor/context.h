/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Registers of a vCPU that neither the VMCB nor &struct guest_cpu holds. The
 * hypervisor does not use them, so they stay in place until another vCPU runs
 * on the CPU.
 */
#ifndef HV_CONTEXT_H
#define HV_CONTEXT_H

#include "types.h"

/* XSAVE area with AVX-512, the largest that processors with SVM have. */
#define XSAVE_AREA_SIZE 2752

/**
 * struct vcpu_state - The registers while another vCPU runs
 * @xsave:	x87, SSE, AVX
 * @xcr0:	Which of them the guest has switched on
 * @dr:		Debug address registers
 * @tsc_aux:	MSR_TSC_AUX
 */
struct vcpu_state {
	u8 xsave[XSAVE_AREA_SIZE] __attribute__((aligned(64)));
	u64 xcr0;
	u64 dr[4];
	u64 tsc_aux;
};

/* Once, on any CPU: find out what there is to save. */
void context_init(void);

/* State after a reset. */
void context_reset(struct vcpu_state *state);

void context_save(struct vcpu_state *state);
void context_load(const struct vcpu_state *state);

#endif /* HV_CONTEXT_H */
