/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/vhost-blk: a virtio-blk device in the kernel, on the vhost interface of
 * <linux/vhost.h>. For user space and kernel alike; see
 * Documentation/vhost-blk.md.
 */
#ifndef VHOST_BLK_H
#define VHOST_BLK_H

#include <linux/types.h>
#include <linux/vhost.h>
#include <linux/virtio_blk.h>

/* Queues that a device has at most. */
#define VHOST_BLK_MAX_QUEUES	16

/* Bytes that one read or write transfers at most. */
#define VHOST_BLK_MAX_BYTES	(64U << 20)

/* Ranges that one discard or write-zeroes request has at most. */
#define VHOST_BLK_MAX_RANGES	16

/*
 * Set the disk: a block device or a regular file, open for reading and, unless
 * the disk is to be read-only, for writing. It serves all queues that are set
 * up at this time. The file descriptor VHOST_FILE_UNBIND takes the disk away
 * again, when all requests that were begun are completed. The index is 0.
 */
#define VHOST_BLK_SET_BACKEND	_IOW(VHOST_VIRTIO, 0xFF, struct vhost_vring_file)

/* What VIRTIO_BLK_T_GET_ID answers, padded with zero bytes. */
#define VHOST_BLK_SET_SERIAL	_IOW(VHOST_VIRTIO, 0xFE, \
				     __u8[VIRTIO_BLK_ID_BYTES])

#endif /* VHOST_BLK_H */
