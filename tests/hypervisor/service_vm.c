// SPDX-License-Identifier: GPL-2.0
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "cpuid.h"
#include "hypercall.h"
#include "lapic.h"
#include "log.h"
#include "msr.h"
#include "sched.h"
#include "service_vm.h"
#include "string.h"
#include "testing.h"
#include "trace.h"
#include "x86.h"

#define SERVICE_ASID 1
#define IOAPIC_BASE  0xfec00000UL
#define VMCALL_LEN   3
#define WBINVD_LEN   2

extern char hv_start[], hv_end[];

struct service_cpu service_cpus[MAX_PCPUS];
struct npt service_npt;
u64 removed_cpus;

static struct vmcb service_vmcbs[MAX_PCPUS];
static u8 service_msrpm[MSRPM_SIZE] __attribute__((aligned(PAGE_SIZE)));

/*
 * Intercept SVM's own MSRs; EFER, as the guest must neither see nor clear SVME;
 * and writes of the APIC base, as the hypervisor accesses the APIC at its
 * default address.
 */
static void init_msrpm(void)
{
	msrpm_intercept(service_msrpm, MSR_EFER, true, true);
	msrpm_intercept(service_msrpm, MSR_VM_CR, true, true);
	msrpm_intercept(service_msrpm, MSR_VM_HSAVE_PA, true, true);
	msrpm_intercept(service_msrpm, MSR_APIC_BASE, false, true);
}

static void init_vcpu(u32 id)
{
	struct service_cpu *vcpu = &service_cpus[id];
	struct vmcb *vmcb = &service_vmcbs[id];

	vmcb->intercept_exceptions = BIT(VECTOR_UD);
	vmcb->intercept_3 = INTERCEPT_NMI | INTERCEPT_CPUID | INTERCEPT_MSR |
			    INTERCEPT_SHUTDOWN;
	vmcb->intercept_4 = INTERCEPT_SVM | INTERCEPT_WBINVD;
	vmcb->msrpm = (u64)service_msrpm;
	vmcb->asid = SERVICE_ASID;
	vmcb->nested_ctl = NESTED_CTL_ENABLE;
	vmcb->nested_cr3 = (u64)service_npt.root;
	vcpu->cpu.vmcb = vmcb;
	vcpu->cpu.npt = &service_npt;
	guest_reset(&vcpu->cpu);
}

static void map(u64 start, u64 end)
{
	if (npt_map(&service_npt, start, start, end - start, NPT_RWX) < 0)
		panic("no memory for the Service VM's page tables");
}

void service_vm_init(const struct multiboot_info *info)
{
	if (npt_init(&service_npt))
		panic("no memory for the Service VM's page tables");
	map(0, (u64)hv_start);
	map((u64)hv_end, LAPIC_BASE);
	map(LAPIC_BASE + PAGE_SIZE, NPT_LIMIT);
	trace_init();
	service_apic_init();
	init_msrpm();
	for (u32 i = 0; i < nr_service_cpus; i++)
		init_vcpu(FIRST_SERVICE_CPU + i);
	service_load_kernel(info);
}

static bool overlaps(u64 pa, u64 size, u64 start, u64 end)
{
	return pa < end && start < pa + size;
}

bool service_vm_may_map(u64 pa, u64 size)
{
	if (pa >= NPT_LIMIT || size > NPT_LIMIT - pa)
		return false;
	return !overlaps(pa, size, (u64)hv_start, (u64)hv_end) &&
	       !overlaps(pa, size, LAPIC_BASE, LAPIC_BASE + PAGE_SIZE) &&
	       !overlaps(pa, size, IOAPIC_BASE, IOAPIC_BASE + PAGE_SIZE);
}

int service_vm_read(u64 pa, void *buf, u32 size)
{
	if (!service_vm_is_ram(pa, size))
		return -EINVAL;
	memcpy(buf, (void *)pa, size);
	return 0;
}

int service_vm_write(u64 pa, const void *buf, u32 size)
{
	if (!service_vm_is_ram(pa, size))
		return -EINVAL;
	memcpy((void *)pa, buf, size);
	return 0;
}

void service_vm_upcall(void)
{
	if (!testing_holds_upcall())
		lapic_send(FIRST_SERVICE_CPU,
			   ICR_FIXED | ICR_ASSERT | ACRN_UPCALL_VECTOR);
}

/*
 * A hypercall is a VMCALL, which is an invalid opcode on AMD. Any other #UD is
 * given back to the guest.
 */
static void handle_invalid_opcode(struct guest_cpu *cpu)
{
	static const u8 vmcall[VMCALL_LEN] = { 0x0f, 0x01, 0xc1 };
	u8 code[VMCALL_LEN];

	if (guest_fetch(cpu, code, sizeof(code)) < sizeof(code) ||
	    memcmp(code, vmcall, sizeof(code))) {
		guest_inject(cpu, VECTOR_UD);
		return;
	}
	if (cpu->vmcb->cpl) {
		guest_inject_error(cpu, VECTOR_GP, 0);
		return;
	}
	cpu->regs[REG_RAX] = hypercall(cpu->regs[REG_R8], cpu->regs[REG_RDI],
				       cpu->regs[REG_RSI]);
	guest_skip(cpu, VMCALL_LEN);
}

/* As on ACRN, memory that is not there reads as ones and ignores writes. */
static int access_nothing(struct guest_cpu *cpu, struct mmio_access *access)
{
	(void)cpu;
	access->value = ~0UL;
	return 0;
}

static void handle_npf(struct guest_cpu *cpu)
{
	struct vmcb *vmcb = cpu->vmcb;
	u64 gpa = vmcb->exit_info_2;

	if ((gpa & PAGE_MASK) == LAPIC_BASE) {
		mmio_emulate(cpu, gpa, vmcb->exit_info_1, service_apic_access);
		return;
	}
	hv_log_limited("service: access to 0x%llx at rip 0x%llx", gpa,
		       vmcb->rip);
	mmio_emulate(cpu, gpa, vmcb->exit_info_1, access_nothing);
}

static int read_msr(struct guest_cpu *cpu, u32 msr, u64 *value)
{
	if (msr != MSR_EFER)
		return testing_read_msr(msr, value);
	*value = cpu->vmcb->efer & ~EFER_SVME;
	return 0;
}

static int write_msr(struct guest_cpu *cpu, u32 msr, u64 value)
{
	switch (msr) {
	case MSR_EFER:
		return guest_write_efer(cpu, value);
	case MSR_APIC_BASE:
		return value == rdmsr(MSR_APIC_BASE) ? 0 : -EINVAL;
	default:
		return testing_write_msr(msr, value);
	}
}

void service_vm_flush_tlb(void)
{
	for (u32 i = 0; i < nr_service_cpus; i++) {
		u32 id = FIRST_SERVICE_CPU + i;
		struct service_cpu *vcpu = &service_cpus[id];

		if (id == this_cpu()->id || (i && !READ_ONCE(vcpu->started)))
			continue;
		WRITE_ONCE(vcpu->flush, true);
		smp_mb();
		lapic_send(id, ICR_NMI | ICR_ASSERT);
	}
}

int service_vm_take(u64 pa, u64 size)
{
	int ret = npt_unmap(&service_npt, pa, size);

	service_cpus[this_cpu()->id].cpu.vmcb->tlb_control =
		TLB_CONTROL_FLUSH_ALL;
	service_vm_flush_tlb();
	return ret;
}

int service_vm_give(u64 pa, u64 size)
{
	return npt_map(&service_npt, pa, pa, size, NPT_RWX) < 0 ? -ENOMEM : 0;
}

/* An NMI is service_vm_flush_tlb()'s if @flush is set, else the guest's own. */
static void handle_nmi(struct guest_cpu *cpu)
{
	struct service_cpu *vcpu = &service_cpus[this_cpu()->id];

	cpu_take_nmi();
	if (READ_ONCE(vcpu->flush)) {
		cpu->vmcb->tlb_control = TLB_CONTROL_FLUSH_ALL;
		WRITE_ONCE(vcpu->flush, false);
		return;
	}
	cpu->vmcb->event_inject = EVENT_VALID | EVENT_NMI | VECTOR_NMI;
}

/* Give this CPU to User VMs. Never returns. */
static void leave_service_vm(struct pcpu *cpu)
{
	__atomic_or_fetch(&removed_cpus, BIT(cpu->id), __ATOMIC_SEQ_CST);
	sched_run(cpu);
}

void service_vm_wait_offline(u32 id)
{
	if (!is_further_service_cpu(id) || id == this_cpu()->id)
		return;
	while (READ_ONCE(service_cpus[id].started))
		cpu_relax();
}

void service_vm_remove_cpu(struct pcpu *cpu)
{
	WRITE_ONCE(service_cpus[cpu->id].removed, true);
	smp_mb();
	lapic_kick(cpu->id);
	while (!(READ_ONCE(removed_cpus) & BIT(cpu->id)))
		cpu_relax();
}

/*
 * Sleep until start_cpu() in service_apic.c or service_vm_remove_cpu() on
 * another CPU sets a flag for this one and kicks it.
 */
static void wait_for_startup(struct pcpu *cpu)
{
	struct service_cpu *vcpu = &service_cpus[cpu->id];

	lapic_init();
	while (!READ_ONCE(vcpu->started)) {
		if (READ_ONCE(vcpu->removed))
			leave_service_vm(cpu);
		cpu_idle();
	}
	lapic_release();
	guest_startup(&vcpu->cpu, vcpu->startup_vector);
}

/*
 * Whether this WBINVD is the one that Linux executes last on a CPU that it
 * takes offline, before it halts the CPU for good. Interrupts and the local
 * APIC are off then. They also are when a CPU starts, but that is not in 64-bit
 * mode.
 */
static bool goes_offline(const struct guest_cpu *cpu)
{
	return is_further_service_cpu(this_cpu()->id) &&
	       guest_code_bits(cpu) == 64 && !(cpu->vmcb->rflags & RFLAGS_IF) &&
	       !(lapic_read(LAPIC_SVR) & LAPIC_SVR_ENABLE);
}

static void handle_wbinvd(struct guest_cpu *cpu)
{
	if (goes_offline(cpu)) {
		service_apic_stopped(this_cpu()->id);
		wait_for_startup(this_cpu());
		return;
	}
	asm volatile("wbinvd" : : : "memory");
	guest_skip(cpu, WBINVD_LEN);
}

static void handle_exit(struct guest_cpu *cpu)
{
	struct vmcb *vmcb = cpu->vmcb;

	switch (vmcb->exit_code) {
	case EXIT_EXCEPTION(VECTOR_UD):
		handle_invalid_opcode(cpu);
		break;
	case EXIT_NMI:
		handle_nmi(cpu);
		break;
	case EXIT_CPUID:
		cpuid_service(cpu);
		break;
	case EXIT_MSR:
		msr_exit(cpu, read_msr, write_msr);
		break;
	case EXIT_NPF:
		handle_npf(cpu);
		break;
	case EXIT_WBINVD:
		handle_wbinvd(cpu);
		break;
	case EXIT_VMRUN ... EXIT_SKINIT:
		guest_inject(cpu, VECTOR_UD);
		break;
	case EXIT_SHUTDOWN:
		panic("the Service VM has shut down, rip 0x%llx", vmcb->rip);
	default:
		panic("Service VM: exit 0x%llx info 0x%llx 0x%llx rip 0x%llx",
		      vmcb->exit_code, vmcb->exit_info_1, vmcb->exit_info_2,
		      vmcb->rip);
	}
}

/*
 * Interrupts belong to the guest: only NMIs are intercepted, and no interrupt
 * is handled by the hypervisor between an exit and the next entry.
 */
void service_vm_run(struct pcpu *cpu)
{
	struct guest_cpu *guest = &service_cpus[cpu->id].cpu;

	clgi();
	if (is_further_service_cpu(cpu->id))
		wait_for_startup(cpu);
	for (;;) {
		guest_run(guest);
		handle_exit(guest);
	}
}
