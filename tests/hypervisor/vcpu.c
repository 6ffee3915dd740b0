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

/* ASID 1 is the Service VM's; each User VM has one of its own. */
#define FIRST_USER_ASID 2

#define CALLEE_SAVED_REGS 6

static struct vcpu vcpus[MAX_USER_VMS][MAX_VCPUS];
/* I/O permission map of all User VMs: every port access exits. */
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
	/* A lower priority may let a pending interrupt through. */
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

/* What power-on and INIT have in common. VM's lock held. */
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

/* VMX has bits 52-55 of a descriptor in bits 12-15, SVM in bits 8-11. */
static u32 attributes_from_vmx(u32 ar)
{
	return (ar & 0xff) | (ar >> 4 & 0xf00);
}

static bool valid_control_registers(const struct acrn_regs *regs)
{
	const u64 efer_known = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	const u64 cr0 = regs->cr0;

	/* VMX requires CR0.NE, so ACRN refuses registers without it. */
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

/* A flat segment in protected mode, else the one that real mode would load. */
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
 * On ACRN, pausing a VM puts its vCPUs' threads to sleep; a thread that was
 * waiting for an event is woken by that event all the same, and does not check
 * the VM's state before it enters the guest. VM's lock held.
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
	/* The reason was written before @spins is read; see spin_for_vcpu(). */
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

/*
 * Handle INIT and start-up IPIs that are pending. Returns false if the vCPU now
 * waits for a start-up IPI. VM's lock held.
 */
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

/*
 * Inject the most urgent event that the guest can take now, and have SVM
 * deliver the next interrupt when the guest can take it. VM's lock held.
 */
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
 * Prepare an entry into guest mode. Returns false if the vCPU cannot run now.
 * VM's lock held.
 *
 * @in_guest is set before the generation of the page tables is read, while
 * vm_flush_tlb() reads @in_guest after the generation was changed. So either
 * this entry flushes the TLB or vm_flush_tlb() sees the vCPU in the guest.
 */
static bool prepare_entry(struct vcpu *vcpu)
{
	u32 generation;

	if (!vcpu_may_run(vcpu) || !take_init(vcpu))
		return false;
	inject_events(vcpu);
	/* SVM returns this field when the guest reads CR8. */
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
 * If the exit interrupted the delivery of an event, the guest has not got the
 * event. An interrupt or NMI becomes pending again. An exception needs nothing:
 * the guest executes the same instruction again.
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

/*
 * If SVM has delivered the interrupt that set_virtual_irq() requested, it has
 * cleared the request; note in the local APIC that the interrupt is in service.
 */
static void accept_virtual_irq(struct vcpu *vcpu)
{
	const struct vmcb *vmcb = &vcpu->vmcb;

	if ((vmcb->int_ctl & INT_CTL_IGNORE_TPR) &&
	    !(vmcb->int_ctl & INT_CTL_IRQ))
		vlapic_accept(vcpu, vmcb->int_vector);
}

/* Called after each exit, before it is handled. VM's lock held. */
static void finish_exit(struct vcpu *vcpu)
{
	WRITE_ONCE(vcpu->in_guest, false);
	accept_virtual_irq(vcpu);
	requeue_event(vcpu);
}

/* Body of a vCPU's thread: enter the guest and handle its exit, forever. */
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

/* Make up a stack on which switch_stack() returns to vcpu_thread(). */
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
