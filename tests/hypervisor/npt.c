// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "npt.h"
#include "page.h"

#define NPTE_PRESENT BIT(0)
#define NPTE_WRITE   BIT(1)
#define NPTE_USER    BIT(2) /* nested walks are user accesses */
#define NPTE_HUGE    BIT(7)
#define NPTE_NX	     BIT(63)
#define NPTE_ADDRESS 0x000ffffffffff000UL
#define NPTE_TABLE   (NPTE_PRESENT | NPTE_WRITE | NPTE_USER)

#define ENTRIES	       512
#define TOP_LEVEL      3
#define MAX_HUGE_LEVEL 2 /* 1 GiB */

/* Bytes that one entry of a table covers; level 0 holds 4 KiB pages. */
static u64 level_size(u32 level)
{
	return PAGE_SIZE << (9 * level);
}

static u32 level_index(u64 gpa, u32 level)
{
	return gpa / level_size(level) % ENTRIES;
}

static u64 *entry_table(u64 entry)
{
	return (u64 *)(entry & NPTE_ADDRESS);
}

/* Whether the entry is a mapping, neither empty nor a table. */
static bool entry_is_leaf(u64 entry, u32 level)
{
	return (entry & NPTE_PRESENT) && (!level || (entry & NPTE_HUGE));
}

static u64 leaf_bits(u32 rights, u32 level)
{
	u64 bits = NPTE_PRESENT | NPTE_USER;

	if (rights & NPT_WRITE)
		bits |= NPTE_WRITE;
	if (!(rights & NPT_EXEC))
		bits |= NPTE_NX;
	if (level)
		bits |= NPTE_HUGE;
	return bits;
}

static u32 leaf_rights(u64 entry)
{
	u32 rights = NPT_READ;

	if (entry & NPTE_WRITE)
		rights |= NPT_WRITE;
	if (!(entry & NPTE_NX))
		rights |= NPT_EXEC;
	return rights;
}

int npt_init(struct npt *npt)
{
	npt->root = page_alloc();
	return npt->root ? 0 : -ENOMEM;
}

static void free_table(u64 *table, u32 level)
{
	for (u32 i = 0; level && i < ENTRIES; i++)
		if ((table[i] & NPTE_PRESENT) &&
		    !entry_is_leaf(table[i], level))
			free_table(entry_table(table[i]), level - 1);
	page_free(table);
}

void npt_free(struct npt *npt)
{
	spin_lock(&npt->lock);
	free_table(npt->root, TOP_LEVEL);
	npt->root = NULL;
	spin_unlock(&npt->lock);
}

/* The table to which *@entry points, made if there is none; NULL: no memory. */
static u64 *get_table(u64 *entry)
{
	u64 *table;

	if (*entry & NPTE_PRESENT)
		return entry_table(*entry);
	table = page_alloc();
	if (table)
		WRITE_ONCE(*entry, (u64)table | NPTE_TABLE);
	return table;
}

/*
 * Whether one entry of @level can map @gpa to @hpa without going beyond @end.
 */
static bool fits(u64 gpa, u64 end, u64 hpa, u32 level)
{
	u64 size = level_size(level);

	return level <= MAX_HUGE_LEVEL && IS_ALIGNED(gpa | hpa, size) &&
	       end - gpa >= size;
}

/* npt_map() for the part of the range that @table covers. */
static long map_level(u64 *table, u32 level, u64 gpa, u64 end, u64 hpa,
		      u32 rights)
{
	u64 size = level_size(level), next;
	long present = 0, ret;

	for (; gpa < end; hpa += next - gpa, gpa = next) {
		u64 *entry = &table[level_index(gpa, level)];
		u64 *lower;

		next = min((gpa & ~(size - 1)) + size, end);
		if (entry_is_leaf(*entry, level)) {
			present++;
			continue;
		}
		if (!*entry && fits(gpa, next, hpa, level)) {
			WRITE_ONCE(*entry, hpa | leaf_bits(rights, level));
			continue;
		}
		lower = get_table(entry);
		if (!lower)
			return -ENOMEM;
		ret = map_level(lower, level - 1, gpa, next, hpa, rights);
		if (ret < 0)
			return ret;
		present += ret;
	}
	return present;
}

long npt_map(struct npt *npt, u64 gpa, u64 hpa, u64 size, u32 rights)
{
	long ret;

	spin_lock(&npt->lock);
	ret = map_level(npt->root, TOP_LEVEL, gpa, gpa + size, hpa, rights);
	spin_unlock(&npt->lock);
	return ret;
}

static bool level_is_mapped(const u64 *table, u32 level, u64 gpa, u64 end)
{
	u64 size = level_size(level), next;

	for (; gpa < end; gpa = next) {
		u64 entry = table[level_index(gpa, level)];

		next = min((gpa & ~(size - 1)) + size, end);
		if (!(entry & NPTE_PRESENT))
			return false;
		if (!entry_is_leaf(entry, level) &&
		    !level_is_mapped(entry_table(entry), level - 1, gpa, next))
			return false;
	}
	return true;
}

bool npt_is_mapped(struct npt *npt, u64 gpa, u64 size)
{
	bool ret;

	spin_lock(&npt->lock);
	ret = level_is_mapped(npt->root, TOP_LEVEL, gpa, gpa + size);
	spin_unlock(&npt->lock);
	return ret;
}

/* Replace a large page by a table of pages of the next smaller size. */
static int split(u64 *entry, u32 level)
{
	u64 *table = page_alloc();
	u64 bits = leaf_bits(leaf_rights(*entry), level - 1);
	u64 first = *entry & NPTE_ADDRESS;

	if (!table)
		return -ENOMEM;
	for (u64 i = 0; i < ENTRIES; i++)
		table[i] = (first + i * level_size(level - 1)) | bits;
	WRITE_ONCE(*entry, (u64)table | NPTE_TABLE);
	return 0;
}

static int unmap_level(u64 *table, u32 level, u64 gpa, u64 end)
{
	u64 size = level_size(level), next;

	for (; gpa < end; gpa = next) {
		u64 *entry = &table[level_index(gpa, level)];
		bool leaf = entry_is_leaf(*entry, level);
		int ret = 0;

		next = min((gpa & ~(size - 1)) + size, end);
		if (!(*entry & NPTE_PRESENT))
			continue;
		if (leaf && next - gpa == size) {
			WRITE_ONCE(*entry, 0);
			continue;
		}
		if (leaf)
			ret = split(entry, level);
		if (!ret)
			ret = unmap_level(entry_table(*entry), level - 1, gpa,
					  next);
		if (ret)
			return ret;
	}
	return 0;
}

int npt_unmap(struct npt *npt, u64 gpa, u64 size)
{
	int ret;

	spin_lock(&npt->lock);
	ret = unmap_level(npt->root, TOP_LEVEL, gpa, gpa + size);
	__atomic_add_fetch(&npt->generation, 1, __ATOMIC_SEQ_CST);
	spin_unlock(&npt->lock);
	return ret;
}

void *npt_lookup(struct npt *npt, u64 gpa, u32 rights)
{
	u64 *table = npt->root;

	if (gpa >= NPT_LIMIT)
		return NULL;
	for (u32 level = TOP_LEVEL;; level--) {
		u64 entry = table[level_index(gpa, level)];

		if (!(entry & NPTE_PRESENT))
			return NULL;
		if (!entry_is_leaf(entry, level)) {
			table = entry_table(entry);
			continue;
		}
		if (rights & ~leaf_rights(entry))
			return NULL;
		return (void *)((entry & NPTE_ADDRESS) +
				gpa % level_size(level));
	}
}
