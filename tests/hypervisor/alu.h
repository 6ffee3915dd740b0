/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results and flags of the arithmetic instructions that decode.c decodes. No
 * state: usable from any context, and in a unit test.
 */
#ifndef HV_ALU_H
#define HV_ALU_H

#include "decode.h"

/**
 * alu() - Compute one arithmetic instruction
 * @op:		INSN_AND, INSN_OR, INSN_XOR, INSN_CMP or INSN_TEST
 * @dst:	First operand
 * @src:	Second operand
 * @size:	Width in bytes: 1, 2, 4 or 8; higher bits of the operands are
 *		ignored
 * @rflags:	CF, PF, AF, ZF, SF and OF are set as the processor sets them;
 *		the other bits stay
 *
 * Return: the new value of the first operand, which CMP and TEST leave alone.
 */
u64 alu(enum insn_op op, u64 dst, u64 src, u32 size, u64 *rflags);

#endif /* HV_ALU_H */
