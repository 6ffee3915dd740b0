/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_LOG_H
#define VHOST_BLK_LOG_H

struct vhost_blk_request;

void vhost_blk_log_keep(struct vhost_blk_request *request, unsigned int count);
int vhost_blk_log_write(struct vhost_blk_request *request);

#endif /* VHOST_BLK_LOG_H */
