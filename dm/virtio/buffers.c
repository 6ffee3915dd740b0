// SPDX-License-Identifier: GPL-2.0
/*
 * Data in the buffers of a chain. Any thread that handles a queue; the
 * functions use nothing but their arguments. Buffers are guest memory, which
 * may change meanwhile.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "virtio/buffers.h"

/* Returns the number of bytes in all buffers. */
size_t buffers_size(const struct iovec *iov, unsigned int count)
{
	size_t size = 0;

	while (count--)
		size += iov[count].iov_len;
	return size;
}

/*
 * Copy between @data and the buffers, from byte @offset of these on: into the
 * buffers if @write. Returns how many bytes there were, up to @size.
 */
static size_t copy(const struct iovec *iov, unsigned int count, size_t offset,
		   uint8_t *data, size_t size, bool write)
{
	size_t done = 0, n;
	uint8_t *at;

	for (; count-- && done < size; iov++) {
		if (offset >= iov->iov_len) {
			offset -= iov->iov_len;
			continue;
		}
		at = (uint8_t *)iov->iov_base + offset;
		n = iov->iov_len - offset;
		if (n > size - done)
			n = size - done;
		if (write)
			memcpy(at, data + done, n);
		else
			memcpy(data + done, at, n);
		done += n;
		offset = 0;
	}
	return done;
}

/**
 * buffers_read() - Copy data out of buffers
 * @iov:	Buffers
 * @count:	Number of buffers
 * @offset:	First byte to copy
 * @to:		Result
 * @size:	Bytes to copy
 *
 * Return: Number of bytes copied, less than @size if the buffers end before.
 */
size_t buffers_read(const struct iovec *iov, unsigned int count, size_t offset,
		    void *to, size_t size)
{
	return copy(iov, count, offset, to, size, false);
}

/* Copy @size bytes into buffers, from byte @offset on. As buffers_read(). */
size_t buffers_write(const struct iovec *iov, unsigned int count, size_t offset,
		     const void *from, size_t size)
{
	return copy(iov, count, offset, (uint8_t *)from, size, true);
}
