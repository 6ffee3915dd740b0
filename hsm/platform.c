// SPDX-License-Identifier: GPL-2.0
/*
 * The CPUs of the machine. The Service VM has some of them; but its ACPI tables
 * are those of the machine, and ACRN numbers CPUs as the table of interrupt
 * controllers, the MADT, lists them (local_parse_madt() in its acpi_base.c).
 */
#include <linux/acpi.h>
#include <linux/bits.h>
#include <linux/init.h>

#include "hsm.h"

/* A bit for each CPU of the machine. Constant once the module is loaded */
static u64 cpus __ro_after_init = ~0ULL;

/* Whether an entry of the table is a CPU that is enabled. */
static bool __init is_cpu(const struct acpi_subtable_header *entry)
{
	const struct acpi_madt_local_apic *apic = (const void *)entry;

	return entry->type == ACPI_MADT_TYPE_LOCAL_APIC &&
	       entry->length >= sizeof(*apic) &&
	       apic->lapic_flags & ACPI_MADT_ENABLED;
}

/* Count the CPUs in the table. No entry is read beyond the end of the table. */
static unsigned int __init count_cpus(const struct acpi_table_header *madt)
{
	const void *end = (const void *)madt + madt->length;
	const struct acpi_subtable_header *entry =
		(const void *)madt + sizeof(struct acpi_table_madt);
	unsigned int count = 0;

	while ((const void *)(entry + 1) <= end &&
	       entry->length >= sizeof(*entry) &&
	       (const void *)entry + entry->length <= end) {
		count += is_cpu(entry);
		entry = (const void *)entry + entry->length;
	}
	return count;
}

/**
 * acrn_platform_init() - Find out which CPUs the machine has
 *
 * Without a table, or with more CPUs than fit into a mask, any may be there.
 *
 * Context: Process context, when the module is loaded.
 */
void __init acrn_platform_init(void)
{
	struct acpi_table_header *madt;
	unsigned int count;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_MADT, 0, &madt)))
		return;
	count = count_cpus(madt);
	acpi_put_table(madt);
	if (count && count < BITS_PER_LONG_LONG)
		cpus = GENMASK_ULL(count - 1, 0);
}

/**
 * acrn_platform_has() - Whether the machine has all CPUs of a mask
 * @mask:	&acrn_vm_creation.cpu_affinity
 *
 * Context: Any, no lock needed.
 * Return: true if it has
 */
bool acrn_platform_has(u64 mask)
{
	return !(mask & ~cpus);
}
