// SPDX-License-Identifier: GPL-2.0
#include "acpi.h"
#include "cpu.h"
#include "lapic.h"
#include "log.h"
#include "sched.h"
#include "service_vm.h"
#include "string.h"
#include "time.h"
#include "x86.h"

#define CPUID_FEATURES	   7
#define CPUID_SMEP	   BIT(7)
#define CPUID_SMAP	   BIT(20)
#define CPUID_SVM_FEATURES 0x8000000a
#define SVM_NESTED_PAGING  BIT(0)

extern char ap_trampoline[], ap_trampoline_end[];
extern u8 pcpu_stacks[MAX_PCPUS][STACK_SIZE];
void ap_main(u32 id);

struct pcpu pcpus[MAX_PCPUS];
u32 nr_pcpus;
u32 nr_service_cpus;

static u8 host_save_areas[MAX_PCPUS][PAGE_SIZE]
	__attribute__((aligned(PAGE_SIZE)));
static bool released;

/*
 * CR4 bits that Linux sets in all VMs. If the hypervisor's CR4 differs from the
 * guest's in one of them, QEMU empties its TLB and its table of compiled code
 * at each VMRUN and each exit, which takes longer than anything else they do.
 */
static u64 cr4_like_linux(void)
{
	u32 features = cpuid(CPUID_FEATURES, 0).ebx;

	return CR4_PSE | CR4_PGE | (features & CPUID_SMEP ? CR4_SMEP : 0) |
	       (features & CPUID_SMAP ? CR4_SMAP : 0);
}

static void init_cpu(u32 id)
{
	struct pcpu *cpu = &pcpus[id];

	cpu->id = id;
	*(struct pcpu **)pcpu_stacks[id] = cpu;
	idt_load();
	if (!(cpuid(CPUID_SVM_FEATURES, 0).edx & SVM_NESTED_PAGING))
		panic("CPU %u has no nested paging", id);
	wrmsr(MSR_VM_HSAVE_PA, (u64)host_save_areas[id]);
	write_cr4(read_cr4() | CR4_OSXSAVE | cr4_like_linux());
	WRITE_ONCE(cpu->online, true);
}

/* Called by boot.S on every CPU but the first. */
void ap_main(u32 id)
{
	init_cpu(id);
	while (!READ_ONCE(released))
		cpu_relax();
	if (is_service_cpu(id))
		service_vm_run(&pcpus[id]);
	sched_run(&pcpus[id]);
}

void smp_init(void)
{
	nr_pcpus = acpi_count_cpus();
	if (nr_pcpus > MAX_PCPUS)
		panic("%u CPUs; %u are supported", nr_pcpus, MAX_PCPUS);
	init_cpu(0);
	memcpy((void *)AP_TRAMPOLINE, ap_trampoline,
	       ap_trampoline_end - ap_trampoline);
	lapic_send(0, ICR_OTHERS | ICR_ASSERT | ICR_INIT);
	delay_us(10000);
	lapic_send(0, ICR_OTHERS | ICR_ASSERT | ICR_STARTUP |
			      AP_TRAMPOLINE >> PAGE_SHIFT);
	for (u32 i = 0; i < nr_pcpus; i++)
		while (!READ_ONCE(pcpus[i].online))
			cpu_relax();
}

void smp_release(void)
{
	WRITE_ONCE(released, true);
}
