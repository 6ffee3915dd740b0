/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of a vCPU that emulation works on, the same for the Service VM and
 * for User VMs: registers, exceptions, memory by linear address.
 *
 * No locks: everything here is called on the CPU that runs the vCPU, outside
 * guest mode.
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
 * struct guest_cpu - Registers and memory of a vCPU
 * @vmcb:	SVM's control block, with the registers that SVM saves
 * @regs:	General registers, RAX and RSP included
 * @npt:	The VM's nested page tables
 */
struct guest_cpu {
	struct vmcb *vmcb;
	u64 regs[NR_GUEST_REGS];
	struct npt *npt;
};

/*
 * Run the guest until its next exit. Its registers are taken from and put in
 * @cpu; the event in the VMCB is delivered and cleared.
 */
void guest_run(struct guest_cpu *cpu);

/* Set the registers that a vCPU has after power-on: real mode, reset vector. */
void guest_reset(struct guest_cpu *cpu);

/* Set the registers that a vCPU has after a start-up IPI with @vector. */
void guest_startup(struct guest_cpu *cpu, u8 vector);

/* Skip an instruction of @len bytes that has been emulated. */
void guest_skip(struct guest_cpu *cpu, u32 len);

/* Have the guest take an exception at its current instruction. */
void guest_inject(struct guest_cpu *cpu, u8 vector);
void guest_inject_error(struct guest_cpu *cpu, u8 vector, u32 error);

/* Width of the code that the guest runs: 16, 32 or 64 bits. */
u32 guest_code_bits(const struct guest_cpu *cpu);

/*
 * Write @size bytes of a register as instructions do: 1 or 2 bytes leave the
 * rest of it alone, 4 bytes are zero-extended.
 */
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
 * fault injected into the guest; -ENXIO when the address, or that of a page
 * table, is not memory of the guest.
 */
int guest_read(struct guest_cpu *cpu, u64 linear, void *buf, u32 len,
	       u32 access);

/*
 * Write guest memory; arguments and result as for guest_read(). On failure the
 * pages before the failing one have been written. With a NULL @buf nothing is
 * written, and the result says whether it could be.
 */
int guest_write(struct guest_cpu *cpu, u64 linear, const void *buf, u32 len,
		u32 access);

/*
 * Read up to @len bytes of code at the instruction pointer. Returns how many
 * were read: less than @len where the next page cannot be fetched from. Never
 * injects a fault.
 */
u32 guest_fetch(struct guest_cpu *cpu, u8 *buf, u32 len);

#endif /* HV_GUEST_H */
