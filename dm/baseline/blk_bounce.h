/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Direct I/O for requests whose memory is not aligned for it, by way of a
 * buffer that is. They cannot use the page cache instead: it reads and writes
 * whole pages, and would write back the data next to the request as it was
 * before a direct write that goes on at the same time.
 */
#ifndef DM_BLK_BOUNCE_H
#define DM_BLK_BOUNCE_H

#include "baseline/blk_request.h"
#include "block/blk.h"

int blk_bounce(struct blk *blk, int fd, const struct blk_request *request);

#endif /* DM_BLK_BOUNCE_H */
