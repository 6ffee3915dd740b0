/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Service VM: Linux on CPU 0 and up. It sees the machine as it is, except
 * that the hypervisor's memory and SVM are hidden and ACRN's CPUID leaves
 * added.
 */
#ifndef HV_SERVICE_VM_H
#define HV_SERVICE_VM_H

#include "cpu.h"
#include "guest.h"
#include "mmio.h"
#include "npt.h"

struct multiboot_info;

/**
 * struct service_cpu - A vCPU of the Service VM; the entry n is CPU n's
 * @cpu:	Registers
 * @started:	The kernel uses the CPU, from a start-up IPI until it has taken
 *		the CPU offline. Not used for the first one, which always runs.
 * @removed:	The CPU is to leave the Service VM; set by another CPU, which
 *		then kicks it
 * @flush:	The CPU is to flush its TLB; set by another CPU, which then
 *		sends an NMI
 * @startup_vector: Vector of the start-up IPI; written before @started by the
 *		CPU that sends it
 *
 * Fields for which nothing is said are used by the CPU itself only.
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

/*
 * Set up memory and vCPUs and load the kernel from the multiboot modules. Once,
 * before any guest runs; panics on failure.
 */
void service_vm_init(const struct multiboot_info *info);

/* Run the Service VM's vCPU of this CPU. Never returns. */
void service_vm_run(struct pcpu *cpu) __attribute__((noreturn));

/* Whether all of the range is RAM of the Service VM. */
bool service_vm_is_ram(u64 pa, u64 size);

/*
 * Whether the Service VM may give the range to a User VM: RAM and device
 * memory, but neither the hypervisor nor the interrupt controllers.
 */
bool service_vm_may_map(u64 pa, u64 size);

/* Copy from and to the Service VM's RAM. Returns 0 or -EINVAL. */
int service_vm_read(u64 pa, void *buf, u32 size);
int service_vm_write(u64 pa, const void *buf, u32 size);

/*
 * CPUs that have left the Service VM, a bit each; User VMs may use them. Bits
 * are only ever set, atomically, by the CPU itself.
 */
extern u64 removed_cpus;

/*
 * Take a CPU, not the first and not this one, from the Service VM for good.
 * Waits until its kernel has stopped using it.
 */
void service_vm_remove_cpu(struct pcpu *cpu);

/*
 * Wait until the kernel has executed the last instruction on a CPU that it
 * takes offline. It considers the CPU offline a little earlier; if it started
 * the CPU again in between, the INIT would still go to the hardware. Returns at
 * once if
 * @id is no CPU that can go offline.
 */
void service_vm_wait_offline(u32 id);

/* Raise the upcall. Any CPU. */
void service_vm_upcall(void);

/*
 * Remove a range of the machine's memory from the Service VM, and put it back.
 * In between, the Service VM reads ones there and its writes are lost. Called
 * on a CPU of the Service VM. Return 0 or -ENOMEM.
 */
int service_vm_take(u64 pa, u64 size);
int service_vm_give(u64 pa, u64 size);

/* service_loader.c: put the kernel in place and point vCPU 0 at it. */
void service_load_kernel(const struct multiboot_info *info);

/*
 * Make the Service VM's other CPUs flush their TLBs, by NMI. Does not wait
 * until they have: they may be in the hypervisor and wait for this CPU.
 */
void service_vm_flush_tlb(void);

/*
 * service_apic.c: the page of the local APIC, which is trapped while a CPU of
 * the Service VM is not started. service_apic_stopped(): CPU @id, which calls
 * it, has been taken offline and can be started again.
 */
void service_apic_init(void);
void service_apic_stopped(u32 id);
int service_apic_access(struct guest_cpu *cpu, struct mmio_access *access);

#endif /* HV_SERVICE_VM_H */
