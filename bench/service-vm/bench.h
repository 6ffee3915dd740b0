/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the measuring programs have in common: time, samples, and the rows that
 * bench.py reads. To be included by one source file of a program.
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

/* Time in cycles; the same clock for the Service VM and its User VMs. */
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

/* Whether this is the real hypervisor and not the fixture; from service-init.
 */
static inline bool on_acrn(void)
{
	const char *on = getenv("on");

	return on && !strcmp(on, "acrn");
}

/* Until the Service VM is idle again after an operation; it is slower in Bochs.
 */
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
 * Keep this CPU of the Service VM from halting for as long as the program
 * lives, by a thread that runs when nothing else wants to. It never enters the
 * kernel: what interrupts it begins at once, and idle loops that poll do not
 * (QEMU takes its global lock for every PAUSE). As an idle loop would, it
 * leaves the address space alone that a vhost worker is going to use. On the
 * real hypervisor nothing of this is needed, as no time passes unseen there.
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
 * struct samples - What one case gave in one round
 * @values:	In the unit of the row
 * @count:	How many of them are there
 * @room:	How many there can be
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

/* The least sample that @percent of all do not exceed; the least of all for 0.
 */
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
