// SPDX-License-Identifier: GPL-2.0
/*
 * Timer of a local APIC. It counts at the rate of the TSC, before the divider.
 */
#include "lapic.h"
#include "vcpu.h"
#include "vlapic.h"
#include "x86.h"

#define TIMER_MODE     (3 << 17)
#define TIMER_PERIODIC (1 << 17)
#define TIMER_DEADLINE (2 << 17)

static u32 timer_mode(const struct vlapic *lapic)
{
	return lapic->lvt[LVT_TIMER] & TIMER_MODE;
}

/* Bits 0, 1 and 3 of the register are 0 to 7: divide by 2, 4 ... 128, 1. */
static u32 timer_shift(const struct vlapic *lapic)
{
	u32 divide = (lapic->timer_divide & 3) | (lapic->timer_divide & 8) >> 1;

	return (divide + 1) & 7;
}

static u64 timer_period(const struct vlapic *lapic)
{
	return (u64)lapic->timer_initial << timer_shift(lapic);
}

void vlapic_start_timer(struct vlapic *lapic, u32 initial)
{
	if (timer_mode(lapic) == TIMER_DEADLINE)
		return;
	lapic->timer_initial = initial;
	lapic->deadline = initial ? rdtsc() + timer_period(lapic) : 0;
}

u32 vlapic_timer_initial(const struct vlapic *lapic)
{
	return timer_mode(lapic) == TIMER_DEADLINE ? 0 : lapic->timer_initial;
}

u32 vlapic_timer_current(const struct vlapic *lapic)
{
	u64 now = rdtsc();

	if (timer_mode(lapic) == TIMER_DEADLINE || lapic->deadline <= now)
		return 0;
	return (lapic->deadline - now) >> timer_shift(lapic);
}

u64 vlapic_run_timer(struct vcpu *vcpu, u64 now)
{
	struct vlapic *lapic = &vcpu->lapic;
	u32 lvt = lapic->lvt[LVT_TIMER];

	if (!lapic->deadline || lapic->deadline > now)
		return lapic->deadline;
	if (!(lvt & LVT_MASKED))
		vlapic_request(vcpu, lvt & ICR_VECTOR, false);
	if (timer_mode(lapic) != TIMER_PERIODIC)
		lapic->deadline = 0;
	else
		lapic->deadline = now + timer_period(lapic);
	return lapic->deadline;
}

u64 vlapic_timer_deadline(const struct vcpu *vcpu)
{
	const struct vlapic *lapic = &vcpu->lapic;

	if (timer_mode(lapic) != TIMER_DEADLINE || !lapic->deadline)
		return 0;
	return lapic->deadline + vcpu->vmcb.tsc_offset;
}

void vlapic_set_deadline(struct vcpu *vcpu, u64 value)
{
	if (timer_mode(&vcpu->lapic) == TIMER_DEADLINE)
		vcpu->lapic.deadline =
			value ? value - vcpu->vmcb.tsc_offset : 0;
}

void vlapic_set_timer_mode(struct vlapic *lapic, u32 lvt)
{
	if (timer_mode(lapic) != (lvt & TIMER_MODE))
		lapic->deadline = 0;
}

void vlapic_enable_timer(struct vlapic *lapic, bool on)
{
	if (!on)
		lapic->deadline = 0;
	else if (timer_mode(lapic) == TIMER_PERIODIC)
		vlapic_start_timer(lapic, lapic->timer_initial);
}
