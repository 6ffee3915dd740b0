/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VHOST_BLK_REQUEST_H
#define VHOST_BLK_REQUEST_H

struct vhost_blk_queue;
struct vhost_blk_request;

void vhost_blk_request_init(struct vhost_blk_request *request,
			    struct vhost_blk_queue *queue);
int vhost_blk_request_start(struct vhost_blk_request *request,
			    unsigned int out, unsigned int in);

#endif /* VHOST_BLK_REQUEST_H */
