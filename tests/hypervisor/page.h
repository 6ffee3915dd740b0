/* SPDX-License-Identifier: GPL-2.0 */
/* Pages for nested page tables, from a pool inside the hypervisor's image. */
#ifndef HV_PAGE_H
#define HV_PAGE_H

/*
 * Enough to map 8 GiB in 4 KiB pages, with as much again to spare: 1 GiB takes
 * 2 MiB of tables.
 */
#define PAGE_POOL_SIZE (32UL << 20)

void page_init(void);

/* A zeroed page, or NULL. Any context. */
void *page_alloc(void);
void page_free(void *page);

#endif /* HV_PAGE_H */
