// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "memseg.h"

#define PAGE_BITS	0xfffULL

/* A range of whole pages that ends at @limit at the latest. */
bool acrn_is_page_range(u64 start, u64 len, u64 limit)
{
	return len && !((start | len) & PAGE_BITS) && start < limit &&
	       len <= limit - start;
}

/**
 * acrn_memseg_check() - Whether a segment makes sense by itself
 * @map:	What user space asks for
 * @limit:	First physical address beyond what the CPU has
 *
 * Where in user memory a RAM segment lies is only checked for alignment here.
 *
 * Return: 0 or -EINVAL
 */
int acrn_memseg_check(const struct acrn_vm_memmap *map, u64 limit)
{
	if (map->attr & ~(ACRN_MEM_ACCESS_RIGHT_MASK | ACRN_MEM_TYPE_MASK))
		return -EINVAL;
	/* Memory that cannot be read would stop ACRN once it is written to. */
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

/* Let @run end with the page @pfn. False when that is not the next page. */
bool acrn_run_extend(struct acrn_run *run, u64 pfn)
{
	/* A sum of bit-fields would have their width only. */
	if ((u64)run->pfn + run->pages != pfn ||
	    run->pages == ACRN_RUN_PAGES_MAX)
		return false;
	run->pages++;
	return true;
}
