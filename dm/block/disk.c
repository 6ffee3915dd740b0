// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <linux/fs.h>

#include "block/disk.h"
#include "process/log.h"

/* Read a limit of a device's request queue from sysfs; 0 if there is none. */
static uint64_t read_queue_limit(dev_t dev, const char *name)
{
	/* A partition has the request queue of its disk. */
	static const char *const places[] = { "", "../" };
	unsigned long long value = 0;
	char path[96];
	unsigned int i;
	FILE *file;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%squeue/%s",
			 major(dev), minor(dev), places[i], name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%llu", &value) != 1)
			value = 0;
		fclose(file);
		break;
	}
	return value;
}

/* Returns the size in sectors, without a last partial block; 0 on error. */
static uint64_t count_sectors(const struct disk *disk)
{
	uint64_t bytes;
	struct stat st;

	if (disk->is_device) {
		if (ioctl(disk->fd, BLKGETSIZE64, &bytes))
			return 0;
	} else {
		if (fstat(disk->fd, &st))
			return 0;
		bytes = st.st_size;
	}
	return bytes / disk->block_size * (disk->block_size / DISK_SECTOR);
}

/*
 * The alignment of direct I/O to a file. A request for a smaller piece would
 * have to go through the page cache, which would later write back the data next
 * to it as well. vhost_blk finds the alignment in the same way.
 */
static uint32_t file_block_size(int fd, dev_t dev)
{
	struct statx st;
	uint64_t size;

	if (!statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) &&
	    st.stx_mask & STATX_DIOALIGN)
		size = st.stx_dio_offset_align;
	else
		size = read_queue_limit(dev, "logical_block_size");
	return size > DISK_SECTOR ? size : DISK_SECTOR;
}

static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static int probe_block_device(struct disk *disk, dev_t dev)
{
	int block_size, read_only;
	unsigned int physical;

	if (ioctl(disk->fd, BLKSSZGET, &block_size) ||
	    ioctl(disk->fd, BLKPBSZGET, &physical) ||
	    ioctl(disk->fd, BLKROGET, &read_only))
		return -errno;
	disk->is_device = true;
	disk->block_size = block_size;
	disk->physical_block_size = physical;
	disk->read_only |= read_only;
	if (read_queue_limit(dev, "discard_max_bytes"))
		disk->discard_granularity =
			read_queue_limit(dev, "discard_granularity");
	return 0;
}

static int probe(struct disk *disk)
{
	struct stat st;

	if (fstat(disk->fd, &st))
		return -errno;
	if (S_ISBLK(st.st_mode))
		return probe_block_device(disk, st.st_rdev);
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	disk->block_size = file_block_size(disk->fd, st.st_dev);
	disk->physical_block_size = max_u32(st.st_blksize, disk->block_size);
	disk->discard_granularity = disk->physical_block_size;
	return 0;
}

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

	*disk = (struct disk){ .read_only = read_only };
	disk->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
	if (disk->fd < 0) {
		ret = -errno;
		goto fail;
	}
	ret = probe(disk);
	disk->sectors = ret ? 0 : count_sectors(disk);
	if (!ret && !disk->sectors)
		ret = -ENOSPC;
	if (!ret)
		return 0;
	close(disk->fd);
fail:
	log_error("cannot use %s as a disk: %s", path, strerror(-ret));
	return ret;
}

/**
 * disk_open_direct() - Open a disk a second time, for direct I/O
 * @disk:	Disk
 * @path:	Path that it was opened by
 *
 * Return: File descriptor, or -1 if it takes no direct I/O.
 */
int disk_open_direct(const struct disk *disk, const char *path)
{
	return open(path, (disk->read_only ? O_RDONLY : O_RDWR) | O_DIRECT |
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
	uint64_t sectors = count_sectors(disk);

	return sectors && atomic_exchange(&disk->sectors, sectors) != sectors;
}
