/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel counts about memory. */
#ifndef VMSTAT_H
#define VMSTAT_H

#include <err.h>
#include <stdio.h>
#include <string.h>

/* Read a number from /proc/vmstat, after the CPUs' counts were added up. */
static inline long vmstat(const char *name)
{
	char line[128], key[64];
	long value, found = -1;
	FILE *file;

	file = fopen("/proc/sys/vm/stat_refresh", "w");
	if (file) {
		fputs("1\n", file);
		fclose(file);
	}
	file = fopen("/proc/vmstat", "r");
	if (!file)
		err(1, "/proc/vmstat");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %ld", key, &value) == 2 &&
		    !strcmp(key, name))
			found = value;
	fclose(file);
	return found;
}

/* Pages that are pinned at the moment. */
static inline long pages_pinned(void)
{
	return vmstat("nr_foll_pin_acquired") - vmstat("nr_foll_pin_released");
}

#endif /* VMSTAT_H */
