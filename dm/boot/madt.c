// SPDX-License-Identifier: GPL-2.0
/*
 * Layouts and numbers are those of the ACPI specification 6.4, 5.2.12. Called
 * by the main thread before there is a VM.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "boot/madt.h"
#include "process/log.h"

#define MADT_PATH "/sys/firmware/acpi/tables/APIC"
#define MADT_MAX  8192

/* The entries follow the header of every ACPI table and two fields. */
#define ENTRIES_OFFSET	   44
#define ENTRY_TYPE	   0
#define ENTRY_LENGTH	   1
#define ENTRY_HEADER	   2
#define TYPE_LAPIC	   0
#define LAPIC_ID	   3
#define LAPIC_FLAGS	   4
#define LAPIC_SIZE	   8
#define LAPIC_FLAG_ENABLED 1

static int is_enabled_lapic(const uint8_t *entry)
{
	return entry[ENTRY_TYPE] == TYPE_LAPIC &&
	       entry[ENTRY_LENGTH] >= LAPIC_SIZE &&
	       entry[LAPIC_FLAGS] & LAPIC_FLAG_ENABLED;
}

/**
 * madt_parse() - Find the local APICs of some CPUs in a table
 * @madt:	Table
 * @size:	Bytes in @madt
 * @cpus:	Physical CPUs as the hypervisor numbers them, a bit each
 * @ids:	Result: an id for each bit of @cpus, in their order
 *
 * The hypervisor numbers physical CPUs in the order in which the table lists
 * those that are enabled.
 *
 * Return: 0, or -ENOENT when the table does not list all of them.
 */
int madt_parse(const uint8_t *madt, size_t size, uint64_t cpus, uint8_t *ids)
{
	size_t offset = ENTRIES_OFFSET;

	while (cpus && offset + ENTRY_HEADER <= size) {
		const uint8_t *entry = madt + offset;
		size_t length = entry[ENTRY_LENGTH];

		if (length < ENTRY_HEADER || length > size - offset)
			break;
		offset += length;
		if (!is_enabled_lapic(entry))
			continue;
		if (cpus & 1)
			*ids++ = entry[LAPIC_ID];
		cpus >>= 1;
	}
	return cpus ? -ENOENT : 0;
}

/* Returns the number of bytes read, or -errno. */
static ssize_t read_table(uint8_t *buf, size_t size)
{
	int fd = open(MADT_PATH, O_RDONLY | O_CLOEXEC);
	size_t done = 0;
	ssize_t len = 1;

	if (fd < 0)
		return -errno;
	for (; len > 0 && done < size; done += len) {
		len = read(fd, buf + done, size - done);
		if (len < 0)
			len = -errno;
	}
	close(fd);
	return len < 0 ? len : (ssize_t)done;
}

/**
 * madt_lapic_ids() - Find the local APICs of some physical CPUs
 * @cpus:	As for madt_parse()
 * @ids:	As for madt_parse()
 *
 * The Service VM sees the table of the machine, in which also those CPUs are
 * listed that run User VMs.
 *
 * Return: 0 or -errno, with a message printed.
 */
int madt_lapic_ids(uint64_t cpus, uint8_t *ids)
{
	uint8_t table[MADT_MAX];
	ssize_t size = read_table(table, sizeof(table));
	int ret = size < 0 ? size : madt_parse(table, size, cpus, ids);

	if (ret == -ENOENT && size >= 0)
		log_error("a CPU of --cpu-affinity (mask %#llx) is not in the "
			  "machine's ACPI table " MADT_PATH,
			  (unsigned long long)cpus);
	else if (ret)
		log_error("cannot read " MADT_PATH ": %s", strerror(-ret));
	return ret;
}
