// SPDX-License-Identifier: GPL-2.0
/*
 * What an interrupt into the User VM takes: from the write to the eventfd of an
 * irqfd to the first instruction of the guest's handler, and until the write
 * returns. Once with a guest that sleeps and once with one that runs.
 */
#include <stdbool.h>

#include "costs.h"
#include "irq_guest.h"
#include "raw_guest.h"
#include "trace.h"

/* The User VM's address space beside that of raw_guest.h */
#define COUNTER_ADDR 0x9000
#define TIMES_ADDR   0x100000

#define MSI_VECTOR 0x41

#define TIMED  2000
#define TRACED 200
#define WARM   10

/* Answers to the User VM's question for a command: what to do for good. */
#define WAIT_HALTED  1
#define WAIT_RUNNING 2

static const char *variant;

/*
 * What the User VM runs: switch on its local APIC, in x2APIC mode, and wait.
 * The handler begins with reading the time; nothing else uses the registers.
 */
extern const char msi_code[], msi_handler[], msi_code_end[];
asm(".pushsection .rodata\n"
    "msi_code:\n"
    ".code32\n"
    "	apic_on\n"
    "	mov $0x80, %edx\n"
    "	in (%dx), %eax\n"
    "	sti\n"
    "	cmp $1, %eax\n"
    "	jne msi_run\n"
    "msi_halt:\n"
    "	hlt\n"
    "	jmp msi_halt\n"
    "msi_run:\n"
    "	pause\n"
    "	jmp msi_run\n"
    "msi_handler:\n"
    "	rdtsc\n"
    "	mov 0x9000, %ebx\n"
    "	mov %eax, 0x100000(, %ebx, 8)\n"
    "	mov %edx, 0x100004(, %ebx, 8)\n"
    "	apic_eoi\n"
    "	incl 0x9000\n"
    "	iret\n"
    ".code64\n"
    "msi_code_end:\n"
    ".popsection\n");

/* Wait until the guest has had @count interrupts, then a while longer. */
static void wait_for(const struct guest *guest, uint32_t count)
{
	const volatile uint32_t *counter = (void *)(guest->ram + COUNTER_ADDR);
	uint64_t start = tsc(), seen;

	while (*counter != count)
		if (tsc_to_ns(tsc() - start) > 5e9)
			errx(1, "%u events, %u interrupts", count, *counter);
	for (seen = tsc(); tsc_to_ns(tsc() - seen) < gap_us() * 1e3;)
		;
	if (*counter != count)
		errx(1, "%u events, %u interrupts", count, *counter);
}

/*
 * Signal @count times, each when the last has been seen. Times in nanoseconds
 * go to @handler and @back unless they are NULL.
 */
static void signal_each(const struct guest *guest, int efd, unsigned int count,
			struct samples *handler, struct samples *back)
{
	volatile uint32_t *counter = (void *)(guest->ram + COUNTER_ADDR);
	const uint64_t *times = (void *)(guest->ram + TIMES_ADDR);
	uint64_t before, after;

	*counter = 0;
	for (unsigned int i = 0; i < count; i++) {
		before = tsc();
		raw_signal(efd);
		after = tsc();
		wait_for(guest, i + 1);
		if (handler)
			samples_add(handler, tsc_to_ns(times[i] - before));
		if (back)
			samples_add(back, tsc_to_ns(after - before));
	}
}

static void count_line(uint64_t time, const char *what, void *context)
{
	(void)time;
	(void)what;
	++*(unsigned int *)context;
}

/* How often the kernel allocates memory for each of them. */
static void measure_allocations(const struct guest *guest, int efd,
				const char *what)
{
	struct samples samples = samples_create(1);
	unsigned int count = 0;
	char filter[32];

	snprintf(filter, sizeof(filter), "common_pid == %d", getpid());
	trace_init();
	trace_set("events/kmem/filter", filter);
	trace_set("events/kmem/kmalloc/enable", "1");
	trace_set("events/kmem/kmem_cache_alloc/enable", "1");
	trace_set("events/kmem/mm_page_alloc/enable", "1");
	trace_on(true);
	signal_each(guest, efd, TRACED, NULL, NULL);
	trace_on(false);
	trace_read(count_line, &count);
	trace_set("events/kmem/filter", "0");
	trace_exit();
	samples_add(&samples, (double)count / TRACED);
	row(what, "allocations per event", "allocations", &samples);
}

static void measure_times(const struct guest *guest, int efd, const char *what)
{
	struct samples handler = samples_create(TIMED);
	struct samples back = samples_create(TIMED);

	signal_each(guest, efd, TIMED, &handler, &back);
	measure_allocations(guest, efd, what);
	row(what, "eventfd to handler", "ns", &handler);
	row(what, "write to the eventfd", "ns", &back);
}

static void measure_exits(const struct guest *guest, int efd, const char *what)
{
	struct spent spent = { .what = what,
			       .unit = "per event",
			       .count = COUNTED };

	spent.from = read_costs();
	signal_each(guest, efd, COUNTED, NULL, NULL);
	spent.to = read_costs();
	print_spent(variant, &spent);
}

static void measure(int cpu, int wait, const char *what)
{
	struct guest guest = guest_create(cpu, 0);
	int efd = raw_eventfd();

	memcpy(guest.ram + CODE_ADDR, msi_code, msi_code_end - msi_code);
	((uint64_t *)(guest.ram + RAW_IDT))[MSI_VECTOR] =
		irq_gate(CODE_ADDR + (msi_handler - msi_code));
	create_client(&guest);
	start(&guest);
	wait_request(&guest);
	finish(&guest, wait);
	if (raw_irqfd(&guest.vm, efd, 0, guest.vm.msi, MSI_VECTOR))
		err(1, "IRQFD");
	signal_each(&guest, efd, WARM, NULL, NULL);
	if (counts_exits())
		measure_exits(&guest, efd, what);
	else
		measure_times(&guest, efd, what);
	guest_end(&guest);
	close(efd);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: bench-msi VARIANT CPU");
	variant = argv[1];
	measure(atoi(argv[2]), WAIT_HALTED, "guest sleeps");
	measure(atoi(argv[2]), WAIT_RUNNING, "guest runs");
	return 0;
}
