// sources: dm/boot/acpi.c
// SPDX-License-Identifier: GPL-2.0
/*
 * The device model's ACPI tables: they must be found from the RSDP, be complete
 * and have correct checksums.
 */
#include <stdint.h>
#include <string.h>

#include "dm/boot/acpi.h"
#include "tap.h"

#define GPA 0xf0000

static uint8_t buf[4096];
static uint8_t dsdt[36] = "DSDT\x24";
static const uint8_t lapic_ids[16] = { 3, 2, 8, 255 };

static uint8_t sum(const uint8_t *p, size_t size)
{
	uint8_t total = 0;

	while (size--)
		total += *p++;
	return total;
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/* The table at @gpa, after checking its signature and checksum. */
static const uint8_t *table(uint64_t gpa, const char *signature)
{
	const uint8_t *p = buf + (gpa - GPA);

	tap_ok(gpa >= GPA && gpa < GPA + sizeof(buf) && gpa % 16 == 0 &&
		       !memcmp(p, signature, 4),
	       "%s is there", signature);
	tap_eq(sum(p, get32(p + 4)), 0, "%s: checksum", signature);
	return p;
}

static void check_madt(const uint8_t *madt, unsigned int vcpus)
{
	uint32_t length = get32(madt + 4), offset = 44;
	unsigned int lapics = 0, ioapics = 0;

	while (offset < length && madt[offset + 1]) {
		if (madt[offset] == 0) {
			tap_eq(madt[offset + 3], lapic_ids[lapics],
			       "local APIC %u", lapics);
			tap_eq(get32(madt + offset + 4), 1,
			       "the local APIC is enabled");
			lapics++;
		} else if (madt[offset] == 1) {
			tap_eq(get32(madt + offset + 4), 0xfec00000,
			       "address of the I/O APIC");
			tap_eq(get32(madt + offset + 8), 0,
			       "first GSI of the I/O APIC");
			ioapics++;
		}
		offset += madt[offset + 1];
	}
	tap_eq(offset, length, "the MADT's entries end with the table");
	tap_eq(lapics, vcpus, "a local APIC for each vCPU");
	tap_eq(ioapics, 1, "one I/O APIC");
}

static void check_all(unsigned int vcpus)
{
	const uint8_t *xsdt, *fadt, *madt;

	tap_ok(acpi_build(buf, sizeof(buf), GPA, lapic_ids, vcpus, dsdt,
			  sizeof(dsdt)),
	       "tables of %u vCPUs", vcpus);
	tap_ok(!memcmp(buf, "RSD PTR ", 8), "RSDP");
	tap_eq(sum(buf, 20), 0, "RSDP: checksum of revision 0");
	tap_eq(sum(buf, 36), 0, "RSDP: extended checksum");
	xsdt = table(get32(buf + 24), "XSDT");
	tap_eq(get32(xsdt + 4), 36 + 2 * 8, "XSDT: two tables");
	fadt = table(get32(xsdt + 36), "FACP");
	madt = table(get32(xsdt + 44), "APIC");
	tap_ok(get32(fadt + 112) & 1 << 20, "FADT: hardware-reduced");
	tap_eq(get32(fadt + 120), ACPI_RESET_PORT, "FADT: reset register");
	tap_eq(get32(fadt + 248), ACPI_SLEEP_CONTROL_PORT,
	       "FADT: sleep control register");
	tap_eq(get32(fadt + 260), ACPI_SLEEP_STATUS_PORT,
	       "FADT: sleep status register");
	tap_eq(get32(fadt + 40), get32(fadt + 140),
	       "FADT: both addresses of the DSDT are the same");
	table(get32(fadt + 140), "DSDT");
	check_madt(madt, vcpus);
}

int main(void)
{
	size_t used;

	dsdt[9] = -sum(dsdt, sizeof(dsdt));
	check_all(1);
	check_all(16);
	used = acpi_build(buf, sizeof(buf), GPA, lapic_ids, 2, dsdt,
			  sizeof(dsdt));
	tap_eq(acpi_build(buf, used, GPA, lapic_ids, 2, dsdt, sizeof(dsdt)),
	       used, "tables fit in exactly enough room");
	tap_eq(acpi_build(buf, used - 1, GPA, lapic_ids, 2, dsdt, sizeof(dsdt)),
	       0, "tables do not fit in a byte less");
	return tap_done();
}
