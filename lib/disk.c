// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a disk; what it is, and what a virtio-blk device tells the driver of
 * it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <linux/fs.h>
#include <vhost_blk.h>

#include "internal.h"

#define SECTOR 512

/* The largest request fills a queue, with its header and status. */
#define SEG_SIZE (1U << 18)

#define BIT(n) (1ULL << (n))

/* Read a limit of a device's request queue from sysfs; 0 if there is none. */
static __u64 read_queue_limit(dev_t dev, const char *name)
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

/*
 * The alignment of direct I/O to a file. A request for a smaller piece would
 * have to go through the page cache, which would later write back the data next
 * to it as well. vhost_blk finds the alignment in the same way.
 */
static __u32 file_block_size(int fd, dev_t dev)
{
	struct statx st;
	__u64 size;

	if (!statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) &&
	    st.stx_mask & STATX_DIOALIGN)
		size = st.stx_dio_offset_align;
	else
		size = read_queue_limit(dev, "logical_block_size");
	return size > SECTOR ? size : SECTOR;
}

static __u32 max_u32(__u32 a, __u32 b)
{
	return a > b ? a : b;
}

/* Ask a block device for its properties. Returns 0 or -errno. */
static int probe_block_device(struct acrnvhost_disk *disk, int fd, dev_t dev)
{
	int block_size, read_only;
	unsigned int physical;

	if (ioctl(fd, BLKSSZGET, &block_size) ||
	    ioctl(fd, BLKPBSZGET, &physical) || ioctl(fd, BLKROGET, &read_only))
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

/*
 * Find out what @fd is. Returns 0; -EINVAL if it is no disk; or another -errno.
 */
static int probe(struct acrnvhost_disk *disk, int fd)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	if (flags < 0 || fstat(fd, &st))
		return -errno;
	disk->read_only = (flags & O_ACCMODE) == O_RDONLY;
	if (S_ISBLK(st.st_mode))
		return probe_block_device(disk, fd, st.st_rdev);
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	disk->block_size = file_block_size(fd, st.st_dev);
	disk->physical_block_size = max_u32(st.st_blksize, disk->block_size);
	disk->discard_granularity = disk->physical_block_size;
	return 0;
}

/**
 * acrnvhost_disk_sectors() - The size of a disk, which may change at any time
 * @disk:	What acrnvhost_disk_probe() found
 * @fd:		The disk
 *
 * Return: Sectors of 512 bytes, without a last partial block; 0 on error.
 */
__u64 acrnvhost_disk_sectors(const struct acrnvhost_disk *disk, int fd)
{
	struct stat st;
	__u64 bytes;

	if (disk->is_device) {
		if (ioctl(fd, BLKGETSIZE64, &bytes))
			return 0;
	} else {
		if (fstat(fd, &st))
			return 0;
		bytes = st.st_size;
	}
	return bytes / disk->block_size * (disk->block_size / SECTOR);
}

/**
 * acrnvhost_disk_open() - Open a disk for a User VM
 * @fd:		Result
 * @path:	Block device or regular file
 * @read_only:	The User VM must not write to it
 *
 * The kernel lets a block device have one exclusive user: a mounted file
 * system, swap, RAID, LVM, or a process. If the User VM may write to it, that
 * user is @fd until it is closed. The device can still be opened without
 * O_EXCL, for instance once more by the device model.
 *
 * Return: 0; -EBUSY if the block device, the disk that it is a part of or a
 * partition of it has another exclusive user; errors of open().
 */
int acrnvhost_disk_open(int *fd, const char *path, bool read_only)
{
	int flags = (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	struct stat st;

	/* Without O_CREAT, O_EXCL is undefined for anything else. */
	if (!read_only && !stat(path, &st) && S_ISBLK(st.st_mode))
		flags |= O_EXCL;
	*fd = open(path, flags);
	return *fd < 0 ? -errno : 0;
}

/**
 * acrnvhost_disk_probe() - Find out what a disk is
 * @disk:	Result
 * @fd:		Block device or regular file
 *
 * Return: 0; -EINVAL for anything else than a block device or a regular file;
 * -ENOSPC for one without a single block; errors of the system calls.
 */
int acrnvhost_disk_probe(struct acrnvhost_disk *disk, int fd)
{
	int ret;

	*disk = (struct acrnvhost_disk){ 0 };
	ret = probe(disk, fd);
	if (ret)
		return ret;
	return acrnvhost_disk_sectors(disk, fd) ? 0 : -ENOSPC;
}

/**
 * acrnvhost_blk_offer() - The features of virtio-blk that a disk has
 * @disk:	Disk
 * @queues:	Number of queues
 *
 * A device offers those of them that its backend has, too: acrnvhost_features()
 * for vhost-blk.
 *
 * Return: Feature bits of <linux/virtio_blk.h>.
 */
__u64 acrnvhost_blk_offer(const struct acrnvhost_disk *disk,
			  unsigned int queues)
{
	__u64 features =
		BIT(VIRTIO_BLK_F_SIZE_MAX) | BIT(VIRTIO_BLK_F_SEG_MAX) |
		BIT(VIRTIO_BLK_F_BLK_SIZE) | BIT(VIRTIO_BLK_F_TOPOLOGY) |
		BIT(VIRTIO_BLK_F_FLUSH) | BIT(VIRTIO_BLK_F_CONFIG_WCE);

	if (queues > 1)
		features |= BIT(VIRTIO_BLK_F_MQ);
	if (disk->read_only)
		return features | BIT(VIRTIO_BLK_F_RO);
	if (disk->discard_granularity)
		features |= BIT(VIRTIO_BLK_F_DISCARD);
	return features | BIT(VIRTIO_BLK_F_WRITE_ZEROES);
}

static unsigned int block_exponent(__u32 blocks)
{
	return blocks > 1 ? 31 - __builtin_clz(blocks) : 0;
}

static __u32 max_segments(unsigned int queue_size)
{
	__u32 most = VHOST_BLK_MAX_BYTES / SEG_SIZE;

	return queue_size - 2 < most ? queue_size - 2 : most;
}

/**
 * acrnvhost_blk_config() - The configuration of a virtio-blk device
 * @config:	Result
 * @disk:	Disk
 * @sectors:	Its size, from acrnvhost_disk_sectors()
 * @queues:	Number of queues
 * @queue_size:	Largest size of a queue, 4 or more
 */
void acrnvhost_blk_config(struct virtio_blk_config *config,
			  const struct acrnvhost_disk *disk, __u64 sectors,
			  unsigned int queues, unsigned int queue_size)
{
	*config = (struct virtio_blk_config){
		.capacity = sectors,
		.size_max = SEG_SIZE,
		.seg_max = max_segments(queue_size),
		.blk_size = disk->block_size,
		.physical_block_exp = block_exponent(disk->physical_block_size /
						     disk->block_size),
		.min_io_size = disk->physical_block_size / disk->block_size,
		.wce = 1,
		.num_queues = queues,
		.max_discard_sectors = ACRNVHOST_BLK_MAX_RANGE,
		.max_discard_seg = VHOST_BLK_MAX_RANGES,
		.discard_sector_alignment = disk->discard_granularity / SECTOR,
		.max_write_zeroes_sectors = ACRNVHOST_BLK_MAX_RANGE,
		.max_write_zeroes_seg = VHOST_BLK_MAX_RANGES,
		.write_zeroes_may_unmap = 1,
	};
}
