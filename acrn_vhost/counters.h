/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the data plane has done since the module was loaded, for all VMs
 * together. Per CPU, so that counting costs the hot paths one instruction;
 * debugfs shows the sums.
 */
#ifndef ACRN_VHOST_COUNTERS_H
#define ACRN_VHOST_COUNTERS_H

#include <linux/percpu.h>
#include <linux/types.h>

/* Writes of guests that were doorbells, each signalled. */
DECLARE_PER_CPU(u64, acrn_vhost_doorbells_routed);

/* MSIs of irqfds that the hypervisor took. */
DECLARE_PER_CPU(u64, acrn_vhost_msis_injected);

#endif /* ACRN_VHOST_COUNTERS_H */
