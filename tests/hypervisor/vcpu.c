// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "ioreq.h"
#include "lapic.h"
#include "log.h"
#include "msr.h"
#include "sched.h"
#include "string.h"
#include "vcpu.h"
#include "x86.h"

/* One for the Service VM, one per User VM. */
#define FIRST_USER_ASID 2

#define CALLEE_SAVED_REGS 6

static struct vcpu vcpus[MAX_USER_VMS][MAX_VCPUS];
/* Every port is emulated. */
static u8 user_iopm[IOPM_SIZE] __attribute__((aligned(PAGE_SIZE)));

_Static_assert(offsetof(struct vcpu, stack) == 0, "this_cpu() needs it there");

void vcpu_init_host(void)
{
	memset(user_iopm, 0xff, sizeof(user_iopm));
	context_init();
}

static void init_controls(struct vcpu *vcpu)
{
	struct vmcb *vmcb = &vcpu->vmcb;

	memset(vmcb, 0, sizeof(*vmcb));
	/* Lowering the priority may let an interrupt through. */
	vmcb->intercept_cr = INTERCEPT_CR8_WRITE;
	vmcb->intercept_3 = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_RDPMC |
			    INTERCEPT_CPUID | INTERCEPT_HLT |
			    INTERCEPT_INVLPGA | INTERCEPT_IOIO | INTERCEPT_MSR |
			    INTERCEPT_SHUTDOWN;
	vmcb->intercept_4 = INTERCEPT_SVM | INTERCEPT_MONITOR | INTERCEPT_MWAIT;
	vmcb->iopm = (u64)user_iopm;
	vmcb->msrpm = (u64)user_msrpm;
	vmcb->asid = FIRST_USER_ASID + (vcpu->vm - user_vms);
	vmcb->int_ctl = INT_CTL_MASKING;
	vmcb->nested_ctl = NESTED_CTL_ENABLE;
	vmcb->nested_cr3 = (u64)vcpu->vm->npt.root;
}

/* Power-on as well as INIT. VM's lock held. */
static void reset_registers(struct vcpu *vcpu)
{
	guest_reset(&vcpu->cpu);
	vcpu->nmi_blocked = false;
	vcpu->nmi_pending = false;
	vcpu->init_pending = false;
	vcpu->vmcb.intercept_3 &= ~INTERCEPT_IRET;
	vcpu->vmcb.int_ctl = INT_CTL_MASKING;
}

struct vcpu *vcpu_create(struct vm *vm, u32 id, struct pcpu *pcpu)
{
	struct vcpu *vcpu = &vcpus[vm - user_vms][id];

	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->pcpu = pcpu;
	vcpu->cpu.vmcb = &vcpu->vmcb;
	vcpu->cpu.npt = &vm->npt;
	vcpu->polls = false;
	init_controls(vcpu);
	vcpu_reset(vcpu);
	return vcpu;
}

static u32 attributes_from_vmx(u32 ar)
{
	return (ar & 0xff) | (ar >> 4 & 0xf00);
}

static bool valid_control_registers(const struct acrn_regs *regs)
{
	const u64 efer_known = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	const u64 cr0 = regs->cr0;

	/* VMX has bits that are fixed, and CR0.NE is. */
	if ((cr0 & ~CR0_KNOWN) || !(cr0 & CR0_NE) || regs->cr4 & ~CR4_KNOWN ||
	    regs->ia32_efer & ~efer_known)
		return false;
	if ((cr0 & CR0_PG) && !(cr0 & CR0_PE))
		return false;
	if ((cr0 & CR0_NW) && !(cr0 & CR0_CD))
		return false;
	/* Paging with LME is long mode, which needs PAE. */
	return !(cr0 & CR0_PG) || !(regs->ia32_efer & EFER_LME) ||
	       (regs->cr4 & CR4_PAE);
}

/* Protected mode: flat data. Real mode: where the selector points. */
static struct vmcb_segment data_segment(u16 selector, bool protected)
{
	if (protected)
		return (struct vmcb_segment){ selector, SEG_DATA32, ~0U, 0 };
	return (struct vmcb_segment){ selector, SEG_DATA16, 0xffff,
				      (u64)selector << 4 };
}

static void set_segments(struct vmcb *vmcb, const struct acrn_regs *regs)
{
	bool protected = regs->cr0 & CR0_PE;

	vmcb->cs = (struct vmcb_segment){
		.selector = regs->cs_sel,
		.attributes = attributes_from_vmx(regs->cs_ar),
		.limit = regs->cs_limit,
		.base = regs->cs_base,
	};
	vmcb->ss = data_segment(regs->ss_sel, protected);
	vmcb->ds = data_segment(regs->ds_sel, protected);
	vmcb->es = data_segment(regs->es_sel, protected);
	vmcb->fs = data_segment(regs->fs_sel, protected);
	vmcb->gs = data_segment(regs->gs_sel, protected);
	vmcb->ldtr.selector = regs->ldt_sel;
	vmcb->tr.selector = regs->tr_sel;
	vmcb->gdtr.base = regs->gdt.base;
	vmcb->gdtr.limit = regs->gdt.limit;
	vmcb->idtr.base = regs->idt.base;
	vmcb->idtr.limit = regs->idt.limit;
}

static void set_general(u64 *to, const struct acrn_gp_regs *from)
{
	const u64 values[NR_GUEST_REGS] = {
		from->rax, from->rcx, from->rdx, from->rbx,
		from->rsp, from->rbp, from->rsi, from->rdi,
		from->r8,  from->r9,  from->r10, from->r11,
		from->r12, from->r13, from->r14, from->r15,
	};

	memcpy(to, values, sizeof(values));
}

int vcpu_set_regs(struct vcpu *vcpu, const struct acrn_regs *regs)
{
	struct vmcb *vmcb = &vcpu->vmcb;

	if (!valid_control_registers(regs))
		return -EPERM;
	set_general(vcpu->cpu.regs, &regs->gprs);
	set_segments(vmcb, regs);
	vmcb->rip = regs->rip;
	vmcb->rflags = regs->rflags | RFLAGS_FIXED;
	vmcb->cr0 = regs->cr0 | CR0_ET;
	vmcb->cr3 = regs->cr3;
	vmcb->cr4 = regs->cr4;
	vmcb->efer = (regs->ia32_efer & ~EFER_LMA) | EFER_SVME;
	if ((regs->cr0 & CR0_PG) && (regs->ia32_efer & EFER_LME))
		vmcb->efer |= EFER_LMA;
	vmcb->cpl = 0;
	return 0;
}

bool vcpu_runnable(const struct vcpu *vcpu)
{
	switch (vcpu->wait) {
	case VCPU_RUN:
		return true;
	case VCPU_HALTED:
		return vcpu->init_pending ||
		       (vcpu->nmi_pending && !vcpu->nmi_blocked) ||
		       ((vcpu->vmcb.rflags & RFLAGS_IF) &&
			vlapic_pending(vcpu) >= 0);
	case VCPU_WAIT_STARTUP:
		return vcpu->startup_pending;
	case VCPU_WAIT_IOREQ:
		return vcpu->ioreq_done;
	case VCPU_CRASHED:
		return false;
	}
	return false;
}

bool vcpu_may_run(const struct vcpu *vcpu)
{
	return vcpu->vm->state == VM_RUNNING || vcpu->astray;
}

/*
 * Pausing puts a vCPU's thread to sleep. Whoever waits for an event then is
 * woken by it, and does not look at the VM's state.
 */
static void wake_astray(struct vcpu *vcpu)
{
	if (vcpu->vm->state != VM_PAUSED || vcpu->astray)
		return;
	if (vcpu->wait != VCPU_HALTED &&
	    (vcpu->wait != VCPU_WAIT_IOREQ || !vcpu->ioreq_done))
		return;
	vcpu->astray = true;
	hv_log_limited("vm %u: vCPU %u: woken while the VM is paused",
		       vcpu->vm->id, vcpu->id);
}

void vcpu_kick(struct vcpu *vcpu)
{
	wake_astray(vcpu);
	vcpu_interrupt(vcpu);
}

void vcpu_interrupt(struct vcpu *vcpu)
{
	/* What there is to see was written before; see spin_for_vcpu(). */
	smp_mb();
	if (vcpu->pcpu != this_cpu() && !READ_ONCE(vcpu->pcpu->spins))
		lapic_kick(vcpu->pcpu->id);
}

void vcpu_wait(struct vcpu *vcpu, enum vcpu_wait wait)
{
	spin_lock(&vcpu->vm->lock);
	vcpu->wait = wait;
	spin_unlock(&vcpu->vm->lock);
	sched_yield(vcpu);
}

/* INIT and start-up IPIs. Returns false to wait for one. VM's lock held. */
static bool take_init(struct vcpu *vcpu)
{
	if (vcpu->init_pending) {
		reset_registers(vcpu);
		vlapic_init(vcpu);
		if (!vcpu->startup_pending)
			vcpu->wait = VCPU_WAIT_STARTUP;
	}
	if (vcpu->startup_pending) {
		vcpu->startup_pending = false;
		guest_startup(&vcpu->cpu, vcpu->startup_vector);
	}
	return vcpu->wait == VCPU_RUN;
}

static bool can_take_interrupt(const struct vmcb *vmcb)
{
	return (vmcb->rflags & RFLAGS_IF) &&
	       !(vmcb->int_state & INT_STATE_SHADOW) && !vmcb->event_inject;
}

/* Have SVM deliver @vector as soon as the guest can take it; -1 for none. */
static void set_virtual_irq(struct vmcb *vmcb, int vector)
{
	const u32 irq = INT_CTL_IRQ | INT_CTL_PRIO_MAX | INT_CTL_IGNORE_TPR;

	vmcb->int_ctl &= ~irq;
	if (vector >= 0) {
		vmcb->int_ctl |= irq;
		vmcb->int_vector = vector;
	}
}

static void inject_nmi(struct vcpu *vcpu)
{
	if (!vcpu->nmi_pending || vcpu->nmi_blocked ||
	    vcpu->vmcb.event_inject ||
	    (vcpu->vmcb.int_state & INT_STATE_SHADOW))
		return;
	vcpu->nmi_pending = false;
	vcpu->nmi_blocked = true;
	vcpu->vmcb.intercept_3 |= INTERCEPT_IRET;
	vcpu->vmcb.event_inject = EVENT_VALID | EVENT_NMI | VECTOR_NMI;
}

/* The most urgent event that the guest can take now. VM's lock held. */
static void inject_events(struct vcpu *vcpu)
{
	struct vmcb *vmcb = &vcpu->vmcb;
	int vector;

	inject_nmi(vcpu);
	vector = vlapic_pending(vcpu);
	if (vector >= 0 && can_take_interrupt(vmcb)) {
		vlapic_accept(vcpu, vector);
		vmcb->event_inject = EVENT_VALID | EVENT_INTERRUPT | vector;
		vector = vlapic_pending(vcpu);
	}
	set_virtual_irq(vmcb, vector);
}

/*
 * Ready to enter guest mode? VM's lock held. @in_guest is set before the page
 * tables' generation is read; vm_flush_tlb() does it the other way round, so
 * that one of the two sees the other.
 */
static bool prepare_entry(struct vcpu *vcpu)
{
	u32 generation;

	if (!vcpu_may_run(vcpu) || !take_init(vcpu))
		return false;
	inject_events(vcpu);
	/* What the guest reads from CR8 */
	vcpu->vmcb.int_ctl &= ~INT_CTL_TPR;
	vcpu->vmcb.int_ctl |= vcpu->lapic.tpr >> 4;

	WRITE_ONCE(vcpu->in_guest, true);
	smp_mb();
	generation = READ_ONCE(vcpu->vm->npt.generation);
	if (vcpu->npt_generation != generation) {
		vcpu->vmcb.tlb_control = TLB_CONTROL_FLUSH_ALL;
		WRITE_ONCE(vcpu->npt_generation, generation);
	}
	return true;
}

/*
 * The exit hit while an event was delivered. Exceptions come again by
 * themselves, as the instruction runs again; interrupts and NMIs are put back.
 */
static void requeue_event(struct vcpu *vcpu)
{
	u32 event = vcpu->vmcb.exit_int_info;

	if (!(event & EVENT_VALID))
		return;
	if ((event & EVENT_TYPE) == EVENT_INTERRUPT) {
		vlapic_unaccept(vcpu, event & EVENT_VECTOR);
	} else if ((event & EVENT_TYPE) == EVENT_NMI) {
		vcpu->nmi_pending = true;
		vcpu->nmi_blocked = false;
	}
}

/* SVM clears IRQ of a request when it delivers; the local APIC learns that. */
static void accept_virtual_irq(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = &vcpu->vmcb;

	if ((vmcb->int_ctl & INT_CTL_IGNORE_TPR) &&
	    !(vmcb->int_ctl & INT_CTL_IRQ))
		vlapic_accept(vcpu, vmcb->int_vector);
}

/* VM's lock held. */
static void finish_exit(struct vcpu *vcpu)
{
	WRITE_ONCE(vcpu->in_guest, false);
	accept_virtual_irq(vcpu);
	requeue_event(vcpu);
}

/* What a vCPU's thread does for all its life. */
static void vcpu_thread(void)
{
	struct vcpu *vcpu = this_cpu()->current;
	struct spinlock *lock = &vcpu->vm->lock;

	ioreq_poll_on(vcpu);
	for (;;) {
		bool ready;

		spin_lock(lock);
		ready = prepare_entry(vcpu);
		spin_unlock(lock);
		if (!ready) {
			sched_yield(vcpu);
			continue;
		}
		guest_run(&vcpu->cpu);
		spin_lock(lock);
		finish_exit(vcpu);
		spin_unlock(lock);
		vcpu_handle_exit(vcpu);
	}
}

/* A stack from which switch_stack() returns into vcpu_thread(). */
static void init_thread(struct vcpu *vcpu)
{
	u64 *sp = (u64 *)(vcpu->stack + STACK_SIZE);

	*(struct pcpu **)vcpu->stack = vcpu->pcpu;
	*--sp = 0; /* vcpu_thread()'s return address, never used */
	*--sp = (u64)vcpu_thread;
	for (u32 i = 0; i < CALLEE_SAVED_REGS; i++)
		*--sp = 0;
	vcpu->sp = (u64)sp;
}

void vcpu_reset(struct vcpu *vcpu)
{
	spin_lock(&vcpu->vm->lock);
	reset_registers(vcpu);
	vcpu->vmcb.tsc_offset = 0;
	vlapic_power_on(vcpu);
	context_reset(&vcpu->state);
	vcpu->state_reset = true;
	vcpu->startup_pending = false;
	vcpu->ioreq_done = false;
	vcpu->astray = false;
	vcpu->in_guest = false;
	vcpu->wait = vcpu->id ? VCPU_WAIT_STARTUP : VCPU_RUN;
	init_thread(vcpu);
	spin_unlock(&vcpu->vm->lock);
}
