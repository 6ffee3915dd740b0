// SPDX-License-Identifier: GPL-2.0
#include "alu.h"

#define FLAG_CF	  BIT(0)
#define FLAG_PF	  BIT(2)
#define FLAG_AF	  BIT(4)
#define FLAG_ZF	  BIT(6)
#define FLAG_SF	  BIT(7)
#define FLAG_OF	  BIT(11)
#define FLAGS_ALL (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

static u64 result_flags(u64 result, u64 sign)
{
	u64 flags = 0;

	if (!result)
		flags |= FLAG_ZF;
	if (result & sign)
		flags |= FLAG_SF;
	if (!__builtin_parity(result & 0xff))
		flags |= FLAG_PF;
	return flags;
}

static u64 borrow_flags(u64 dst, u64 src, u64 result, u64 sign)
{
	u64 flags = 0;

	if (dst < src)
		flags |= FLAG_CF;
	if ((dst ^ src ^ result) & 0x10)
		flags |= FLAG_AF;
	if ((dst ^ src) & (dst ^ result) & sign)
		flags |= FLAG_OF;
	return flags;
}

u64 alu(enum insn_op op, u64 dst, u64 src, u32 size, u64 *rflags)
{
	u64 sign = BIT(size * 8 - 1), mask = sign | (sign - 1);
	u64 result, flags = 0;

	dst &= mask;
	src &= mask;
	switch (op) {
	case INSN_OR:
		result = dst | src;
		break;
	case INSN_XOR:
		result = dst ^ src;
		break;
	case INSN_CMP:
		result = (dst - src) & mask;
		flags = borrow_flags(dst, src, result, sign);
		break;
	default:
		result = dst & src;
	}
	flags |= result_flags(result, sign);
	*rflags = (*rflags & ~FLAGS_ALL) | flags;
	return op == INSN_CMP || op == INSN_TEST ? dst : result;
}
