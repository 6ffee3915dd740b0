/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions. The code is written for the newest
 * kernel; what older ones lack is made up for here, and nowhere else.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include <linux/eventfd.h>
#include <linux/version.h>

/* Since 6.8 a signal counts 1 and says so no longer. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define eventfd_signal(ctx)	eventfd_signal(ctx, 1)
#endif

#endif /* COMPAT_H */
