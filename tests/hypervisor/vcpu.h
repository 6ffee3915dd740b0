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
 * @VCPU_RUN:	Nothing: it can run
 * @VCPU_HALTED: An interrupt, NMI or INIT, after HLT
 * @VCPU_WAIT_STARTUP: A start-up IPI
 * @VCPU_WAIT_IOREQ: The notification that its I/O request is finished
 * @VCPU_CRASHED: Nothing; it never runs again before a reset
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
 * @vmcb:	SVM's control block; used by the thread, and by hypercalls while
 *		the thread does not run
 * @state:	Registers that are not in @vmcb or @cpu; used as @vmcb is, and
 *by the scheduler of @pcpu
 * @cpu:	Registers and memory for emulation; used as @vmcb is
 * @vm:		The VM; constant
 * @id:		Index in the VM and slot in the ioreq page; constant
 * @pcpu:	CPU on which it runs, whose APIC id is also its own; constant
 * @sp:		Stack pointer of the thread while it does not run
 * @nmi_blocked: The guest is in its NMI handler, until IRET; used on @pcpu only
 * @npt_generation: Generation of the page tables at the last entry; written by
 *		the thread, read by vm_flush_tlb()
 * @in_guest:	In guest mode or about to enter; written by the thread, read by
 *		vm_flush_tlb()
 * @polls:	The thread spins for an I/O request, which a reset does not end;
 *		used by the thread
 *
 * Guarded by the VM's lock:
 *
 * @on_cpu:	The thread runs; set and cleared by the scheduler of @pcpu
 * @state_reset: @state was reset: what is in the CPU's registers is stale
 * @wait:	Event for which the thread waits
 * @ioreq_done:	The request is finished; or, if the vCPU was not waiting for
 *		one, its next request will not wait
 * @astray:	It was woken while its VM was paused, and runs nevertheless
 * @nmi_pending: An NMI is to be delivered
 * @init_pending: An INIT is to be taken
 * @startup_pending: A start-up IPI is to be taken
 * @startup_vector: Vector of that start-up IPI
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

/* Initialise what all vCPUs share. Called once, before the first vCPU. */
void vcpu_init_host(void);

/*
 * Make vCPU @id of @vm, which will run on @pcpu, in the state after power-on.
 * Called with the VM's control lock held. Cannot fail.
 */
struct vcpu *vcpu_create(struct vm *vm, u32 id, struct pcpu *pcpu);

/*
 * Put a vCPU back in the state after power-on. Called with the control lock
 * held while its thread does not run. Takes the VM's lock.
 */
void vcpu_reset(struct vcpu *vcpu);

/**
 * vcpu_set_regs() - Set the registers with which a vCPU begins
 * @vcpu:	vCPU of a VM that does not run
 * @regs:	From the Service VM, unchecked
 *
 * Return: 0, or -EPERM for control registers with which VMX would not enter the
 * guest; CR0.NE, for one, has to be set.
 */
int vcpu_set_regs(struct vcpu *vcpu, const struct acrn_regs *regs);

/* Whether the event for which the vCPU waits has come. VM's lock held. */
bool vcpu_runnable(const struct vcpu *vcpu);

/*
 * Make a vCPU look at an event that has been noted for it: its thread wakes up,
 * or leaves guest mode. As on ACRN, a vCPU that waits for the event in a paused
 * VM runs from then on. VM's lock held.
 */
void vcpu_kick(struct vcpu *vcpu);

/* Make a vCPU leave guest mode, or its CPU leave HLT. Any CPU, any lock. */
void vcpu_interrupt(struct vcpu *vcpu);

/* Whether its VM runs, or it is astray. VM's lock held. */
bool vcpu_may_run(const struct vcpu *vcpu);

/*
 * Called by the vCPU's thread with no lock held: sleep until vcpu_runnable().
 * With VCPU_RUN, only let other vCPUs run. Does not return if the VM is paused
 * and reset meanwhile.
 */
void vcpu_wait(struct vcpu *vcpu, enum vcpu_wait wait);

/*
 * exit.c: handle the exit with which guest mode has ended. In the vCPU's
 * thread, no lock held.
 */
void vcpu_handle_exit(struct vcpu *vcpu);

/* pio.c: handle EXIT_IOIO, in the same context. */
void pio_exit(struct vcpu *vcpu);

static inline struct vcpu *to_vcpu(struct guest_cpu *cpu)
{
	return container_of(cpu, struct vcpu, cpu);
}

#endif /* HV_VCPU_H */
