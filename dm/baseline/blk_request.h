/* SPDX-License-Identifier: GPL-2.0 */
/* A request to a disk: found in the driver's buffers, and checked. */
#ifndef DM_BLK_REQUEST_H
#define DM_BLK_REQUEST_H

#include <stdint.h>
#include <sys/uio.h>
#include <linux/virtio_blk.h>

#include "block/disk.h"
#include "virtio/virtqueue.h"

/**
 * struct blk_request - A request to a disk
 * @type:	VIRTIO_BLK_T_*
 * @sector:	First sector
 * @iov:	Buffers of its data, in the iovec of the chain
 * @iov_count:	Number of buffers
 * @bytes:	Bytes in all buffers
 * @status:	Address of its status, in guest memory
 */
struct blk_request {
	uint32_t type;
	uint64_t sector;
	struct iovec *iov;
	unsigned int iov_count;
	uint64_t bytes;
	uint8_t *status;
};

int blk_request_parse(struct virtqueue_chain *chain,
		      struct blk_request *request);
int blk_request_check(const struct disk *disk, uint64_t sector, uint64_t bytes);

#endif /* DM_BLK_REQUEST_H */
