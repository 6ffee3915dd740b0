/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_DEBUGFS_H
#define VHOST_BLK_DEBUGFS_H

struct vhost_blk;

void vhost_blk_debugfs_init(void);
void vhost_blk_debugfs_exit(void);
void vhost_blk_debugfs_add(struct vhost_blk *blk);
void vhost_blk_debugfs_remove(struct vhost_blk *blk);

#endif /* VHOST_BLK_DEBUGFS_H */
