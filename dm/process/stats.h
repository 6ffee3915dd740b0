/* SPDX-License-Identifier: GPL-2.0 */
/* Counters, written as one JSON object when the VM has ended. */
#ifndef DM_STATS_H
#define DM_STATS_H

#include <stdatomic.h>

/**
 * struct stats - What happened while the VM ran
 * @doorbells_to_dm:	Doorbells that arrived here for a queue that is
 *			attached to vhost; they are passed on
 * @doorbells_user:	Doorbells of queues that are emulated here
 * @packets_dropped:	Packets of the guest that a tap device did not take; of
 *			devices that are emulated here
 * @msis_injected:	Interrupts that were sent from here
 * @requests_pio:	I/O requests, by type
 * @requests_mmio:	-"-
 * @requests_pci:	-"-
 * @reboots:		Resets of the VM by its guest
 */
struct stats {
	atomic_ulong doorbells_to_dm;
	atomic_ulong doorbells_user;
	atomic_ulong packets_dropped;
	atomic_ulong msis_injected;
	atomic_ulong requests_pio;
	atomic_ulong requests_mmio;
	atomic_ulong requests_pci;
	atomic_ulong reboots;
};

int stats_write(struct stats *stats, int fd, const char *end);

#endif /* DM_STATS_H */
