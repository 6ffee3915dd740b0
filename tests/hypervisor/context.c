// SPDX-License-Identifier: GPL-2.0
#include "context.h"
#include "log.h"
#include "string.h"
#include "x86.h"

#define CPUID_XSAVE  0xd
#define XCR0_X87     1
#define MXCSR_OFFSET 24
#define MXCSR_RESET  0x1f80

/* XCR0 with every state component that the CPU has; set by context_init(). */
static u64 xcr0_all;

void context_init(void)
{
	struct cpuid_regs r = cpuid(CPUID_XSAVE, 0);

	if (r.ecx > XSAVE_AREA_SIZE)
		panic("XSAVE area of %u bytes", r.ecx);
	xcr0_all = (u64)r.edx << 32 | r.eax;
}

void context_reset(struct vcpu_state *state)
{
	u32 mxcsr = MXCSR_RESET;

	memset(state, 0, sizeof(*state));
	memcpy(state->xsave + MXCSR_OFFSET, &mxcsr, sizeof(mxcsr));
	state->xcr0 = XCR0_X87;
}

void context_save(struct vcpu_state *state)
{
	state->xcr0 = xgetbv();
	xsetbv(xcr0_all);
	asm volatile("xsave64 %0" : "+m"(state->xsave) : "a"(~0), "d"(~0));
	asm volatile("mov %%dr0, %0" : "=r"(state->dr[0]));
	asm volatile("mov %%dr1, %0" : "=r"(state->dr[1]));
	asm volatile("mov %%dr2, %0" : "=r"(state->dr[2]));
	asm volatile("mov %%dr3, %0" : "=r"(state->dr[3]));
	state->tsc_aux = rdmsr(MSR_TSC_AUX);
}

void context_load(const struct vcpu_state *state)
{
	xsetbv(xcr0_all);
	asm volatile("xrstor64 %0" : : "m"(state->xsave), "a"(~0), "d"(~0));
	xsetbv(state->xcr0);
	asm volatile("mov %0, %%dr0" : : "r"(state->dr[0]));
	asm volatile("mov %0, %%dr1" : : "r"(state->dr[1]));
	asm volatile("mov %0, %%dr2" : : "r"(state->dr[2]));
	asm volatile("mov %0, %%dr3" : : "r"(state->dr[3]));
	wrmsr(MSR_TSC_AUX, state->tsc_aux);
}
