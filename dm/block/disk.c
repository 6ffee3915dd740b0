// SPDX-License-Identifier: GPL-2.0
/*
 * The file or block device behind a disk. The main thread calls these
 * functions; other threads read @sectors, which is atomic, and the rest, which
 * is constant.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "block/disk.h"
#include "process/log.h"

/**
 * disk_open() - Open a disk and find out its properties
 * @disk:	Result
 * @path:	File or block device
 * @read_only:	The disk must not be written to
 *
 * Return: 0 or -errno, with a message printed.
 */
int disk_open(struct disk *disk, const char *path, bool read_only)
{
	int ret;

	ret = acrnvhost_disk_open(&disk->fd, path, read_only);
	if (ret)
		goto fail;
	ret = acrnvhost_disk_probe(&disk->is, disk->fd);
	if (!ret) {
		disk->sectors = acrnvhost_disk_sectors(&disk->is, disk->fd);
		return 0;
	}
	close(disk->fd);
fail:
	log_error("cannot use %s as a disk: %s%s", path, strerror(-ret),
		  ret == -EBUSY ? ACRNVHOST_DISK_IN_USE : "");
	return ret;
}

/**
 * disk_open_direct() - Open a disk a second time, for direct I/O
 * @disk:	Disk
 * @path:	Path that it was opened by
 *
 * Not with O_EXCL: disk_open() may have made the other descriptor the exclusive
 * user.
 *
 * Return: File descriptor, or -1 if it takes no direct I/O.
 */
int disk_open_direct(const struct disk *disk, const char *path)
{
	return open(path, (disk->is.read_only ? O_RDONLY : O_RDWR) | O_DIRECT |
				  O_CLOEXEC);
}

/* Undo disk_open(). */
void disk_close(struct disk *disk)
{
	close(disk->fd);
}

/* Update @sectors. Returns whether the disk has another size now. */
bool disk_resized(struct disk *disk)
{
	uint64_t sectors = acrnvhost_disk_sectors(&disk->is, disk->fd);

	return sectors && atomic_exchange(&disk->sectors, sectors) != sectors;
}
