/* SPDX-License-Identifier: GPL-2.0 */
/* Emulation of an instruction whose memory operand is in a device. */
#ifndef HV_MMIO_H
#define HV_MMIO_H

#include "guest.h"
#include "decode.h"

/**
 * struct mmio_access - One read or write of a device
 * @gpa:	Guest physical address; the access does not cross a page
 * @size:	1, 2, 4 or 8
 * @write:	Whether the guest writes
 * @value:	Value to write, zero-extended; or value that was read
 */
struct mmio_access {
	u64 gpa;
	u32 size;
	bool write;
	u64 value;
};

/*
 * Carries out an access to a device. Returns 0; -EINPROGRESS when a read gave
 * no value, and the instruction is to be skipped without effect; -EFAULT after
 * injecting an exception; -ENXIO when the guest is to get #UD.
 */
typedef int (*mmio_fn)(struct guest_cpu *cpu, struct mmio_access *access);

/**
 * mmio_emulate() - Carry out the instruction that caused a nested page fault
 * @cpu:	vCPU
 * @gpa:	Guest physical address of the fault
 * @fault:	PF_* of the fault
 * @access:	Called for each access to the device, with no lock held
 *
 * Afterwards the guest is behind the instruction, or an exception is injected:
 * #UD for an instruction that decode.c cannot decode, #GP when the operand
 * crosses a page. Of a repeated string instruction one element is done and the
 * guest stays at the instruction, until none are left.
 */
void mmio_emulate(struct guest_cpu *cpu, u64 gpa, u32 fault, mmio_fn access);

/*
 * Parts of string instructions, for memory and for ports.
 * insn_string_address(): linear address to which an index register points.
 * insn_step_index(): advance an index register by one element.
 * insn_step_count(): count one element; returns true when none are left.
 */
u64 insn_string_address(struct guest_cpu *cpu, const struct insn *insn, u32 reg,
			u32 segment);
void insn_step_index(struct guest_cpu *cpu, const struct insn *insn, u32 reg);
bool insn_step_count(struct guest_cpu *cpu, const struct insn *insn);

/* Whether the instruction is repeated and no elements are left. */
bool insn_count_is_zero(const struct guest_cpu *cpu, const struct insn *insn);

/* PF_USER when the guest runs at privilege level 3, else 0. */
u32 guest_access(const struct guest_cpu *cpu);

#endif /* HV_MMIO_H */
