// sources: dm/boot/madt.c dm/process/log.c
// SPDX-License-Identifier: GPL-2.0
/* How the device model reads local APIC ids from the machine's MADT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dm/boot/madt.h"
#include "tap.h"

#define HEADER 44

/* clang-format off */
/* Local APICs 4, 6 (disabled), 9 and 1, and an I/O APIC */
static const uint8_t entries[] = {
	0, 8, 0, 4, 1, 0, 0, 0,				/* CPU 0 */
	1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,
	0, 8, 1, 6, 0, 0, 0, 0,				/* none */
	0, 8, 2, 9, 3, 0, 0, 0,				/* CPU 1 */
	0, 8, 3, 1, 1, 0, 0, 0,				/* CPU 2 */
};
/* clang-format on */

/* Parse a copy of exactly @size bytes: ASan finds a read beyond them. */
static int parse(size_t size, uint64_t cpus, uint8_t *ids)
{
	uint8_t *table = calloc(1, size);
	size_t i;
	int ret;

	for (i = HEADER; i < size; i++)
		table[i] = entries[i - HEADER];
	memset(ids, 0xee, 4);
	ret = madt_parse(table, size, cpus, ids);
	free(table);
	return ret;
}

static void test_broken(void)
{
	uint8_t table[HEADER + 8] = { 0 }, ids[4];

	tap_eq(madt_parse(table, sizeof(table), 1, ids), -ENOENT,
	       "an entry without length");
	table[HEADER + 1] = 200;
	tap_eq(madt_parse(table, sizeof(table), 1, ids), -ENOENT,
	       "an entry longer than the table");
	table[HEADER + 1] = 4;
	table[HEADER + 5] = 4;
	tap_eq(madt_parse(table, sizeof(table), 1, ids), -ENOENT,
	       "a local APIC without flags");
}

int main(void)
{
	const size_t size = HEADER + sizeof(entries);
	uint8_t ids[4];
	size_t i;

	tap_eq(parse(size, 1, ids), 0, "CPU 0");
	tap_eq(ids[0], 4, "its local APIC");
	tap_eq(parse(size, 6, ids), 0, "CPUs 1 and 2");
	tap_ok(ids[0] == 9 && ids[1] == 1 && ids[2] == 0xee,
	       "their local APICs, in this order");
	tap_eq(parse(size, 8, ids), -ENOENT, "a CPU that is not there");
	tap_eq(parse(size, 9, ids), -ENOENT, "one of two is not there");
	tap_eq(parse(size, 1ULL << 63, ids), -ENOENT, "the last bit");
	for (i = 0; i < size - 8; i++)
		tap_eq(parse(i, 4, ids), -ENOENT, "%zu bytes of it", i);
	test_broken();
	return tap_done();
}
