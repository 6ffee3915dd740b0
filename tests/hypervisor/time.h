/* SPDX-License-Identifier: GPL-2.0 */
/* The TSC's measured rate and the per-CPU timer. */
#ifndef HV_TIME_H
#define HV_TIME_H

#include "types.h"

struct pcpu;

/* TSC ticks per millisecond, measured against the ACPI PM timer. */
extern u64 tsc_khz;

/* Measure the rates of the TSC and of the local APIC timer. */
void time_init(void);

/* Spin for @us microseconds. After time_init(). */
void delay_us(u64 us);

/**
 * cpu_timer_request() - Request a timer interrupt at @deadline at the latest
 * @cpu:	This CPU
 * @deadline:	TSC; 0 requests nothing
 *
 * An earlier deadline that was requested before stays.
 */
void cpu_timer_request(struct pcpu *cpu, u64 deadline);

#endif /* HV_TIME_H */
