/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks whether a file is a kernel that can be booted, by Linux' x86 boot
 * protocol.
 */
#ifndef DM_BZIMAGE_H
#define DM_BZIMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <asm/bootparam.h>

/* Guest physical address of the file, which begins with its setup part. */
#define BZIMAGE_GPA 0x1000000

/* Bytes at the beginning of the file that bzimage_check() looks at. */
#define BZIMAGE_HEAD_SIZE 0x400

/**
 * struct bzimage - A kernel image
 * @header:	Setup header of the file; the fields that it has not are 0
 * @setup_size:	Bytes in the file before the protected-mode code
 */
struct bzimage {
	struct setup_header header;
	uint32_t setup_size;
};

const char *bzimage_check(const uint8_t *head, size_t head_size,
			  uint64_t file_size, struct bzimage *image);
uint64_t bzimage_end(const struct bzimage *image);

#endif /* DM_BZIMAGE_H */
