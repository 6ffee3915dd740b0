/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ACPI tables of the guest. They describe a hardware-reduced platform,
 * whose only registers are those that switch the VM off and reset it, see
 * power.c. They are written into guest memory at each start of the VM.
 */
#ifndef DM_ACPI_H
#define DM_ACPI_H

#include <stddef.h>
#include <stdint.h>

/* Guests search these addresses for the RSDP; all tables are placed here. */
#define ACPI_BASE 0xf0000
#define ACPI_SIZE 0x10000

#define ACPI_SLEEP_CONTROL_PORT 0x600
#define ACPI_SLEEP_STATUS_PORT	0x601
#define ACPI_RESET_PORT		0x602
#define ACPI_RESET_VALUE	1

/* Sleep control register. The type is that of \_S5 in dsdt.asl. */
#define ACPI_SLEEP_ENABLE     0x20
#define ACPI_SLEEP_TYPE_SHIFT 2
#define ACPI_SLEEP_TYPE_MASK  0x1c
#define ACPI_SLEEP_TYPE_S5    5

size_t acpi_build(uint8_t *buf, size_t size, uint64_t gpa,
		  const uint8_t *lapic_ids, unsigned int vcpus,
		  const uint8_t *dsdt, size_t dsdt_size);

#endif /* DM_ACPI_H */
