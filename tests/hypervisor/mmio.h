/* SPDX-License-Identifier: GPL-2.0 */
/* Carrying out an instruction whose memory operand is a device. */
#ifndef HV_MMIO_H
#define HV_MMIO_H

#include "guest.h"
#include "decode.h"

/**
 * struct mmio_access - One read or write of a device
 * @gpa:	Guest physical address; the access does not cross a page
 * @size:	1, 2, 4 or 8
 * @write:	Direction
 * @value:	What is written, zero-extended; or what was read
 */
struct mmio_access {
	u64 gpa;
	u32 size;
	bool write;
	u64 value;
};

/*
 * Performs an access. Returns 0; -EINPROGRESS when nothing is read and the
 * guest is to go on behind the instruction; -EFAULT after injecting an
 * exception; or -ENXIO when the instruction deserves #UD.
 */
typedef int (*mmio_fn)(struct guest_cpu *cpu, struct mmio_access *access);

/**
 * mmio_emulate() - Carry out the instruction at which a nested page fault hit
 * @cpu:	vCPU
 * @gpa:	Address of the fault
 * @fault:	PF_* of the fault
 * @access:	Called for each access to the device, with no lock held
 *
 * The guest goes on behind the instruction, or takes the exception that it
 * earned: #UD when the instruction is none that decode.c knows, #GP when the
 * operand crosses a page. A repeated string instruction does one element and
 * then runs again.
 */
void mmio_emulate(struct guest_cpu *cpu, u64 gpa, u32 fault, mmio_fn access);

/*
 * What string instructions share. The linear address of an index register's
 * operand, and stepping index and count; insn_step() returns true when the
 * instruction is done.
 */
u64 insn_string_address(struct guest_cpu *cpu, const struct insn *insn, u32 reg,
			u32 segment);
void insn_step_index(struct guest_cpu *cpu, const struct insn *insn, u32 reg);
bool insn_step_count(struct guest_cpu *cpu, const struct insn *insn);

/* Is it to be repeated zero times? */
bool insn_count_is_zero(const struct guest_cpu *cpu, const struct insn *insn);

/* PF_USER when the guest runs user code. */
u32 guest_access(const struct guest_cpu *cpu);

#endif /* HV_MMIO_H */
