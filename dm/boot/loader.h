/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Puts a Linux kernel, its initramfs and the ACPI tables into guest memory, and
 * says with which registers the first vCPU starts.
 *
 * Used by the main thread at the first start of the VM, by the thread that
 * handles I/O requests at each reset.
 */
#ifndef DM_LOADER_H
#define DM_LOADER_H

#include <stdint.h>
#include <linux/acrn.h>

#include "boot/bzimage.h"
#include "bus/mem.h"

/**
 * struct loader - The files that a VM boots from
 * @kernel_path:	For messages
 * @initrd_path:	For messages, NULL if there is none
 * @cmdline:		Kernel command line
 * @kernel_fd:		bzImage
 * @initrd_fd:		initramfs, -1 if there is none
 * @kernel_size:	Bytes in the file
 * @initrd_size:	Bytes in the file
 * @initrd_gpa:		Guest physical address of the initramfs
 * @image:		Header of the bzImage
 *
 * The files stay open because a reboot of the guest reads them again.
 */
struct loader {
	const char *kernel_path;
	const char *initrd_path;
	const char *cmdline;
	int kernel_fd;
	int initrd_fd;
	uint64_t kernel_size;
	uint64_t initrd_size;
	uint64_t initrd_gpa;
	struct bzimage image;
};

int loader_open(struct loader *loader, const char *kernel, const char *initrd,
		const char *cmdline, uint64_t memory);
void loader_close(struct loader *loader);
int loader_load(const struct loader *loader, const struct guest_mem *mem,
		const uint8_t *lapic_ids, unsigned int vcpus,
		struct acrn_regs *regs);

#endif /* DM_LOADER_H */
