// SPDX-License-Identifier: GPL-2.0
/*
 * A User VM that does nothing but notify, on the real hypervisor: what each
 * notification takes, and what it costs the Service VM.
 *
 * Variants: "in-tree", "ours" and "ours-thread" as in bench.sh, "floor", a data
 * plane that only completes, and "exit", a CPUID in place of the write, which
 * the hypervisor deals with alone.
 *
 * Once acrn_exits.ko is loaded VM exits are counted and nothing else is
 * measured.
 */
#include <stdbool.h>
#include <sys/sysinfo.h>

#include "acrn_hypercall.h"
#include "timing_guest.h"

#define BELL_PORT  0x1000
#define BELL_VALUE 1

/* The kernel tells the time of idle CPUs in units of 10 ms: 1 % of these. */
#define TIMED 10000
/* What fits into the hypervisor's rings with much to spare. */
#define COUNTED 500

#define EXITS_PATH "/sys/kernel/debug/acrn_exits"
#define CPUS_MAX   8
#define REASONS	   128

static const char *variant;

static bool is_variant(const char *name)
{
	return !strcmp(variant, name);
}

/* Does the variant have doorbells that signal? */
static bool signals(void)
{
	return !is_variant("floor") && !is_variant("exit");
}

static bool counts_exits(void)
{
	return !access(EXITS_PATH, F_OK);
}

static FILE *open_counters(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		err(1, "%s", path);
	return file;
}

/**
 * struct costs - What there was since the machine was switched on
 * @time:	By the time stamp counter
 * @idle:	Microseconds in which a CPU of the Service VM had nothing to do
 * @cpus:	How many it has
 * @switches:	Context switches in the Service VM
 * @exits:	Of each physical CPU, by reason
 * @lost:	Exits that have not been counted
 */
struct costs {
	uint64_t time;
	double idle[CPUS_MAX];
	unsigned int cpus;
	unsigned long switches;
	unsigned long exits[CPUS_MAX][REASONS];
	bool lost;
};

static void read_stat(struct costs *costs)
{
	FILE *file = open_counters("/proc/stat");
	unsigned long idle, iowait;
	char line[4096];
	unsigned int cpu;

	while (fgets(line, sizeof(line), file)) {
		sscanf(line, "ctxt %lu", &costs->switches);
		if (sscanf(line, "cpu%u %*u %*u %*u %lu %lu", &cpu, &idle,
			   &iowait) == 3 &&
		    cpu < CPUS_MAX) {
			costs->idle[cpu] =
				(idle + iowait) * 1e6 / sysconf(_SC_CLK_TCK);
			costs->cpus = cpu + 1;
		}
	}
	fclose(file);
}

static void read_exits(struct costs *costs)
{
	FILE *file = open_counters(EXITS_PATH);
	unsigned int cpu, reason;
	unsigned long count;
	char line[128];

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%u %u %lu", &cpu, &reason, &count) == 3 &&
		    cpu < CPUS_MAX && reason < REASONS)
			costs->exits[cpu][reason] = count;
		else
			costs->lost = true;
	fclose(file);
}

static struct costs read_costs(void)
{
	struct costs costs = { 0 };

	if (counts_exits())
		read_exits(&costs);
	read_stat(&costs);
	costs.time = tsc();
	return costs;
}

static void value(const char *what, const char *metric, const char *unit,
		  double number)
{
	printf("row: {\"case\": \"%s\", \"metric\": \"%s\", \"unit\": \"%s\", \"n\": 1, \"p50\": %.6g}\n",
	       what, metric, unit, number);
	fflush(stdout);
}

static void print_busy(const char *what, const struct costs *from,
		       const struct costs *to)
{
	double us = tsc_to_ns(to->time - from->time) / 1e3;
	char metric[64];

	for (unsigned int cpu = 0; cpu < to->cpus; cpu++) {
		snprintf(metric, sizeof(metric), "CPU %u of the Service VM",
			 cpu);
		value(what, metric, "us per ring",
		      (us - (to->idle[cpu] - from->idle[cpu])) / TIMED);
	}
	value(what, "context switches", "per ring",
	      (double)(to->switches - from->switches) / TIMED);
}

/* What Intel calls the reasons that there are here. */
static const char *reason_name(unsigned int reason)
{
	static const char *const names[REASONS] = {
		[1] = "external interrupt",
		[7] = "interrupt window",
		[10] = "CPUID",
		[12] = "HLT",
		[18] = "VMCALL",
		[30] = "I/O instruction",
		[31] = "RDMSR",
		[32] = "WRMSR",
		[44] = "APIC access",
		[45] = "virtualized EOI",
		[48] = "EPT violation",
		[56] = "APIC write",
	};

	return names[reason] ? names[reason] : "other";
}

static double exits_per_ring(const struct costs *from, const struct costs *to,
			     unsigned int cpu, unsigned int reason)
{
	return (double)(to->exits[cpu][reason] - from->exits[cpu][reason]) /
	       COUNTED;
}

/* A note with all reasons on all CPUs. */
static void print_reasons(const char *what, const struct costs *from,
			  const struct costs *to)
{
	const char *before = "";
	double count;

	printf("note: %s, %s: ", variant, what);
	for (unsigned int cpu = 0; cpu < CPUS_MAX; cpu++)
		for (unsigned int reason = 0; reason < REASONS; reason++) {
			count = exits_per_ring(from, to, cpu, reason);
			if (count < 0.1)
				continue;
			printf("%s%.2f x %s on CPU %u", before, count,
			       reason_name(reason), cpu);
			before = ", ";
		}
	printf("\n");
}

static void print_exits(const char *what, const struct costs *from,
			const struct costs *to)
{
	char metric[64];
	double all = 0, one;

	if (to->lost)
		errx(1, "%s: more exits than the hypervisor's rings hold",
		     what);
	print_reasons(what, from, to);
	for (unsigned int cpu = 0; cpu < CPUS_MAX; cpu++) {
		one = 0;
		for (unsigned int reason = 0; reason < REASONS; reason++)
			one += exits_per_ring(from, to, cpu, reason);
		snprintf(metric, sizeof(metric), "exits on CPU %u", cpu);
		if (one >= 0.1)
			value(what, metric, "per ring", one);
		all += one;
	}
	value(what, "exits", "per ring", all);
}

static void pin(pthread_t thread, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	errno = pthread_setaffinity_np(thread, sizeof(set), &set);
	if (errno)
		err(1, "CPU %u", cpu);
}

/**
 * struct reader - A thread that takes what the doorbell signals
 * @thread:	The thread, on the Service VM's last CPU
 * @efd:	What it reads
 * @events:	What it has read
 */
struct reader {
	pthread_t thread;
	int efd;
	volatile uint64_t events;
};

static void *read_events(void *data)
{
	struct reader *reader = data;
	uint64_t count;

	while (read(reader->efd, &count, sizeof(count)) == sizeof(count))
		reader->events += count;
	err(1, "eventfd");
}

static void reader_start(struct reader *reader)
{
	errno = pthread_create(&reader->thread, NULL, read_events, reader);
	if (errno)
		err(1, "thread");
	pin(reader->thread, get_nprocs() - 1);
	/* Let it begin to wait */
	usleep(100000);
}

static void reader_stop(struct reader *reader)
{
	usleep(100000);
	pthread_cancel(reader->thread);
	pthread_join(reader->thread, NULL);
}

/* Ring; whoever is asked answers. Prints what it took. */
static void measure(struct guest *guest, const char *what, int requests)
{
	const unsigned int count = counts_exits() ? COUNTED : TIMED;
	const struct timing_parameters parameters = {
		.address = BELL_PORT,
		.value = BELL_VALUE,
		.count = count,
	};
	const struct timing_sample *timed =
		(const void *)(guest->ram + SAMPLES_ADDR);
	struct costs from, to;

	memcpy(guest->ram + PARAMETERS_ADDR, &parameters, sizeof(parameters));
	from = read_costs();
	command(guest, is_variant("exit") ? TIME_CPUID : TIME_OUT2, 0, 0, 0);
	to = read_costs();
	if (guest->requests != requests * (int)count)
		errx(1, "%s: %d of %u reached the device model", what,
		     guest->requests, count);
	if (counts_exits()) {
		print_exits(what, &from, &to);
		return;
	}
	value(what, "a ring", "us",
	      tsc_to_ns(timed[count - 1].end - timed[0].start) / 1e3 / count);
	print_busy(what, &from, &to);
}

static void measure_signals(int cpu, const char *what, bool reads)
{
	struct guest guest = timing_guest_create(cpu, 0);
	struct reader reader = { .efd = eventfd(0, EFD_CLOEXEC) };
	uint64_t expected = counts_exits() ? COUNTED : TIMED;

	if (!is_variant("exit") &&
	    raw_ioeventfd(&guest.vm, reader.efd,
			  ACRN_IOEVENTFD_FLAG_PIO |
				  ACRN_IOEVENTFD_FLAG_DATAMATCH,
			  BELL_PORT, 2, BELL_VALUE))
		err(1, "IOEVENTFD");
	if (reads)
		reader_start(&reader);
	measure(&guest, what, 0);
	if (reads)
		reader_stop(&reader);
	else if (signals() && read(reader.efd, (uint64_t *)&reader.events,
				   sizeof(reader.events)) < 0)
		err(1, "eventfd");
	if (signals() && reader.events != expected)
		errx(1, "%s: %llu of %llu events", what,
		     (unsigned long long)reader.events,
		     (unsigned long long)expected);
	guest_end(&guest);
	close(reader.efd);
}

static void measure_user_space(int cpu, const char *what)
{
	struct guest guest = timing_guest_create(cpu, 0);

	measure(&guest, what, 1);
	guest_end(&guest);
}

int main(int argc, char **argv)
{
	int cpu;

	if (argc != 3)
		errx(2, "usage: bench-rings VARIANT CPU");
	variant = argv[1];
	cpu = atoi(argv[2]);
	/* Upcalls come to the first CPU */
	pin(pthread_self(), get_nprocs() - 1);
	measure_signals(cpu, "nobody reads", false);
	if (!signals())
		return 0;
	measure_signals(cpu, "a thread reads", true);
	if (!is_variant("ours-thread"))
		measure_user_space(cpu, "user space answers");
	return 0;
}
