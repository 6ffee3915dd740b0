/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Service VM: Linux on the first CPUs, which sees the machine as it is but
 * for the hypervisor's memory, SVM, and what the CPUID leaves of ACRN say.
 */
#ifndef HV_SERVICE_VM_H
#define HV_SERVICE_VM_H

#include "cpu.h"
#include "guest.h"
#include "mmio.h"
#include "npt.h"

struct multiboot_info;

/**
 * struct service_cpu - A vCPU of the Service VM; vCPU n runs on CPU n
 * @cpu:	Registers
 * @started:	The kernel uses the CPU: from a start-up IPI on until it has
 *		taken the CPU offline; CPU 0 from the beginning
 * @removed:	To leave the Service VM; set by another CPU
 * @flush:	To flush its TLB; set by another CPU, which then sends an NMI
 * @startup_vector: Where it begins
 *
 * The CPU that sends the start-up IPI writes @startup_vector before @started;
 * everything else is used by the CPU itself.
 */
struct service_cpu {
	struct guest_cpu cpu;
	bool started;
	bool removed;
	bool flush;
	u8 startup_vector;
};

extern struct service_cpu service_cpus[MAX_PCPUS];
extern struct npt service_npt;

/* Set up memory and vCPUs and load the kernel from the multiboot modules. */
void service_vm_init(const struct multiboot_info *info);

/* Run this CPU's vCPU for good. */
void service_vm_run(struct pcpu *cpu) __attribute__((noreturn));

/* Is the range the Service VM's RAM, all of it? */
bool service_vm_is_ram(u64 pa, u64 size);

/*
 * May the Service VM give the range to a User VM? Its RAM and device memory,
 * but neither the hypervisor nor the interrupt controllers.
 */
bool service_vm_may_map(u64 pa, u64 size);

/* Copy from and to the Service VM's RAM. Returns 0 or -EINVAL. */
int service_vm_read(u64 pa, void *buf, u32 size);
int service_vm_write(u64 pa, const void *buf, u32 size);

/* CPUs that have left the Service VM, a bit each; User VMs may use them. */
extern u64 removed_cpus;

/*
 * Take a CPU, not the first and not this one, from the Service VM for good.
 * Waits until its kernel has stopped using it.
 */
void service_vm_remove_cpu(struct pcpu *cpu);

/*
 * Wait until the kernel has stopped using a CPU that it takes offline, which it
 * thinks that it has a few instructions before. If it were started again in
 * between, INIT would go to the CPU itself. Returns at once when @id is none
 * that can go offline.
 */
void service_vm_wait_offline(u32 id);

/* Raise the upcall. Any CPU. */
void service_vm_upcall(void);

/*
 * Take a piece of the machine's memory out of what the Service VM sees, and put
 * it back. It reads as ones meanwhile, and what is written to it is lost. 0 or
 * -ENOMEM. On a CPU of the Service VM.
 */
int service_vm_take(u64 pa, u64 size);
int service_vm_give(u64 pa, u64 size);

/* service_loader.c: put the kernel in place and point vCPU 0 at it. */
void service_load_kernel(const struct multiboot_info *info);

/*
 * Have the Service VM's other CPUs flush their TLBs. Does not wait, as they may
 * be here in the hypervisor and wait for this one; an NMI does not take long.
 */
void service_vm_flush_tlb(void);

/*
 * service_apic.c: the xAPIC page, trapped while there are APs to start; CPU @id
 * is one again.
 */
void service_apic_init(void);
void service_apic_stopped(u32 id);
int service_apic_access(struct guest_cpu *cpu, struct mmio_access *access);

#endif /* HV_SERVICE_VM_H */
