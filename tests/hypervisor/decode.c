// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "decode.h"

#define REX_B BIT(0)
#define REX_X BIT(1)
#define REX_R BIT(2)
#define REX_W BIT(3)

enum {
	REG_BX = 3,
	REG_SP = 4,
	REG_BP = 5,
	REG_SI = 6,
	REG_DI = 7
};

/*
 * Position in the code and the prefixes seen so far. @bad is set when the bytes
 * are used up or the instruction is none that can be decoded; it is looked at
 * once, at the end.
 */
struct cursor {
	const u8 *bytes;
	u32 len;
	u32 pos;
	u32 bits;
	u8 rex;
	bool operand_prefix;
	bool address_prefix;
	bool rep;
	bool bad;
	u8 segment;
};

#define SEGMENT_NONE 0xff

static u8 next_byte(struct cursor *c)
{
	if (c->pos >= c->len || c->pos >= INSN_MAX_LEN) {
		c->bad = true;
		return 0;
	}
	return c->bytes[c->pos++];
}

/* Read a little-endian number of 1, 2, 4 or 8 bytes and sign-extend it. */
static s64 next_signed(struct cursor *c, u32 size)
{
	u64 value = 0;
	u32 shift = 64 - size * 8;

	for (u32 i = 0; i < size; i++)
		value |= (u64)next_byte(c) << (i * 8);
	return (s64)(value << shift) >> shift;
}

/* Note a legacy prefix. Returns false when @byte is none. */
static bool take_prefix(struct cursor *c, u8 byte)
{
	static const u8 segment_prefixes[] = { 0x26, 0x2e, 0x36,
					       0x3e, 0x64, 0x65 };

	for (u32 i = 0; i < sizeof(segment_prefixes); i++) {
		if (byte == segment_prefixes[i]) {
			c->segment = i;
			return true;
		}
	}
	switch (byte) {
	case 0x66:
		c->operand_prefix = true;
		return true;
	case 0x67:
		c->address_prefix = true;
		return true;
	case 0xf2:
	case 0xf3:
		c->rep = true;
		return true;
	default:
		return false;
	}
}

/* Read the prefixes. Returns the byte after them, the opcode's first. */
static u8 take_prefixes(struct cursor *c)
{
	u8 byte = next_byte(c);

	while (take_prefix(c, byte) && !c->bad)
		byte = next_byte(c);
	if (c->bits == 64 && (byte & 0xf0) == 0x40) {
		c->rex = byte;
		byte = next_byte(c);
	}
	return byte;
}

static u8 operand_size(const struct cursor *c)
{
	if (c->rex & REX_W)
		return 8;
	return (c->bits == 16) == c->operand_prefix ? 4 : 2;
}

static u8 address_size(const struct cursor *c)
{
	if (c->bits == 64)
		return c->address_prefix ? 4 : 8;
	return (c->bits == 16) == c->address_prefix ? 4 : 2;
}

static void set_segment(const struct cursor *c, struct insn *insn, u8 fallback)
{
	insn->segment = c->segment == SEGMENT_NONE ? fallback : c->segment;
}

static u8 default_segment(u8 base)
{
	return base == REG_SP || base == REG_BP ? INSN_SS : INSN_DS;
}

static void decode_modrm16(struct cursor *c, struct insn *insn, u8 mod, u8 rm)
{
	static const u8 bases[] = { REG_BX, REG_BX, REG_BP, REG_BP,
				    REG_SI, REG_DI, REG_BP, REG_BX };
	static const u8 indexes[] = { REG_SI, REG_DI, REG_SI, REG_DI };

	if (mod == 0 && rm == 6) {
		insn->disp = next_signed(c, 2);
	} else {
		insn->base = bases[rm];
		if (rm < sizeof(indexes))
			insn->index = indexes[rm];
	}
	if (mod)
		insn->disp = next_signed(c, mod);
	set_segment(c, insn, default_segment(insn->base));
}

/*
 * Read the SIB byte. Returns true when the instruction has no base register but
 * a 32-bit displacement.
 */
static bool decode_sib(struct cursor *c, struct insn *insn, u8 mod)
{
	u8 sib = next_byte(c);
	u8 index = (sib >> 3 & 7) | (c->rex & REX_X ? 8 : 0);

	insn->scale = sib >> 6;
	if (index != REG_SP)
		insn->index = index;
	if ((sib & 7) == REG_BP && !mod)
		return true;
	insn->base = (sib & 7) | (c->rex & REX_B ? 8 : 0);
	return false;
}

static void decode_modrm(struct cursor *c, struct insn *insn, u8 mod, u8 rm)
{
	bool disp32 = mod == 2;

	if (rm == REG_SP) {
		disp32 |= decode_sib(c, insn, mod);
	} else if (rm == REG_BP && !mod) {
		disp32 = true;
		insn->rip_relative = c->bits == 64;
	} else {
		insn->base = rm | (c->rex & REX_B ? 8 : 0);
	}
	if (disp32)
		insn->disp = next_signed(c, 4);
	else if (mod == 1)
		insn->disp = next_signed(c, 1);
	set_segment(c, insn, default_segment(insn->base));
}

/*
 * Read the ModRM byte, SIB and displacement. Returns the reg field without
 * REX.R: a register, or an extension of the opcode.
 */
static u8 take_modrm(struct cursor *c, struct insn *insn)
{
	u8 modrm = next_byte(c), mod = modrm >> 6, rm = modrm & 7;

	if (mod == 3)
		c->bad = true; /* no memory operand */
	else if (insn->addr_size == 2)
		decode_modrm16(c, insn, mod, rm);
	else
		decode_modrm(c, insn, mod, rm);
	return modrm >> 3 & 7;
}

static void set_reg(struct cursor *c, struct insn *insn, u8 reg, u8 size)
{
	insn->reg = reg | (c->rex & REX_R ? 8 : 0);
	insn->reg_size = size;
	if (size == 1 && !c->rex && reg >= 4) {
		insn->reg = reg - 4;
		insn->high_byte = true;
	}
}

static void decode_modrm_reg(struct cursor *c, struct insn *insn, u8 op,
			     u8 size)
{
	insn->op = op;
	insn->size = size;
	set_reg(c, insn, take_modrm(c, insn), size);
}

/* Read an immediate: at most four bytes, sign-extended to the operand. */
static void take_imm(struct cursor *c, struct insn *insn, u8 size)
{
	insn->has_imm = true;
	insn->imm = next_signed(c, min(size, 4));
}

/* 80, 81, 83: an operation with an immediate, chosen by the reg field. */
static void decode_group1(struct cursor *c, struct insn *insn, u8 opcode,
			  u8 size)
{
	insn->size = size;
	insn->mem_is_dst = true;
	switch (take_modrm(c, insn)) {
	case 1:
		insn->op = INSN_OR;
		break;
	case 4:
		insn->op = INSN_AND;
		break;
	case 6:
		insn->op = INSN_XOR;
		break;
	case 7:
		insn->op = INSN_CMP;
		break;
	default:
		c->bad = true;
	}
	take_imm(c, insn, opcode == 0x83 ? 1 : size);
}

/* C6, C7: MOV, and F6, F7: TEST, both with an immediate and reg field 0. */
static void decode_imm_only(struct cursor *c, struct insn *insn, u8 op, u8 size)
{
	insn->op = op;
	insn->size = size;
	insn->mem_is_dst = true;
	if (take_modrm(c, insn))
		c->bad = true;
	take_imm(c, insn, size);
}

/* A0 to A3: MOV between the accumulator and an absolute address. */
static void decode_moffs(struct cursor *c, struct insn *insn, u8 op, u8 size)
{
	insn->op = op;
	insn->size = size;
	insn->reg_size = size;
	insn->disp = next_signed(c, insn->addr_size);
	set_segment(c, insn, INSN_DS);
}

/* INS and OUTS have no 64-bit form; REX.W does not change them. */
static void decode_string(struct cursor *c, struct insn *insn, u8 op, u8 size)
{
	bool port = op == INSN_INS || op == INSN_OUTS;

	insn->op = op;
	insn->size = port ? min(size, 4) : size;
	insn->reg_size = insn->size;
	insn->rep = c->rep;
	set_segment(c, insn, INSN_DS);
}

/* 0F B6, B7, BE, BF: MOVZX and MOVSX. */
static void decode_0f(struct cursor *c, struct insn *insn)
{
	u8 opcode = next_byte(c);

	if ((opcode & 0xf6) != 0xb6) {
		c->bad = true;
		return;
	}
	insn->op = INSN_LOAD;
	insn->size = opcode & 1 ? 2 : 1;
	insn->sign_extend = opcode & 8;
	set_reg(c, insn, take_modrm(c, insn), operand_size(c));
}

/* 63 in 64-bit mode: MOVSXD. */
static void decode_movsxd(struct cursor *c, struct insn *insn)
{
	if (c->bits != 64) {
		c->bad = true;
		return;
	}
	insn->op = INSN_LOAD;
	insn->size = 4;
	insn->sign_extend = true;
	set_reg(c, insn, take_modrm(c, insn), operand_size(c));
}

/* AND, OR, XOR, CMP with a register: opcode bit 1 tells the direction. */
static void decode_arith(struct cursor *c, struct insn *insn, u8 opcode,
			 u8 size)
{
	static const u8 ops[] = {
		[1] = INSN_OR,
		[4] = INSN_AND,
		[6] = INSN_XOR,
		[7] = INSN_CMP,
	};

	insn->mem_is_dst = !(opcode & 2);
	decode_modrm_reg(c, insn, ops[opcode >> 3], size);
}

static void decode_opcode(struct cursor *c, struct insn *insn, u8 opcode)
{
	/* Bit 0 of nearly all opcodes chooses between bytes and larger. */
	u8 size = opcode & 1 ? operand_size(c) : 1;

	switch (opcode) {
	case 0x08 ... 0x0b:
	case 0x20 ... 0x23:
	case 0x30 ... 0x33:
	case 0x38 ... 0x3b:
		decode_arith(c, insn, opcode, size);
		break;
	case 0x0f:
		decode_0f(c, insn);
		break;
	case 0x63:
		decode_movsxd(c, insn);
		break;
	case 0x6c ... 0x6d:
		decode_string(c, insn, INSN_INS, size);
		break;
	case 0x6e ... 0x6f:
		decode_string(c, insn, INSN_OUTS, size);
		break;
	case 0x80 ... 0x81:
	case 0x83:
		decode_group1(c, insn, opcode, size);
		break;
	case 0x84 ... 0x85:
		insn->mem_is_dst = true;
		decode_modrm_reg(c, insn, INSN_TEST, size);
		break;
	case 0x88 ... 0x89:
		decode_modrm_reg(c, insn, INSN_STORE, size);
		break;
	case 0x8a ... 0x8b:
		decode_modrm_reg(c, insn, INSN_LOAD, size);
		break;
	case 0xa0 ... 0xa1:
		decode_moffs(c, insn, INSN_LOAD, size);
		break;
	case 0xa2 ... 0xa3:
		decode_moffs(c, insn, INSN_STORE, size);
		break;
	case 0xa4 ... 0xa5:
		decode_string(c, insn, INSN_MOVS, size);
		break;
	case 0xaa ... 0xab:
		decode_string(c, insn, INSN_STOS, size);
		break;
	case 0xac ... 0xad:
		decode_string(c, insn, INSN_LODS, size);
		break;
	case 0xc6 ... 0xc7:
		decode_imm_only(c, insn, INSN_STORE, size);
		break;
	case 0xf6 ... 0xf7:
		decode_imm_only(c, insn, INSN_TEST, size);
		break;
	default:
		c->bad = true;
	}
}

int insn_decode(const u8 *bytes, u32 len, u32 bits, struct insn *insn)
{
	struct cursor c = {
		.bytes = bytes,
		.len = len,
		.bits = bits,
		.segment = SEGMENT_NONE,
	};
	u8 opcode = take_prefixes(&c);

	*insn = (struct insn){
		.addr_size = address_size(&c),
		.base = INSN_NO_REG,
		.index = INSN_NO_REG,
	};
	decode_opcode(&c, insn, opcode);
	insn->len = c.pos;
	return c.bad ? -EINVAL : 0;
}

u64 insn_address(const struct insn *insn, const u64 regs[16], u64 rip)
{
	u64 address = insn->disp;

	if (insn->base != INSN_NO_REG)
		address += regs[insn->base];
	if (insn->index != INSN_NO_REG)
		address += regs[insn->index] << insn->scale;
	if (insn->rip_relative)
		address += rip + insn->len;
	if (insn->addr_size < 8)
		address &= BIT(insn->addr_size * 8) - 1;
	return address;
}
