// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "cpu.h"
#include "msr.h"
#include "string.h"
#include "vcpu.h"
#include "x86.h"

#define MSR_LEN 2

#define MSR_FEATURE_CONTROL   0x0000003a
#define MSR_MICROCODE	      0x0000008b
#define MSR_ARCH_CAPABILITIES 0x0000010a
#define MSR_SYSENTER_CS	      0x00000174
#define MSR_SYSENTER_EIP      0x00000176
#define MSR_MISC_ENABLE	      0x000001a0
#define MSR_PAT		      0x00000277
#define MSR_STAR	      0xc0000081
#define MSR_SFMASK	      0xc0000084
#define MSR_FS_BASE	      0xc0000100
#define MSR_KERNEL_GS_BASE    0xc0000102

#define FEATURE_CONTROL_LOCKED BIT(0)
/* Fast strings; no BTS, no PEBS */
#define MISC_ENABLE (BIT(0) | BIT(11) | BIT(12))
/*
 * IA32_ARCH_CAPABILITIES: the guest is told that the processor has none of the
 * flaws RDCL, SSB, MDS, PSCHANGE_MC, TAA, MMIO (three bits), BHI, PBRSB, GDS
 * and RFDS, so that its kernel spends no time on mitigations.
 */
#define ARCH_CAPABILITIES                                                      \
	(BIT(0) | BIT(4) | BIT(5) | BIT(6) | BIT(8) | BIT(13) | BIT(14) |      \
	 BIT(15) | BIT(20) | BIT(24) | BIT(26) | BIT(27))

#define PAT_ENTRIES 8

/* MSRs in each of the permission map's three ranges, and the bytes they take */
#define MSRPM_RANGE	  0x2000
#define MSRPM_RANGE_BYTES 0x800

u8 user_msrpm[MSRPM_SIZE] __attribute__((aligned(PAGE_SIZE)));

void msrpm_intercept(u8 *map, u32 msr, bool read, bool write)
{
	static const u32 ranges[] = { 0, 0xc0000000, 0xc0010000 };

	for (u32 i = 0; i < ARRAY_SIZE(ranges); i++) {
		u32 n = msr - ranges[i], shift = n % 4 * 2;
		u8 *byte = &map[i * MSRPM_RANGE_BYTES + n / 4];

		if (n >= MSRPM_RANGE)
			continue;
		*byte &= ~(3 << shift);
		*byte |= (read | write << 1) << shift;
	}
}

static void pass_through(u32 first, u32 last)
{
	for (u32 msr = first; msr <= last; msr++)
		msrpm_intercept(user_msrpm, msr, false, false);
}

/* The guest accesses the MSRs that the VMCB saves; the others are emulated. */
void msr_init(void)
{
	memset(user_msrpm, 0xff, sizeof(user_msrpm));
	pass_through(MSR_SYSENTER_CS, MSR_SYSENTER_EIP);
	pass_through(MSR_STAR, MSR_SFMASK);
	pass_through(MSR_FS_BASE, MSR_KERNEL_GS_BASE);
	/* context.c saves and restores this one. */
	pass_through(MSR_TSC_AUX, MSR_TSC_AUX);
}

void msr_exit(struct guest_cpu *cpu, msr_read_fn read, msr_write_fn write)
{
	u32 msr = cpu->regs[REG_RCX];
	u64 value = 0;
	int ret;

	if (cpu->vmcb->exit_info_1) {
		value = cpu->regs[REG_RDX] << 32 | (u32)cpu->regs[REG_RAX];
		ret = write(cpu, msr, value);
	} else {
		ret = read(cpu, msr, &value);
		if (!ret) {
			cpu->regs[REG_RAX] = (u32)value;
			cpu->regs[REG_RDX] = value >> 32;
		}
	}
	if (ret)
		guest_inject_error(cpu, VECTOR_GP, 0);
	else
		guest_skip(cpu, MSR_LEN);
}

int guest_write_efer(struct guest_cpu *cpu, u64 value)
{
	struct vmcb *vmcb = cpu->vmcb;
	const u64 writable = EFER_SCE | EFER_LME | EFER_NXE;

	if (value & ~(writable | EFER_LMA))
		return -EINVAL;
	if ((vmcb->cr0 & CR0_PG) && ((value ^ vmcb->efer) & EFER_LME))
		return -EINVAL;
	vmcb->efer = (vmcb->efer & EFER_LMA) | (value & writable) | EFER_SVME;
	/* The TLB may hold entries that were made with the other NXE. */
	vmcb->tlb_control = TLB_CONTROL_FLUSH_ALL;
	return 0;
}

static bool valid_pat(u64 pat)
{
	for (u32 i = 0; i < PAT_ENTRIES; i++) {
		u8 type = pat >> i * 8;

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

static int user_read(struct guest_cpu *cpu, u32 msr, u64 *value)
{
	struct vcpu *vcpu = to_vcpu(cpu);

	if (vlapic_is_msr(msr))
		return vlapic_read_msr(vcpu, msr, value);
	switch (msr) {
	case MSR_TSC:
		*value = rdtsc() + cpu->vmcb->tsc_offset;
		return 0;
	case MSR_TSC_ADJUST:
		*value = cpu->vmcb->tsc_offset;
		return 0;
	case MSR_FEATURE_CONTROL:
		*value = FEATURE_CONTROL_LOCKED;
		return 0;
	case MSR_MICROCODE:
		*value = 0;
		return 0;
	case MSR_ARCH_CAPABILITIES:
		*value = ARCH_CAPABILITIES;
		return 0;
	case MSR_MISC_ENABLE:
		*value = MISC_ENABLE;
		return 0;
	case MSR_PAT:
		*value = cpu->vmcb->pat;
		return 0;
	case MSR_EFER:
		*value = cpu->vmcb->efer & ~EFER_SVME;
		return 0;
	}
	return -EINVAL;
}

static int user_write(struct guest_cpu *cpu, u32 msr, u64 value)
{
	struct vcpu *vcpu = to_vcpu(cpu);

	if (vlapic_is_msr(msr))
		return vlapic_write_msr(vcpu, msr, value);
	switch (msr) {
	case MSR_TSC:
		cpu->vmcb->tsc_offset = value - rdtsc();
		return 0;
	case MSR_TSC_ADJUST:
		cpu->vmcb->tsc_offset = value;
		return 0;
	case MSR_MICROCODE:
	case MSR_MISC_ENABLE:
		return 0; /* no effect, and no fault */
	case MSR_PAT:
		if (!valid_pat(value))
			return -EINVAL;
		cpu->vmcb->pat = value;
		return 0;
	case MSR_EFER:
		return guest_write_efer(cpu, value);
	}
	return -EINVAL;
}

void msr_user(struct vcpu *vcpu)
{
	msr_exit(&vcpu->cpu, user_read, user_write);
}
