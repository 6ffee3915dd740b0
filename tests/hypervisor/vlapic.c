// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "lapic.h"
#include "vcpu.h"
#include "vioapic.h"
#include "vlapic.h"
#include "x86.h"

/* Register numbers, the low byte of the MSR */
enum {
	X2APIC_ID = 0x02,
	X2APIC_VERSION = 0x03,
	X2APIC_TPR = 0x08,
	X2APIC_PPR = 0x0a,
	X2APIC_EOI = 0x0b,
	X2APIC_LDR = 0x0d,
	X2APIC_SVR = 0x0f,
	X2APIC_ISR = 0x10,
	X2APIC_TMR = 0x18,
	X2APIC_IRR = 0x20,
	X2APIC_ESR = 0x28,
	X2APIC_ICR = 0x30,
	X2APIC_LVT = 0x32,
	X2APIC_INITIAL = 0x38,
	X2APIC_CURRENT = 0x39,
	X2APIC_DIVIDE = 0x3e,
	X2APIC_SELF_IPI = 0x3f,
};

#define VERSION		   0x14
#define VERSION_LVTS	   ((NR_LVTS - 1) << 16)
#define LVT_TIMER	   0
#define LVT_MASKED	   BIT(16)
#define LVT_WRITABLE	   0x0007a7ffU
#define TIMER_MODE	   (3 << 17)
#define TIMER_PERIODIC	   (1 << 17)
#define TIMER_DEADLINE	   (2 << 17)
#define SVR_ENABLE	   BIT(8)
#define SVR_WRITABLE	   0x1ffU
#define DIVIDE_WRITABLE	   0xbU
#define ESR_ILLEGAL_VECTOR BIT(6)
#define FIRST_LEGAL_VECTOR 16

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

void vlapic_reset(struct vcpu *vcpu)
{
	struct vlapic *lapic = &vcpu->lapic;

	*lapic = (struct vlapic){ .svr = 0xff };
	for (u32 i = 0; i < NR_LVTS; i++)
		lapic->lvt[i] = LVT_MASKED;
}

static bool enabled(const struct vlapic *lapic)
{
	return lapic->svr & SVR_ENABLE;
}

/* Cluster of 16 in the high half, a bit in the low one. */
static u32 logical_id(const struct vcpu *vcpu)
{
	return (vcpu->id >> 4) << 16 | 1U << (vcpu->id & 15);
}

static u32 processor_priority(const struct vlapic *lapic)
{
	int in_service = highest_vector(lapic->isr);
	u32 service = in_service < 0 ? 0 : in_service & 0xf0;

	return (lapic->tpr & 0xf0) >= service ? lapic->tpr : service;
}

int vlapic_pending(const struct vcpu *vcpu)
{
	const struct vlapic *lapic = &vcpu->lapic;
	int vector = highest_vector(lapic->irr);

	if (vector < 0 || !enabled(lapic))
		return -1;
	return (u32)vector >> 4 > processor_priority(lapic) >> 4 ? vector : -1;
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

static void request(struct vcpu *vcpu, u8 vector, bool level)
{
	struct vlapic *lapic = &vcpu->lapic;

	if (!enabled(lapic))
		return;
	if (vector < FIRST_LEGAL_VECTOR) {
		lapic->esr |= ESR_ILLEGAL_VECTOR;
		return;
	}
	set_vector(lapic->irr, vector);
	if (level)
		set_vector(lapic->tmr, vector);
	else
		clear_vector(lapic->tmr, vector);
	vcpu_kick(vcpu);
}

static bool matches(const struct vcpu *vcpu,
		    const struct interrupt_message *message)
{
	u32 dest = message->destination, id = logical_id(vcpu);

	if (dest == APIC_BROADCAST)
		return true;
	if (!message->logical)
		return dest == vcpu->id;
	return dest >> 16 == id >> 16 && (dest & id & 0xffff);
}

static void deliver_one(struct vcpu *vcpu,
			const struct interrupt_message *message)
{
	switch (message->mode) {
	case ICR_FIXED:
	case ICR_LOWEST:
		request(vcpu, message->vector, message->level);
		break;
	case ICR_NMI:
		vcpu->nmi_pending = true;
		vcpu_kick(vcpu);
		break;
	case ICR_INIT:
		vcpu->init_pending = true;
		vcpu_kick(vcpu);
		break;
	case ICR_STARTUP:
		/* Ignored by a processor that was not told to wait for it. */
		if (!vcpu->init_pending && vcpu->wait != VCPU_WAIT_STARTUP)
			break;
		vcpu->startup_pending = true;
		vcpu->startup_vector = message->vector;
		vcpu_kick(vcpu);
		break;
	}
}

void vlapic_deliver(struct vm *vm, const struct interrupt_message *message)
{
	struct vcpu *lowest = NULL;

	for (u32 i = 0; i < vm->nr_vcpus; i++) {
		struct vcpu *vcpu = vm->vcpus[i];

		if (!matches(vcpu, message))
			continue;
		if (message->mode != ICR_LOWEST)
			deliver_one(vcpu, message);
		else if (!lowest || processor_priority(&vcpu->lapic) <
					    processor_priority(&lowest->lapic))
			lowest = vcpu;
	}
	if (lowest)
		deliver_one(lowest, message);
}

/* To all vCPUs but @vcpu. */
static void deliver_others(struct vcpu *vcpu,
			   const struct interrupt_message *message)
{
	for (u32 i = 0; i < vcpu->vm->nr_vcpus; i++)
		if (vcpu->vm->vcpus[i] != vcpu)
			deliver_one(vcpu->vm->vcpus[i], message);
}

static void send_ipi(struct vcpu *vcpu, u64 icr)
{
	struct interrupt_message message = {
		.destination = icr >> 32,
		.logical = icr & ICR_LOGICAL,
		.mode = icr & ICR_MODE,
		.vector = icr & ICR_VECTOR,
	};

	/* INIT level de-assert, which only old processors know. */
	if (message.mode == ICR_INIT && (icr & ICR_LEVEL) &&
	    !(icr & ICR_ASSERT))
		return;
	switch (icr & ICR_SHORTHAND) {
	case ICR_SELF:
		deliver_one(vcpu, &message);
		break;
	case ICR_OTHERS:
		deliver_others(vcpu, &message);
		break;
	case ICR_ALL:
		message.destination = APIC_BROADCAST;
		message.logical = false;
		vlapic_deliver(vcpu->vm, &message);
		break;
	default:
		vlapic_deliver(vcpu->vm, &message);
	}
}

static void end_of_interrupt(struct vcpu *vcpu)
{
	struct vlapic *lapic = &vcpu->lapic;
	int vector = highest_vector(lapic->isr);

	if (vector < 0)
		return;
	clear_vector(lapic->isr, vector);
	if (has_vector(lapic->tmr, vector))
		vioapic_eoi(vcpu->vm, vector);
}

static u32 timer_mode(const struct vlapic *lapic)
{
	return lapic->lvt[LVT_TIMER] & TIMER_MODE;
}

/* 0 to 7 in bits 0, 1 and 3: divide by 2, 4 ... 128, 1. */
static u32 timer_shift(const struct vlapic *lapic)
{
	u32 divide = (lapic->timer_divide & 3) | (lapic->timer_divide & 8) >> 1;

	return (divide + 1) & 7;
}

/* The timer's ticks, before its divider, are those of the TSC. */
static u64 timer_period(const struct vlapic *lapic)
{
	return (u64)lapic->timer_initial << timer_shift(lapic);
}

static void start_timer(struct vlapic *lapic, u32 initial)
{
	if (timer_mode(lapic) == TIMER_DEADLINE)
		return;
	lapic->timer_initial = initial;
	lapic->deadline = initial ? rdtsc() + timer_period(lapic) : 0;
}

static u32 timer_current(const struct vlapic *lapic)
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
		request(vcpu, lvt & ICR_VECTOR, false);
	if (timer_mode(lapic) != TIMER_PERIODIC)
		lapic->deadline = 0;
	else
		lapic->deadline = now + timer_period(lapic);
	return lapic->deadline;
}

u64 vlapic_read_deadline(const struct vcpu *vcpu)
{
	const struct vlapic *lapic = &vcpu->lapic;

	return timer_mode(lapic) == TIMER_DEADLINE ? lapic->deadline : 0;
}

void vlapic_write_deadline(struct vcpu *vcpu, u64 value)
{
	if (timer_mode(&vcpu->lapic) == TIMER_DEADLINE)
		vcpu->lapic.deadline = value;
}

static void write_lvt(struct vlapic *lapic, u32 index, u32 value)
{
	u32 old_mode = timer_mode(lapic);

	value &= LVT_WRITABLE;
	if (!enabled(lapic))
		value |= LVT_MASKED;
	lapic->lvt[index] = value;
	/* Going to or from TSC-deadline mode disarms the timer. */
	if ((old_mode ^ timer_mode(lapic)) & TIMER_DEADLINE) {
		lapic->timer_initial = 0;
		lapic->deadline = 0;
	}
}

static void write_svr(struct vlapic *lapic, u32 value)
{
	lapic->svr = value & SVR_WRITABLE;
	for (u32 i = 0; !enabled(lapic) && i < NR_LVTS; i++)
		lapic->lvt[i] |= LVT_MASKED;
}

int vlapic_read_msr(struct vcpu *vcpu, u32 msr, u64 *value)
{
	const struct vlapic *lapic = &vcpu->lapic;
	u32 reg = msr - MSR_X2APIC_FIRST;

	switch (reg) {
	case X2APIC_ID:
		*value = vcpu->id;
		break;
	case X2APIC_VERSION:
		*value = VERSION | VERSION_LVTS;
		break;
	case X2APIC_TPR:
		*value = lapic->tpr;
		break;
	case X2APIC_PPR:
		*value = processor_priority(lapic);
		break;
	case X2APIC_LDR:
		*value = logical_id(vcpu);
		break;
	case X2APIC_SVR:
		*value = lapic->svr;
		break;
	case X2APIC_ISR ... X2APIC_ISR + 7:
		*value = lapic->isr[reg - X2APIC_ISR];
		break;
	case X2APIC_TMR ... X2APIC_TMR + 7:
		*value = lapic->tmr[reg - X2APIC_TMR];
		break;
	case X2APIC_IRR ... X2APIC_IRR + 7:
		*value = lapic->irr[reg - X2APIC_IRR];
		break;
	case X2APIC_ESR:
		*value = lapic->esr;
		break;
	case X2APIC_ICR:
		*value = lapic->icr;
		break;
	case X2APIC_LVT ... X2APIC_LVT + NR_LVTS - 1:
		*value = lapic->lvt[reg - X2APIC_LVT];
		break;
	case X2APIC_INITIAL:
		*value = lapic->timer_initial;
		break;
	case X2APIC_CURRENT:
		*value = timer_current(lapic);
		break;
	case X2APIC_DIVIDE:
		*value = lapic->timer_divide;
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

/* Registers of which any value of 32 bits, or part of it, can be written. */
static int write_plain(struct vlapic *lapic, u32 reg, u32 value)
{
	switch (reg) {
	case X2APIC_TPR:
		lapic->tpr = value & 0xff;
		break;
	case X2APIC_SVR:
		write_svr(lapic, value);
		break;
	case X2APIC_LVT ... X2APIC_LVT + NR_LVTS - 1:
		write_lvt(lapic, reg - X2APIC_LVT, value);
		break;
	case X2APIC_INITIAL:
		start_timer(lapic, value);
		break;
	case X2APIC_DIVIDE:
		lapic->timer_divide = value & DIVIDE_WRITABLE;
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

int vlapic_write_msr(struct vcpu *vcpu, u32 msr, u64 value)
{
	struct vlapic *lapic = &vcpu->lapic;
	u32 reg = msr - MSR_X2APIC_FIRST;

	if (reg == X2APIC_ICR) {
		lapic->icr = value;
		send_ipi(vcpu, value);
		return 0;
	}
	if (value >> 32)
		return -EINVAL;
	switch (reg) {
	case X2APIC_EOI:
		if (value)
			return -EINVAL;
		end_of_interrupt(vcpu);
		return 0;
	case X2APIC_ESR:
		if (value)
			return -EINVAL;
		lapic->esr = 0;
		return 0;
	case X2APIC_SELF_IPI:
		request(vcpu, value, false);
		return 0;
	default:
		return write_plain(lapic, reg, value);
	}
}
