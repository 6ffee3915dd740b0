// SPDX-License-Identifier: GPL-2.0
#include "acpi.h"
#include "log.h"
#include "string.h"

#define BIOS_START	   0xe0000UL
#define BIOS_END	   0x100000UL
#define RSDP_ALIGN	   16
#define FADT_PM_TMR_BLK	   76
#define MADT_LAPIC	   0
#define MADT_LAPIC_ENABLED 1

struct acpi_rsdp {
	char signature[8];
	u8 checksum;
	char oem[6];
	u8 revision;
	u32 rsdt;
} __attribute__((packed));

struct acpi_table {
	char signature[4];
	u32 length;
	u8 rest[28];
} __attribute__((packed));

struct acpi_rsdt {
	struct acpi_table header;
	u32 tables[];
} __attribute__((packed));

struct acpi_madt {
	struct acpi_table header;
	u32 lapic_address;
	u32 flags;
	u8 entries[];
} __attribute__((packed));

struct madt_lapic {
	u8 type;
	u8 length;
	u8 processor;
	u8 apic_id;
	u32 flags;
} __attribute__((packed));

static const struct acpi_rsdt *find_rsdt(void)
{
	for (u64 p = BIOS_START; p < BIOS_END; p += RSDP_ALIGN) {
		const struct acpi_rsdp *rsdp = (void *)p;

		if (!memcmp(rsdp->signature, "RSD PTR ", 8))
			return (void *)(u64)rsdp->rsdt;
	}
	panic("no ACPI tables");
}

static const void *find_table(const char *signature)
{
	const struct acpi_rsdt *rsdt = find_rsdt();
	u32 n = (rsdt->header.length - sizeof(rsdt->header)) / sizeof(u32);

	for (u32 i = 0; i < n; i++) {
		const struct acpi_table *table = (void *)(u64)rsdt->tables[i];

		if (!memcmp(table->signature, signature, 4))
			return table;
	}
	panic("no ACPI table %s", signature);
}

u32 acpi_count_cpus(void)
{
	const struct acpi_madt *madt = find_table("APIC");
	const u8 *end = (const u8 *)madt + madt->header.length;
	u32 n = 0;

	for (const u8 *p = madt->entries; p < end; p += p[1]) {
		const struct madt_lapic *lapic = (const void *)p;

		if (lapic->type != MADT_LAPIC ||
		    !(lapic->flags & MADT_LAPIC_ENABLED))
			continue;
		if (lapic->apic_id != n)
			panic("CPU %u has local APIC id %u", n, lapic->apic_id);
		n++;
	}
	return n;
}

u16 acpi_pm_timer_port(void)
{
	const u8 *fadt = find_table("FACP");
	u32 port;

	memcpy(&port, fadt + FADT_PM_TMR_BLK, sizeof(port));
	if (!port)
		panic("no ACPI PM timer");
	return port;
}
