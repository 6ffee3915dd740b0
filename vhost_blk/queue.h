/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_QUEUE_H
#define VHOST_BLK_QUEUE_H

struct vhost_blk;
struct vhost_blk_queue;

void vhost_blk_queue_init(struct vhost_blk_queue *queue, struct vhost_blk *blk);
int vhost_blk_queue_attach(struct vhost_blk_queue *queue);
void vhost_blk_queue_detach(struct vhost_blk_queue *queue);

#endif /* VHOST_BLK_QUEUE_H */
