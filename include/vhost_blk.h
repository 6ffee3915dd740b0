/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/vhost-blk: a virtio-blk device in the kernel, with the interface of
 * <linux/vhost.h>. For user space and for the kernel.
 * Documentation/vhost-blk.md describes it.
 */
#ifndef VHOST_BLK_H
#define VHOST_BLK_H

#include <linux/types.h>
#include <linux/vhost.h>
#include <linux/virtio_blk.h>

/* Largest number of queues of a device */
#define VHOST_BLK_MAX_QUEUES	16

/* Largest number of bytes that one read or write transfers */
#define VHOST_BLK_MAX_BYTES	(64U << 20)

/* Largest number of ranges in one discard or write-zeroes request */
#define VHOST_BLK_MAX_RANGES	16

/*
 * Attach a disk: the descriptor of a block device or a regular file, open for
 * reading and, unless the disk is to be read-only, for writing. It serves all
 * queues that are set up at this time. The descriptor VHOST_FILE_UNBIND
 * detaches the disk; the call returns when all requests that were begun are
 * completed. The index is 0.
 */
#define VHOST_BLK_SET_BACKEND	_IOW(VHOST_VIRTIO, 0xFF, struct vhost_vring_file)

/* Set the answer to VIRTIO_BLK_T_GET_ID, padded with zero bytes. */
#define VHOST_BLK_SET_SERIAL	_IOW(VHOST_VIRTIO, 0xFE, \
				     __u8[VIRTIO_BLK_ID_BYTES])

/*
 * Ask for this many threads, 1 at least. Only the number is checked: the vhost
 * core decides how many threads there are, see VHOST_NEW_WORKER.
 */
#define VHOST_SET_NWORKERS	_IOW(VHOST_VIRTIO, 0x1F, int)

#endif /* VHOST_BLK_H */
