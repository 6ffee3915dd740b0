/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arithmetic on memory segments. Pure logic, also compiled in user space by
 * the unit tests.
 */
#ifndef HSM_MEMSEG_H
#define HSM_MEMSEG_H

#include <linux/types.h>
#include <linux/acrn.h>

/* As many as &struct acrn_run has bits for */
#define ACRN_RUN_PAGES_MAX	((1U << 24) - 1)

/**
 * struct acrn_run - Physically contiguous pages of a segment
 * @pfn:	First page frame; 40 bits are all that x86 has
 * @pages:	How many
 *
 * Eight bytes, so that memory in small scattered pages costs no more than an
 * array of page pointers would.
 */
struct acrn_run {
	u64 pfn:40;
	u64 pages:24;
};

bool acrn_is_page_range(u64 start, u64 len, u64 limit);
int acrn_memseg_check(const struct acrn_vm_memmap *map, u64 limit);
bool acrn_run_extend(struct acrn_run *run, u64 pfn);

#endif /* HSM_MEMSEG_H */
