/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_FILE_H
#define VHOST_BLK_FILE_H

#include <linux/errno.h>

struct vhost_blk_disk;

#ifdef VHOST_BLK_FILES
int vhost_blk_file_init(struct vhost_blk_disk *disk);
#else
static inline int vhost_blk_file_init(struct vhost_blk_disk *disk)
{
	return -EINVAL;
}
#endif

#endif /* VHOST_BLK_FILE_H */
