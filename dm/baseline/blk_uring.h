/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The requests to a disk are handled by io_uring. Doorbells and interrupts go
 * past the device model's main thread, by ioeventfd and irqfd, as with vhost:
 * it is the baseline for vhost-blk that differs in nothing else.
 */
#ifndef DM_BLK_URING_H
#define DM_BLK_URING_H

#include "block/blk.h"

extern const struct blk_backend blk_uring_backend;

#endif /* DM_BLK_URING_H */
