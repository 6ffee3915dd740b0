/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Physical CPUs. The first ones run the Service VM, one vCPU each for good; the
 * others run the vCPUs of User VMs.
 */
#ifndef HV_CPU_H
#define HV_CPU_H

#define MAX_PCPUS     32
#define STACK_SIZE    8192
#define AP_TRAMPOLINE 0x8000

#ifndef __ASSEMBLER__

#include "types.h"

struct vcpu;

/**
 * struct pcpu - A physical CPU, used by itself only but for what is said below
 * @id:		Its local APIC id
 * @online:	It has reached C code; set by itself, read by CPU 0
 * @spins:	It looks for work and needs no kick; read by all CPUs
 * @sched_sp:	Stack pointer of the scheduler while a vCPU runs
 * @current:	vCPU that runs on this CPU, or NULL
 * @state_owner: vCPU whose &struct vcpu_state is in the registers, or NULL
 * @last_vm:	Index of the VM that ran last, for round robin
 * @slice_end:	TSC at which @current makes room for others
 * @timer_deadline: TSC for which the local APIC timer is set, or 0
 * @timer_fired: The timer's interrupt came and cpu_timer_run() has not seen it
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
/* CPUs 0 to nr_service_cpus - 1 are the Service VM's. */
extern u32 nr_service_cpus;

/* Every stack begins, at its low end, with the CPU that it is used on. */
static inline struct pcpu *this_cpu(void)
{
	u64 sp = (u64)__builtin_frame_address(0);

	return *(struct pcpu **)(sp & ~(STACK_SIZE - 1UL));
}

/* Bring up all CPUs; they then wait for smp_release(). */
void smp_init(void);

/* Send the other CPUs to their work. */
void smp_release(void);

/* Load this CPU's interrupt table. */
void idt_load(void);
void idt_init(void);

/* Take interrupts that are pending for the hypervisor. No lock held. */
static inline void cpu_take_interrupts(void)
{
	asm volatile("stgi; sti; nop; nop; cli; clgi" : : : "memory");
}

/* Take an NMI that is pending, but no interrupt. */
static inline void cpu_take_nmi(void)
{
	asm volatile("stgi; nop; nop; clgi" : : : "memory");
}

/* Sleep until an interrupt comes, or is pending already. No lock held. */
static inline void cpu_idle(void)
{
	asm volatile("stgi; sti; hlt; cli; clgi" : : : "memory");
}

#endif /* __ASSEMBLER__ */
#endif /* HV_CPU_H */
