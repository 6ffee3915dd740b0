/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workers of vhost devices: what linux/vhost.h has since Linux 6.5, for when
 * the C library's headers are older. Numbers and structures are those of
 * include/uapi/linux/vhost.h and vhost_types.h.
 */
#ifndef VHOST_WORKER_H
#define VHOST_WORKER_H

#include <linux/vhost.h>

#ifndef VHOST_NEW_WORKER
struct vhost_worker_state {
	unsigned int worker_id;
};

struct vhost_vring_worker {
	unsigned int index;
	unsigned int worker_id;
};

#define VHOST_NEW_WORKER _IOR(VHOST_VIRTIO, 0x8, struct vhost_worker_state)
#define VHOST_ATTACH_VRING_WORKER                                              \
	_IOW(VHOST_VIRTIO, 0x15, struct vhost_vring_worker)
#endif

#endif /* VHOST_WORKER_H */
