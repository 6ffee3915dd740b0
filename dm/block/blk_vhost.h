/* SPDX-License-Identifier: GPL-2.0 */
/* The requests to a disk are handled by vhost-blk. */
#ifndef DM_BLK_VHOST_H
#define DM_BLK_VHOST_H

#include "block/blk.h"

extern const struct blk_backend blk_vhost_backend;

#endif /* DM_BLK_VHOST_H */
