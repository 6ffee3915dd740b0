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

#include "disk.h"
#include "log.h"

/* A number in the queue's directory in sysfs, 0 if there is none. */
static uint64_t queue_limit(dev_t dev, const char *name)
{
	/* A partition's is that of its disk. */
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

/* Size in sectors, 0 if it cannot be told. */
static uint64_t size_of(const struct disk *disk)
{
	uint64_t bytes;
	struct stat st;

	if (disk->is_device)
		return ioctl(disk->fd, BLKGETSIZE64, &bytes)
			       ? 0
			       : bytes / DISK_SECTOR;
	return fstat(disk->fd, &st) ? 0 : st.st_size / DISK_SECTOR;
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
	if (queue_limit(dev, "discard_max_bytes"))
		disk->discard_granularity =
			queue_limit(dev, "discard_granularity");
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
	disk->block_size = DISK_SECTOR;
	disk->physical_block_size = st.st_blksize;
	disk->discard_granularity = st.st_blksize;
	return 0;
}

/**
 * disk_open() - Open a disk and find out about it
 * @disk:	Result
 * @path:	File or block device
 * @read_only:	It must not be written to
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
	disk->sectors = ret ? 0 : size_of(disk);
	if (!ret && !disk->sectors)
		ret = -ENOSPC;
	if (!ret)
		return 0;
	close(disk->fd);
fail:
	log_error("%s is no disk: %s", path, strerror(-ret));
	return ret;
}

/* Where the file system does not tell, it is taken to have no such limit. */
static bool takes_direct(int fd, uint32_t block_size)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) ||
	    !(st.stx_mask & STATX_DIOALIGN))
		return true;
	return st.stx_dio_offset_align && st.stx_dio_offset_align <= block_size;
}

/**
 * disk_open_direct() - Open a disk once more, past the page cache
 * @disk:	Disk
 * @path:	Its path
 *
 * Either all of its blocks can be read and written so, or none is: the page
 * cache would write back what is next to a block as it was before.
 *
 * Return: File descriptor, -1 if that does not work.
 */
int disk_open_direct(const struct disk *disk, const char *path)
{
	int fd = open(path, (disk->read_only ? O_RDONLY : O_RDWR) | O_DIRECT |
				    O_CLOEXEC);

	if (fd < 0 || takes_direct(fd, disk->block_size))
		return fd;
	close(fd);
	return -1;
}

void disk_close(struct disk *disk)
{
	close(disk->fd);
}

/* Look whether the disk has another size by now; @sectors follows it. */
bool disk_resized(struct disk *disk)
{
	uint64_t sectors = size_of(disk);

	return sectors && atomic_exchange(&disk->sectors, sectors) != sectors;
}
