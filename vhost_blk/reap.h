/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_REAP_H
#define VHOST_BLK_REAP_H

#include <linux/types.h>

struct vhost_blk_queue;

void vhost_blk_queue_broken(struct vhost_blk_queue *queue, const char *why);
void vhost_blk_queue_reap(struct vhost_blk_queue *queue, bool tell);

#endif /* VHOST_BLK_REAP_H */
