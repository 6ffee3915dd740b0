/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The I/O APIC of a User VM; HC_SET_IRQLINE drives its pins. Guarded by the
 * VM's lock. All functions but vioapic_access() are called with the lock held.
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
 * struct vioapic - Registers and lines of an I/O APIC
 * @select:	Index register
 * @entries:	Redirection table; bits as the guest sees them
 * @lines:	Level of each pin's line, a bit per pin
 */
struct vioapic {
	u32 select;
	u64 entries[VIOAPIC_PINS];
	u64 lines;
};

void vioapic_reset(struct vm *vm);

/**
 * vioapic_set_line() - Change the level of a pin's line
 * @vm:		VM
 * @gsi:	Pin, from the Service VM, unchecked
 * @op:		ACRN_IRQLINE_*, unchecked
 *
 * Return: 0, also for an unknown @op, which does nothing; -EPERM when there is
 * no pin @gsi.
 */
int vioapic_set_line(struct vm *vm, u32 gsi, u32 op);

/* A vCPU has ended the level-triggered interrupt @vector. */
void vioapic_eoi(struct vm *vm, u8 vector);

/* A vCPU reads or writes the registers. Takes the VM's lock. */
void vioapic_access(struct vm *vm, struct mmio_access *access);

#endif /* HV_VIOAPIC_H */
