// sources: dm/virtio/buffers.c dm/baseline/blk_request.c
// SPDX-License-Identifier: GPL-2.0
/*
 * Parsing of requests to the device model's disks, cut into buffers in all ways
 */
#include <stdint.h>
#include <string.h>

#include "dm/baseline/blk_request.h"
#include "tap.h"

#define HEADER sizeof(struct virtio_blk_outhdr)
#define DATA   1024

static uint8_t out[HEADER + DATA], in[DATA + 1];
static struct virtqueue_chain chain;
static struct blk_request request;

static void add(uint8_t *from, size_t size)
{
	chain.iov[chain.out + chain.in].iov_base = from;
	chain.iov[chain.out + chain.in].iov_len = size;
}

/* Add @bytes at @from to the chain, in buffers of @piece bytes. */
static void add_all(uint8_t *from, size_t bytes, size_t piece,
		    unsigned int *count)
{
	size_t done, n;

	for (done = 0; done < bytes; done += n) {
		n = bytes - done < piece ? bytes - done : piece;
		add(from + done, n);
		++*count;
	}
}

static int parse(uint32_t type, size_t out_bytes, size_t out_piece,
		 size_t in_bytes, size_t in_piece)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = 77 };

	memcpy(out, &header, sizeof(header));
	memset(out + HEADER, 0x5a, DATA);
	chain.out = 0;
	chain.in = 0;
	add_all(out, out_bytes, out_piece, &chain.out);
	add_all(in, in_bytes, in_piece, &chain.in);
	return blk_request_parse(&chain, &request);
}

/* Whether the data of the request is the @bytes at @from, in this order. */
static bool data_is(const uint8_t *from, size_t bytes)
{
	size_t done = 0;
	unsigned int i;

	for (i = 0; i < request.iov_count; i++) {
		if (request.iov[i].iov_len &&
		    request.iov[i].iov_base != from + done)
			return false;
		done += request.iov[i].iov_len;
	}
	return done == bytes && request.bytes == bytes;
}

static void cuts(void)
{
	static const size_t pieces[] = { 5, 7, 8, 16, 17, 100, 512, 2000 };
	unsigned int i;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		size_t piece = pieces[i];

		tap_ok(!parse(VIRTIO_BLK_T_OUT, HEADER + DATA, piece, 1, 1) &&
			       data_is(out + HEADER, DATA) &&
			       request.sector == 77 && request.status == in,
		       "a write in pieces of %zu", piece);
		tap_ok(!parse(VIRTIO_BLK_T_IN, HEADER, piece, DATA + 1,
			      piece) &&
			       data_is(in, DATA) && request.sector == 77 &&
			       request.status == in + DATA,
		       "a read in pieces of %zu", piece);
	}
	tap_ok(!parse(VIRTIO_BLK_T_FLUSH, HEADER, HEADER, 1, 1) &&
		       !request.bytes,
	       "no data");
}

static void malformed(void)
{
	tap_ok(parse(VIRTIO_BLK_T_IN, HEADER - 1, HEADER, 513, 513),
	       "a header cut short");
	tap_ok(parse(VIRTIO_BLK_T_IN, 0, 1, 513, 513), "no header");
	tap_ok(parse(VIRTIO_BLK_T_OUT, HEADER + 512, HEADER, 0, 1),
	       "no status");
}

static void checks(void)
{
	const struct disk disk = { .sectors = 160, .is.block_size = 4096 };

	tap_ok(!blk_request_check(&disk, 0, 81920), "all of it");
	tap_ok(!blk_request_check(&disk, 152, 4096), "the last block");
	tap_ok(blk_request_check(&disk, 152, 8192), "beyond the end");
	tap_ok(blk_request_check(&disk, 1, 4096), "no whole block");
	tap_ok(blk_request_check(&disk, 0, 512), "part of a block");
	tap_ok(blk_request_check(&disk, UINT64_MAX - 7, 4096), "an overflow");
}

int main(void)
{
	cuts();
	malformed();
	checks();
	return tap_done();
}
