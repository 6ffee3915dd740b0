/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_BDEV_H
#define VHOST_BLK_BDEV_H

struct vhost_blk_disk;

int vhost_blk_bdev_init(struct vhost_blk_disk *disk);

#endif /* VHOST_BLK_BDEV_H */
