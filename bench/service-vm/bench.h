/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time, samples and rows, which bench.py reads, for the programs that measure.
 * To be included by one source file of a program.
 */
#ifndef BENCH_H
#define BENCH_H

#include <cpuid.h>
#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acrn_hypercall.h"

/* Time in cycles of the TSC, which Service VM and User VMs have in common. */
static inline uint64_t tsc(void)
{
	return __builtin_ia32_rdtsc();
}

static inline double tsc_to_ns(uint64_t cycles)
{
	static unsigned int khz;
	unsigned int ebx, ecx, edx;

	if (!khz)
		__cpuid(ACRN_CPUID_LEAF_TIMING, khz, ebx, ecx, edx);
	return cycles * 1e6 / khz;
}

/* Whether this is the real hypervisor: service-init sets the variable. */
static inline bool on_acrn(void)
{
	const char *on = getenv("on");

	return on && !strcmp(on, "acrn");
}

/* Time after an operation in which the Service VM becomes idle again. */
static inline unsigned int gap_us(void)
{
	return on_acrn() ? 500 : 50;
}

static inline void *spin(void *unused)
{
	const struct sched_param param = { 0 };

	(void)unused;
	if (sched_setscheduler(0, SCHED_IDLE, &param))
		err(1, "idle scheduling");
	for (;;)
		asm volatile("");
}

/*
 * Keep this CPU of the Service VM from halting until the program ends, by a
 * thread that runs when nothing else does. The thread never enters the kernel,
 * so that an interrupt is taken at once. An idle loop that polls will not do,
 * because QEMU takes its global lock for every PAUSE. Like an idle loop, the
 * thread does not change the address space that a vhost worker uses next. On
 * the real hypervisor this is not needed, as time there does not depend on what
 * the host does.
 */
static inline void keep_awake(void)
{
	pthread_t thread;

	if (on_acrn())
		return;
	errno = pthread_create(&thread, NULL, spin, NULL);
	if (errno)
		err(1, "thread");
}

/**
 * struct samples - Samples of one case in one round
 * @values:	Samples, in the unit of the row
 * @count:	Number of @values
 * @room:	Number of @values that fit
 */
struct samples {
	double *values;
	unsigned int count;
	unsigned int room;
};

static inline struct samples samples_create(unsigned int room)
{
	struct samples samples = { .values = calloc(room, sizeof(double)),
				   .room = room };

	if (!samples.values)
		err(1, "%u samples", room);
	return samples;
}

static inline void samples_add(struct samples *samples, double value)
{
	if (samples->count == samples->room)
		errx(1, "more than %u samples", samples->room);
	samples->values[samples->count++] = value;
}

static inline int samples_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A percentile of the samples, which are sorted; the least one for 0. */
static inline double samples_percentile(const struct samples *samples,
					unsigned int percent)
{
	unsigned int rank = (samples->count * percent + 99) / 100;

	return samples->values[rank ? rank - 1 : 0];
}

/* Print the row of a case and free its samples. */
static inline void row(const char *what, const char *metric, const char *unit,
		       struct samples *samples)
{
	if (!samples->count)
		errx(1, "%s: nothing was measured", what);
	qsort(samples->values, samples->count, sizeof(double), samples_compare);
	printf("row: {\"case\": \"%s\", \"metric\": \"%s\", \"unit\": \"%s\", \"n\": %u, \"min\": %.6g, \"p50\": %.6g, \"p90\": %.6g, \"p99\": %.6g}\n",
	       what, metric, unit, samples->count,
	       samples_percentile(samples, 0), samples_percentile(samples, 50),
	       samples_percentile(samples, 90),
	       samples_percentile(samples, 99));
	fflush(stdout);
	free(samples->values);
}

/* Print the row of a case that has a single value. */
static inline void value(const char *what, const char *metric, const char *unit,
			 double number)
{
	printf("row: {\"case\": \"%s\", \"metric\": \"%s\", \"unit\": \"%s\", \"n\": 1, \"p50\": %.6g}\n",
	       what, metric, unit, number);
	fflush(stdout);
}

#endif /* BENCH_H */
