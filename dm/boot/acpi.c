// SPDX-License-Identifier: GPL-2.0
/*
 * Layouts and numbers are those of the ACPI specification 6.4, chapter 5.
 *
 * Called through loader_load(), when no vCPU runs: by the main thread at the
 * first start, by the thread that handles I/O requests at each reset. The
 * functions use nothing but their arguments.
 */
#include <string.h>

#include "boot/acpi.h"

#define OEM_ID	       "ACRN  "
#define OEM_TABLE_ID   "VHOSTDM "
#define CREATOR_ID     "ACRN"
#define TABLE_ALIGN    16
#define LAPIC_ADDRESS  0xfee00000
#define IOAPIC_ADDRESS 0xfec00000

#define FADT_REVISION	    6
#define FADT_MINOR_REVISION 4
#define MADT_REVISION	    5

/* FADT flags */
#define FADT_WBINVD		  (1U << 0)
#define FADT_POWER_BUTTON_CONTROL (1U << 4)
#define FADT_SLEEP_BUTTON_CONTROL (1U << 5)
#define FADT_RESET_REGISTER	  (1U << 10)
#define FADT_HW_REDUCED		  (1U << 20)

/* FADT boot architecture flags */
#define FADT_NO_VGA	 (1U << 2)
#define FADT_NO_CMOS_RTC (1U << 5)

#define SPACE_SYSTEM_IO	 1
#define ACCESS_BYTE	 1
#define MADT_LAPIC	 0
#define MADT_IOAPIC	 1
#define MADT_CPU_ENABLED 1

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

/* Bytes that the checksum of ACPI 1.0 covers. */
#define RSDP_V1_SIZE 20

struct table_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct gas {
	uint8_t space;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	uint64_t address;
} __attribute__((packed));

struct fadt {
	struct table_header header;
	uint32_t firmware_ctrl;
	uint32_t dsdt;
	uint8_t reserved0;
	uint8_t pm_profile;
	uint16_t sci_int;
	uint32_t legacy_registers[10];
	uint8_t legacy_lengths[8];
	uint16_t c2_latency;
	uint16_t c3_latency;
	uint16_t flush_size;
	uint16_t flush_stride;
	uint8_t duty_offset;
	uint8_t duty_width;
	uint8_t day_alarm;
	uint8_t month_alarm;
	uint8_t century;
	uint16_t boot_arch;
	uint8_t reserved1;
	uint32_t flags;
	struct gas reset_register;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor_revision;
	uint64_t x_firmware_ctrl;
	uint64_t x_dsdt;
	struct gas x_legacy_registers[8];
	struct gas sleep_control;
	struct gas sleep_status;
	uint64_t hypervisor_vendor;
} __attribute__((packed));

_Static_assert(sizeof(struct fadt) == 276, "FADT of revision 6");

struct xsdt {
	struct table_header header;
	uint64_t tables[2];
} __attribute__((packed));

struct madt {
	struct table_header header;
	uint32_t lapic_address;
	uint32_t flags;
} __attribute__((packed));

struct madt_lapic {
	uint8_t type;
	uint8_t length;
	uint8_t cpu;
	uint8_t apic_id;
	uint32_t flags;
} __attribute__((packed));

struct madt_ioapic {
	uint8_t type;
	uint8_t length;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
} __attribute__((packed));

/**
 * struct builder - Where tables are written to
 * @buf:	Memory
 * @size:	Bytes in @buf
 * @used:	Bytes that the tables take; more than @size if @buf is too small
 * @gpa:	Guest physical address of @buf
 */
struct builder {
	uint8_t *buf;
	size_t size;
	size_t used;
	uint64_t gpa;
};

/* Returns the byte that makes the sum of all bytes 0. */
static uint8_t checksum(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint8_t sum = 0;

	while (size--)
		sum += *p++;
	return -sum;
}

/* Append a table if there is room. Returns its guest physical address. */
static uint64_t append(struct builder *b, const void *table, size_t size)
{
	size_t offset = (b->used + TABLE_ALIGN - 1) & ~(TABLE_ALIGN - 1UL);

	b->used = offset + size;
	if (b->used <= b->size)
		memcpy(b->buf + offset, table, size);
	return b->gpa + offset;
}

/* Fill in the header that every table begins with, but for the checksum. */
static void init_header(struct table_header *header, const char *signature,
			uint8_t revision, size_t length)
{
	memcpy(header->signature, signature, sizeof(header->signature));
	memcpy(header->oem_id, OEM_ID, sizeof(header->oem_id));
	memcpy(header->oem_table_id, OEM_TABLE_ID,
	       sizeof(header->oem_table_id));
	memcpy(header->creator_id, CREATOR_ID, sizeof(header->creator_id));
	header->length = length;
	header->revision = revision;
	header->oem_revision = 1;
	header->creator_revision = 1;
}

static struct gas port_register(uint16_t address)
{
	return (struct gas){ .space = SPACE_SYSTEM_IO,
			     .bit_width = 8,
			     .access_size = ACCESS_BYTE,
			     .address = address };
}

/* Append the table that leads to the DSDT and to the registers of power.c. */
static uint64_t append_fadt(struct builder *b, uint64_t dsdt)
{
	struct fadt fadt = {
		.dsdt = dsdt,
		.x_dsdt = dsdt,
		.boot_arch = FADT_NO_VGA | FADT_NO_CMOS_RTC,
		.flags = FADT_WBINVD | FADT_POWER_BUTTON_CONTROL |
			 FADT_SLEEP_BUTTON_CONTROL | FADT_RESET_REGISTER |
			 FADT_HW_REDUCED,
		.reset_register = port_register(ACPI_RESET_PORT),
		.reset_value = ACPI_RESET_VALUE,
		.minor_revision = FADT_MINOR_REVISION,
		.sleep_control = port_register(ACPI_SLEEP_CONTROL_PORT),
		.sleep_status = port_register(ACPI_SLEEP_STATUS_PORT),
	};

	init_header(&fadt.header, "FACP", FADT_REVISION, sizeof(fadt));
	fadt.header.checksum = checksum(&fadt, sizeof(fadt));
	return append(b, &fadt, sizeof(fadt));
}

/*
 * Append the table of interrupt controllers: a local APIC for each vCPU, and
 * one IOAPIC, whose pin n is GSI n.
 */
static uint64_t append_madt(struct builder *b, const uint8_t *lapic_ids,
			    unsigned int vcpus)
{
	struct {
		struct madt madt;
		struct madt_ioapic ioapic;
		struct madt_lapic lapics[UINT8_MAX];
	} __attribute__((packed)) table = {
		.madt = { .lapic_address = LAPIC_ADDRESS },
		.ioapic = { .type = MADT_IOAPIC,
			    .length = sizeof(table.ioapic),
			    .address = IOAPIC_ADDRESS },
	};
	size_t size = sizeof(table.madt) + sizeof(table.ioapic) +
		      vcpus * sizeof(table.lapics[0]);
	unsigned int i;

	for (i = 0; i < vcpus; i++)
		table.lapics[i] = (struct madt_lapic){
			.type = MADT_LAPIC,
			.length = sizeof(table.lapics[i]),
			.cpu = i,
			.apic_id = lapic_ids[i],
			.flags = MADT_CPU_ENABLED,
		};
	init_header(&table.madt.header, "APIC", MADT_REVISION, size);
	table.madt.header.checksum = checksum(&table, size);
	return append(b, &table, size);
}

static uint64_t append_xsdt(struct builder *b, uint64_t fadt, uint64_t madt)
{
	struct xsdt xsdt = { .tables = { fadt, madt } };

	init_header(&xsdt.header, "XSDT", 1, sizeof(xsdt));
	xsdt.header.checksum = checksum(&xsdt, sizeof(xsdt));
	return append(b, &xsdt, sizeof(xsdt));
}

/* Write the structure that guests search for, with both of its checksums. */
static void fill_rsdp(struct builder *b, uint64_t xsdt)
{
	struct rsdp rsdp = {
		.signature = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' },
		.revision = 2,
		.length = sizeof(rsdp),
		.xsdt = xsdt,
	};

	memcpy(rsdp.oem_id, OEM_ID, sizeof(rsdp.oem_id));
	rsdp.checksum = checksum(&rsdp, RSDP_V1_SIZE);
	rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
	memcpy(b->buf, &rsdp, sizeof(rsdp));
}

/**
 * acpi_build() - Write all tables, the RSDP first
 * @buf:	Memory to write to
 * @size:	Bytes in @buf
 * @gpa:	Guest physical address of @buf, below 4 GiB, aligned to 16
 * @lapic_ids:	Id of each vCPU's local APIC
 * @vcpus:	Number of vCPUs, up to 255
 * @dsdt:	DSDT with its header
 * @dsdt_size:	Bytes in @dsdt
 *
 * Return: Bytes used, or 0 if @buf is too small.
 */
size_t acpi_build(uint8_t *buf, size_t size, uint64_t gpa,
		  const uint8_t *lapic_ids, unsigned int vcpus,
		  const uint8_t *dsdt, size_t dsdt_size)
{
	struct builder b = {
		.buf = buf,
		.size = size,
		.used = sizeof(struct rsdp),
		.gpa = gpa,
	};
	uint64_t fadt, madt, xsdt;

	fadt = append_fadt(&b, append(&b, dsdt, dsdt_size));
	madt = append_madt(&b, lapic_ids, vcpus);
	xsdt = append_xsdt(&b, fadt, madt);
	if (b.used > size)
		return 0;
	fill_rsdp(&b, xsdt);
	return b.used;
}
