/* SPDX-License-Identifier: GPL-2.0 */
/* Results and flags of the arithmetic that decode.c knows. Pure. */
#ifndef HV_ALU_H
#define HV_ALU_H

#include "decode.h"

/**
 * alu() - Do one operation
 * @op:		INSN_AND, INSN_OR, INSN_XOR, INSN_CMP or INSN_TEST
 * @dst:	First operand
 * @src:	Second operand
 * @size:	Width in bytes: 1, 2, 4 or 8; higher bits of the operands are
 *		ignored
 * @rflags:	Flags, updated as the processor does
 *
 * Return: the new value of the first operand.
 */
u64 alu(enum insn_op op, u64 dst, u64 src, u32 size, u64 *rflags);

#endif /* HV_ALU_H */
