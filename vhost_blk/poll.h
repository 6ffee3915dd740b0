/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_POLL_H
#define VHOST_BLK_POLL_H

#include <linux/types.h>

struct vhost_blk_queue;

bool vhost_blk_poll(struct vhost_blk_queue *queue);
void vhost_blk_poll_quiet(struct vhost_blk_queue *queue);
void vhost_blk_poll_rung(struct vhost_blk_queue *queue);

#endif /* VHOST_BLK_POLL_H */
