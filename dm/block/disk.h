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
#include <acrnvhost.h>

#define DISK_SECTOR 512

/**
 * struct disk - A disk
 * @fd:		File or block device
 * @is:		What kind of disk it is
 * @sectors:	Size in sectors of 512 bytes; may change at any time
 */
struct disk {
	int fd;
	struct acrnvhost_disk is;
	_Atomic uint64_t sectors;
};

int disk_open(struct disk *disk, const char *path, bool read_only);
int disk_open_direct(const struct disk *disk, const char *path);
void disk_close(struct disk *disk);
bool disk_resized(struct disk *disk);

#endif /* DM_DISK_H */
