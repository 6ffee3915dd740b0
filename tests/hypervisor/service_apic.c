// SPDX-License-Identifier: GPL-2.0
/*
 * Start of the Service VM's CPUs other than the first. As long as one of them
 * is not started, or has been taken offline by the kernel, the page of the
 * local APIC is trapped so that the start-up IPI is seen. Otherwise accesses go
 * straight to the hardware, because trapping every EOI would cost too much.
 */
#include <linux/errno.h>

#include "lapic.h"
#include "log.h"
#include "service_vm.h"
#include "x86.h"

/* Guards nr_to_start and the decision to start a CPU. */
static struct spinlock startup_lock;
static u32 nr_to_start;

static void release_apic(void)
{
	if (npt_map(&service_npt, LAPIC_BASE, LAPIC_BASE, PAGE_SIZE,
		    NPT_READ | NPT_WRITE) < 0)
		panic("no memory for the Service VM's page tables");
}

void service_apic_init(void)
{
	nr_to_start = nr_service_cpus - 1;
	if (!nr_to_start)
		release_apic();
}

void service_apic_stopped(u32 id)
{
	spin_lock(&startup_lock);
	if (!nr_to_start++ && npt_unmap(&service_npt, LAPIC_BASE, PAGE_SIZE))
		panic("the local APIC cannot be trapped");
	spin_unlock(&startup_lock);
	service_vm_flush_tlb();
	/* A CPU that sees @started cleared also finds the APIC trapped. */
	smp_wmb();
	WRITE_ONCE(service_cpus[id].started, false);
}

/* Linux sends the start-up IPI twice; the second one changes nothing. */
static void start_cpu(u32 id, u8 vector)
{
	struct service_cpu *vcpu = &service_cpus[id];

	spin_lock(&startup_lock);
	if (is_further_service_cpu(id) && !vcpu->started && !vcpu->removed) {
		vcpu->startup_vector = vector;
		smp_wmb();
		WRITE_ONCE(vcpu->started, true);
		lapic_kick(id);
		if (!--nr_to_start)
			release_apic();
	}
	spin_unlock(&startup_lock);
}

static void write_icr(u32 command)
{
	u32 mode = command & ICR_MODE;

	/* A CPU that is not started waits already, as INIT would make it. */
	if (mode == ICR_INIT)
		return;
	if (mode == ICR_STARTUP)
		start_cpu(lapic_read(LAPIC_ICR2) >> 24, command & ICR_VECTOR);
	else
		lapic_write(LAPIC_ICR, command);
}

int service_apic_access(struct guest_cpu *cpu, struct mmio_access *access)
{
	u32 reg = access->gpa - LAPIC_BASE;

	(void)cpu;
	if (access->size != 4 || !IS_ALIGNED(reg, 4U))
		return -ENXIO;
	if (!access->write)
		access->value = lapic_read(reg);
	else if (reg == LAPIC_ICR)
		write_icr(access->value);
	else
		lapic_write(reg, access->value);
	return 0;
}
