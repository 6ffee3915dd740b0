// SPDX-License-Identifier: GPL-2.0
/*
 * Handlers of the exits of User VMs. They run in the vCPU's thread, unlocked.
 */
#include "cpuid.h"
#include "ioreq.h"
#include "log.h"
#include "mmio.h"
#include "msr.h"
#include "sched.h"
#include "vcpu.h"
#include "x86.h"

#define HLT_LEN	      1
#define HLT_OPCODE    0xf4
#define CR8_WRITE_LEN 4

static int device_access(struct guest_cpu *cpu, struct mmio_access *access)
{
	struct vcpu *vcpu = to_vcpu(cpu);

	switch (access->gpa & PAGE_MASK) {
	case VIOAPIC_BASE:
		vioapic_access(vcpu->vm, access);
		return 0;
	case VLAPIC_BASE:
		vlapic_access(vcpu, access);
		return 0;
	default:
		return ioreq_mmio(vcpu, access);
	}
}

/*
 * A nested page fault: the guest has accessed memory that it does not have. It
 * is emulated when an instruction made the access; not when the processor did,
 * to deliver an event or to walk page tables, nor when it fetched code.
 */
static void handle_npf(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = &vcpu->vmcb;

	if (vmcb->exit_int_info & EVENT_VALID)
		vm_crash(vcpu, "event delivered through a device");
	if (vmcb->exit_info_1 & NPF_GUEST_TABLES)
		vm_crash(vcpu, "page tables in a device");
	if (vmcb->exit_info_1 & PF_FETCH) {
		hv_log_limited("vm %u: code at 0x%llx is not executable",
			       vcpu->vm->id, vmcb->exit_info_2);
		guest_inject_error(&vcpu->cpu, VECTOR_GP, 0);
		return;
	}
	mmio_emulate(&vcpu->cpu, vmcb->exit_info_2, vmcb->exit_info_1,
		     device_access);
}

static void handle_hlt(struct vcpu *vcpu)
{
	guest_skip(&vcpu->cpu, HLT_LEN);
	vcpu_wait(vcpu, VCPU_HALTED);
}

/*
 * A guest may rely on STI to hold interrupts off until the HLT after it has
 * begun: an interrupt delivered before HLT would leave it asleep although it
 * was woken. A physical interrupt can end guest mode between the two, and
 * QEMU's VMRUN does not restore the interrupt shadow. So if the guest was about
 * to execute HLT in that shadow, the HLT is emulated here. For any other
 * instruction the lost shadow matters only to a guest that loads SS with
 * interrupts enabled.
 */
static void emulate_shadowed_hlt(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = &vcpu->vmcb;
	u8 code;

	if ((vmcb->int_state & INT_STATE_SHADOW) && !vmcb->cpl &&
	    guest_fetch(&vcpu->cpu, &code, HLT_LEN) == HLT_LEN &&
	    code == HLT_OPCODE)
		handle_hlt(vcpu);
}

/*
 * As on ACRN, a triple fault is reported as an event and then turned into a
 * power-off: on behalf of the guest, "S5" is written to PM1a control at port
 * 0x404, which the device model emulates.
 */
static void __attribute__((noreturn)) handle_triple_fault(struct vcpu *vcpu)
{
	const struct acrn_hv_event event = {
		.type = ACRN_HV_EVENT_TRIPLE_FAULT
	};
	u32 value = PM1A_SLEEP_S5;

	vm_event_send(vcpu->vm, &event);
	ioreq_pio(vcpu, PM1A_CONTROL_PORT, PM1A_CONTROL_SIZE, true, &value);
	vm_crash(vcpu, "triple fault");
}

/*
 * The guest is about to execute IRET, which ends its NMI handler. NMIs are
 * allowed again from here on, one instruction too early.
 */
static void handle_iret(struct vcpu *vcpu)
{
	vcpu->nmi_blocked = false;
	vcpu->vmcb.intercept_3 &= ~INTERCEPT_IRET;
}

/*
 * MOV to CR8, four bytes: REX, 0F, 22 and the register. The encoding needs a
 * REX prefix, so only 64-bit code can have it.
 */
static void handle_cr8_write(struct vcpu *vcpu)
{
	struct guest_cpu *cpu = &vcpu->cpu;
	u8 code[CR8_WRITE_LEN];
	u32 reg;

	if (guest_fetch(cpu, code, sizeof(code)) < sizeof(code) ||
	    (code[0] & 0xf4) != 0x44 || code[1] != 0x0f || code[2] != 0x22) {
		guest_inject(cpu, VECTOR_UD);
		return;
	}
	reg = (code[3] & 7) | (code[0] & 1) << 3;
	spin_lock(&vcpu->vm->lock);
	vcpu->lapic.tpr = (cpu->regs[reg] & 0xf) << 4;
	spin_unlock(&vcpu->vm->lock);
	guest_skip(cpu, CR8_WRITE_LEN);
}

void vcpu_handle_exit(struct vcpu *vcpu)
{
	switch (vcpu->vmcb.exit_code) {
	case EXIT_CR8_WRITE:
		handle_cr8_write(vcpu);
		break;
	case EXIT_INTR:
	case EXIT_NMI:
		cpu_take_interrupts();
		sched_preempt(vcpu);
		emulate_shadowed_hlt(vcpu);
		break;
	case EXIT_IRET:
		handle_iret(vcpu);
		break;
	case EXIT_CPUID:
		cpuid_user(vcpu);
		break;
	case EXIT_HLT:
		handle_hlt(vcpu);
		break;
	case EXIT_IOIO:
		pio_exit(vcpu);
		break;
	case EXIT_MSR:
		msr_user(vcpu);
		break;
	case EXIT_NPF:
		handle_npf(vcpu);
		break;
	case EXIT_RDPMC:
		guest_inject_error(&vcpu->cpu, VECTOR_GP, 0);
		break;
	case EXIT_INVLPGA:
	case EXIT_VMRUN ... EXIT_SKINIT:
	case EXIT_MONITOR:
	case EXIT_MWAIT:
		guest_inject(&vcpu->cpu, VECTOR_UD);
		break;
	case EXIT_SHUTDOWN:
		handle_triple_fault(vcpu);
	default:
		vm_crash(vcpu, "unknown exit");
	}
}
