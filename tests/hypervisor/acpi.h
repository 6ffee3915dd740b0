/* SPDX-License-Identifier: GPL-2.0 */
/* The few facts that the hypervisor takes from the firmware's ACPI tables. */
#ifndef HV_ACPI_H
#define HV_ACPI_H

#include "types.h"

/* Number of CPUs; their local APIC ids are 0 and up, or this panics. */
u32 acpi_count_cpus(void);

/* I/O port of the power management timer, which counts at 3.579545 MHz. */
u16 acpi_pm_timer_port(void);

#endif /* HV_ACPI_H */
