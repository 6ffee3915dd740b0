/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segments: the memory behind part of a User VM's address space, as one
 * ACRN_IOCTL_SET_MEMSEG named it.
 */
#ifndef HSM_SEGMENT_H
#define HSM_SEGMENT_H

#include <linux/types.h>
#include <linux/acrn.h>

struct run_block;

/**
 * struct acrn_segment - Memory that a User VM is given
 * @first:	Page frame of the User VM that it begins at
 * @pages:	How many of its pages have not been released
 * @service_vm_pa: Where it is, when it is no memory of the kernel's
 * @blocks:	The pages pinned for it, in order; NULL when @service_vm_pa says
 *		where it is
 * @last_block:	The last of @blocks
 * @attr:	ACRN_MEM_*, as the hypervisor gets it
 *
 * Constant once made, but for @pages, which the owner's lock guards.
 */
struct acrn_segment {
	unsigned long first;
	unsigned long pages;
	u64 service_vm_pa;
	struct run_block *blocks;
	struct run_block *last_block;
	u32 attr;
};

/**
 * typedef acrn_run_fn - Called for physically contiguous pages of a segment
 * @context:	The caller's
 * @gfn:	Page frame of the User VM
 * @pfn:	Page frame of the Service VM
 * @pages:	How many pages
 *
 * Return: 0 to go on
 */
typedef int (*acrn_run_fn)(void *context, unsigned long gfn, unsigned long pfn,
			   unsigned long pages);

struct acrn_segment *acrn_segment_create(const struct acrn_vm_memmap *map);
void acrn_segment_release(struct acrn_segment *segment, unsigned long first,
			  unsigned long last, bool unpin);
int acrn_segment_walk(const struct acrn_segment *segment, unsigned long first,
		      unsigned long last, acrn_run_fn fn, void *context);

#endif /* HSM_SEGMENT_H */
