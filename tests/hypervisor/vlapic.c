// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "lapic.h"
#include "mmio.h"
#include "time.h"
#include "vcpu.h"
#include "vlapic.h"
#include "x86.h"

/*
 * Numbers of the registers: the low byte of the MSR in x2APIC mode, a sixteenth
 * of the offset in the page in xAPIC mode.
 */
enum {
	REG_ID = 0x02,
	REG_VERSION = 0x03,
	REG_TPR = 0x08,
	REG_PPR = 0x0a,
	REG_EOI = 0x0b,
	REG_LDR = 0x0d,
	REG_DFR = 0x0e,
	REG_SVR = 0x0f,
	REG_ISR = 0x10,
	REG_TMR = 0x18,
	REG_IRR = 0x20,
	REG_ESR = 0x28,
	REG_LVT_CMCI = 0x2f,
	REG_ICR = 0x30,
	REG_ICR_HIGH = 0x31,
	REG_LVT = 0x32,
	REG_TIMER_INITIAL = 0x38,
	REG_TIMER_CURRENT = 0x39,
	REG_TIMER_DIVIDE = 0x3e,
	REG_SELF_IPI = 0x3f,
};

#define REG_SHIFT      4
#define XAPIC_ID_SHIFT 24

#define VERSION	     (0x10 | (NR_LVTS - 1) << 16)
#define DFR_WRITABLE 0xf0000000U
#define LDR_WRITABLE 0xff000000U
#define SVR_RESET    0xffU
#define SVR_ENABLE   BIT(8)

/* Writable fields of local vector table entries; which has which varies */
#define LVT_VECTOR_AND_MASK 0x000110ffU
#define LVT_DELIVERY	    0x00000700U
#define LVT_TIMER_MODE	    0x00060000U
#define LVT_PIN		    0x0000e000U

#define APIC_BASE_X2APIC (APIC_BASE_ENABLE | APIC_BASE_EXTD)

bool vlapic_in_x2apic_mode(const struct vlapic *lapic)
{
	return (lapic->base & APIC_BASE_X2APIC) == APIC_BASE_X2APIC;
}

bool vlapic_enabled(const struct vlapic *lapic)
{
	return lapic->svr & SVR_ENABLE;
}

void vlapic_init(struct vcpu *vcpu)
{
	struct vlapic *lapic = &vcpu->lapic;

	*lapic = (struct vlapic){
		.base = lapic->base,
		.id = lapic->id,
		.dfr = ~0U,
		.svr = SVR_RESET,
	};
	for (u32 i = 0; i < NR_LVTS; i++)
		lapic->lvt[i] = LVT_MASKED;
}

void vlapic_power_on(struct vcpu *vcpu)
{
	vcpu->lapic.base = APIC_BASE_ADDR | APIC_BASE_ENABLE |
			   (vcpu->id ? 0 : APIC_BASE_BSP);
	vcpu->lapic.id = vcpu->pcpu->id << XAPIC_ID_SHIFT;
	vlapic_init(vcpu);
}

/*
 * As on ACRN the mode can only be changed to x2APIC; other writes do nothing.
 */
static void write_base(struct vcpu *vcpu, u64 base)
{
	struct vlapic *lapic = &vcpu->lapic;
	u32 id = vcpu->pcpu->id;

	if (vlapic_in_x2apic_mode(lapic) ||
	    (base & APIC_BASE_X2APIC) != APIC_BASE_X2APIC)
		return;
	lapic->base = base;
	lapic->id = id;
	lapic->ldr = id >> 4 << 16 | 1U << (id & 15);
}

static u32 lvt_index(u32 reg)
{
	return reg == REG_LVT_CMCI ? LVT_CMCI : reg - REG_LVT;
}

static u32 lvt_writable(u32 index)
{
	switch (index) {
	case LVT_TIMER:
		return LVT_VECTOR_AND_MASK | LVT_TIMER_MODE;
	case LVT_ERROR:
		return LVT_VECTOR_AND_MASK;
	case LVT_LINT0:
	case LVT_LINT1:
		return LVT_VECTOR_AND_MASK | LVT_DELIVERY | LVT_PIN;
	default:
		return LVT_VECTOR_AND_MASK | LVT_DELIVERY;
	}
}

static void write_lvt(struct vlapic *lapic, u32 index, u32 value)
{
	value &= lvt_writable(index);
	if (!vlapic_enabled(lapic))
		value |= LVT_MASKED;
	if (index == LVT_TIMER)
		vlapic_set_timer_mode(lapic, value);
	lapic->lvt[index] = value;
}

static void write_svr(struct vlapic *lapic, u32 value)
{
	bool was_enabled = vlapic_enabled(lapic), enabled;

	lapic->svr = value;
	enabled = vlapic_enabled(lapic);
	for (u32 i = 0; !enabled && i < NR_LVTS; i++)
		lapic->lvt[i] |= LVT_MASKED;
	if (enabled != was_enabled)
		vlapic_enable_timer(lapic, enabled);
}

/* Returns 0, or -EINVAL and a *@value of 0 if there is no such register. */
static int read_register(const struct vlapic *lapic, u32 reg, u64 *value)
{
	*value = 0;
	switch (reg) {
	case REG_ID:
		*value = lapic->id;
		break;
	case REG_VERSION:
		*value = VERSION;
		break;
	case REG_TPR:
		*value = lapic->tpr;
		break;
	case REG_PPR:
		*value = vlapic_priority(lapic);
		break;
	case REG_LDR:
		*value = lapic->ldr;
		break;
	case REG_DFR:
		*value = lapic->dfr;
		break;
	case REG_SVR:
		*value = lapic->svr;
		break;
	case REG_ISR ... REG_ISR + 7:
		*value = lapic->isr[reg - REG_ISR];
		break;
	case REG_TMR ... REG_TMR + 7:
		*value = lapic->tmr[reg - REG_TMR];
		break;
	case REG_IRR ... REG_IRR + 7:
		*value = lapic->irr[reg - REG_IRR];
		break;
	case REG_ESR:
		*value = lapic->esr;
		break;
	case REG_ICR:
		*value = lapic->icr;
		break;
	case REG_ICR_HIGH:
		*value = lapic->icr >> 32;
		break;
	case REG_LVT_CMCI:
	case REG_LVT ... REG_LVT + LVT_ERROR:
		*value = lapic->lvt[lvt_index(reg)];
		break;
	case REG_TIMER_INITIAL:
		*value = vlapic_timer_initial(lapic);
		break;
	case REG_TIMER_CURRENT:
		*value = vlapic_timer_current(lapic);
		break;
	case REG_TIMER_DIVIDE:
		*value = lapic->timer_divide;
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

/*
 * Write a register that affects no interrupt. Returns 0, or -EINVAL if there is
 * no such register.
 */
static int write_plain(struct vlapic *lapic, u32 reg, u32 value)
{
	switch (reg) {
	case REG_ID:
		break; /* read-only; a write does not fault */
	case REG_TPR:
		lapic->tpr = value & 0xff;
		break;
	case REG_LDR:
		lapic->ldr = value & LDR_WRITABLE;
		break;
	case REG_DFR:
		lapic->dfr = value | ~DFR_WRITABLE;
		break;
	case REG_SVR:
		write_svr(lapic, value);
		break;
	case REG_ESR:
		lapic->esr = lapic->esr_pending;
		lapic->esr_pending = 0;
		break;
	case REG_LVT_CMCI:
	case REG_LVT ... REG_LVT + LVT_ERROR:
		write_lvt(lapic, lvt_index(reg), value);
		break;
	case REG_ICR_HIGH:
		lapic->icr = (u32)lapic->icr | (u64)value << 32;
		break;
	case REG_TIMER_INITIAL:
		vlapic_start_timer(lapic, value);
		break;
	case REG_TIMER_DIVIDE:
		lapic->timer_divide = value;
		break;
	default:
		return -EINVAL;
	}
	return 0;
}

/*
 * Write a register that both modes have. Returns 0, or -EINVAL if neither has.
 */
static int write_register(struct vcpu *vcpu, u32 reg, u32 value)
{
	switch (reg) {
	case REG_EOI:
		vlapic_end_interrupt(vcpu);
		return 0;
	case REG_ICR:
		vcpu->lapic.icr = (vcpu->lapic.icr & ~0xffffffffUL) | value;
		vlapic_send_ipi(vcpu);
		return 0;
	default:
		return write_plain(&vcpu->lapic, reg, value);
	}
}

/* Whether the register exists in x2APIC mode, as an MSR. */
static bool is_x2apic_register(u32 reg)
{
	return reg != REG_DFR && reg != REG_ICR_HIGH;
}

static int write_x2apic(struct vcpu *vcpu, u32 reg, u64 value)
{
	struct vlapic *lapic = &vcpu->lapic;

	if (reg == REG_EOI && value)
		return -EINVAL;
	if (reg == REG_ICR)
		lapic->icr = value;
	if (reg == REG_SELF_IPI) {
		vlapic_request(vcpu, value, false);
		return 0;
	}
	return is_x2apic_register(reg) ? write_register(vcpu, reg, value)
				       : -EINVAL;
}

/* This and everything above is called with the VM's lock held. */
static int read_msr(const struct vcpu *vcpu, u32 msr, u64 *value)
{
	const struct vlapic *lapic = &vcpu->lapic;
	u32 reg = msr - MSR_X2APIC_FIRST;

	switch (msr) {
	case MSR_APIC_BASE:
		*value = lapic->base;
		return 0;
	case MSR_TSC_DEADLINE:
		*value = vlapic_timer_deadline(vcpu);
		return 0;
	}
	if (!vlapic_in_x2apic_mode(lapic) || !is_x2apic_register(reg))
		return -EINVAL;
	return read_register(lapic, reg, value);
}

static int write_msr(struct vcpu *vcpu, u32 msr, u64 value)
{
	switch (msr) {
	case MSR_APIC_BASE:
		write_base(vcpu, value);
		return 0;
	case MSR_TSC_DEADLINE:
		vlapic_set_deadline(vcpu, value);
		return 0;
	}
	if (!vlapic_in_x2apic_mode(&vcpu->lapic))
		return -EINVAL;
	return write_x2apic(vcpu, msr - MSR_X2APIC_FIRST, value);
}

int vlapic_read_msr(struct vcpu *vcpu, u32 msr, u64 *value)
{
	int ret;

	spin_lock(&vcpu->vm->lock);
	ret = read_msr(vcpu, msr, value);
	spin_unlock(&vcpu->vm->lock);
	return ret;
}

/* Drop the VM's lock and request a timer interrupt for the timer's deadline. */
static void unlock_and_arm(struct vcpu *vcpu)
{
	u64 deadline = vcpu->lapic.deadline;

	spin_unlock(&vcpu->vm->lock);
	cpu_timer_request(vcpu->pcpu, deadline);
}

int vlapic_write_msr(struct vcpu *vcpu, u32 msr, u64 value)
{
	int ret;

	spin_lock(&vcpu->vm->lock);
	ret = write_msr(vcpu, msr, value);
	unlock_and_arm(vcpu);
	return ret;
}

/*
 * Registers are at multiples of 16. Anything else in the page reads as 0, and
 * so does all of it in x2APIC mode; on ACRN the page is plain memory then.
 */
void vlapic_access(struct vcpu *vcpu, struct mmio_access *access)
{
	u32 offset = access->gpa - VLAPIC_BASE, reg = offset >> REG_SHIFT;

	spin_lock(&vcpu->vm->lock);
	if (vlapic_in_x2apic_mode(&vcpu->lapic) ||
	    !IS_ALIGNED(offset, 1 << REG_SHIFT))
		access->value = 0;
	else if (access->write)
		write_register(vcpu, reg, access->value);
	else
		read_register(&vcpu->lapic, reg, &access->value);
	unlock_and_arm(vcpu);
}
