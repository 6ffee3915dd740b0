/* SPDX-License-Identifier: GPL-2.0 */
/* Pages for nested page tables, from a pool inside the hypervisor's image. */
#ifndef HV_PAGE_H
#define HV_PAGE_H

/*
 * Mapping 1 GiB in 4 KiB pages takes 2 MiB of tables, so this is enough for
 * 16 GiB in all VMs.
 */
#define PAGE_POOL_SIZE (32UL << 20)

/* Fill the pool. Once, before any other CPU allocates. */
void page_init(void);

/* Returns a zeroed page, or NULL when the pool is empty. Any context. */
void *page_alloc(void);
void page_free(void *page);

#endif /* HV_PAGE_H */
