/* SPDX-License-Identifier: GPL-2.0 */
/* Is this file a kernel that we can boot? Linux' x86 boot protocol. */
#ifndef DM_BZIMAGE_H
#define DM_BZIMAGE_H

#include <stddef.h>
#include <stdint.h>
#include <asm/bootparam.h>

/* Where the file is loaded, its setup part included. */
#define BZIMAGE_GPA 0x1000000

/* As much of the file as bzimage_check() looks at. */
#define BZIMAGE_HEAD_SIZE 0x400

/**
 * struct bzimage - What the file says of itself
 * @header:	Setup header, as long as this kernel's is; zeroes behind
 * @setup_size:	Bytes before the protected-mode code
 */
struct bzimage {
	struct setup_header header;
	uint32_t setup_size;
};

const char *bzimage_check(const uint8_t *head, size_t head_size,
			  uint64_t file_size, struct bzimage *image);
uint64_t bzimage_end(const struct bzimage *image);

#endif /* DM_BZIMAGE_H */
