/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to a disk that are not given to io_uring: ranges to discard or to
 * zero, the serial number, and requests that are refused. They are handled by
 * system calls that wait for the disk. Also the rules by which a write or a
 * flush that has ended succeeds for the driver. Any thread.
 */
#ifndef DM_BLK_SYNC_H
#define DM_BLK_SYNC_H

#include "baseline/blk_request.h"
#include "block/blk.h"

int blk_flushed(struct blk *blk, int error);
int blk_written(struct blk *blk, bool through);
int blk_cache_changed(struct blk *blk);
int blk_check_transfer(const struct blk *blk,
		       const struct blk_request *request);
int blk_sync(struct blk *blk, const struct blk_request *request);
uint8_t blk_sync_status(int error);
uint32_t blk_sync_written(const struct blk_request *request, int error);

#endif /* DM_BLK_SYNC_H */
