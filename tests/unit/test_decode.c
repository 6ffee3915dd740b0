// sources: tests/hypervisor/decode.c tests/hypervisor/alu.c
// SPDX-License-Identifier: GPL-2.0
/*
 * The instruction decoder and the arithmetic of tests/hypervisor: instructions
 * as an assembler encodes them, byte sequences that no assembler makes, and
 * flags, which are compared with those of this machine's CPU.
 */
#include "tests/hypervisor/alu.h"
#include "tests/hypervisor/decode.h"
#include "tap.h"

#define NONE INSN_NO_REG
/* clang-format off */
enum { AX, CX, DX, BX, SP, BP, SI, DI, R8, R9, R12 = 12, R13 };
/* clang-format on */

struct sample {
	const char *text;
	u32 bits;
	u32 len;
	u8 bytes[INSN_MAX_LEN];
	struct insn want;
};

/* Fields that a sample does not name must be decoded as 0. */
#define MEM(b, i) .base = (b), .index = (i)
#define DS	  .segment = INSN_DS
#define SS	  .segment = INSN_SS

/* clang-format would give each field a line of its own. */
/* clang-format off */
static const struct sample samples[] = {
	{ "mov (%rdi),%eax", 64, 2, { 0x8b, 0x07 },
	  { .op = INSN_LOAD, .size = 4, .reg = AX, .reg_size = 4,
	    .addr_size = 8, DS, MEM(DI, NONE) } },
	{ "mov %eax,(%rdi)", 64, 2, { 0x89, 0x07 },
	  { .op = INSN_STORE, .size = 4, .reg = AX, .reg_size = 4,
	    .addr_size = 8, DS, MEM(DI, NONE) } },
	{ "mov %r9,0x10(%r12)", 64, 5, { 0x4d, 0x89, 0x4c, 0x24, 0x10 },
	  { .op = INSN_STORE, .size = 8, .reg = R9, .reg_size = 8,
	    .addr_size = 8, DS, MEM(R12, NONE), .disp = 0x10 } },
	{ "mov %ax,-2(%rbp)", 64, 4, { 0x66, 0x89, 0x45, 0xfe },
	  { .op = INSN_STORE, .size = 2, .reg = AX, .reg_size = 2,
	    .addr_size = 8, SS, MEM(BP, NONE), .disp = -2 } },
	{ "mov %ah,(%rdx)", 64, 2, { 0x88, 0x22 },
	  { .op = INSN_STORE, .size = 1, .reg = AX, .reg_size = 1,
	    .high_byte = true, .addr_size = 8, DS, MEM(DX, NONE) } },
	{ "mov %spl,(%rdx)", 64, 3, { 0x40, 0x88, 0x22 },
	  { .op = INSN_STORE, .size = 1, .reg = SP, .reg_size = 1,
	    .addr_size = 8, DS, MEM(DX, NONE) } },
	{ "mov (%rax,%rcx,8),%dl", 64, 3, { 0x8a, 0x14, 0xc8 },
	  { .op = INSN_LOAD, .size = 1, .reg = DX, .reg_size = 1,
	    .addr_size = 8, DS, MEM(AX, CX), .scale = 3 } },
	{ "mov (%rax,%r12,1),%dl", 64, 4, { 0x42, 0x8a, 0x14, 0x20 },
	  { .op = INSN_LOAD, .size = 1, .reg = DX, .reg_size = 1,
	    .addr_size = 8, DS, MEM(AX, R12) } },
	{ "mov 0x12345678,%eax by SIB", 64, 7,
	  { 0x8b, 0x04, 0x25, 0x78, 0x56, 0x34, 0x12 },
	  { .op = INSN_LOAD, .size = 4, .reg = AX, .reg_size = 4,
	    .addr_size = 8, DS, MEM(NONE, NONE), .disp = 0x12345678 } },
	{ "mov %edi,0xffffffffff5fd310", 64, 7,
	  { 0x89, 0x3c, 0x25, 0x10, 0xd3, 0x5f, 0xff },
	  { .op = INSN_STORE, .size = 4, .reg = DI, .reg_size = 4,
	    .addr_size = 8, DS, MEM(NONE, NONE), .disp = -0xa02cf0 } },
	{ "mov 0x10(%rip),%eax", 64, 6, { 0x8b, 0x05, 0x10, 0, 0, 0 },
	  { .op = INSN_LOAD, .size = 4, .reg = AX, .reg_size = 4,
	    .addr_size = 8, DS, MEM(NONE, NONE), .rip_relative = true,
	    .disp = 0x10 } },
	{ "mov 0x10,%eax in 32-bit code", 32, 6, { 0x8b, 0x05, 0x10, 0, 0, 0 },
	  { .op = INSN_LOAD, .size = 4, .reg = AX, .reg_size = 4,
	    .addr_size = 4, DS, MEM(NONE, NONE), .disp = 0x10 } },
	{ "mov (%edi),%eax in 64-bit code", 64, 3, { 0x67, 0x8b, 0x07 },
	  { .op = INSN_LOAD, .size = 4, .reg = AX, .reg_size = 4,
	    .addr_size = 4, DS, MEM(DI, NONE) } },
	{ "mov %gs:(%rdi),%rax", 64, 4, { 0x65, 0x48, 0x8b, 0x07 },
	  { .op = INSN_LOAD, .size = 8, .reg = AX, .reg_size = 8,
	    .addr_size = 8, .segment = INSN_GS, MEM(DI, NONE) } },
	{ "mov -2(%bp,%si),%ax in 16-bit code", 16, 3, { 0x8b, 0x42, 0xfe },
	  { .op = INSN_LOAD, .size = 2, .reg = AX, .reg_size = 2,
	    .addr_size = 2, SS, MEM(BP, SI), .disp = -2 } },
	{ "mov 0x1234,%cx in 16-bit code", 16, 4, { 0x8b, 0x0e, 0x34, 0x12 },
	  { .op = INSN_LOAD, .size = 2, .reg = CX, .reg_size = 2,
	    .addr_size = 2, DS, MEM(NONE, NONE), .disp = 0x1234 } },
	{ "movl $0x87654321,4(%rbx)", 64, 7,
	  { 0xc7, 0x43, 0x04, 0x21, 0x43, 0x65, 0x87 },
	  { .op = INSN_STORE, .size = 4, .has_imm = true, .mem_is_dst = true,
	    .addr_size = 8, DS, MEM(BX, NONE), .disp = 4,
	    .imm = 0xffffffff87654321 } },
	{ "movq $-1,(%r13)", 64, 8,
	  { 0x49, 0xc7, 0x45, 0x00, 0xff, 0xff, 0xff, 0xff },
	  { .op = INSN_STORE, .size = 8, .has_imm = true, .mem_is_dst = true,
	    .addr_size = 8, DS, MEM(R13, NONE), .imm = -1ULL } },
	{ "movb $5,(%rax)", 64, 3, { 0xc6, 0x00, 0x05 },
	  { .op = INSN_STORE, .size = 1, .has_imm = true, .mem_is_dst = true,
	    .addr_size = 8, DS, MEM(AX, NONE), .imm = 5 } },
	{ "movw $0x102,(%rax)", 64, 5, { 0x66, 0xc7, 0x00, 0x02, 0x01 },
	  { .op = INSN_STORE, .size = 2, .has_imm = true, .mem_is_dst = true,
	    .addr_size = 8, DS, MEM(AX, NONE), .imm = 0x102 } },
	{ "movzbl (%rsi),%r8d", 64, 4, { 0x44, 0x0f, 0xb6, 0x06 },
	  { .op = INSN_LOAD, .size = 1, .reg = R8, .reg_size = 4,
	    .addr_size = 8, DS, MEM(SI, NONE) } },
	{ "movzwl (%rsi),%eax", 64, 3, { 0x0f, 0xb7, 0x06 },
	  { .op = INSN_LOAD, .size = 2, .reg = AX, .reg_size = 4,
	    .addr_size = 8, DS, MEM(SI, NONE) } },
	{ "movsbq (%rsi),%rax", 64, 4, { 0x48, 0x0f, 0xbe, 0x06 },
	  { .op = INSN_LOAD, .size = 1, .reg = AX, .reg_size = 8,
	    .sign_extend = true, .addr_size = 8, DS, MEM(SI, NONE) } },
	{ "movzbl (%rsi),%esp, not a high byte", 64, 3, { 0x0f, 0xb6, 0x26 },
	  { .op = INSN_LOAD, .size = 1, .reg = SP, .reg_size = 4,
	    .addr_size = 8, DS, MEM(SI, NONE) } },
	{ "movslq (%rsi),%rax", 64, 3, { 0x48, 0x63, 0x06 },
	  { .op = INSN_LOAD, .size = 4, .reg = AX, .reg_size = 8,
	    .sign_extend = true, .addr_size = 8, DS, MEM(SI, NONE) } },
	{ "movabs 0x1122334455667788,%eax", 64, 9,
	  { 0xa1, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11 },
	  { .op = INSN_LOAD, .size = 4, .reg = AX, .reg_size = 4,
	    .addr_size = 8, DS, MEM(NONE, NONE), .disp = 0x1122334455667788 } },
	{ "mov %al,0x12345678 in 32-bit code", 32, 5,
	  { 0xa2, 0x78, 0x56, 0x34, 0x12 },
	  { .op = INSN_STORE, .size = 1, .reg = AX, .reg_size = 1,
	    .addr_size = 4, DS, MEM(NONE, NONE), .disp = 0x12345678 } },
	{ "and %eax,(%rdi)", 64, 2, { 0x21, 0x07 },
	  { .op = INSN_AND, .size = 4, .reg = AX, .reg_size = 4,
	    .mem_is_dst = true, .addr_size = 8, DS, MEM(DI, NONE) } },
	{ "and (%rdi),%eax", 64, 2, { 0x23, 0x07 },
	  { .op = INSN_AND, .size = 4, .reg = AX, .reg_size = 4, .addr_size = 8,
	    DS, MEM(DI, NONE) } },
	{ "xor (%rdi),%rcx", 64, 3, { 0x48, 0x33, 0x0f },
	  { .op = INSN_XOR, .size = 8, .reg = CX, .reg_size = 8, .addr_size = 8,
	    DS, MEM(DI, NONE) } },
	{ "orl $-2,(%rdi)", 64, 3, { 0x83, 0x0f, 0xfe },
	  { .op = INSN_OR, .size = 4, .has_imm = true, .mem_is_dst = true,
	    .addr_size = 8, DS, MEM(DI, NONE), .imm = -2ULL } },
	{ "cmpw $0x1af4,(%rdi)", 64, 5, { 0x66, 0x81, 0x3f, 0xf4, 0x1a },
	  { .op = INSN_CMP, .size = 2, .has_imm = true, .mem_is_dst = true,
	    .addr_size = 8, DS, MEM(DI, NONE), .imm = 0x1af4 } },
	{ "testb $1,(%rdi)", 64, 3, { 0xf6, 0x07, 0x01 },
	  { .op = INSN_TEST, .size = 1, .has_imm = true, .mem_is_dst = true,
	    .addr_size = 8, DS, MEM(DI, NONE), .imm = 1 } },
	{ "test %eax,(%rdi)", 64, 2, { 0x85, 0x07 },
	  { .op = INSN_TEST, .size = 4, .reg = AX, .reg_size = 4,
	    .mem_is_dst = true, .addr_size = 8, DS, MEM(DI, NONE) } },
	{ "rep movsl", 64, 2, { 0xf3, 0xa5 },
	  { .op = INSN_MOVS, .size = 4, .reg_size = 4, .rep = true,
	    .addr_size = 8, DS, MEM(NONE, NONE) } },
	{ "rep stosq", 64, 3, { 0xf3, 0x48, 0xab },
	  { .op = INSN_STOS, .size = 8, .reg_size = 8, .rep = true,
	    .addr_size = 8, DS, MEM(NONE, NONE) } },
	{ "lodsb %fs:(%rsi)", 64, 2, { 0x64, 0xac },
	  { .op = INSN_LODS, .size = 1, .reg_size = 1, .addr_size = 8,
	    .segment = INSN_FS, MEM(NONE, NONE) } },
	{ "rep insw in 32-bit code", 32, 3, { 0xf3, 0x66, 0x6d },
	  { .op = INSN_INS, .size = 2, .reg_size = 2, .rep = true,
	    .addr_size = 4, DS, MEM(NONE, NONE) } },
	{ "outsl with REX.W stays at four bytes", 64, 2, { 0x48, 0x6f },
	  { .op = INSN_OUTS, .size = 4, .reg_size = 4, .addr_size = 8, DS,
	    MEM(NONE, NONE) } },
};
/* clang-format on */

static bool same(const struct insn *a, const struct insn *b)
{
	return a->op == b->op && a->len == b->len && a->size == b->size &&
	       a->reg == b->reg && a->reg_size == b->reg_size &&
	       a->high_byte == b->high_byte &&
	       a->sign_extend == b->sign_extend && a->has_imm == b->has_imm &&
	       a->mem_is_dst == b->mem_is_dst && a->rep == b->rep &&
	       a->addr_size == b->addr_size && a->segment == b->segment &&
	       a->base == b->base && a->index == b->index &&
	       a->scale == b->scale && a->rip_relative == b->rip_relative &&
	       a->disp == b->disp && a->imm == b->imm;
}

static void test_samples(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];
		struct insn want = s->want, got;

		want.len = s->len;
		tap_ok(!insn_decode(s->bytes, sizeof(s->bytes), s->bits,
				    &got) &&
			       same(&got, &want),
		       "%s", s->text);
	}
}

/* Decode from a copy of exactly @len bytes: ASan finds a read beyond them. */
static int decode_copy(const u8 *bytes, u32 len, u32 bits, struct insn *insn)
{
	u8 *copy = malloc(len ?: 1);
	int ret;

	memcpy(copy, bytes, len);
	ret = insn_decode(copy, len, bits, insn);
	free(copy);
	return ret;
}

static void test_truncated(void)
{
	u32 accepted = 0;
	struct insn insn;

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		for (u32 len = 0; len < samples[i].len; len++)
			accepted += !decode_copy(samples[i].bytes, len,
						 samples[i].bits, &insn);
	tap_eq(accepted, 0, "no instruction is taken that is cut short");
}

static const struct {
	const char *text;
	u32 bits;
	u8 bytes[INSN_MAX_LEN + 1];
} refused[] = {
	{ "no memory operand", 64, { 0x89, 0xc7 } },
	{ "LOCK", 64, { 0xf0, 0x21, 0x07 } },
	{ "XCHG", 64, { 0x87, 0x07 } },
	{ "ADD", 64, { 0x01, 0x07 } },
	{ "INC in group 5", 64, { 0xff, 0x07 } },
	{ "NOT in group 3", 64, { 0xf7, 0x17 } },
	{ "ADD in group 1", 64, { 0x83, 0x07, 0x01 } },
	{ "reg field of C7 not 0", 64, { 0xc7, 0x0f, 0, 0, 0, 0 } },
	{ "VEX", 64, { 0xc5, 0xf8, 0x11, 0x07 } },
	{ "MOVUPS", 64, { 0x0f, 0x11, 0x07 } },
	{ "ARPL, not MOVSXD, in 32-bit code", 32, { 0x63, 0x06 } },
	{ "INC, not REX, in 32-bit code", 32, { 0x48, 0x89, 0x07 } },
	{ "two REX prefixes", 64, { 0x48, 0x48, 0x89, 0x07 } },
	{ "prefixes without end",
	  64,
	  { 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
	    0x66, 0x66, 0x66, 0x66, 0x66 } },
	{ "16 bytes",
	  64,
	  { 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0x2e, 0xc7, 0x80, 1, 2, 3, 4, 5, 6, 7,
	    8 } },
};

static void test_refused(void)
{
	struct insn insn;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		tap_ok(insn_decode(refused[i].bytes, sizeof(refused[i].bytes),
				   refused[i].bits, &insn) == -EINVAL,
		       "refused: %s", refused[i].text);
}

static bool is_size(u32 n)
{
	return n == 1 || n == 2 || n == 4 || n == 8;
}

static bool sane(const struct insn *insn, u32 len)
{
	return insn->len && insn->len <= len && is_size(insn->size) &&
	       (insn->has_imm || is_size(insn->reg_size)) && insn->reg < 16 &&
	       (insn->base < 16 || insn->base == NONE) &&
	       (insn->index < 16 || insn->index == NONE) && insn->scale < 4 &&
	       insn->segment <= INSN_GS && insn->op <= INSN_OUTS;
}

/* xorshift, with the same sequence in every run */
static u64 next_random(void)
{
	static u64 x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static void test_hostile(void)
{
	static const u32 modes[] = { 16, 32, 64 };
	u32 insane = 0, decoded = 0;

	for (u32 i = 0; i < 2000000; i++) {
		u8 bytes[16];
		u32 len = next_random() % 17;
		u64 r[2] = { next_random(), next_random() };
		struct insn insn;

		memcpy(bytes, r, sizeof(bytes));
		if (decode_copy(bytes, len, modes[i % 3], &insn))
			continue;
		decoded++;
		insane += !sane(&insn, len);
	}
	tap_ok(decoded > 1000, "random bytes decode at times");
	tap_eq(insane, 0, "and then to something sane");
}

static void test_address(void)
{
	u64 regs[16] = { [AX] = 0x1000, [CX] = 3, [BX] = 0xffff, [SI] = 2 };
	struct insn insn = {
		.base = AX, .index = CX, .scale = 2, .disp = -4, .addr_size = 8
	};

	tap_eq(insn_address(&insn, regs, 0), 0x1008, "base, index, scale");
	insn = (struct insn){ .base = NONE,
			      .index = NONE,
			      .disp = 0x10,
			      .rip_relative = true,
			      .len = 6,
			      .addr_size = 8 };
	tap_eq(insn_address(&insn, regs, 0x400000), 0x400016, "from RIP");
	insn = (struct insn){ .base = BX, .index = SI, .addr_size = 2 };
	tap_eq(insn_address(&insn, regs, 0), 1, "16-bit addresses wrap");
	insn = (struct insn){
		.base = NONE, .index = NONE, .disp = -0x100, .addr_size = 4
	};
	tap_eq(insn_address(&insn, regs, 0), 0xffffff00,
	       "32-bit addresses wrap");
}

#define FLAGS 0x8d5 /* CF PF AF ZF SF OF */
#define AF    0x10

/* LAHF leaves SF, ZF, AF, PF and CF in AH as they are in the flags register. */
#define NATIVE(insn, type)                                                     \
	do {                                                                   \
		type d_ = dst;                                                 \
		u32 ax_;                                                       \
		asm(insn " %2, %0\n\tlahf\n\tseto %%al"                        \
		    : "+r"(d_), "=&a"(ax_)                                     \
		    : "r"((type)src)                                           \
		    : "cc");                                                   \
		flags = (ax_ >> 8 & 0xff) | (ax_ & 1) << 11;                   \
		dst = d_;                                                      \
	} while (0)

#define NATIVE_SIZES(insn)                                                     \
	do {                                                                   \
		if (size == 1)                                                 \
			NATIVE(insn, u8);                                      \
		else if (size == 2)                                            \
			NATIVE(insn, u16);                                     \
		else if (size == 4)                                            \
			NATIVE(insn, u32);                                     \
		else                                                           \
			NATIVE(insn, u64);                                     \
	} while (0)

/* The result and the flags of this machine's CPU. */
static u64 native(enum insn_op op, u64 dst, u64 src, u32 size, u64 *rflags)
{
	u64 flags = 0;

	switch (op) {
	case INSN_AND:
		NATIVE_SIZES("and");
		break;
	case INSN_OR:
		NATIVE_SIZES("or");
		break;
	case INSN_XOR:
		NATIVE_SIZES("xor");
		break;
	case INSN_CMP:
		NATIVE_SIZES("cmp");
		break;
	default:
		NATIVE_SIZES("test");
	}
	*rflags = flags;
	return dst;
}

/* Compare alu() with the CPU. AF is undefined after logical operations. */
static void test_alu(enum insn_op op, const char *name)
{
	static const u64 edges[] = { 0,		 1,	     0x7f,
				     0x80,	 0xff,	     0x7fff,
				     0x8000,	 0xffff,     0x7fffffff,
				     0x80000000, 0xffffffff, 1ULL << 63,
				     ~0ULL };
	u64 mask = op == INSN_CMP ? FLAGS : FLAGS & ~AF;
	u32 wrong = 0;

	for (u32 i = 0; i < 40000; i++) {
		u64 dst = i % 2 ? next_random() : edges[i / 2 % 13];
		u64 src = i % 3 ? next_random() : edges[i / 26 % 13];
		u32 size = 1 << i / 7 % 4;
		u64 bits = size < 8 ? BIT(size * 8) - 1 : ~0ULL;
		u64 want_flags, flags = ~0ULL;
		u64 want = native(op, dst, src, size, &want_flags);
		u64 got = alu(op, dst, src, size, &flags);

		wrong += (want & bits) != got ||
			 ((want_flags ^ flags) & mask) ||
			 (flags | FLAGS) != ~0ULL;
	}
	tap_eq(wrong, 0, "%s as the CPU does it", name);
}

int main(void)
{
	test_samples();
	test_truncated();
	test_refused();
	test_hostile();
	test_address();
	test_alu(INSN_AND, "AND");
	test_alu(INSN_OR, "OR");
	test_alu(INSN_XOR, "XOR");
	test_alu(INSN_CMP, "CMP");
	test_alu(INSN_TEST, "TEST");
	return tap_done();
}
