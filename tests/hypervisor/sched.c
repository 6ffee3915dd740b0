// SPDX-License-Identifier: GPL-2.0
#include "cpu.h"
#include "lapic.h"
#include "sched.h"
#include "time.h"
#include "vcpu.h"
#include "x86.h"

#define SLICE_MS 5

u32 sched_spin_us;

void switch_stack(u64 *save_sp, u64 load_sp);

/* The vCPU of @vm on this CPU if it can run, else NULL. VM's lock held. */
static struct vcpu *runnable_vcpu(struct pcpu *cpu, struct vm *vm)
{
	struct vcpu *vcpu = vm->by_pcpu[cpu->id];

	if (!vcpu || !vcpu_may_run(vcpu) || !vcpu_runnable(vcpu))
		return NULL;
	return vcpu;
}

/*
 * Unlocked hint: false when no vCPU of the VM can run. A paused VM can have one
 * that runs, see @astray of &struct vcpu.
 */
static bool may_run(const struct vm *vm)
{
	enum vm_state state = READ_ONCE(vm->state);

	return state == VM_RUNNING || state == VM_PAUSED;
}

/* Mark the vCPU of @vm on this CPU as running; NULL if it cannot run. */
static struct vcpu *claim_vcpu(struct pcpu *cpu, struct vm *vm)
{
	struct vcpu *vcpu;

	if (!may_run(vm))
		return NULL;
	spin_lock(&vm->lock);
	vcpu = runnable_vcpu(cpu, vm);
	if (vcpu) {
		vcpu->on_cpu = true;
		vcpu->wait = VCPU_RUN;
	}
	spin_unlock(&vm->lock);
	return vcpu;
}

/*
 * Claim the next vCPU that can run, round robin by VM; NULL if there is none.
 */
static struct vcpu *pick_vcpu(struct pcpu *cpu)
{
	for (u32 i = 1; i <= MAX_USER_VMS; i++) {
		u32 n = (cpu->last_vm + i) % MAX_USER_VMS;
		struct vcpu *vcpu = claim_vcpu(cpu, &user_vms[n]);

		if (vcpu) {
			cpu->last_vm = n;
			return vcpu;
		}
	}
	return NULL;
}

/* Whether a vCPU of another VM could run on this CPU. */
static bool others_runnable(struct pcpu *cpu, struct vcpu *vcpu)
{
	for (u32 i = 0; i < MAX_USER_VMS; i++) {
		struct vm *vm = &user_vms[i];
		bool found;

		if (vm == vcpu->vm || !may_run(vm))
			continue;
		spin_lock(&vm->lock);
		found = runnable_vcpu(cpu, vm);
		spin_unlock(&vm->lock);
		if (found)
			return true;
	}
	return false;
}

/*
 * After a timer interrupt: fire the local APIC timers that are due, of the
 * vCPUs on this CPU, and request the next timer interrupt.
 */
static void run_timers(struct pcpu *cpu)
{
	if (!cpu->timer_fired)
		return;
	cpu->timer_fired = false;
	cpu->timer_deadline = 0;
	for (u32 i = 0; i < MAX_USER_VMS; i++) {
		struct vm *vm = &user_vms[i];
		u64 next = 0;

		if (READ_ONCE(vm->state) != VM_RUNNING)
			continue;
		spin_lock(&vm->lock);
		if (vm->by_pcpu[cpu->id])
			next = vlapic_run_timer(vm->by_pcpu[cpu->id], rdtsc());
		spin_unlock(&vm->lock);
		cpu_timer_request(cpu, next);
	}
}

/*
 * Load @vcpu's registers and save those of the vCPU that ran before, unless
 * that one has been reset since: its registers in the CPU are stale then.
 */
static void switch_state(struct pcpu *cpu, struct vcpu *vcpu)
{
	struct vcpu *owner = cpu->state_owner;

	if (owner == vcpu && !vcpu->state_reset)
		return;
	if (owner) {
		spin_lock(&owner->vm->lock);
		if (!owner->state_reset)
			context_save(&owner->state);
		spin_unlock(&owner->vm->lock);
	}
	context_load(&vcpu->state);
	vcpu->state_reset = false;
	cpu->state_owner = vcpu;
}

static void run_vcpu(struct pcpu *cpu, struct vcpu *vcpu)
{
	switch_state(cpu, vcpu);
	cpu->current = vcpu;
	cpu->slice_end = rdtsc() + SLICE_MS * tsc_khz;
	if (others_runnable(cpu, vcpu))
		cpu_timer_request(cpu, cpu->slice_end);
	switch_stack(&cpu->sched_sp, vcpu->sp);
	cpu->current = NULL;

	spin_lock(&vcpu->vm->lock);
	vcpu->on_cpu = false;
	spin_unlock(&vcpu->vm->lock);
}

void sched_yield(struct vcpu *vcpu)
{
	switch_stack(&vcpu->sp, vcpu->pcpu->sched_sp);
}

void sched_preempt(struct vcpu *vcpu)
{
	struct pcpu *cpu = vcpu->pcpu;

	run_timers(cpu);
	if (!others_runnable(cpu, vcpu))
		return;
	if (rdtsc() < cpu->slice_end)
		cpu_timer_request(cpu, cpu->slice_end);
	else
		vcpu_wait(vcpu, VCPU_RUN);
}

void sched_spin(struct vcpu *vcpu)
{
	cpu_take_interrupts();
	sched_preempt(vcpu);
	if (READ_ONCE(vcpu->vm->state) != VM_RUNNING)
		sched_yield(vcpu); /* until a reset makes a new thread */
	cpu_relax();
}

/*
 * Look for a vCPU that can run, for sched_spin_us; NULL when none came up. A
 * CPU that makes a vCPU runnable does not kick this one while it sees
 * @cpu->spins set. So clear it first, and look once more afterwards.
 */
static struct vcpu *spin_for_vcpu(struct pcpu *cpu)
{
	u64 end = rdtsc() + sched_spin_us * tsc_khz / 1000;
	struct vcpu *vcpu = NULL;

	WRITE_ONCE(cpu->spins, true);
	while (!vcpu && rdtsc() < end) {
		cpu_relax();
		vcpu = pick_vcpu(cpu);
	}
	WRITE_ONCE(cpu->spins, false);
	smp_mb();
	return vcpu ? vcpu : pick_vcpu(cpu);
}

void sched_run(struct pcpu *cpu)
{
	lapic_init();
	clgi();
	for (;;) {
		struct vcpu *vcpu;

		run_timers(cpu);
		vcpu = pick_vcpu(cpu);
		if (!vcpu && sched_spin_us)
			vcpu = spin_for_vcpu(cpu);
		if (vcpu)
			run_vcpu(cpu, vcpu);
		else
			cpu_idle();
	}
}
