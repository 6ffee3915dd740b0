// sources: dm/boot/bzimage.c
// SPDX-License-Identifier: GPL-2.0
/* The device model's checks of kernel images, good and bad */
#include <stdint.h>
#include <string.h>

#include "dm/boot/bzimage.h"
#include "tap.h"

#define HEADER	   0x1f1
#define FILE_SIZE  0x100000
#define SETUP_SIZE 0x4000

static uint8_t head[BZIMAGE_HEAD_SIZE];

static struct setup_header *good(void)
{
	struct setup_header *header = (void *)(head + HEADER);

	memset(head, 0, sizeof(head));
	header->setup_sects = SETUP_SIZE / 512 - 1;
	header->syssize = (FILE_SIZE - SETUP_SIZE) / 16;
	header->boot_flag = 0xaa55;
	header->jump = 0xeb | (sizeof(*header) - 0x11) << 8;
	header->header = 0x53726448;
	header->version = 0x020f;
	header->loadflags = LOADED_HIGH;
	header->kernel_alignment = 0x200000;
	header->relocatable_kernel = 1;
	header->xloadflags = XLF_KERNEL_64;
	header->pref_address = 0x1000000;
	header->init_size = 0x900000;
	return header;
}

static const char *check(uint64_t file_size, struct bzimage *image)
{
	return bzimage_check(head, sizeof(head), file_size, image);
}

static void refused(const char *why)
{
	struct bzimage image;
	const char *got = check(FILE_SIZE, &image);

	if (!tap_ok(got && strstr(got, why), "refused: %s", why))
		tap_diag("got %s", got ? got : "none");
}

static void accepts(void)
{
	struct setup_header *header = good();
	struct bzimage image;

	tap_ok(!check(FILE_SIZE, &image), "a good image");
	tap_eq(image.setup_size, SETUP_SIZE, "its setup size");
	tap_eq(image.header.init_size, 0x900000, "its header is copied whole");
	tap_eq(bzimage_end(&image), 0x1200000 + 0x900000,
	       "it unpacks at the next multiple of its alignment");

	header->init_size = 0;
	check(FILE_SIZE, &image);
	tap_eq(bzimage_end(&image), 0x1200000, "the aligned address counts");

	header->kernel_alignment = 0x1000;
	check(FILE_SIZE, &image);
	tap_eq(bzimage_end(&image), 0x1000000 + FILE_SIZE,
	       "the file counts when it is larger");

	header = good();
	header->pref_address = 0x4000000;
	check(FILE_SIZE, &image);
	tap_eq(bzimage_end(&image), 0x4000000 + 0x900000,
	       "it unpacks no lower than it prefers");

	header = good();
	header->relocatable_kernel = 0;
	tap_ok(!check(FILE_SIZE, &image), "one that is not relocatable");
	tap_eq(bzimage_end(&image), 0x1000000 + 0x900000,
	       "it unpacks where it prefers");

	header = good();
	header->setup_sects = 0;
	check(FILE_SIZE, &image);
	tap_eq(image.setup_size, 5 * 512, "no setup sectors stand for four");
}

static void short_header(void)
{
	struct setup_header *header = good();
	struct bzimage image;

	/* The header ends behind xloadflags, before init_size. */
	header->jump = 0xeb | 0x36 << 8;
	check(FILE_SIZE, &image);
	tap_eq(image.header.init_size, 0, "nothing behind the header is read");
	header->jump = 0xeb | 0xff << 8;
	tap_ok(!check(FILE_SIZE, &image), "a header longer than ours is cut");
}

static void refuses(void)
{
	struct setup_header *header;
	struct bzimage image;

	good();
	tap_ok(bzimage_check(head, sizeof(head) - 1, FILE_SIZE, &image),
	       "refused: a file that is too short");
	tap_ok(bzimage_check(head, 0, 0, &image), "refused: an empty file");
	tap_ok(check(FILE_SIZE - 1, &image), "refused: one byte is missing");

	memset(head, 0xff, sizeof(head));
	refused("not a bzImage");
	good()->header = 0;
	refused("not a bzImage");
	good()->boot_flag = 0;
	refused("not a bzImage");
	good()->version = 0x020b;
	refused("older");
	good()->loadflags = 0;
	refused("zImage");
	good()->xloadflags = 0;
	refused("64-bit");
	header = good();
	header->relocatable_kernel = 0;
	header->pref_address = 0x100000;
	refused("CONFIG_RELOCATABLE");
	good()->kernel_alignment = 0;
	refused("power of two");
	good()->kernel_alignment = 0x300000;
	refused("power of two");
	good()->pref_address = 1ULL << 32;
	refused("4 GiB");
	good()->syssize = 0;
	refused("truncated");
	good()->syssize = UINT32_MAX;
	refused("truncated");
}

int main(void)
{
	accepts();
	short_header();
	refuses();
	return tap_done();
}
