// SPDX-License-Identifier: GPL-2.0
/*
 * Disks that are not written, as they were opened for reading, became
 * read-only, or were taken as read-only by the driver.
 */
#include <linux/fs.h>

#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

static bool set_read_only(bool on)
{
	int value = on, fd = open(FAST, O_RDONLY);
	bool ok = !ioctl(fd, BLKROSET, &value);

	close(fd);
	return ok;
}

void read_only(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDONLY),
	       "a disk that is open for reading");
	tap_eq(request(VIRTIO_BLK_T_IN, 0, DATA, 4096), 0,
	       "a disk that is open for reading is read");
	tap_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "a disk that is open for reading is not written");
	tap_eq(ranges(VIRTIO_BLK_T_DISCARD, 0, 8, 0, 1), VIRTIO_BLK_S_IOERR,
	       "a disk that is open for reading is not discarded");
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       set_read_only(true),
	       "a disk that becomes read-only");
	tap_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "a disk that became read-only is not written");
	tap_ok(set_read_only(false) &&
		       !request(VIRTIO_BLK_T_OUT, 0, DATA, 4096),
	       "a disk that is writable again is written");
	tap_ok(start_over(FLUSH_BIT | V1_BIT | RO_BIT, FAST, O_RDWR),
	       "a disk that the driver took as read-only");
	tap_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "a disk that the driver took as read-only is not written");
}
