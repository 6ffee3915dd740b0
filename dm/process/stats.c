// SPDX-License-Identifier: GPL-2.0
/*
 * Called by the main thread when no other thread counts any more.
 */
#include <errno.h>
#include <stdio.h>

#include "process/stats.h"

/* Write the counters as JSON. @end: how the VM ended. Returns 0 or -errno. */
int stats_write(struct stats *stats, int fd, const char *end)
{
	int n = dprintf(fd,
			"{\"doorbells_to_dm\": %lu, \"doorbells_user\": %lu, "
			"\"packets_dropped\": %lu, \"msis_injected\": %lu, "
			"\"requests_pio\": %lu, "
			"\"requests_mmio\": %lu, \"requests_pci\": %lu, "
			"\"reboots\": %lu, \"end\": \"%s\"}\n",
			stats->doorbells_to_dm, stats->doorbells_user,
			stats->packets_dropped, stats->msis_injected,
			stats->requests_pio, stats->requests_mmio,
			stats->requests_pci, stats->reboots, end);

	return n < 0 ? -errno : 0;
}
