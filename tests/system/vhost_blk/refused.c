// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that the device refuses, because they go beyond the disk, are too
 * large, or are of a kind that it does not know. Also requests for the serial
 * number, with buffers that are shorter or longer than it.
 */
#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

#define HUGE_FILE "/run/huge"

void wrong_requests(void)
{
	const uint32_t in = VIRTIO_BLK_T_IN, out = VIRTIO_BLK_T_OUT;

	tap_eq(request(in, SECTORS, DATA, 512), VIRTIO_BLK_S_IOERR,
	       "read behind the end");
	tap_eq(request(in, SECTORS - 1, DATA, 1024), VIRTIO_BLK_S_IOERR,
	       "read beyond the end");
	tap_eq(request(out, SECTORS - 1, DATA, 1024), VIRTIO_BLK_S_IOERR,
	       "write beyond the end");
	tap_eq(request(in, UINT64_MAX, DATA, 512), VIRTIO_BLK_S_IOERR,
	       "a sector that overflows");
	tap_eq(request(in, UINT64_MAX / 512 + 1, DATA, 512), VIRTIO_BLK_S_IOERR,
	       "an offset that overflows");
	tap_eq(request(in, 0, DATA, 511), VIRTIO_BLK_S_IOERR,
	       "read of a part of a sector");
	tap_eq(request(2, 0, DATA, 512), VIRTIO_BLK_S_UNSUPP, "a SCSI command");
	tap_eq(request(0x7fffffff, 0, 0, 0), VIRTIO_BLK_S_UNSUPP,
	       "an unknown command");
	tap_eq(request(VIRTIO_BLK_T_SECURE_ERASE, 0, DATA, 16),
	       VIRTIO_BLK_S_UNSUPP, "secure erase");
	tap_eq(request(VIRTIO_BLK_T_GET_ID, 0, DATA, 20), 0, "serial number");
	tap_ok(!memcmp(mem + DATA, SERIAL, 20),
	       "the serial number is the one that was set");
	tap_eq(request(VIRTIO_BLK_T_GET_ID, 0, DATA, 5), 0,
	       "five bytes of the serial number");
	fill(DATA, 4096, 5);
	fill(DATA + 4096, 4096, 5);
	chain(VIRTIO_BLK_T_GET_ID, 0, DATA, 4096);
	tap_ok(!go() && used_length() == VIRTIO_BLK_ID_BYTES + 1 &&
		       same(DATA + VIRTIO_BLK_ID_BYTES,
			    DATA + 4096 + VIRTIO_BLK_ID_BYTES,
			    4096 - VIRTIO_BLK_ID_BYTES),
	       "a large buffer gets the serial number and nothing else");
}

/*
 * The limit of a request, 64 MiB, is as much as the other disks hold, so this
 * needs a larger one.
 */
void too_large(void)
{
	unsigned int i;

	tap_ok(!system("truncate -s 128M " HUGE_FILE) &&
		       start_over(FLUSH_BIT | V1_BIT, HUGE_FILE, O_RDONLY),
	       "a large file");
	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	for (i = 0; i < 33; i++)
		add_in(DATA, 2 << 20);
	add_in(STATUS, 1);
	tap_eq(go(), VIRTIO_BLK_S_IOERR, "a read of more than 64 MiB");
	begin();
	add_out(HEADER, 16);
	for (i = 0; i < 32; i++)
		add_in(DATA, 2 << 20);
	add_in(STATUS, 1);
	tap_eq(go(), 0, "a read of 64 MiB");
	tap_eq(used_length(), (64 << 20) + 1,
	       "a read of 64 MiB returns all of it");
}
