/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks of MSIs. A function without state or locks, which
 * tests/unit/test_msi.c compiles for user space as well.
 */
#ifndef IRQFD_MSI_H
#define IRQFD_MSI_H

#include <linux/acrn.h>

int msi_check(const struct acrn_msi_entry *msi);

#endif /* IRQFD_MSI_H */
