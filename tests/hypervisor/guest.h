/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of a virtual CPU that emulation works on, the same for the Service
 * VM and for User VMs: registers, exceptions, memory by virtual address.
 *
 * All of it is used by the CPU that runs the vCPU, outside guest mode.
 */
#ifndef HV_GUEST_H
#define HV_GUEST_H

#include "svm.h"
#include "types.h"

struct npt;

/* Index into &struct guest_cpu.regs: the encoding that instructions use. */
enum guest_reg {
	REG_RAX,
	REG_RCX,
	REG_RDX,
	REG_RBX,
	REG_RSP,
	REG_RBP,
	REG_RSI,
	REG_RDI,
	REG_R8,
	NR_GUEST_REGS = 16,
};

/**
 * struct guest_cpu - Registers and memory of a virtual CPU
 * @vmcb:	Everything that SVM keeps
 * @regs:	General registers, RAX and RSP included
 * @npt:	The VM's memory
 */
struct guest_cpu {
	struct vmcb *vmcb;
	u64 regs[NR_GUEST_REGS];
	struct npt *npt;
};

/* Run until the next exit. Guest state is in @cpu before and after. */
void guest_run(struct guest_cpu *cpu);

/* State after power-on: real mode at the reset vector. */
void guest_reset(struct guest_cpu *cpu);

/* State after a start-up IPI with this vector. */
void guest_startup(struct guest_cpu *cpu, u8 vector);

/* Go on behind an instruction of @len bytes that has been emulated. */
void guest_skip(struct guest_cpu *cpu, u32 len);

/* Have the guest take an exception at the present instruction. */
void guest_inject(struct guest_cpu *cpu, u8 vector);
void guest_inject_error(struct guest_cpu *cpu, u8 vector, u32 error);

/* Bits of the code being run: 16, 32 or 64. */
u32 guest_code_bits(const struct guest_cpu *cpu);

/* Write 1, 2, 4 or 8 bytes as instructions do: four are zero-extended. */
void guest_write_reg(struct guest_cpu *cpu, u32 reg, u64 value, u32 size);

/**
 * guest_read() - Read guest memory by linear address
 * @cpu:	vCPU
 * @linear:	Address; the range may cross pages
 * @buf:	Destination
 * @len:	Bytes
 * @access:	PF_USER for a user access, PF_FETCH for instructions
 *
 * Return: 0; -EFAULT when the guest's page tables do not allow it, with a page
 * fault injected into the guest; -ENXIO when the address is translated but no
 * memory is there.
 */
int guest_read(struct guest_cpu *cpu, u64 linear, void *buf, u32 len,
	       u32 access);

/*
 * The same for writing. On failure, pages before the failing one are written. A
 * NULL @buf just finds out whether it would work.
 */
int guest_write(struct guest_cpu *cpu, u64 linear, const void *buf, u32 len,
		u32 access);

/*
 * Read up to @len bytes of code at the instruction pointer. Returns how many
 * there are; less than @len when memory ends.
 */
u32 guest_fetch(struct guest_cpu *cpu, u8 *buf, u32 len);

#endif /* HV_GUEST_H */
