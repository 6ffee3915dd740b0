/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The I/O APIC of a User VM, whose pins HC_SET_IRQLINE drives. Guarded by the
 * VM's lock; all functions but vioapic_access() are called with it held.
 */
#ifndef HV_VIOAPIC_H
#define HV_VIOAPIC_H

#include "types.h"

#define VIOAPIC_BASE 0xfec00000UL
#define VIOAPIC_PINS 48

struct vm;
struct vcpu;
struct mmio_access;

/**
 * struct vioapic - Registers and lines
 * @select:	Index register
 * @entries:	Redirection table; bits as the guest sees them
 * @lines:	A bit per pin: the level of its line
 */
struct vioapic {
	u32 select;
	u64 entries[VIOAPIC_PINS];
	u64 lines;
};

void vioapic_reset(struct vm *vm);

/**
 * vioapic_set_line() - Change a line
 * @vm:		VM
 * @gsi:	Pin, from the Service VM, unchecked
 * @op:		ACRN_IRQLINE_*, unchecked
 *
 * Return: 0, also for an operation that there is not; -EPERM for such a pin.
 */
int vioapic_set_line(struct vm *vm, u32 gsi, u32 op);

/* A vCPU has ended the level-triggered interrupt @vector. */
void vioapic_eoi(struct vm *vm, u8 vector);

/* A vCPU reads or writes the registers. Takes the VM's lock. */
void vioapic_access(struct vm *vm, struct mmio_access *access);

#endif /* HV_VIOAPIC_H */
