/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_WORKER_H
#define VHOST_BLK_WORKER_H

struct vhost_blk;
struct vhost_blk_queue;

void vhost_blk_worker_init(struct vhost_blk_queue *queue);
int vhost_blk_worker_start(struct vhost_blk_queue *queue);
void vhost_blk_workers_stop(struct vhost_blk *blk);
void vhost_blk_workers_flush(struct vhost_blk *blk);

#endif /* VHOST_BLK_WORKER_H */
