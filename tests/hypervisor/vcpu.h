/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vCPUs of User VMs. Each is a thread with a stack of its own, so that
 * emulation can wait for the Service VM in the middle of an instruction. A vCPU
 * stays on its CPU.
 */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include "context.h"
#include "cpu.h"
#include "guest.h"
#include "vlapic.h"
#include "vm.h"

/**
 * enum vcpu_wait - What a vCPU waits for
 * @VCPU_RUN:	Nothing
 * @VCPU_HALTED: An interrupt
 * @VCPU_WAIT_STARTUP: A start-up IPI
 * @VCPU_WAIT_IOREQ: The Service VM to finish its request
 * @VCPU_CRASHED: Nothing that will come
 */
enum vcpu_wait {
	VCPU_RUN,
	VCPU_HALTED,
	VCPU_WAIT_STARTUP,
	VCPU_WAIT_IOREQ,
	VCPU_CRASHED,
};

/**
 * struct vcpu - A vCPU of a User VM
 * @stack:	Stack of its thread; must be first, see this_cpu()
 * @vmcb:	Used by the thread, or by a hypercall while there is none
 * @state:	As @vmcb, and by the scheduler of @pcpu
 * @cpu:	As @vmcb
 * @vm:		Constant
 * @id:		Index in the VM, slot of the ioreq page; constant
 * @pcpu:	Where it runs, and whose APIC id is its own; constant
 * @sp:		Stack pointer while it does not run
 * @nmi_blocked: In an NMI handler, until IRET; used on @pcpu only
 * @npt_generation: That of the page tables at the last entry; written by the
 *		thread, read by vm_flush_tlb()
 * @in_guest:	In guest mode or about to enter; as @npt_generation
 * @polls:	Spins for a request, also across a reset; used by the thread
 *
 * Guarded by the VM's lock:
 *
 * @on_cpu:	The thread runs; set and cleared by the scheduler of @pcpu
 * @state_reset: @state was reset, so registers that are left of it are stale
 * @wait:	What the thread waits for
 * @ioreq_done:	Its request is finished, or its next one will be at once
 * @astray:	Was woken while its VM was paused, and runs
 * @nmi_pending: NMI to take
 * @init_pending: INIT to take
 * @startup_pending: Start-up IPI to take
 * @startup_vector: With this vector
 * @lapic:	Its local APIC
 */
struct vcpu {
	u8 stack[STACK_SIZE] __attribute__((aligned(STACK_SIZE)));
	struct vmcb vmcb;
	struct vcpu_state state;
	struct guest_cpu cpu;
	struct vm *vm;
	u32 id;
	struct pcpu *pcpu;
	u64 sp;
	bool nmi_blocked;
	u32 npt_generation;
	bool in_guest;
	bool polls;

	bool on_cpu;
	bool state_reset;
	enum vcpu_wait wait;
	bool ioreq_done;
	bool astray;
	bool nmi_pending;
	bool init_pending;
	bool startup_pending;
	u8 startup_vector;
	struct vlapic lapic;
};

/* Once, before any vCPU. */
void vcpu_init_host(void);

/* Vm's vCPU @id, to run on @pcpu, in the state after power-on. */
struct vcpu *vcpu_create(struct vm *vm, u32 id, struct pcpu *pcpu);

/* Back to the state after power-on. Its thread is not on a CPU. */
void vcpu_reset(struct vcpu *vcpu);

/**
 * vcpu_set_regs() - Set where a vCPU begins
 * @vcpu:	vCPU of a VM that does not run
 * @regs:	From the Service VM, unchecked
 *
 * Return: 0, or -EPERM for control registers that no processor accepts in guest
 * mode; CR0.NE is one that has to be set.
 */
int vcpu_set_regs(struct vcpu *vcpu, const struct acrn_regs *regs);

/* Could it run now? VM's lock held. */
bool vcpu_runnable(const struct vcpu *vcpu);

/*
 * Make it look at what has been left for it. One that sleeps in a paused VM
 * runs from then on, as on ACRN. VM's lock held.
 */
void vcpu_kick(struct vcpu *vcpu);

/* Have it leave guest mode. */
void vcpu_interrupt(struct vcpu *vcpu);

/* Whether its VM or, if it is astray, nothing but itself lets it run. */
bool vcpu_may_run(const struct vcpu *vcpu);

/*
 * The thread sleeps until vcpu_runnable(); VCPU_RUN just lets others run. Does
 * not return if the VM is paused. Lock not held.
 */
void vcpu_wait(struct vcpu *vcpu, enum vcpu_wait wait);

/* exit.c: deal with the exit that guest mode has ended with. */
void vcpu_handle_exit(struct vcpu *vcpu);

/* pio.c, ioreq.c */
void pio_exit(struct vcpu *vcpu);

static inline struct vcpu *to_vcpu(struct guest_cpu *cpu)
{
	return container_of(cpu, struct vcpu, cpu);
}

#endif /* HV_VCPU_H */
