// SPDX-License-Identifier: GPL-2.0
/*
 * Finds the local APICs for which an interrupt of a device or an IPI is, and
 * requests it there. A set of vCPUs is a u32, bit n for the VM's vCPU n.
 */
#include "lapic.h"
#include "log.h"
#include "vcpu.h"
#include "vlapic.h"

#define XAPIC_BROADCAST	 0xffU
#define X2APIC_BROADCAST 0xffffffffU
#define XAPIC_DEST_SHIFT 24

#define DFR_MODEL   0xf0000000U
#define DFR_FLAT    0xf0000000U
#define DFR_CLUSTER 0x00000000U

_Static_assert(MAX_VCPUS <= 32, "a set of vCPUs has 32 bits");

static u32 all_vcpus(const struct vm *vm)
{
	return (1U << vm->nr_vcpus) - 1;
}

static u32 vcpu_with_id(const struct vm *vm, u32 id)
{
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i]->pcpu->id == id)
			return 1U << i;
	hv_log_limited("vm %u: no vCPU has local APIC id %u", vm->id, id);
	return 0;
}

/*
 * Logical ids in x2APIC mode: 16 bits of cluster, one bit for each vCPU in it
 */
static bool matches_x2apic(u32 ldr, u32 destination)
{
	return ldr >> 16 == destination >> 16 && (u16)(ldr & destination);
}

/* Logical ids in xAPIC mode: a bit for each of 8, or of 4 in a cluster */
static bool matches_xapic(const struct vlapic *lapic, u32 destination)
{
	u32 id = lapic->ldr >> XAPIC_DEST_SHIFT;

	switch (lapic->dfr & DFR_MODEL) {
	case DFR_FLAT:
		return id & destination & 0xff;
	case DFR_CLUSTER:
		return id >> 4 == (destination >> 4 & 0xf) &&
		       (id & destination & 0xf);
	default:
		return false;
	}
}

static bool matches(const struct vlapic *lapic, u32 destination)
{
	if (vlapic_in_x2apic_mode(lapic))
		return matches_x2apic(lapic->ldr, destination);
	return matches_xapic(lapic, destination);
}

static u32 logical_set(const struct vm *vm, u32 destination)
{
	u32 set = 0;

	for (u32 i = 0; i < vm->nr_vcpus; i++)
		if (matches(&vm->vcpus[i]->lapic, destination))
			set |= 1U << i;
	return set;
}

/* The vCPU of the lowest priority in @set, as a set; the first if equal. */
static u32 lowest_of(const struct vm *vm, u32 set)
{
	u32 lowest = 0, lowest_priority = ~0U;

	for (u32 i = 0; i < vm->nr_vcpus; i++) {
		u32 priority = vlapic_priority(&vm->vcpus[i]->lapic);

		if (!(set >> i & 1) || priority >= lowest_priority)
			continue;
		lowest = 1U << i;
		lowest_priority = priority;
	}
	return lowest;
}

void vlapic_deliver(struct vm *vm, const struct interrupt_message *message)
{
	bool lowest = message->lowest || message->mode == ICR_LOWEST;
	u32 set;

	if (message->mode != ICR_FIXED && message->mode != ICR_LOWEST)
		return;
	if (!message->logical)
		set = vcpu_with_id(vm, message->destination);
	else
		set = logical_set(vm, message->destination);
	if (message->logical && lowest)
		set = lowest_of(vm, set);
	for (u32 i = 0; i < vm->nr_vcpus; i++)
		if ((set >> i & 1) && vlapic_enabled(&vm->vcpus[i]->lapic))
			vlapic_request(vm->vcpus[i], message->vector,
				       message->level);
}

/* The vCPUs that the destination field of the interrupt command addresses. */
static u32 addressed_set(const struct vcpu *vcpu)
{
	const struct vlapic *lapic = &vcpu->lapic;
	bool x2apic = vlapic_in_x2apic_mode(lapic);
	u32 destination = lapic->icr >> 32;

	if (!x2apic)
		destination >>= XAPIC_DEST_SHIFT;
	if (destination == (x2apic ? X2APIC_BROADCAST : XAPIC_BROADCAST))
		return all_vcpus(vcpu->vm);
	if (lapic->icr & ICR_LOGICAL)
		return logical_set(vcpu->vm, destination);
	return vcpu_with_id(vcpu->vm, destination);
}

static u32 ipi_set(const struct vcpu *vcpu)
{
	switch (vcpu->lapic.icr & ICR_SHORTHAND) {
	case ICR_SELF:
		return 1U << vcpu->id;
	case ICR_ALL:
		return all_vcpus(vcpu->vm);
	case ICR_OTHERS:
		return all_vcpus(vcpu->vm) & ~(1U << vcpu->id);
	default:
		return addressed_set(vcpu);
	}
}

static void startup(struct vcpu *vcpu, u8 vector)
{
	/* Only a processor that waits after INIT takes a start-up IPI. */
	if (!vcpu->init_pending && vcpu->wait != VCPU_WAIT_STARTUP)
		return;
	vcpu->startup_pending = true;
	vcpu->startup_vector = vector;
	vcpu_kick(vcpu);
}

static void deliver_ipi(struct vcpu *vcpu, u32 icr)
{
	switch (icr & ICR_MODE) {
	case ICR_FIXED:
		vlapic_request(vcpu, icr & ICR_VECTOR, false);
		break;
	case ICR_NMI:
		vcpu->nmi_pending = true;
		vcpu_kick(vcpu);
		break;
	case ICR_INIT:
		/* INIT level de-assert has no effect on today's processors. */
		if ((icr & ICR_LEVEL) && !(icr & ICR_ASSERT))
			break;
		vcpu->init_pending = true;
		vcpu_kick(vcpu);
		break;
	case ICR_STARTUP:
		startup(vcpu, icr & ICR_VECTOR);
		break;
	}
}

/* Shorthands that include the sender are valid for vectors only. */
static bool valid_shorthand(u32 icr)
{
	bool self = (icr & ICR_SHORTHAND) == ICR_SELF ||
		    (icr & ICR_SHORTHAND) == ICR_ALL;

	return !self || (icr & ICR_MODE) == ICR_FIXED;
}

void vlapic_send_ipi(struct vcpu *vcpu)
{
	u32 icr = vcpu->lapic.icr, set;

	if ((icr & ICR_MODE) == ICR_FIXED &&
	    (icr & ICR_VECTOR) < FIRST_LEGAL_VECTOR) {
		vlapic_set_error(vcpu, ESR_SEND_ILLEGAL_VECTOR);
		return;
	}
	if (!valid_shorthand(icr))
		return;
	set = ipi_set(vcpu);
	for (u32 i = 0; i < vcpu->vm->nr_vcpus; i++)
		if (set >> i & 1)
			deliver_ipi(vcpu->vm->vcpus[i], icr);
}
