/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Physical CPUs. CPU 0 boots the hypervisor and then halts for good. The next
 * ones run the Service VM, one vCPU each for good; the others run the vCPUs of
 * User VMs.
 *
 * CPU 0 runs no guest because of a fault of QEMU, seen in 7.2: FXRSTOR and
 * XRSTOR on any CPU clear a flag of the first one without a lock
 * (cpu_clear_ignne() in target/i386/tcg/sysemu/fpu_helper.c). The same word
 * has the flags of SVM, and a change of these at the same moment is undone: the
 * first CPU would take no interrupt any more, or run the hypervisor with the
 * guest's nested page tables.
 */
#ifndef HV_CPU_H
#define HV_CPU_H

#define MAX_PCPUS	  32
#define FIRST_SERVICE_CPU 1
#define STACK_SIZE	  8192
#define AP_TRAMPOLINE	  0x8000

#ifndef __ASSEMBLER__

#include "types.h"

struct vcpu;

/**
 * struct pcpu - A physical CPU
 * @id:		Its local APIC id
 * @online:	The CPU has reached C code; read by CPU 0
 * @spins:	The CPU looks for a runnable vCPU and needs no kick; read by
 *		all CPUs
 * @sched_sp:	Stack pointer of the scheduler while a vCPU runs
 * @current:	vCPU that runs on this CPU, or NULL
 * @state_owner: vCPU whose &struct vcpu_state is in the registers, or NULL
 * @last_vm:	Index of the VM that ran last, for round robin
 * @slice_end:	TSC at which @current gives up the CPU if another vCPU can run
 * @timer_deadline: TSC for which the local APIC timer is set, or 0
 * @timer_fired: The timer interrupt came; run_timers() in sched.c clears it
 *
 * Written by the CPU itself only. Other CPUs read no fields but the constant
 * @id and those whose description says so.
 */
struct pcpu {
	u32 id;
	bool online;
	bool spins;
	u64 sched_sp;
	struct vcpu *current;
	struct vcpu *state_owner;
	u32 last_vm;
	u64 slice_end;
	u64 timer_deadline;
	bool timer_fired;
};

extern struct pcpu pcpus[MAX_PCPUS];
extern u32 nr_pcpus;
/* Number of CPUs of the Service VM, which has FIRST_SERVICE_CPU and up. */
extern u32 nr_service_cpus;

/* Whether a CPU is, or was before REMOVE_CPU, one of the Service VM. */
static inline bool is_service_cpu(u32 id)
{
	return id >= FIRST_SERVICE_CPU &&
	       id < FIRST_SERVICE_CPU + nr_service_cpus;
}

/* Whether its kernel starts a CPU, and may take it offline. */
static inline bool is_further_service_cpu(u32 id)
{
	return is_service_cpu(id) && id != FIRST_SERVICE_CPU;
}

/*
 * The CPU that runs this. The lowest word of every stack, of CPUs and of vCPU
 * threads alike, points to it.
 */
static inline struct pcpu *this_cpu(void)
{
	u64 sp = (u64)__builtin_frame_address(0);

	return *(struct pcpu **)(sp & ~(STACK_SIZE - 1UL));
}

/* Bring up all CPUs; they then wait for smp_release(). */
void smp_init(void);

/* Let the other CPUs run the Service VM, or their scheduler. */
void smp_release(void);

/* Fill the interrupt table, which all CPUs share; load it on this CPU. */
void idt_init(void);
void idt_load(void);

/* Handle the interrupts that are pending on this CPU. No lock held. */
static inline void cpu_take_interrupts(void)
{
	asm volatile("stgi; sti; nop; nop; cli; clgi" : : : "memory");
}

/* Handle an NMI that is pending on this CPU, but no interrupt. */
static inline void cpu_take_nmi(void)
{
	asm volatile("stgi; nop; nop; clgi" : : : "memory");
}

/* Halt this CPU for good. */
static inline void __attribute__((noreturn)) cpu_stop(void)
{
	for (;;)
		asm volatile("clgi; cli; hlt" : : : "memory");
}

/*
 * Halt until an interrupt comes, and handle it; does not halt if one is
 * pending. No lock held.
 */
static inline void cpu_idle(void)
{
	asm volatile("stgi; sti; hlt; cli; clgi" : : : "memory");
}

#endif /* __ASSEMBLER__ */
#endif /* HV_CPU_H */
