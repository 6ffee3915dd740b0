/* SPDX-License-Identifier: GPL-2.0 */
/* Data in the buffers of a chain, wherever the driver has cut it into pieces.
 */
#ifndef DM_BUFFERS_H
#define DM_BUFFERS_H

#include <stddef.h>
#include <sys/uio.h>

size_t buffers_size(const struct iovec *iov, unsigned int count);
size_t buffers_read(const struct iovec *iov, unsigned int count, size_t offset,
		    void *to, size_t size);
size_t buffers_write(const struct iovec *iov, unsigned int count, size_t offset,
		     const void *from, size_t size);

#endif /* DM_BUFFERS_H */
