/* SPDX-License-Identifier: GPL-2.0 */
/* Pure; also compiled for user space by tests/unit/test_msi.c. */
#ifndef IRQFD_MSI_H
#define IRQFD_MSI_H

#include <linux/acrn.h>

int msi_check(const struct acrn_msi_entry *msi);

#endif /* IRQFD_MSI_H */
