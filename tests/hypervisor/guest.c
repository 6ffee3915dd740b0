// SPDX-License-Identifier: GPL-2.0
#include "guest.h"
#include "string.h"
#include "x86.h"

#define RESET_CS      0xf000
#define RESET_CS_BASE 0xffff0000
#define RESET_RIP     0xfff0
#define DR6_RESET     0xffff0ff0
#define DR7_RESET     0x400
#define PAT_RESET     0x0007040600070406

void svm_run(u64 vmcb, u64 regs[NR_GUEST_REGS]);

/*
 * Works around a race in QEMU. When an APIC has an interrupt for a CPU, another
 * of QEMU's threads sets a bit in that CPU's word of pending requests. #VMEXIT
 * clears a bit of the same word, and VMRUN with a virtual interrupt sets one,
 * both without taking the lock, so the bit that the other thread sets at that
 * moment can get lost. The APIC still has the interrupt and signals it again
 * when the CPU writes its priority. Without this write a CPU whose timer
 * interrupt was lost sleeps until somebody else sends it an interrupt.
 */
static void find_lost_interrupt(void)
{
	write_cr8(read_cr8());
}

void guest_run(struct guest_cpu *cpu)
{
	struct vmcb *vmcb = cpu->vmcb;

	vmcb->rax = cpu->regs[REG_RAX];
	vmcb->rsp = cpu->regs[REG_RSP];
	svm_run((u64)vmcb, cpu->regs);
	find_lost_interrupt();
	cpu->regs[REG_RAX] = vmcb->rax;
	cpu->regs[REG_RSP] = vmcb->rsp;
	vmcb->event_inject = 0;
	vmcb->tlb_control = 0;
}

static void set_real_mode(struct vmcb *vmcb, u16 cs, u64 cs_base)
{
	const struct vmcb_segment data = {
		.attributes = SEG_DATA16,
		.limit = 0xffff,
	};

	vmcb->es = data;
	vmcb->ss = data;
	vmcb->ds = data;
	vmcb->fs = data;
	vmcb->gs = data;
	vmcb->cs = (struct vmcb_segment){
		.selector = cs,
		.attributes = SEG_CODE16,
		.limit = 0xffff,
		.base = cs_base,
	};
	vmcb->gdtr = (struct vmcb_segment){ .limit = 0xffff };
	vmcb->idtr = (struct vmcb_segment){ .limit = 0xffff };
	vmcb->ldtr =
		(struct vmcb_segment){ .attributes = SEG_LDT, .limit = 0xffff };
	vmcb->tr = (struct vmcb_segment){ .attributes = SEG_TSS_BUSY,
					  .limit = 0xffff };
}

void guest_reset(struct guest_cpu *cpu)
{
	struct vmcb *vmcb = cpu->vmcb;
	size_t save_area = offsetof(struct vmcb, es);

	memset(cpu->regs, 0, sizeof(cpu->regs));
	memset((u8 *)vmcb + save_area, 0, sizeof(*vmcb) - save_area);
	set_real_mode(vmcb, RESET_CS, RESET_CS_BASE);
	vmcb->rip = RESET_RIP;
	vmcb->rflags = RFLAGS_FIXED;
	vmcb->cr0 = CR0_ET;
	vmcb->efer = EFER_SVME;
	vmcb->dr6 = DR6_RESET;
	vmcb->dr7 = DR7_RESET;
	vmcb->pat = PAT_RESET;
	vmcb->int_state = 0;
	vmcb->event_inject = 0;
	vmcb->tlb_control = TLB_CONTROL_FLUSH_ALL;
}

void guest_startup(struct guest_cpu *cpu, u8 vector)
{
	guest_reset(cpu);
	set_real_mode(cpu->vmcb, vector << 8, (u64)vector << PAGE_SHIFT);
	cpu->vmcb->rip = 0;
}

void guest_skip(struct guest_cpu *cpu, u32 len)
{
	cpu->vmcb->rip += len;
	if (guest_code_bits(cpu) != 64)
		cpu->vmcb->rip &= 0xffffffff;
	cpu->vmcb->int_state &= ~INT_STATE_SHADOW;
}

void guest_inject(struct guest_cpu *cpu, u8 vector)
{
	cpu->vmcb->event_inject = EVENT_VALID | EVENT_EXCEPTION | vector;
}

void guest_inject_error(struct guest_cpu *cpu, u8 vector, u32 error)
{
	guest_inject(cpu, vector);
	cpu->vmcb->event_inject |= EVENT_HAS_ERROR;
	cpu->vmcb->event_error = error;
}

u32 guest_code_bits(const struct guest_cpu *cpu)
{
	const struct vmcb *vmcb = cpu->vmcb;

	if ((vmcb->efer & EFER_LMA) && (vmcb->cs.attributes & SEG_LONG))
		return 64;
	return vmcb->cs.attributes & SEG_DEFAULT32 ? 32 : 16;
}

void guest_write_reg(struct guest_cpu *cpu, u32 reg, u64 value, u32 size)
{
	u64 mask = size < 8 ? BIT(size * 8) - 1 : ~0UL;

	if (size == 4)
		cpu->regs[reg] = (u32)value;
	else
		cpu->regs[reg] = (cpu->regs[reg] & ~mask) | (value & mask);
}
