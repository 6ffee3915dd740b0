/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file or block device behind a virtual disk. Once it is open only @sectors
 * of struct disk changes, which the main thread follows.
 */
#ifndef DM_DISK_H
#define DM_DISK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define DISK_SECTOR 512

/**
 * struct disk - A disk
 * @fd:		File or block device
 * @is_device:	@fd is a block device
 * @read_only:	The disk must not be written to
 * @sectors:	Size in sectors of 512 bytes; may change at any time
 * @block_size:	Requests begin and end at a multiple of this, in bytes
 * @physical_block_size: Unit in which the medium writes, in bytes
 * @discard_granularity: Unit in which data can be discarded, in bytes; 0 if it
 *		cannot be
 */
struct disk {
	int fd;
	bool is_device;
	bool read_only;
	_Atomic uint64_t sectors;
	uint32_t block_size;
	uint32_t physical_block_size;
	uint32_t discard_granularity;
};

int disk_open(struct disk *disk, const char *path, bool read_only);
int disk_open_direct(const struct disk *disk, const char *path);
void disk_close(struct disk *disk);
bool disk_resized(struct disk *disk);

#endif /* DM_DISK_H */
