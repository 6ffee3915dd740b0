// SPDX-License-Identifier: GPL-2.0
/* State of interrupts within a local APIC: requested, in service, ended. */
#include "vcpu.h"
#include "vioapic.h"
#include "vlapic.h"

static void set_vector(u32 *set, u8 vector)
{
	set[vector / 32] |= 1U << vector % 32;
}

static void clear_vector(u32 *set, u8 vector)
{
	set[vector / 32] &= ~(1U << vector % 32);
}

static bool has_vector(const u32 *set, u8 vector)
{
	return set[vector / 32] >> vector % 32 & 1;
}

static int highest_vector(const u32 *set)
{
	for (int i = 7; i >= 0; i--)
		if (set[i])
			return i * 32 + 31 - __builtin_clz(set[i]);
	return -1;
}

u32 vlapic_priority(const struct vlapic *lapic)
{
	int in_service = highest_vector(lapic->isr);
	u32 service = in_service < 0 ? 0 : in_service & 0xf0;

	return (lapic->tpr & 0xf0) >= service ? lapic->tpr : service;
}

int vlapic_pending(const struct vcpu *vcpu)
{
	const struct vlapic *lapic = &vcpu->lapic;
	int vector = highest_vector(lapic->irr);

	if (vector < 0 || !vlapic_enabled(lapic))
		return -1;
	return (u32)vector >> 4 > vlapic_priority(lapic) >> 4 ? vector : -1;
}

void vlapic_accept(struct vcpu *vcpu, u8 vector)
{
	clear_vector(vcpu->lapic.irr, vector);
	set_vector(vcpu->lapic.isr, vector);
}

void vlapic_unaccept(struct vcpu *vcpu, u8 vector)
{
	clear_vector(vcpu->lapic.isr, vector);
	set_vector(vcpu->lapic.irr, vector);
}

/* Request an interrupt whose vector has been checked. */
static void request_legal(struct vcpu *vcpu, u8 vector, bool level)
{
	struct vlapic *lapic = &vcpu->lapic;

	if (!vlapic_enabled(lapic))
		return;
	set_vector(lapic->irr, vector);
	if (level)
		set_vector(lapic->tmr, vector);
	else
		clear_vector(lapic->tmr, vector);
	vcpu_kick(vcpu);
}

void vlapic_set_error(struct vcpu *vcpu, u32 error)
{
	u32 lvt = vcpu->lapic.lvt[LVT_ERROR];
	u8 vector = lvt;

	vcpu->lapic.esr_pending |= error;
	if (!(lvt & LVT_MASKED) && vector >= FIRST_LEGAL_VECTOR)
		request_legal(vcpu, vector, false);
}

void vlapic_request(struct vcpu *vcpu, u8 vector, bool level)
{
	if (vector < FIRST_LEGAL_VECTOR)
		vlapic_set_error(vcpu, ESR_RECEIVE_ILLEGAL_VECTOR);
	else
		request_legal(vcpu, vector, level);
}

void vlapic_end_interrupt(struct vcpu *vcpu)
{
	struct vlapic *lapic = &vcpu->lapic;
	int vector = highest_vector(lapic->isr);

	if (vector < 0)
		return;
	clear_vector(lapic->isr, vector);
	if (has_vector(lapic->tmr, vector))
		vioapic_eoi(vcpu->vm, vector);
}
