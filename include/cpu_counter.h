/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters of a hot path: a u64 for each CPU, counted with this_cpu_inc(), which
 * is one instruction and takes no lock.
 */
#ifndef CPU_COUNTER_H
#define CPU_COUNTER_H

#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/types.h>

/**
 * cpu_counter_sum() - Read a counter
 * @counter:	Counter
 *
 * Context: Any.
 * Return: the sum of what the CPUs have counted
 */
static inline u64 cpu_counter_sum(const u64 __percpu *counter)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*per_cpu_ptr(counter, cpu));
	return sum;
}

#endif /* CPU_COUNTER_H */
