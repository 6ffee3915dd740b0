/* SPDX-License-Identifier: GPL-2.0 */
/* What the hypervisor reads from the firmware's ACPI tables. */
#ifndef HV_ACPI_H
#define HV_ACPI_H

#include "types.h"

/*
 * Returns the number of CPUs. Panics unless their APIC ids are 0, 1 and so on.
 */
u32 acpi_count_cpus(void);

/* Returns the I/O port of the PM timer, which counts at 3.579545 MHz. */
u16 acpi_pm_timer_port(void);

#endif /* HV_ACPI_H */
