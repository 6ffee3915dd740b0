// SPDX-License-Identifier: GPL-2.0
/*
 * Reads and writes of many sizes, from aligned and from odd addresses, and
 * header, data and status in descriptors that are cut in odd ways.
 */
#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

void transfers(const char *disk)
{
	static const uint32_t sizes[] = { 512,	 1024,	  4096,	  65536,
					  69632, 1048576, 5242880 };
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		tap_ok(round_trip(16 * i, DATA, DATA + 0x800000, sizes[i], i),
		       "%s: %u bytes there and back", disk, sizes[i]);
	tap_ok(round_trip(5, DATA + 512, DATA + 0x800200, 8192, 1),
	       "%s: from the middle of a page", disk);
	tap_ok(round_trip(5, DATA + 3, DATA + 0x800005, 8192, 2),
	       "%s: from odd addresses", disk);
	tap_ok(round_trip(5, DATA + 1, DATA + 0x800001, 300 * 512, 3),
	       "%s: a lot from odd addresses", disk);
	tap_ok(round_trip(SECTORS - 8, DATA, DATA + 0x800000, 4096, 4),
	       "%s: the end of the disk", disk);
	tap_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0), 0, "%s: flush", disk);
	tap_eq(request(VIRTIO_BLK_T_IN, 0, DATA, 0), 0,
	       "%s: a read of no bytes", disk);
}

/*
 * Make a request whose header, data and status are in buffers of @piece bytes,
 * with the status right behind the data.
 */
static bool in_pieces(uint32_t piece)
{
	const uint32_t in = DATA + 0x1000, bytes = 512 + 1;
	uint32_t done, n;

	fill(DATA, 512, piece);
	if (request(VIRTIO_BLK_T_OUT, 9, DATA, 512))
		return false;
	header(VIRTIO_BLK_T_IN, 9);
	memset(mem + in, 0xee, bytes);
	begin();
	for (done = 0; done < 16; done += n) {
		n = 16 - done < piece ? 16 - done : piece;
		add_out(HEADER + done, n);
	}
	for (done = 0; done < bytes; done += n) {
		n = bytes - done < piece ? bytes - done : piece;
		add_in(in + done, n);
	}
	go();
	return same(DATA, in, 512) && mem[in + 512] == 0;
}

void cuts(void)
{
	static const uint32_t pieces[] = { 12, 13, 16, 256, 512, 513 };
	unsigned int i;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		tap_ok(in_pieces(pieces[i]),
		       "data and status in pieces of %u bytes", pieces[i]);

	/* The header right in front of the data, in one buffer with it. */
	fill(DATA + 16, 1024, 77);
	header(VIRTIO_BLK_T_OUT, 30);
	memcpy(mem + DATA, mem + HEADER, 16);
	begin();
	add_out(DATA, 16 + 1024);
	add_in(STATUS, 1);
	tap_eq(go(), 0, "header and data in one buffer");
	tap_ok(!request(VIRTIO_BLK_T_IN, 30, DATA + 0x1000, 1024) &&
		       same(DATA + 16, DATA + 0x1000, 1024),
	       "header and data in one buffer: the data is read back");

	header(VIRTIO_BLK_T_IN, 30);
	begin();
	add(GPA + TABLE, 3 * sizeof(struct vring_desc), VRING_DESC_F_INDIRECT);
	memcpy(mem + TABLE,
	       (struct vring_desc[]){
		       { GPA + HEADER, 16, VRING_DESC_F_NEXT, 1 },
		       { GPA + DATA + 0x2000, 1024,
			 VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 2 },
		       { GPA + STATUS, 1, VRING_DESC_F_WRITE, 0 } },
	       3 * sizeof(struct vring_desc));
	tap_eq(go(), 0, "a read with an indirect table");
	tap_ok(same(DATA + 16, DATA + 0x2000, 1024),
	       "a read with an indirect table has the data");
}
