/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A request to a disk, handled by system calls that wait for the disk, through
 * the page cache. Any thread; requests that touch the same data are the guest's
 * to keep apart.
 */
#ifndef DM_BLK_SYNC_H
#define DM_BLK_SYNC_H

#include "baseline/blk_request.h"
#include "block/blk.h"

int blk_flushed(struct blk *blk, int error);
int blk_written(struct blk *blk, bool through);
int blk_cache_changed(struct blk *blk);
int blk_sync(struct blk *blk, const struct blk_request *request);
uint8_t blk_sync_status(int error);
uint32_t blk_sync_written(const struct blk_request *request, int error);

#endif /* DM_BLK_SYNC_H */
