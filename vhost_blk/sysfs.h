/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_SYSFS_H
#define VHOST_BLK_SYSFS_H

struct kobject;
struct vhost_blk;

void vhost_blk_sysfs_exit(void);
void vhost_blk_sysfs_add(struct vhost_blk *blk, struct kobject *parent);
void vhost_blk_sysfs_remove(struct vhost_blk *blk);

#endif /* VHOST_BLK_SYSFS_H */
