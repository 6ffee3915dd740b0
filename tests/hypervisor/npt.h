/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nested page tables: what a VM sees of the machine's memory.
 *
 * Tables are only ever added while the VM lives, and freed with it, so that a
 * mapping can be taken away without waiting for page walks of other CPUs.
 */
#ifndef HV_NPT_H
#define HV_NPT_H

#include "spinlock.h"

/* Physical addresses of a guest end here. */
#define NPT_LIMIT (1UL << 40)

/* What the tables have entries for; higher bits of an address are ignored. */
#define NPT_SPAN (1UL << 48)

#define NPT_READ  BIT(0)
#define NPT_WRITE BIT(1)
#define NPT_EXEC  BIT(2)
#define NPT_RWX	  (NPT_READ | NPT_WRITE | NPT_EXEC)

/**
 * struct npt - Nested page tables of one VM
 * @lock:	Guards the tables; innermost but for the page pool's
 * @root:	Top-level table
 * @generation:	Counts the removals; a vCPU that enters with an older one must
 *		flush its TLB
 */
struct npt {
	struct spinlock lock;
	u64 *root;
	u32 generation;
};

/* Start empty. Returns 0 or -ENOMEM. */
int npt_init(struct npt *npt);

/* Free all tables. No CPU uses them any more. */
void npt_free(struct npt *npt);

/**
 * npt_map() - Add a mapping
 * @npt:	Tables
 * @gpa:	Guest physical address, page aligned
 * @hpa:	Machine address, page aligned
 * @size:	Bytes, a multiple of the page size
 * @rights:	NPT_*; NPT_READ must be among them
 *
 * What is mapped already stays as it is, as on ACRN. Uses pages of 1 GiB and
 * 2 MiB where alignment allows.
 *
 * Return: number of pages, of any size, that were mapped before, or -ENOMEM
 * with part of the mapping done.
 */
long npt_map(struct npt *npt, u64 gpa, u64 hpa, u64 size, u32 rights);

/**
 * npt_is_mapped() - Is there a mapping of each page?
 * @npt:	Tables
 * @gpa:	Guest physical address, page aligned
 * @size:	Bytes, a multiple of the page size
 *
 * Return: true when there is no hole in the range.
 */
bool npt_is_mapped(struct npt *npt, u64 gpa, u64 size);

/**
 * npt_unmap() - Take a mapping away
 * @npt:	Tables
 * @gpa:	Guest physical address, page aligned
 * @size:	Bytes, a multiple of the page size
 *
 * Holes in the range are fine. The caller sees to it that TLBs are flushed.
 *
 * Return: 0, or -ENOMEM when a larger page could not be split, with part of
 * the mapping gone.
 */
int npt_unmap(struct npt *npt, u64 gpa, u64 size);

/**
 * npt_lookup() - Find the memory behind a guest physical address
 * @npt:	Tables
 * @gpa:	Guest physical address
 * @rights:	NPT_* that the mapping must have
 *
 * The caller holds @npt->lock for as long as it uses the result, which is valid
 * up to the end of the 4 KiB page.
 *
 * Return: pointer, or NULL when there is no such mapping.
 */
void *npt_lookup(struct npt *npt, u64 gpa, u32 rights);

#endif /* HV_NPT_H */
