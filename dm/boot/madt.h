/* SPDX-License-Identifier: GPL-2.0 */
/* Reads the ids of the machine's local APICs from its ACPI table "MADT". */
#ifndef DM_MADT_H
#define DM_MADT_H

#include <stddef.h>
#include <stdint.h>

int madt_parse(const uint8_t *madt, size_t size, uint64_t cpus, uint8_t *ids);
int madt_lapic_ids(uint64_t cpus, uint8_t *ids);

#endif /* DM_MADT_H */
