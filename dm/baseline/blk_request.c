// SPDX-License-Identifier: GPL-2.0
/*
 * Requests are found and checked in the thread of their queue. The functions
 * use nothing but their arguments; the size of the disk, which may change, is
 * read once.
 */
#include <errno.h>
#include <string.h>

#include "baseline/blk_request.h"
#include "virtio/buffers.h"

/*
 * Copy @size bytes from the beginning of @count buffers to @to, and shorten the
 * buffers by them. Returns -EINVAL if there are fewer bytes.
 */
static int take_bytes(struct iovec *iov, unsigned int count, void *to,
		      size_t size)
{
	uint8_t *p = to;

	for (; size && count; count--, iov++) {
		size_t n = iov->iov_len < size ? iov->iov_len : size;

		memcpy(p, iov->iov_base, n);
		iov->iov_base = (uint8_t *)iov->iov_base + n;
		iov->iov_len -= n;
		p += n;
		size -= n;
	}
	return size ? -EINVAL : 0;
}

/**
 * blk_request_parse() - Find header, data and status of a request
 * @chain:	Chain; header and status are removed from its iovec
 * @request:	Result
 *
 * The driver may divide header, data and status into buffers in any way.
 *
 * Return: 0; -EINVAL if there is no room for header and status.
 */
int blk_request_parse(struct virtqueue_chain *chain,
		      struct blk_request *request)
{
	struct iovec *in = &chain->iov[chain->out], *last;
	struct virtio_blk_outhdr header;

	if (take_bytes(chain->iov, chain->out, &header, sizeof(header)) ||
	    !chain->in)
		return -EINVAL;
	/*
	 * virtqueue_pop() has left out empty buffers, so there is a last byte.
	 */
	last = &in[chain->in - 1];
	last->iov_len--;
	request->status = (uint8_t *)last->iov_base + last->iov_len;
	request->type = header.type;
	request->sector = header.sector;
	request->iov = header.type == VIRTIO_BLK_T_IN ||
				       header.type == VIRTIO_BLK_T_GET_ID
			       ? in
			       : chain->iov;
	request->iov_count = request->iov == in ? chain->in : chain->out;
	request->bytes = buffers_size(request->iov, request->iov_count);
	return 0;
}

/**
 * blk_request_check() - Check that a range consists of blocks of the disk
 * @disk:	Disk
 * @sector:	First sector
 * @bytes:	Length
 *
 * Return: 0; -EINVAL if it contains part of a block or goes beyond the end.
 */
int blk_request_check(const struct disk *disk, uint64_t sector, uint64_t bytes)
{
	uint64_t blocks = disk->is.block_size / DISK_SECTOR;
	uint64_t sectors = disk->sectors;

	if (bytes % disk->is.block_size || sector % blocks ||
	    sector > sectors || bytes / DISK_SECTOR > sectors - sector)
		return -EINVAL;
	return 0;
}
