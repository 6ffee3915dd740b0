// SPDX-License-Identifier: GPL-2.0
/*
 * The address space of a User VM: which of its page frames lead to which segment.
 *
 * &acrn_memory.ranges is at any time exactly what the hypervisor has mapped. It
 * has to be: the hypervisor does not unmap a range of which any page is not
 * mapped, and it does not replace what is mapped. So SET_MEMSEG first unmaps
 * what is at its addresses, which may be parts of several earlier segments, and
 * then maps the new segment. When the hypervisor refuses any of that, what was
 * there before is mapped again.
 *
 * All functions run in process context, in an ioctl, and may sleep. Those that
 * get a &struct acrn_memory run with its lock held, a mutex, but for
 * is_reachable(), and for those that are not static, which take it. A list of
 * ranges that is passed along, and a &struct acrn_regions, belong to the ioctl
 * alone.
 */
#include <linux/err.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "hsm.h"
#include "memseg.h"
#include "regions.h"
#include "segment.h"

/* More than device models need, and few enough to walk through in each ioctl */
#define RANGES_MAX	1024

/**
 * struct acrn_range - Part of a segment
 * @node:	In &acrn_memory.retired, or in a list of an ioctl: of what it
 *		maps, or of what it has unmapped
 * @segment:	Segment
 * @first:	First page frame of the User VM
 * @last:	Last page frame of the User VM
 */
struct acrn_range {
	struct list_head node;
	struct acrn_segment *segment;
	unsigned long first;
	unsigned long last;
};

/* Append a range to the list @ranges. Returns NULL when there is no memory. */
static struct acrn_range *new_range(struct list_head *ranges,
				    struct acrn_segment *segment,
				    unsigned long first, unsigned long last)
{
	struct acrn_range *range;

	range = kmalloc(sizeof(*range), GFP_KERNEL_ACCOUNT);
	if (!range)
		return NULL;
	range->segment = segment;
	range->first = first;
	range->last = last;
	list_add_tail(&range->node, ranges);
	return range;
}

/* Take a range out of its list and free it. Its segment stays as it is. */
static void free_range(struct acrn_range *range)
{
	list_del(&range->node);
	kfree(range);
}

/* Free all of @ranges. Their segments stay as they are. */
static void free_ranges(struct list_head *ranges)
{
	struct acrn_range *range, *next;

	list_for_each_entry_safe(range, next, ranges, node)
		free_range(range);
}

/*
 * Record that the page frames from @first up to @end now lead to @segment, or
 * to nothing if that is NULL. The hypervisor has been told already, so this
 * must not fail.
 */
static void record(struct acrn_memory *memory, unsigned long first,
		   unsigned long end, struct acrn_segment *segment)
{
	MA_STATE(mas, &memory->ranges, first, end - 1);

	if (first < end)
		mas_store_gfp(&mas, segment, GFP_KERNEL | __GFP_NOFAIL);
}

/*
 * Whether a CPU or an IOMMU may hold translations of the VM's addresses. No
 * lock needed: whoever changes the answer to true does so before there can be
 * any.
 */
static bool is_reachable(const struct acrn_memory *memory)
{
	return READ_ONCE(memory->started) || atomic_read(&memory->devices);
}

/**
 * struct usage - What an address space takes
 * @ranges:	Number of ranges, mapped or retired
 * @tables:	Number of page tables that the hypervisor needs for them at most
 */
struct usage {
	unsigned int ranges;
	unsigned long tables;
};

/* Count the page tables that cover 2 MiB each, and those that cover 1 GiB each. */
static unsigned long count_tables(unsigned long first, unsigned long last)
{
	return last / PTRS_PER_PTE - first / PTRS_PER_PTE + 1 +
	       last / PTRS_PER_PTE / PTRS_PER_PMD -
	       first / PTRS_PER_PTE / PTRS_PER_PMD + 1;
}

/* Add a range from @first to @last to @usage. */
static void add_usage(struct usage *usage, unsigned long first, unsigned long last)
{
	usage->ranges++;
	usage->tables += count_tables(first, last);
}

/*
 * For each VM, ACRN has as many page tables as it takes to map the memory of
 * the machine and 4 GiB more, besides some for devices. It stops when a VM
 * needs more.
 */
static bool is_too_much(const struct usage *usage)
{
	unsigned long pages = totalram_pages() + PHYS_PFN((u64)SZ_4G);

	return usage->ranges > RANGES_MAX ||
	       usage->tables > count_tables(0, pages - 1);
}

/*
 * List in @found what is mapped from @first to @last. Fails with -ENOSPC if the
 * address space would take too much after all that was unmapped and, if @set, a
 * segment was mapped in its place.
 */
static int find_ranges(struct acrn_memory *memory, unsigned long first,
		       unsigned long last, bool set, struct list_head *found)
{
	MA_STATE(mas, &memory->ranges, 0, 0);
	struct usage usage = { .ranges = memory->retired_count };
	struct acrn_segment *segment;

	if (set)
		add_usage(&usage, first, last);
	mas_for_each(&mas, segment, ULONG_MAX) {
		if (mas.last < first || mas.index > last) {
			add_usage(&usage, mas.index, mas.last);
			continue;
		}
		if (mas.index < first)
			add_usage(&usage, mas.index, first - 1);
		if (mas.last > last)
			add_usage(&usage, last + 1, mas.last);
		/* The range will be retired. */
		usage.ranges += is_reachable(memory);
		if (!new_range(found, segment, max(mas.index, first),
			       min(mas.last, last)))
			return -ENOMEM;
	}
	return is_too_much(&usage) ? -ENOSPC : 0;
}

/*
 * Unmap all of @ranges. After a failure the list has what was unmapped: the
 * last range is cut where the hypervisor has refused, and those behind it are
 * gone.
 */
static int unmap_ranges(struct acrn_memory *memory,
			struct acrn_regions *regions, struct list_head *ranges)
{
	struct acrn_range *range, *next;
	int ret = 0;

	list_for_each_entry_safe(range, next, ranges, node) {
		unsigned long end = range->first;

		if (!ret)
			ret = acrn_regions_unmap(regions, range->first,
						 range->last, &end);
		record(memory, range->first, end, NULL);
		range->last = end - 1;
		if (range->first == end)
			free_range(range);
		cond_resched();
	}
	return ret;
}

/*
 * Map all of @ranges again. What the hypervisor refuses to map is left in the
 * list.
 */
static void restore_ranges(struct acrn_memory *memory,
			   struct acrn_regions *regions,
			   struct list_head *ranges)
{
	struct acrn_range *range, *next;

	list_for_each_entry_safe(range, next, ranges, node) {
		unsigned long end;

		acrn_regions_map(regions, range->segment, range->first,
				 range->last, &end);
		record(memory, range->first, end, range->segment);
		range->first = end;
		if (end > range->last)
			free_range(range);
	}
}

/*
 * Release all of @ranges, which nothing can reach any more, see
 * acrn_segment_release(). May sleep.
 */
static void release_ranges(struct list_head *ranges, bool unpin)
{
	struct acrn_range *range, *next;

	list_for_each_entry_safe(range, next, ranges, node) {
		acrn_segment_release(range->segment, range->first, range->last,
				     unpin);
		free_range(range);
	}
}

/*
 * Give up @ranges, which are not mapped any more. When the hypervisor returns
 * from unmapping, a CPU may still hold translations: the hypervisor has only
 * asked it to drop them, which it does when it next enters the guest. The
 * hypervisor flushes the translations of an IOMMU only when a device is taken
 * from the VM. So memory that the VM may have used stays pinned until the VM is
 * reset while no PCI device is assigned to it, or until it is destroyed.
 */
static void retire_ranges(struct acrn_memory *memory, struct list_head *ranges)
{
	struct acrn_range *range;

	if (!is_reachable(memory)) {
		release_ranges(ranges, true);
		return;
	}
	list_for_each_entry(range, ranges, node)
		memory->retired_count++;
	list_splice_tail(ranges, &memory->retired);
}

/*
 * Map a new segment, the only range in @fresh. After a failure @fresh has the
 * part that was mapped, if any. The rest is released, as the hypervisor was
 * never given it.
 */
static int map_segment(struct acrn_memory *memory, struct acrn_regions *regions,
		       struct list_head *fresh)
{
	struct acrn_range *range;
	unsigned long end;
	int ret;

	range = list_first_entry(fresh, struct acrn_range, node);
	ret = acrn_regions_map(regions, range->segment, range->first,
			       range->last, &end);
	record(memory, range->first, end, range->segment);
	if (end <= range->last)
		acrn_segment_release(range->segment, end, range->last, true);
	range->last = end - 1;
	if (!ret || range->first == end)
		free_range(range);
	return ret;
}

/*
 * Map the new segment in @fresh in place of what is mapped there. After a
 * failure the address space is as before, unless the hypervisor refuses that as
 * well.
 */
static int set_segment(struct acrn_memory *memory, struct acrn_regions *regions,
		       struct list_head *fresh)
{
	const struct acrn_range *range;
	LIST_HEAD(unmapped);
	int ret;

	lockdep_assert_held(&memory->lock);
	range = list_first_entry(fresh, struct acrn_range, node);
	ret = find_ranges(memory, range->first, range->last, true, &unmapped);
	if (ret)
		free_ranges(&unmapped);
	else
		ret = unmap_ranges(memory, regions, &unmapped);
	if (ret)
		release_ranges(fresh, true);
	else
		ret = map_segment(memory, regions, fresh);

	if (ret && !unmap_ranges(memory, regions, fresh))
		restore_ranges(memory, regions, &unmapped);
	retire_ranges(memory, fresh);
	retire_ranges(memory, &unmapped);
	return ret;
}

/* The first physical address that the processor does not have. */
static u64 physical_limit(void)
{
	return 1ULL << boot_cpu_data.x86_phys_bits;
}

/*
 * Create the segment that @map describes, as the only range in @fresh. Without
 * a lock: pinning takes long, and nobody else has the segment.
 */
static int create_segment(const struct acrn_vm_memmap *map,
			  struct list_head *fresh)
{
	struct acrn_segment *segment = acrn_segment_create(map);
	unsigned long last;

	if (IS_ERR(segment))
		return PTR_ERR(segment);
	last = segment->first + segment->pages - 1;
	if (new_range(fresh, segment, segment->first, last))
		return 0;
	acrn_segment_release(segment, segment->first, last, true);
	return -ENOMEM;
}

/**
 * acrn_memory_set() - ACRN_IOCTL_SET_MEMSEG
 * @vm:		User VM
 * @map:	Segment to map, from the memory of the caller or a device. It
 *		replaces what is mapped at its addresses.
 *
 * After a failure the address space is as before. If the hypervisor refuses
 * even that, some addresses of @map lead nowhere, or to the memory that @map
 * names.
 *
 * Context: Process context, may sleep: an ioctl with &struct acrn_file.lock
 *	    held. Takes &struct acrn_memory.lock.
 * Return: 0; -EINVAL when @map is misaligned, empty, beyond the physical
 *	   addresses of the processor, not readable or of unknown type; -EFAULT
 *	   when there is no memory at the user address; -EPERM when an MMIO
 *	   segment is RAM; -ENOSPC when the address space would have too many
 *	   ranges or take too many page tables; -ENOMEM; -EINTR when the caller
 *	   was killed; or the hypervisor's errno
 */
int acrn_memory_set(struct acrn_vm *vm, const struct acrn_vm_memmap *map)
{
	struct acrn_memory *memory = &vm->memory;
	struct acrn_regions *regions;
	LIST_HEAD(fresh);
	int ret;

	ret = acrn_memseg_check(map, physical_limit());
	if (ret)
		return ret;
	regions = acrn_regions_alloc(vm->vmid);
	if (!regions)
		return -ENOMEM;
	ret = create_segment(map, &fresh);
	if (ret)
		goto free;
	ret = mutex_lock_killable(&memory->lock);
	if (ret) {
		release_ranges(&fresh, true);
		goto free;
	}
	ret = set_segment(memory, regions, &fresh);
	mutex_unlock(&memory->lock);
free:
	acrn_regions_free(regions);
	return ret;
}

/*
 * Unmap what is mapped from @first to @last. After a failure it is mapped
 * again, as far as the hypervisor lets it. &acrn_memory.lock is held.
 */
static int unset_range(struct acrn_memory *memory, struct acrn_regions *regions,
		       unsigned long first, unsigned long last)
{
	LIST_HEAD(unmapped);
	int ret;

	lockdep_assert_held(&memory->lock);
	ret = find_ranges(memory, first, last, false, &unmapped);
	if (!ret && list_empty(&unmapped))
		ret = -EINVAL;
	if (ret) {
		free_ranges(&unmapped);
		return ret;
	}
	ret = unmap_ranges(memory, regions, &unmapped);
	if (ret)
		restore_ranges(memory, regions, &unmapped);
	retire_ranges(memory, &unmapped);
	return ret;
}

/**
 * acrn_memory_unset() - ACRN_IOCTL_UNSET_MEMSEG
 * @vm:		User VM
 * @map:	User VM address and length of what is unmapped; this may be any
 *		part of the address space. The type must be a known one. Other
 *		fields are ignored, as device models do not set them.
 *
 * The memory is unpinned at once, or when nothing can reach it any more, see
 * retire_ranges(). After a failure the address space is as before, unless the
 * hypervisor refuses even that.
 *
 * Context: Process context, may sleep: an ioctl with &struct acrn_file.lock
 *	    held. Takes &struct acrn_memory.lock.
 * Return: 0; -EINVAL when the type is unknown, when the range is misaligned,
 *	   empty or beyond the physical addresses of the processor, or when
 *	   nothing is mapped there; -ENOSPC when the address space would have
 *	   too many ranges; -ENOMEM; -EINTR when the caller was killed; or the
 *	   hypervisor's errno
 */
int acrn_memory_unset(struct acrn_vm *vm, const struct acrn_vm_memmap *map)
{
	unsigned long first = PHYS_PFN(map->user_vm_pa);
	struct acrn_memory *memory = &vm->memory;
	struct acrn_regions *regions;
	int ret;

	if (map->type != ACRN_MEMMAP_RAM && map->type != ACRN_MEMMAP_MMIO)
		return -EINVAL;
	if (!acrn_is_page_range(map->user_vm_pa, map->len, physical_limit()))
		return -EINVAL;
	regions = acrn_regions_alloc(vm->vmid);
	if (!regions)
		return -ENOMEM;
	ret = mutex_lock_killable(&memory->lock);
	if (!ret) {
		ret = unset_range(memory, regions, first,
				  first + PHYS_PFN(map->len) - 1);
		mutex_unlock(&memory->lock);
	}
	acrn_regions_free(regions);
	return ret;
}

/**
 * acrn_memory_init() - Begin with an empty address space
 * @memory:	Address space, zeroed
 *
 * Context: Process context. Nobody else has the VM yet.
 */
void acrn_memory_init(struct acrn_memory *memory)
{
	mutex_init(&memory->lock);
	mt_init_flags(&memory->ranges, MT_FLAGS_LOCK_EXTERN);
	mt_set_external_lock(&memory->ranges, &memory->lock);
	INIT_LIST_HEAD(&memory->retired);
}

/**
 * acrn_memory_reset() - Unpin retired memory, as the VM was reset
 * @memory:	Address space of the VM
 *
 * No CPU has entered the guest since the VM was paused, and each drops its
 * translations before it does so again. While a PCI device is assigned to the
 * VM, its memory stays pinned.
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held for writing.
 */
void acrn_memory_reset(struct acrn_memory *memory)
{
	mutex_lock(&memory->lock);
	memory->started = false;
	if (!is_reachable(memory)) {
		release_ranges(&memory->retired, true);
		memory->retired_count = 0;
	}
	mutex_unlock(&memory->lock);
}

/**
 * acrn_memory_deinit() - Release all segments
 * @memory:	Address space that nobody uses any more
 * @unpin:	False if the pages must stay pinned: the VM could not be
 *		destroyed, and still uses them
 *
 * Context: Process context, may sleep. Takes &acrn_memory.lock, which only the
 *	    maple tree needs here.
 */
void acrn_memory_deinit(struct acrn_memory *memory, bool unpin)
{
	MA_STATE(mas, &memory->ranges, 0, 0);
	struct acrn_segment *segment;

	mutex_lock(&memory->lock);
	mas_for_each(&mas, segment, ULONG_MAX)
		acrn_segment_release(segment, mas.index, mas.last, unpin);
	__mt_destroy(&memory->ranges);
	release_ranges(&memory->retired, unpin);
	mutex_unlock(&memory->lock);
}
