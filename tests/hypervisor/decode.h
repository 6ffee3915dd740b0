/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decoder for the instructions with which guests access emulated devices. It
 * has no state and touches no guest: bytes in, description out, so that it can
 * be unit tested.
 */
#ifndef HV_DECODE_H
#define HV_DECODE_H

#include "types.h"

#define INSN_MAX_LEN 15
#define INSN_NO_REG  0xff

enum insn_op {
	INSN_LOAD,  /* register <- memory */
	INSN_STORE, /* memory <- register or immediate */
	INSN_AND,   /* AND to TEST: memory op register, or register op memory */
	INSN_OR,
	INSN_XOR,
	INSN_CMP,
	INSN_TEST,
	INSN_MOVS,
	INSN_STOS,
	INSN_LODS,
	INSN_INS,
	INSN_OUTS,
};

enum insn_segment {
	INSN_ES,
	INSN_CS,
	INSN_SS,
	INSN_DS,
	INSN_FS,
	INSN_GS,
};

/**
 * struct insn - A decoded instruction with one memory operand
 * @op:		enum insn_op
 * @len:	Length of the instruction in bytes
 * @size:	Width of the memory operand: 1, 2, 4 or 8
 * @reg:	Register operand, in its encoding
 * @reg_size:	Width of the register operand; larger than @size when INSN_LOAD
 *		extends
 * @high_byte:	The register operand is bits 8-15 of @reg: AH, CH, DH or BH
 * @sign_extend: INSN_LOAD extends the sign rather than zeroes
 * @has_imm:	The other operand is @imm, not @reg
 * @mem_is_dst:	Memory is the first operand of an arithmetic instruction
 * @rep:	A string instruction is repeated
 * @addr_size:	Width of addresses: 2, 4 or 8; for string instructions that of
 *		the index and count registers
 * @segment:	enum insn_segment of the memory operand; for string instructions
 *		of the source
 * @base:	Base register or INSN_NO_REG
 * @index:	Index register or INSN_NO_REG
 * @scale:	Shift for @index
 * @rip_relative: @disp counts from the end of the instruction
 * @disp:	Displacement, sign-extended; or the whole absolute address
 * @imm:	Immediate, sign-extended
 *
 * String instructions imply their memory operand: @base and @index do not
 * apply.
 */
struct insn {
	u8 op;
	u8 len;
	u8 size;
	u8 reg;
	u8 reg_size;
	bool high_byte;
	bool sign_extend;
	bool has_imm;
	bool mem_is_dst;
	bool rep;
	u8 addr_size;
	u8 segment;
	u8 base;
	u8 index;
	u8 scale;
	bool rip_relative;
	s64 disp;
	u64 imm;
};

/**
 * insn_decode() - Decode one instruction
 * @bytes:	Code
 * @len:	Number of bytes at @bytes
 * @bits:	16, 32 or 64: the mode that the code runs in
 * @insn:	Result
 *
 * Return: 0, or -EINVAL when the instruction is none of &enum insn_op with a
 * memory operand, is not complete within @len bytes, or is longer than
 * INSN_MAX_LEN.
 */
int insn_decode(const u8 *bytes, u32 len, u32 bits, struct insn *insn);

/**
 * insn_address() - Offset of the memory operand within its segment
 * @insn:	Instruction that is not a string instruction
 * @regs:	General registers
 * @rip:	Address of the instruction
 *
 * Return: the offset, truncated to the instruction's address size.
 */
u64 insn_address(const struct insn *insn, const u64 regs[16], u64 rip);

#endif /* HV_DECODE_H */
