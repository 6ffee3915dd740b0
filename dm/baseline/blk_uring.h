/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The requests to a disk are handled by io_uring, with a thread for each queue.
 * Doorbells and interrupts are ioeventfds and irqfds, as with vhost-blk.
 *
 * A baseline for vhost-blk, from which it differs only in who handles the
 * requests, and the way to have a disk without vhost_blk.ko.
 */
#ifndef DM_BLK_URING_H
#define DM_BLK_URING_H

#include "block/blk.h"

extern const struct blk_backend blk_uring_backend;

#endif /* DM_BLK_URING_H */
