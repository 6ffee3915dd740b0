/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_RANGE_H
#define VHOST_BLK_RANGE_H

struct vhost_blk_request;

int vhost_blk_do_ranges(struct vhost_blk_request *request);

#endif /* VHOST_BLK_RANGE_H */
