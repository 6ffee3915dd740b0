// sources: dm/virtio/buffers.c
// SPDX-License-Identifier: GPL-2.0
/* Copies from and to lists of buffers, cut at every place, from every offset */
#include <string.h>

#include "dm/virtio/buffers.h"
#include "tap.h"

#define SIZE   8
#define PIECES 3

static const char text[] = "abcdefgh";

/* Cut @data into three buffers, each of which may be empty. */
static void cut(struct iovec *iov, char *data, size_t first, size_t second)
{
	iov[0] = (struct iovec){ data, first };
	iov[1] = (struct iovec){ data + first, second - first };
	iov[2] = (struct iovec){ data + second, SIZE - second };
}

static bool reads(const struct iovec *iov, size_t offset)
{
	char copy[SIZE + 1] = { 0 };
	size_t n = buffers_read(iov, PIECES, offset, copy, SIZE);

	return n == SIZE - offset && !strcmp(copy, text + offset);
}

static bool writes(const struct iovec *iov, const char *data, size_t offset)
{
	size_t n;

	memset(iov[0].iov_base, 0, SIZE);
	n = buffers_write(iov, PIECES, offset, text, SIZE);
	return n == SIZE - offset && !memcmp(data + offset, text, n) &&
	       (!offset || !data[offset - 1]);
}

int main(void)
{
	size_t first, second, offset;
	struct iovec iov[PIECES];
	char data[SIZE], copy[2];

	for (first = 0; first <= SIZE; first++) {
		bool read = true, written = true;

		for (second = first; second <= SIZE; second++) {
			cut(iov, data, first, second);
			for (offset = 0; offset <= SIZE; offset++) {
				memcpy(data, text, SIZE);
				read &= reads(iov, offset);
				written &= writes(iov, data, offset);
			}
		}
		tap_ok(read, "read, the first buffer of %zu bytes", first);
		tap_ok(written, "written, the first buffer of %zu", first);
	}
	tap_eq(buffers_size(iov, PIECES), SIZE, "size");
	tap_eq(buffers_read(iov, PIECES, 1, copy, sizeof(copy)), sizeof(copy),
	       "no more than asked");
	return tap_done();
}
