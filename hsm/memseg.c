// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "memseg.h"

#define PAGE_BITS	0xfffULL

/**
 * acrn_is_page_range() - Check a range of physical addresses
 * @start:	First address
 * @len:	Number of bytes
 * @limit:	First address that the range must not reach
 *
 * Context: Any, no lock needed.
 * Return: true if the range consists of one or more whole pages and ends at
 *	   @limit or before
 */
bool acrn_is_page_range(u64 start, u64 len, u64 limit)
{
	return len && !((start | len) & PAGE_BITS) && start < limit &&
	       len <= limit - start;
}

/**
 * acrn_memseg_check() - Check the argument of ACRN_IOCTL_SET_MEMSEG by itself
 * @map:	Argument
 * @limit:	First physical address that the processor does not have
 *
 * Whether there is memory at the user address of a RAM segment is found when it
 * is pinned.
 *
 * Context: Any, no lock needed: @map is the caller's own copy.
 * Return: 0 or -EINVAL
 */
int acrn_memseg_check(const struct acrn_vm_memmap *map, u64 limit)
{
	if (map->attr & ~(ACRN_MEM_ACCESS_RIGHT_MASK | ACRN_MEM_TYPE_MASK))
		return -EINVAL;
	/* ACRN would stop when the guest writes to memory that it cannot read. */
	if (!(map->attr & ACRN_MEM_ACCESS_READ))
		return -EINVAL;
	if (!acrn_is_page_range(map->user_vm_pa, map->len, limit))
		return -EINVAL;

	switch (map->type) {
	case ACRN_MEMMAP_RAM:
		return map->vma_base & PAGE_BITS ? -EINVAL : 0;
	case ACRN_MEMMAP_MMIO:
		return acrn_is_page_range(map->service_vm_pa, map->len, limit) ?
		       0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/**
 * acrn_run_extend() - Append a page to a run
 * @run:	Run
 * @pfn:	Page frame
 *
 * Context: Any. The caller serialises.
 * Return: false if the page does not follow the run, or the run cannot be longer
 */
bool acrn_run_extend(struct acrn_run *run, u64 pfn)
{
	/*
	 * The cast keeps the sum from being truncated to the width of the
	 * bit-field.
	 */
	if ((u64)run->pfn + run->pages != pfn ||
	    run->pages == ACRN_RUN_PAGES_MAX)
		return false;
	run->pages++;
	return true;
}
