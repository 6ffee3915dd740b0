/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters, written as one JSON object when the VM has ended. Atomic: any
 * thread counts, without a lock.
 */
#ifndef DM_STATS_H
#define DM_STATS_H

#include <stdatomic.h>

/**
 * struct stats - What happened while the VM ran
 * @doorbells_to_dm:	Doorbells that came as I/O requests although the queue
 *			has an ioeventfd; they are passed on to the queue
 * @doorbells_user:	Doorbells of queues that have no ioeventfd, which always
 *			come as I/O requests
 * @packets_dropped:	Packets that the guest sent by a network with vhost=off
 *			and that its tap device refused
 * @msis_injected:	MSIs that the device model sent by ioctl
 * @requests_pio:	I/O requests to ports
 * @requests_mmio:	I/O requests to memory
 * @requests_pci:	I/O requests to PCI configuration space
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
