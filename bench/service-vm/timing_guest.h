/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A User VM that runs a few instructions: it measures each of its own accesses
 * with the time stamp counter.
 *
 * To be included by one source file of a program.
 */
#ifndef TIMING_GUEST_H
#define TIMING_GUEST_H

#include "bench.h"
#include "raw_guest.h"

/* Physical addresses in the User VM, besides those of raw_guest.h */
#define PARAMETERS_ADDR 0x9000
#define PDPT_ADDR	0xa000
#define LOW_TABLE_ADDR	0xb000 /* for the first GiB */
#define HIGH_TABLE_ADDR 0xc000 /* for the last */
#define SAMPLES_ADDR	0x100000
#define IOAPIC_ADDR	0xfec00000

/* Commands: which access to measure */
#define TIME_OUT2   1 /* a port, 2 bytes */
#define TIME_STORE2 2 /* memory, 2 bytes */
#define TIME_STORE4 3 /* memory, 4 bytes */
#define TIME_CPUID  4

/**
 * struct timing_parameters - Parameters of a command, in memory of the User VM
 * @address:	I/O port or physical address
 * @value:	Value to write
 * @count:	Number of accesses
 * @gap:	Cycles to wait before each access
 */
struct timing_parameters {
	uint32_t address;
	uint32_t value;
	uint32_t count;
	uint32_t gap;
};

/**
 * struct timing_sample - Times of an access, in memory of the User VM
 * @start:	Time before the access
 * @end:	Time after the access
 */
struct timing_sample {
	uint64_t start;
	uint64_t end;
};

#define TIMING_MAX ((RAM_SIZE - SAMPLES_ADDR) / sizeof(struct timing_sample))

/*
 * The code of the User VM. It reads a command from a port, makes the accesses,
 * and begins again. Reading the port is a request, as a read is never a
 * doorbell.
 */
extern const char timing_code[], timing_code_end[];
asm(".pushsection .rodata\n"
    "timing_code:\n"
    ".code32\n"
    "	mov $0x9000, %ebx\n"
    "timing_ask:\n"
    "	mov $0x80, %edx\n"
    "	in (%dx), %eax\n"
    "	mov %eax, %ebp\n"
    "	mov 8(%ebx), %esi\n"
    "	mov $0x100000, %edi\n"
    "timing_again:\n"
    "	rdtsc\n"
    "	mov %eax, 8(%edi)\n"
    "timing_pause:\n"
    "	rdtsc\n"
    "	sub 8(%edi), %eax\n"
    "	cmp 12(%ebx), %eax\n"
    "	jb timing_pause\n"
    "	rdtsc\n"
    "	mov %eax, (%edi)\n"
    "	mov %edx, 4(%edi)\n"
    "	mov (%ebx), %edx\n"
    "	mov 4(%ebx), %eax\n"
    "	cmp $1, %ebp\n"
    "	je timing_out2\n"
    "	cmp $2, %ebp\n"
    "	je timing_store2\n"
    "	cmp $3, %ebp\n"
    "	je timing_store4\n"
    "	cmp $4, %ebp\n"
    "	je timing_cpuid\n"
    "	jmp timing_ask\n"
    "timing_out2:\n"
    "	out %ax, (%dx)\n"
    "	jmp timing_done\n"
    "timing_store2:\n"
    "	mov %ax, (%edx)\n"
    "	jmp timing_done\n"
    "timing_store4:\n"
    "	mov %eax, (%edx)\n"
    "	jmp timing_done\n"
    "timing_cpuid:\n"
    "	cpuid\n"
    "timing_done:\n"
    "	rdtsc\n"
    "	mov %eax, 8(%edi)\n"
    "	mov %edx, 12(%edi)\n"
    "	mov $0x9000, %ebx\n"
    "	add $16, %edi\n"
    "	dec %esi\n"
    "	jne timing_again\n"
    "	jmp timing_ask\n"
    ".code64\n"
    "timing_code_end:\n"
    ".popsection\n");

#define PTE_TABLE 0x1  /* present, in the top table of PAE */
#define PTE_HUGE  0x83 /* present, writable, 2 MiB */

/* CR0: PE, ET, NE, WP, PG. CR4: PSE, PAE, PGE, SMEP, SMAP. */
#define PAGING_CR0 0x80010031
#define PAGING_CR4 0x3000b0

static inline uint64_t *guest_table(const struct guest *guest, uint32_t address)
{
	return (void *)(guest->ram + address);
}

/*
 * Start with the paging that Linux uses. Under emulation, what an exit costs
 * depends on how the state of the guest differs from that of the host.
 */
static inline void start_with_paging(const struct guest *guest)
{
	struct acrn_vcpu_regs regs = raw_registers(CODE_ADDR, RAM_SIZE);
	uint64_t *top = guest_table(guest, PDPT_ADDR);

	top[0] = LOW_TABLE_ADDR | PTE_TABLE;
	top[3] = HIGH_TABLE_ADDR | PTE_TABLE;
	for (uint64_t i = 0; i < 512; i++) {
		guest_table(guest, LOW_TABLE_ADDR)[i] = i << 21 | PTE_HUGE;
		guest_table(guest, HIGH_TABLE_ADDR)[i] =
			3ULL << 30 | i << 21 | PTE_HUGE;
	}
	regs.vcpu_regs.cr0 = PAGING_CR0;
	regs.vcpu_regs.cr3 = PDPT_ADDR;
	regs.vcpu_regs.cr4 = PAGING_CR4;
	if (ioctl(guest->vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &regs))
		err(1, "SET_VCPU_REGS");
	if (ioctl(guest->vm.fd, ACRN_IOCTL_START_VM))
		err(1, "START_VM");
}

/*
 * Create and start a User VM that waits for its first command. On the real
 * hypervisor it has no paging, as the cost of an exit does not depend on it
 * there.
 */
static inline struct guest timing_guest_create(int cpu, uint64_t flags)
{
	struct guest guest = guest_create(cpu, flags);

	memcpy(guest.ram + CODE_ADDR, timing_code,
	       timing_code_end - timing_code);
	create_client(&guest);
	if (on_acrn())
		start(&guest);
	else
		start_with_paging(&guest);
	return guest;
}

/*
 * Let the User VM carry out the command @what; the times are in its memory. The
 * device model answers @requests accesses, which are all or none.
 */
static inline const struct timing_sample *
timing_run_answered(struct guest *guest, int what,
		    const struct timing_parameters *parameters,
		    unsigned int requests)
{
	if (!parameters->count || parameters->count > TIMING_MAX)
		errx(1, "%u accesses cannot be timed", parameters->count);
	memcpy(guest->ram + PARAMETERS_ADDR, parameters, sizeof(*parameters));
	command(guest, what, 0, 0, 0);
	if (guest->requests != (int)requests)
		errx(1, "%d of %u accesses reached the device model, not %u",
		     guest->requests, parameters->count, requests);
	return (void *)(guest->ram + SAMPLES_ADDR);
}

/* The same, and no access reaches the device model. */
static inline const struct timing_sample *
timing_run(struct guest *guest, int what,
	   const struct timing_parameters *parameters)
{
	return timing_run_answered(guest, what, parameters, 0);
}

/* Add the time of each access to the samples, in nanoseconds. */
static inline void timing_add(struct samples *samples,
			      const struct timing_sample *timed,
			      unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		samples_add(samples, tsc_to_ns(timed[i].end - timed[i].start));
}

#endif /* TIMING_GUEST_H */
