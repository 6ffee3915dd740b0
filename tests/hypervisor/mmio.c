// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "alu.h"
#include "log.h"
#include "mmio.h"
#include "x86.h"

/* An instruction that is being carried out. */
struct mmio {
	struct guest_cpu *cpu;
	const struct insn *insn;
	u64 gpa;
	mmio_fn access;
};

u32 guest_access(const struct guest_cpu *cpu)
{
	return cpu->vmcb->cpl == 3 ? PF_USER : 0;
}

static u64 address_mask(const struct insn *insn)
{
	return insn->addr_size < 8 ? BIT(insn->addr_size * 8) - 1 : ~0UL;
}

static u64 linear_address(struct guest_cpu *cpu, u32 segment, u64 offset)
{
	const struct vmcb *vmcb = cpu->vmcb;
	const struct vmcb_segment *const segments[] = {
		[INSN_ES] = &vmcb->es, [INSN_CS] = &vmcb->cs,
		[INSN_SS] = &vmcb->ss, [INSN_DS] = &vmcb->ds,
		[INSN_FS] = &vmcb->fs, [INSN_GS] = &vmcb->gs,
	};

	if (guest_code_bits(cpu) != 64)
		return (u32)(offset + segments[segment]->base);
	/* 64-bit mode has no segments but for FS and GS. */
	return offset + (segment < INSN_FS ? 0 : segments[segment]->base);
}

u64 insn_string_address(struct guest_cpu *cpu, const struct insn *insn, u32 reg,
			u32 segment)
{
	return linear_address(cpu, segment,
			      cpu->regs[reg] & address_mask(insn));
}

void insn_step_index(struct guest_cpu *cpu, const struct insn *insn, u32 reg)
{
	u64 step = insn->size;

	if (cpu->vmcb->rflags & RFLAGS_DF)
		step = -step;
	guest_write_reg(cpu, reg, cpu->regs[reg] + step, insn->addr_size);
}

bool insn_count_is_zero(const struct guest_cpu *cpu, const struct insn *insn)
{
	return insn->rep && !(cpu->regs[REG_RCX] & address_mask(insn));
}

bool insn_step_count(struct guest_cpu *cpu, const struct insn *insn)
{
	if (!insn->rep)
		return true;
	guest_write_reg(cpu, REG_RCX, cpu->regs[REG_RCX] - 1, insn->addr_size);
	return insn_count_is_zero(cpu, insn);
}

static int device_read(struct mmio *m, u64 *value)
{
	struct mmio_access access = {
		.gpa = m->gpa,
		.size = m->insn->size,
	};
	int ret = m->access(m->cpu, &access);

	*value = access.value;
	return ret;
}

static int device_write(struct mmio *m, u64 value)
{
	u32 size = m->insn->size;
	struct mmio_access access = {
		.gpa = m->gpa,
		.size = size,
		.write = true,
		.value = size < 8 ? value & (BIT(size * 8) - 1) : value,
	};

	return m->access(m->cpu, &access);
}

/* Value of the operand that is not memory. */
static u64 other_operand(struct mmio *m)
{
	u64 reg = m->cpu->regs[m->insn->reg];

	if (m->insn->has_imm)
		return m->insn->imm;
	return m->insn->high_byte ? reg >> 8 : reg;
}

static void set_register(struct mmio *m, u64 value)
{
	const struct insn *insn = m->insn;
	u64 low = m->cpu->regs[insn->reg] & 0xff;

	if (insn->high_byte)
		guest_write_reg(m->cpu, insn->reg, value << 8 | low, 2);
	else
		guest_write_reg(m->cpu, insn->reg, value, insn->reg_size);
}

static int do_load(struct mmio *m)
{
	u32 shift = 64 - m->insn->size * 8;
	u64 value;
	int ret = device_read(m, &value);

	if (ret)
		return ret;
	value <<= shift;
	if (m->insn->sign_extend)
		value = (s64)value >> shift;
	else
		value >>= shift;
	set_register(m, value);
	return 0;
}

static int do_arith(struct mmio *m)
{
	const struct insn *insn = m->insn;
	u64 mem, other = other_operand(m), result;
	u64 flags = m->cpu->vmcb->rflags;
	int ret = device_read(m, &mem);

	if (ret)
		return ret;
	if (insn->mem_is_dst)
		result = alu(insn->op, mem, other, insn->size, &flags);
	else
		result = alu(insn->op, other, mem, insn->size, &flags);
	if (insn->op == INSN_CMP || insn->op == INSN_TEST)
		; /* only the flags */
	else if (insn->mem_is_dst)
		ret = device_write(m, result);
	else
		set_register(m, result);
	if (!ret)
		m->cpu->vmcb->rflags = flags;
	return ret;
}

/* One element of MOVS: a device at one end, memory at the other. */
static int do_movs(struct mmio *m, bool to_device)
{
	struct guest_cpu *cpu = m->cpu;
	u64 src = insn_string_address(cpu, m->insn, REG_RSI, m->insn->segment);
	u64 dst = insn_string_address(cpu, m->insn, REG_RDI, INSN_ES);
	u64 value = 0;
	int ret;

	if (to_device) {
		ret = guest_read(cpu, src, &value, m->insn->size,
				 guest_access(cpu));
		if (!ret)
			ret = device_write(m, value);
	} else {
		ret = device_read(m, &value);
		if (!ret)
			ret = guest_write(cpu, dst, &value, m->insn->size,
					  guest_access(cpu));
	}
	if (ret)
		return ret;
	insn_step_index(cpu, m->insn, REG_RSI);
	insn_step_index(cpu, m->insn, REG_RDI);
	return 0;
}

static int do_stos(struct mmio *m)
{
	int ret = device_write(m, m->cpu->regs[REG_RAX]);

	if (!ret)
		insn_step_index(m->cpu, m->insn, REG_RDI);
	return ret;
}

static int do_lods(struct mmio *m)
{
	int ret = do_load(m);

	if (!ret)
		insn_step_index(m->cpu, m->insn, REG_RSI);
	return ret;
}

static int execute(struct mmio *m, u32 fault)
{
	switch (m->insn->op) {
	case INSN_LOAD:
		return do_load(m);
	case INSN_STORE:
		return device_write(m, other_operand(m));
	case INSN_MOVS:
		return do_movs(m, fault & PF_WRITE);
	case INSN_STOS:
		return do_stos(m);
	case INSN_LODS:
		return do_lods(m);
	case INSN_INS:
	case INSN_OUTS:
		return -ENXIO; /* between a port and a device's memory */
	default:
		return do_arith(m);
	}
}

/* Linear address of the memory operand for which the fault was. */
static u64 operand_address(struct guest_cpu *cpu, const struct insn *insn,
			   u32 fault)
{
	if (insn->op == INSN_STOS ||
	    (insn->op == INSN_MOVS && (fault & PF_WRITE)))
		return insn_string_address(cpu, insn, REG_RDI, INSN_ES);
	if (insn->op == INSN_MOVS || insn->op == INSN_LODS)
		return insn_string_address(cpu, insn, REG_RSI, insn->segment);
	return linear_address(cpu, insn->segment,
			      insn_address(insn, cpu->regs, cpu->vmcb->rip));
}

/* Whether the operand begins at the faulting address and ends in its page. */
static bool operand_in_page(u64 linear, u64 gpa, u32 size)
{
	u64 offset = linear & ~PAGE_MASK;

	return offset == (gpa & ~PAGE_MASK) && offset + size <= PAGE_SIZE;
}

void mmio_emulate(struct guest_cpu *cpu, u64 gpa, u32 fault, mmio_fn access)
{
	u8 code[INSN_MAX_LEN] = {};
	u32 len = guest_fetch(cpu, code, sizeof(code));
	struct insn insn;
	struct mmio m = { cpu, &insn, gpa, access };
	int ret;

	if (!len)
		return; /* the guest unmapped the code meanwhile: it will fault
			 */
	ret = insn_decode(code, len, guest_code_bits(cpu), &insn);
	if (!ret && !operand_in_page(operand_address(cpu, &insn, fault), gpa,
				     insn.size)) {
		hv_log_limited("hv: access across pages at 0x%llx", gpa);
		guest_inject_error(cpu, VECTOR_GP, 0);
		return;
	}
	if (!ret)
		ret = execute(&m, fault);
	if (ret == -EINVAL || ret == -ENXIO) {
		hv_log_limited(
			"hv: no emulation at rip 0x%llx for 0x%llx: %x %x %x %x",
			cpu->vmcb->rip, gpa, code[0], code[1], code[2],
			code[3]);
		guest_inject(cpu, VECTOR_UD);
		return;
	}
	if (ret == -EINPROGRESS || (!ret && insn_step_count(cpu, &insn)))
		guest_skip(cpu, insn.len);
}
