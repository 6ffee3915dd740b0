// SPDX-License-Identifier: GPL-2.0
/*
 * Checks of a kernel image. The functions use nothing but their arguments.
 * Called by the main thread before there is a VM.
 */
#include <string.h>

#include "boot/bzimage.h"

#define SECTOR		512
#define HEADER_OFFSET	0x1f1
#define BOOT_FLAG	0xaa55
#define MAGIC		0x53726448 /* HdrS */
#define MAGIC_OFFSET	0x202
#define LENGTH_OFFSET	0x201
#define MIN_VERSION	0x020c /* the first one with xloadflags */
#define OLD_SETUP_SECTS 4      /* meant by setup_sects 0 */

/* The jump instruction at the beginning of the header leads to its end. */
static size_t header_size(const uint8_t *head)
{
	size_t size = MAGIC_OFFSET + head[LENGTH_OFFSET] - HEADER_OFFSET;
	size_t known = sizeof(struct setup_header);

	return size < known ? size : known;
}

/**
 * bzimage_check() - Check the first bytes of a kernel image
 * @head:	The first BZIMAGE_HEAD_SIZE bytes of the file, or all of it
 * @head_size:	Bytes in @head
 * @file_size:	Bytes in the file
 * @image:	Result
 *
 * Return: NULL if it can be booted, or what is wrong, for a message.
 */
const char *bzimage_check(const uint8_t *head, size_t head_size,
			  uint64_t file_size, struct bzimage *image)
{
	struct setup_header *header = &image->header;

	*image = (struct bzimage){ 0 };
	if (head_size < BZIMAGE_HEAD_SIZE)
		return "it is too short to be a bzImage";
	memcpy(header, head + HEADER_OFFSET, header_size(head));
	if (header->boot_flag != BOOT_FLAG || header->header != MAGIC)
		return "it is not a bzImage";
	if (header->version < MIN_VERSION)
		return "its boot protocol is older than 2.12 (Linux 3.8)";
	if (!(header->loadflags & LOADED_HIGH))
		return "it is a zImage, not a bzImage";
	if (!(header->xloadflags & XLF_KERNEL_64))
		return "it is not a 64-bit kernel";
	if (!header->relocatable_kernel && header->pref_address != BZIMAGE_GPA)
		return "it is built without CONFIG_RELOCATABLE and for another "
		       "address than 16 MiB";
	if (!header->kernel_alignment ||
	    header->kernel_alignment & (header->kernel_alignment - 1))
		return "its kernel_alignment is not a power of two";
	if (header->pref_address > UINT32_MAX)
		return "it wants to be unpacked above 4 GiB";

	image->setup_size =
		SECTOR * (1 + (header->setup_sects ? header->setup_sects
						   : OLD_SETUP_SECTS));
	if (!header->syssize ||
	    image->setup_size + 16ULL * header->syssize > file_size)
		return "it is truncated";
	return NULL;
}

/* The address that the kernel unpacks itself to. */
static uint64_t unpack_address(const struct bzimage *image)
{
	uint64_t preferred = image->header.pref_address;
	uint64_t align = image->header.kernel_alignment;
	uint64_t start;

	if (!image->header.relocatable_kernel)
		return preferred;
	start = BZIMAGE_GPA + image->setup_size;
	start = (start + align - 1) & ~(align - 1);
	return start > preferred ? start : preferred;
}

/**
 * bzimage_end() - End of the memory that the kernel needs to unpack itself
 * @image:	Image
 *
 * Return: Guest physical address.
 */
uint64_t bzimage_end(const struct bzimage *image)
{
	uint64_t end = unpack_address(image) + image->header.init_size;
	uint64_t file_end =
		BZIMAGE_GPA + image->setup_size + 16ULL * image->header.syssize;

	return end > file_end ? end : file_end;
}
