/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Structures that the loader leaves in memory: Multiboot Specification 0.6.96
 */
#ifndef HV_MULTIBOOT_H
#define HV_MULTIBOOT_H

#include "types.h"

struct multiboot_info {
	u32 flags;
	u32 mem_lower;
	u32 mem_upper;
	u32 boot_device;
	u32 cmdline;
	u32 mods_count;
	u32 mods_addr;
	u32 syms[4];
	u32 mmap_length;
	u32 mmap_addr;
};

struct multiboot_module {
	u32 start;
	u32 end;
	u32 string;
	u32 reserved;
};

struct multiboot_mmap {
	u32 size; /* of the fields that follow */
	u64 addr;
	u64 len;
	u32 type;
} __attribute__((packed));

#endif /* HV_MULTIBOOT_H */
