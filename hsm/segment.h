/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A segment is the memory behind part of a User VM's address space, which one
 * ACRN_IOCTL_SET_MEMSEG has named.
 */
#ifndef HSM_SEGMENT_H
#define HSM_SEGMENT_H

#include <linux/types.h>
#include <linux/acrn.h>

struct run_block;

/**
 * struct acrn_segment - Memory that a User VM is given
 * @first:	First page frame of the User VM
 * @pages:	Number of its pages that have not been released
 * @service_vm_pa: Physical address of device memory; unused if there are @blocks
 * @blocks:	List of the pages that are pinned for it, in order; NULL if it
 *		is device memory
 * @last_block:	Last one of @blocks
 * @attr:	Attributes for the hypervisor: ACRN_MEM_*
 *
 * All but @pages is constant once the segment is created. &struct
 * acrn_memory.lock guards @pages.
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
 * typedef acrn_run_fn - Function that gets physically contiguous pages of a segment
 * @context:	Argument of acrn_segment_walk()
 * @gfn:	First page frame of the User VM
 * @pfn:	First page frame of the Service VM
 * @pages:	Number of pages
 *
 * Return: 0 to continue
 */
typedef int (*acrn_run_fn)(void *context, unsigned long gfn, unsigned long pfn,
			   unsigned long pages);

struct acrn_segment *acrn_segment_create(const struct acrn_vm_memmap *map);
void acrn_segment_release(struct acrn_segment *segment, unsigned long first,
			  unsigned long last, bool unpin);
int acrn_segment_walk(const struct acrn_segment *segment, unsigned long first,
		      unsigned long last, acrn_run_fn fn, void *context);

#endif /* HSM_SEGMENT_H */
