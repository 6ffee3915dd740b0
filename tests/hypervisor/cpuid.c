// SPDX-License-Identifier: GPL-2.0
#include <acrn_hypercall.h>

#include "cpuid.h"
#include "string.h"
#include "time.h"
#include "vcpu.h"
#include "x86.h"

#define CPUID_LEN 2

#define LEAF_MAX	  0x0
#define LEAF_FEATURES	  0x1
#define LEAF_MWAIT	  0x5
#define LEAF_POWER	  0x6
#define LEAF_EXTENDED	  0x7
#define LEAF_PERF	  0xa
#define LEAF_XSAVE	  0xd
#define LEAF_FREQUENCY	  0x16
#define LEAF_AMD_FEATURES 0x80000001
#define LEAF_AMD_POWER	  0x80000007
#define LEAF_AMD_SIZES	  0x80000008
#define LEAF_AMD_SVM	  0x8000000a
#define LEAF_AMD_LAST	  0x8000001f
#define LEAF_ACRN_LAST	  0x400000ff

/* LEAF_FEATURES, ECX */
#define FEATURE_MONITOR	     BIT(3)
#define FEATURE_X2APIC	     BIT(21)
#define FEATURE_TSC_DEADLINE BIT(24)
#define FEATURE_OSXSAVE	     BIT(27)
#define FEATURE_HYPERVISOR   BIT(31)
/* LEAF_FEATURES, EDX */
#define FEATURE_MCE  BIT(7)
#define FEATURE_MTRR BIT(12)
#define FEATURE_MCA  BIT(14)
/* LEAF_POWER, EAX: the APIC timer never stops */
#define FEATURE_ARAT BIT(2)
/* LEAF_EXTENDED, EBX */
#define FEATURE_TSC_ADJUST BIT(1)
/* LEAF_EXTENDED, EDX */
#define FEATURE_ARCH_CAPABILITIES BIT(29)
/* LEAF_AMD_FEATURES, ECX: SVM, IBS, OSVW, SKINIT, WDT, LWP, NODEID, TOPOEXT,
 * PERFCTR, PERFCTR_NB, PTSC, PERFCTR_LLC, MWAITX
 */
#define FEATURE_AMD_SVM BIT(2)
#define FEATURES_AMD_HIDDEN                                                    \
	(FEATURE_AMD_SVM | BIT(9) | BIT(10) | BIT(12) | BIT(13) | BIT(15) |    \
	 BIT(19) | BIT(22) | BIT(23) | BIT(24) | BIT(27) | BIT(28) | BIT(29))
/* LEAF_AMD_POWER, EDX */
#define FEATURE_INVARIANT_TSC BIT(8)
/* LEAF_AMD_SIZES, EBX: CLZERO and XSAVEERPTR, the features without an MSR */
#define FEATURES_AMD_SIZES (BIT(0) | BIT(2))

#define BUS_MHZ 100

/* The leaves of ACRN itself; @privileged: in the Service VM. */
static struct cpuid_regs acrn_leaf(u32 leaf, bool privileged)
{
	struct cpuid_regs r = {};

	switch (leaf) {
	case ACRN_CPUID_LEAF_BASE:
		r.eax = ACRN_CPUID_LEAF_TIMING;
		memcpy(&r.ebx, "ACRNACRNACRN", 12);
		break;
	case ACRN_CPUID_LEAF_FEATURES:
		r.eax = privileged ? ACRN_CPUID_PRIVILEGED_VM : 0;
		break;
	case ACRN_CPUID_LEAF_TIMING:
		r.eax = tsc_khz;
		break;
	}
	return r;
}

/*
 * What the Service VM and User VMs have in common: the machine's own answer,
 * changed to say that there is a hypervisor, no SVM, and an invariant TSC.
 */
static struct cpuid_regs common_leaf(u32 leaf, u32 subleaf, bool privileged)
{
	struct cpuid_regs r;

	if (leaf >= ACRN_CPUID_LEAF_BASE && leaf <= LEAF_ACRN_LAST)
		return acrn_leaf(leaf, privileged);
	r = cpuid(leaf, subleaf);
	switch (leaf) {
	case LEAF_FEATURES:
		r.ecx |= FEATURE_HYPERVISOR;
		break;
	case LEAF_AMD_FEATURES:
		r.ecx &= ~FEATURE_AMD_SVM;
		break;
	case LEAF_AMD_POWER:
		r.edx |= FEATURE_INVARIANT_TSC;
		break;
	case LEAF_AMD_SVM:
		memset(&r, 0, sizeof(r));
		break;
	}
	return r;
}

/* Put the answer into the guest's registers and skip the instruction. */
static void return_leaf(struct guest_cpu *cpu, const struct cpuid_regs *r)
{
	cpu->regs[REG_RAX] = r->eax;
	cpu->regs[REG_RBX] = r->ebx;
	cpu->regs[REG_RCX] = r->ecx;
	cpu->regs[REG_RDX] = r->edx;
	guest_skip(cpu, CPUID_LEN);
}

/* OSXSAVE mirrors CR4; cpuid() ran with the hypervisor's, not the guest's. */
static void set_osxsave(const struct guest_cpu *cpu, struct cpuid_regs *r)
{
	r->ecx &= ~FEATURE_OSXSAVE;
	if (cpu->vmcb->cr4 & CR4_OSXSAVE)
		r->ecx |= FEATURE_OSXSAVE;
}

void cpuid_service(struct guest_cpu *cpu)
{
	u32 leaf = cpu->regs[REG_RAX];
	struct cpuid_regs r = common_leaf(leaf, cpu->regs[REG_RCX], true);

	if (leaf == LEAF_FEATURES)
		set_osxsave(cpu, &r);
	return_leaf(cpu, &r);
}

static void user_features(const struct vcpu *vcpu, struct cpuid_regs *r)
{
	r->ecx &= ~FEATURE_MONITOR;
	r->ecx |= FEATURE_X2APIC | FEATURE_TSC_DEADLINE;
	r->edx &= ~(FEATURE_MCE | FEATURE_MTRR | FEATURE_MCA);
	set_osxsave(&vcpu->cpu, r);
}

static struct cpuid_regs user_max(void)
{
	struct cpuid_regs r = { .eax = LEAF_FREQUENCY };

	memcpy(&r.ebx, "Genu", 4);
	memcpy(&r.edx, "ineI", 4);
	memcpy(&r.ecx, "ntel", 4);
	return r;
}

static void user_extended(struct cpuid_regs *r)
{
	r->ebx |= FEATURE_TSC_ADJUST;
	r->edx |= FEATURE_ARCH_CAPABILITIES;
}

/*
 * A User VM sees an Intel processor, as ACRN runs on no other, and otherwise
 * the machine's features. The vendor matters for the TSC: a kernel that does
 * not read ACRN's timing leaf takes the rate from LEAF_FREQUENCY (which ACRN
 * makes up if the processor lacks it), but only on Intel; on AMD it would
 * calibrate against a clock, and none here answers fast enough. The topology
 * leaves are passed through: a vCPU has the APIC id of its CPU, which executes
 * cpuid().
 */
static struct cpuid_regs user_leaf(const struct vcpu *vcpu, u32 leaf,
				   u32 subleaf)
{
	struct cpuid_regs r = common_leaf(leaf, subleaf, false);

	switch (leaf) {
	case LEAF_MAX:
		return user_max();
	case LEAF_FEATURES:
		user_features(vcpu, &r);
		break;
	case LEAF_POWER:
		return (struct cpuid_regs){ .eax = FEATURE_ARAT };
	case LEAF_EXTENDED:
		if (!subleaf)
			user_extended(&r);
		break;
	case LEAF_MWAIT:
	case LEAF_PERF:
	case LEAF_XSAVE + 1 ... LEAF_FREQUENCY - 1:
		return (struct cpuid_regs){};
	case LEAF_FREQUENCY:
		return (struct cpuid_regs){ .eax = tsc_khz / 1000,
					    .ebx = tsc_khz / 1000,
					    .ecx = BUS_MHZ };
	case LEAF_AMD_FEATURES:
		r.ecx &= ~FEATURES_AMD_HIDDEN;
		r.edx &= ~(FEATURE_MCE | FEATURE_MTRR | FEATURE_MCA);
		break;
	case LEAF_AMD_POWER:
		return (struct cpuid_regs){ .edx = FEATURE_INVARIANT_TSC };
	case LEAF_AMD_SIZES:
		r.ebx &= FEATURES_AMD_SIZES;
		break;
	case LEAF_AMD_SVM + 1 ... LEAF_AMD_LAST:
		return (struct cpuid_regs){};
	}
	return r;
}

void cpuid_user(struct vcpu *vcpu)
{
	struct cpuid_regs r = user_leaf(vcpu, vcpu->cpu.regs[REG_RAX],
					vcpu->cpu.regs[REG_RCX]);

	return_leaf(&vcpu->cpu, &r);
}
