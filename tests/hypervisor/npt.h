/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Nested page tables: they map guest physical to machine addresses.
 *
 * No table is freed before its VM is destroyed. A mapping can therefore be
 * removed while other CPUs walk the tables.
 */
#ifndef HV_NPT_H
#define HV_NPT_H

#include "spinlock.h"

/* End of the guest physical addresses that are valid */
#define NPT_LIMIT (1UL << 40)

/* Addresses for which the tables have entries; higher bits are ignored. */
#define NPT_SPAN (1UL << 48)

#define NPT_READ  BIT(0)
#define NPT_WRITE BIT(1)
#define NPT_EXEC  BIT(2)
#define NPT_RWX	  (NPT_READ | NPT_WRITE | NPT_EXEC)

/**
 * struct npt - Nested page tables of one VM
 * @lock:	Guards the tables; within it only page.c's lock is taken
 * @root:	Top-level table
 * @generation:	Number of removals; a vCPU that last entered the guest with
 *		another number must flush its TLB
 */
struct npt {
	struct spinlock lock;
	u64 *root;
	u32 generation;
};

/* Make empty tables. Returns 0 or -ENOMEM. */
int npt_init(struct npt *npt);

/* Free all tables. The caller has made sure that no CPU uses them. */
void npt_free(struct npt *npt);

/**
 * npt_map() - Add a mapping
 * @npt:	Tables
 * @gpa:	Guest physical address, page aligned
 * @hpa:	Machine address, page aligned
 * @size:	Bytes, a multiple of the page size
 * @rights:	NPT_*; NPT_READ must be among them
 *
 * As on ACRN, pages that are mapped already keep their mapping. Uses pages of
 * 1 GiB and 2 MiB where alignment allows. Takes @npt->lock.
 *
 * Return: number of pages, of any size, that were mapped before, or -ENOMEM
 * with part of the mapping done.
 */
long npt_map(struct npt *npt, u64 gpa, u64 hpa, u64 size, u32 rights);

/**
 * npt_is_mapped() - Check that a range is mapped completely
 * @npt:	Tables
 * @gpa:	Guest physical address, page aligned
 * @size:	Bytes, a multiple of the page size
 *
 * Takes @npt->lock.
 *
 * Return: true when every page of the range is mapped.
 */
bool npt_is_mapped(struct npt *npt, u64 gpa, u64 size);

/**
 * npt_unmap() - Remove a mapping
 * @npt:	Tables
 * @gpa:	Guest physical address, page aligned
 * @size:	Bytes, a multiple of the page size
 *
 * Pages that are not mapped are skipped. The caller then flushes TLBs, see
 * vm_flush_tlb(). Takes @npt->lock.
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
 * Return: pointer, or NULL when the address is not mapped with these rights.
 */
void *npt_lookup(struct npt *npt, u64 gpa, u32 rights);

#endif /* HV_NPT_H */
