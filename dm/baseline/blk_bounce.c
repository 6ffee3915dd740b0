// SPDX-License-Identifier: GPL-2.0
/*
 * Direct I/O through an aligned buffer, in the thread of the queue that the
 * request is from, which waits. The buffer is that request's own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baseline/blk_bounce.h"
#include "baseline/blk_sync.h"
#include "virtio/buffers.h"

#define BOUNCE_ALIGN 4096U
#define BOUNCE_SIZE  (1U << 18)

/* Transfer as much as @buffer takes, from byte @done of the request on. */
static int transfer_piece(int fd, const struct blk_request *request,
			  bool through, uint64_t done, struct iovec *buffer)
{
	off_t offset = request->sector * DISK_SECTOR + done;
	ssize_t n;

	if (request->type == VIRTIO_BLK_T_IN) {
		n = preadv(fd, buffer, 1, offset);
	} else {
		buffers_read(request->iov, request->iov_count, done,
			     buffer->iov_base, buffer->iov_len);
		n = pwritev2(fd, buffer, 1, offset, through ? RWF_DSYNC : 0);
	}
	if (n < 0)
		return -errno;
	if ((size_t)n != buffer->iov_len)
		return -EIO;
	if (request->type == VIRTIO_BLK_T_IN)
		buffers_write(request->iov, request->iov_count, done,
			      buffer->iov_base, buffer->iov_len);
	return 0;
}

/**
 * blk_bounce() - Read or write through an aligned buffer, and wait for it
 * @blk:	Disk
 * @fd:		The disk, opened for direct I/O
 * @request:	Read or write that blk_request_check() allows
 *
 * Return: 0 or -errno.
 */
int blk_bounce(struct blk *blk, int fd, const struct blk_request *request)
{
	bool through = !blk->write_back;
	struct iovec buffer;
	uint64_t done;
	int ret = 0;

	if (request->bytes > VHOST_BLK_MAX_BYTES)
		return -EINVAL;
	buffer.iov_base = aligned_alloc(BOUNCE_ALIGN, BOUNCE_SIZE);
	if (!buffer.iov_base)
		return -ENOMEM;
	for (done = 0; !ret && done < request->bytes; done += buffer.iov_len) {
		buffer.iov_len = request->bytes - done;
		if (buffer.iov_len > BOUNCE_SIZE)
			buffer.iov_len = BOUNCE_SIZE;
		ret = transfer_piece(fd, request, through, done, &buffer);
	}
	free(buffer.iov_base);
	if (ret || request->type == VIRTIO_BLK_T_IN)
		return ret;
	return blk_written(blk, through);
}
