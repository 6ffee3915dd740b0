/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arithmetic on memory segments. Pure logic, which the unit tests compile for
 * user space as well.
 */
#ifndef HSM_MEMSEG_H
#define HSM_MEMSEG_H

#include <linux/types.h>
#include <linux/acrn.h>

/* Largest number of pages that fits into &struct acrn_run */
#define ACRN_RUN_PAGES_MAX	((1U << 24) - 1)

/**
 * struct acrn_run - Physically contiguous pages of a segment
 * @pfn:	First page frame, which has at most 40 bits on x86
 * @pages:	Number of pages
 *
 * A run takes eight bytes, so that memory in scattered pages costs no more than
 * an array of pointers to the pages would.
 */
struct acrn_run {
	u64 pfn:40;
	u64 pages:24;
};

bool acrn_is_page_range(u64 start, u64 len, u64 limit);
int acrn_memseg_check(const struct acrn_vm_memmap *map, u64 limit);
bool acrn_run_extend(struct acrn_run *run, u64 pfn);

#endif /* HSM_MEMSEG_H */
