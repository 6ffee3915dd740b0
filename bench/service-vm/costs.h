/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What operations cost the Service VM on the real hypervisor: the time of its
 * CPUs and context switches or, once acrn_exits.ko is loaded, VM exits.
 *
 * To be included by one source file of a program.
 */
#ifndef COSTS_H
#define COSTS_H

#include "bench.h"

#define EXITS_PATH "/sys/kernel/debug/acrn_exits"
#define CPUS_MAX   8
#define REASONS	   128

/* Number of operations whose exits easily fit into the hypervisor's rings */
#define COUNTED 500

/* Whether exits are counted. Then times mean nothing. */
static inline bool counts_exits(void)
{
	return !access(EXITS_PATH, F_OK);
}

static inline FILE *open_counters(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file)
		err(1, "%s", path);
	return file;
}

/**
 * struct costs - Counters since the machine was switched on
 * @time:	Time stamp counter
 * @idle:	Microseconds in which CPUs of the Service VM were idle
 * @cpus:	Number of these CPUs
 * @switches:	Context switches in the Service VM
 * @exits:	VM exits of each physical CPU, by reason
 * @lost:	Exits that were not counted
 */
struct costs {
	uint64_t time;
	double idle[CPUS_MAX];
	unsigned int cpus;
	unsigned long switches;
	unsigned long exits[CPUS_MAX][REASONS];
	bool lost;
};

static inline void read_stat(struct costs *costs)
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

static inline void read_exits(struct costs *costs)
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

static inline struct costs read_costs(void)
{
	struct costs costs = { 0 };

	if (counts_exits())
		read_exits(&costs);
	read_stat(&costs);
	costs.time = tsc();
	return costs;
}

/**
 * struct spent - What a number of operations has cost
 * @what:	Name of the case
 * @unit:	Unit of the row, such as "per ring"
 * @count:	Number of operations
 * @from:	Counters before the first operation
 * @to:		Counters after the last operation
 */
struct spent {
	const char *what;
	const char *unit;
	unsigned int count;
	struct costs from;
	struct costs to;
};

static inline void print_busy(const struct spent *spent)
{
	const struct costs *from = &spent->from, *to = &spent->to;
	double us = tsc_to_ns(to->time - from->time) / 1e3;
	char metric[64], unit[32];

	snprintf(unit, sizeof(unit), "us %s", spent->unit);
	for (unsigned int cpu = 0; cpu < to->cpus; cpu++) {
		snprintf(metric, sizeof(metric), "CPU %u of the Service VM",
			 cpu);
		value(spent->what, metric, unit,
		      (us - (to->idle[cpu] - from->idle[cpu])) / spent->count);
	}
	value(spent->what, "context switches", spent->unit,
	      (double)(to->switches - from->switches) / spent->count);
}

/* Names of exit reasons, from Intel's manual */
static inline const char *reason_name(unsigned int reason)
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
		[40] = "PAUSE",
		[44] = "APIC access",
		[45] = "virtualized EOI",
		[48] = "EPT violation",
		[56] = "APIC write",
	};

	return names[reason] ? names[reason] : "other";
}

static inline double exits_each(const struct spent *spent, unsigned int cpu,
				unsigned int reason)
{
	return (double)(spent->to.exits[cpu][reason] -
			spent->from.exits[cpu][reason]) /
	       spent->count;
}

/* Print a note with the exits of each CPU by reason. */
static inline void print_reasons(const char *variant, const struct spent *spent)
{
	const char *before = "";
	double count;

	printf("note: %s, %s: ", variant, spent->what);
	for (unsigned int cpu = 0; cpu < CPUS_MAX; cpu++)
		for (unsigned int reason = 0; reason < REASONS; reason++) {
			count = exits_each(spent, cpu, reason);
			if (count < 0.1)
				continue;
			printf("%s%.2f x %s on CPU %u", before, count,
			       reason_name(reason), cpu);
			before = ", ";
		}
	printf("\n");
}

static inline void print_exits(const struct spent *spent)
{
	char metric[64];
	double all = 0, one;

	if (spent->to.lost)
		errx(1, "%s: more exits than the hypervisor's rings hold",
		     spent->what);
	for (unsigned int cpu = 0; cpu < CPUS_MAX; cpu++) {
		one = 0;
		for (unsigned int reason = 0; reason < REASONS; reason++)
			one += exits_each(spent, cpu, reason);
		snprintf(metric, sizeof(metric), "exits on CPU %u", cpu);
		if (one >= 0.1)
			value(spent->what, metric, spent->unit, one);
		all += one;
	}
	value(spent->what, "exits", spent->unit, all);
}

/* Print the rows of this round: exits if they are counted, times otherwise. */
static inline void print_spent(const char *variant, const struct spent *spent)
{
	if (!counts_exits()) {
		print_busy(spent);
		return;
	}
	print_reasons(variant, spent);
	print_exits(spent);
}

#endif /* COSTS_H */
