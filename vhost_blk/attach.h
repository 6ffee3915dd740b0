/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_ATTACH_H
#define VHOST_BLK_ATTACH_H

struct vhost_blk;

long vhost_blk_set_backend(struct vhost_blk *blk, int fd);
int vhost_blk_detach(struct vhost_blk *blk, long timeout);
int vhost_blk_pause(struct vhost_blk *blk);
void vhost_blk_resume(struct vhost_blk *blk);

#endif /* VHOST_BLK_ATTACH_H */
