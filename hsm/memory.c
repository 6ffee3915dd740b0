// SPDX-License-Identifier: GPL-2.0
/*
 * The address space of a User VM: segments of the device model's memory, which
 * is pinned for as long as the hypervisor may lead the guest there, and of
 * device memory of the Service VM.
 */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "acrn_hypercall.h"
#include "compat.h"
#include "hsm.h"
#include "memseg.h"

/* More than device models need, and little enough to walk when a VM ends. */
#define SEGMENTS_MAX	1024

/**
 * struct run_block - A page full of runs
 * @node:	In &acrn_segment.blocks
 * @used:	How many of @runs are
 * @runs:	In ascending order of User VM addresses
 */
struct run_block {
	struct list_head node;
	unsigned int used;
	struct acrn_run runs[];
};

#define RUNS_PER_BLOCK	((PAGE_SIZE - sizeof(struct run_block)) / \
			 sizeof(struct acrn_run))

/**
 * struct acrn_segment - A piece of the address space, set by one ioctl
 * @user_vm_pa:	User VM physical address
 * @size:	Bytes
 * @type:	ACRN_MEMMAP_*
 * @attr:	ACRN_MEM_*, as the hypervisor gets it
 * @blocks:	&struct run_block: the pages pinned for it. Empty when it leads
 *		to memory that is no page of the kernel's.
 * @retired:	In &acrn_memory.retired
 */
struct acrn_segment {
	u64 user_vm_pa;
	u64 size;
	u32 type;
	u32 attr;
	struct list_head blocks;
	struct list_head retired;
};

/**
 * struct batch - Regions on their way to the hypervisor
 * @head:	The hypercall's argument
 * @room:	How many regions there can be at a time
 * @bytes:	That the regions have
 * @sent:	Some have been
 * @regions:	What @head points to
 */
struct batch {
	struct acrn_memory_batch head;
	unsigned int room;
	u64 bytes;
	bool sent;
	struct acrn_memory_region regions[];
};

/*
 * Large enough for the hypercall itself to cost little beside its regions. Not
 * larger, as the hypervisor does nothing else for the VM meanwhile: an upcall
 * that completes a doorbell of its waits, with interrupts off. For the same
 * reason a hypercall is about no more memory than the largest page has.
 */
#define BATCH_SIZE	(8 * PAGE_SIZE)
#define PART_SIZE	((u64)SZ_1G)

static struct batch *batch_alloc(struct acrn_vm *vm)
{
	size_t size = BATCH_SIZE;
	struct batch *batch;

	batch = kmalloc(size, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (!batch) {
		/* Will do as well. */
		size = PAGE_SIZE;
		batch = kmalloc(size, GFP_KERNEL);
	}
	if (!batch)
		return NULL;
	batch->head = (struct acrn_memory_batch) {
		.vmid		= vm->vmid,
		.regions	= virt_to_phys(batch->regions),
	};
	batch->room = (size - sizeof(*batch)) / sizeof(batch->regions[0]);
	batch->bytes = 0;
	batch->sent = false;
	return batch;
}

static int batch_flush(struct batch *batch)
{
	int ret;

	if (!batch->head.number)
		return 0;
	ret = acrn_hc_set_memory_regions(&batch->head);
	batch->head.number = 0;
	batch->bytes = 0;
	batch->sent = true;
	return ret;
}

/* In parts that end at a multiple of PART_SIZE. */
static int batch_add(struct batch *batch,
		     const struct acrn_memory_region *region)
{
	struct acrn_memory_region part = *region;
	u64 left = region->size;
	int ret = 0;

	for (; left && !ret; left -= part.size) {
		part.size = min(left,
				PART_SIZE - part.user_vm_pa % PART_SIZE);
		batch->regions[batch->head.number++] = part;
		batch->bytes += part.size;
		part.user_vm_pa += part.size;
		part.service_vm_pa += part.size;
		if (batch->head.number == batch->room ||
		    batch->bytes >= PART_SIZE)
			ret = batch_flush(batch);
	}
	return ret;
}

/* Lead the segment to @service_vm_pa onwards. */
static int map_contiguous(struct batch *batch,
			  const struct acrn_segment *segment,
			  u64 service_vm_pa)
{
	const struct acrn_memory_region region = {
		.type		= ACRN_MEMORY_REGION_ADD,
		.attr		= segment->attr,
		.user_vm_pa	= segment->user_vm_pa,
		.service_vm_pa	= service_vm_pa,
		.size		= segment->size,
	};

	return batch_add(batch, &region) ?: batch_flush(batch);
}

/* Lead the segment to the pages pinned for it. */
static int map_runs(struct batch *batch, const struct acrn_segment *segment)
{
	struct acrn_memory_region region = {
		.type		= ACRN_MEMORY_REGION_ADD,
		.attr		= segment->attr,
		.user_vm_pa	= segment->user_vm_pa,
	};
	const struct run_block *block;
	unsigned int i;
	int ret;

	list_for_each_entry(block, &segment->blocks, node) {
		for (i = 0; i < block->used; i++) {
			region.service_vm_pa = PFN_PHYS(block->runs[i].pfn);
			region.size = PFN_PHYS(block->runs[i].pages);
			ret = batch_add(batch, &region);
			if (ret)
				return ret;
			region.user_vm_pa += region.size;
		}
		cond_resched();
	}
	return batch_flush(batch);
}

/* Let the segment lead nowhere, wherever it has led. */
static int unmap_segment(struct batch *batch,
			 const struct acrn_segment *segment)
{
	const struct acrn_memory_region region = {
		.type		= ACRN_MEMORY_REGION_DEL,
		.user_vm_pa	= segment->user_vm_pa,
		.size		= segment->size,
	};

	return batch_add(batch, &region) ?: batch_flush(batch);
}

static struct acrn_run *add_run(struct acrn_segment *segment)
{
	struct run_block *block;

	block = list_last_entry(&segment->blocks, struct run_block, node);
	if (list_empty(&segment->blocks) || block->used == RUNS_PER_BLOCK) {
		block = (struct run_block *)__get_free_page(GFP_KERNEL_ACCOUNT);
		if (!block)
			return NULL;
		block->used = 0;
		list_add_tail(&block->node, &segment->blocks);
	}
	return &block->runs[block->used++];
}

/*
 * Note pinned pages, merging those that are adjacent. Those that could not be
 * noted for want of memory are unpinned.
 */
static int add_pages(struct acrn_segment *segment, struct acrn_run **last,
		     struct page **pages, unsigned long count)
{
	unsigned long i, pfn;

	for (i = 0; i < count; i++) {
		pfn = page_to_pfn(pages[i]);
		if (*last && acrn_run_extend(*last, pfn))
			continue;
		*last = add_run(segment);
		if (!*last) {
			unpin_user_pages(pages + i, count - i);
			return -ENOMEM;
		}
		**last = (struct acrn_run){ .pfn = pfn, .pages = 1 };
	}
	return 0;
}

/**
 * acrn_pin_page() - Pin a page of the caller's memory for a VM
 * @address:	User address of the page
 * @page:	Result; to be given back with unpin_user_pages_dirty_lock()
 *
 * Process context, may sleep.
 *
 * Return: 0; -EINVAL when @address is not that of a page; -EFAULT when there is
 * no memory that can be written to; -ENOMEM
 */
int acrn_pin_page(u64 address, struct page **page)
{
	int ret;

	if (!PAGE_ALIGNED(address))
		return -EINVAL;
	/* The kernel's own addresses would be -EOVERFLOW at their very end. */
	if (!access_ok((void __user *)address, PAGE_SIZE))
		return -EFAULT;
	ret = pin_user_pages_fast(address, 1, FOLL_WRITE | FOLL_LONGTERM, page);
	if (ret == 1)
		return 0;
	return ret ?: -EFAULT;
}

/* Pin the caller's memory at @address. What was pinned by a failure stays. */
static int pin_memory(struct acrn_segment *segment, u64 address)
{
	unsigned long left = segment->size >> PAGE_SHIFT;
	unsigned long batch = PAGE_SIZE / sizeof(struct page *);
	struct acrn_run *last = NULL;
	struct page **pages;
	int ret = 0;

	if (!access_ok((void __user *)address, segment->size))
		return -EFAULT;
	pages = (struct page **)__get_free_page(GFP_KERNEL);
	if (!pages)
		return -ENOMEM;

	while (left && !ret) {
		long count = pin_user_pages_fast(address, min(left, batch),
						 FOLL_WRITE | FOLL_LONGTERM,
						 pages);

		if (count <= 0) {
			ret = count ?: -EFAULT;
			break;
		}
		ret = add_pages(segment, &last, pages, count);
		left -= count;
		address += PFN_PHYS(count);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	free_page((unsigned long)pages);
	return ret;
}

static void release_block(struct run_block *block, bool unpin)
{
	unsigned int i;

	for (i = 0; unpin && i < block->used; i++)
		unpin_user_page_range_dirty_lock(pfn_to_page(block->runs[i].pfn),
						 block->runs[i].pages, true);
	list_del(&block->node);
	free_page((unsigned long)block);
}

static void free_segment(struct acrn_segment *segment, bool unpin)
{
	struct run_block *block, *next;

	list_for_each_entry_safe(block, next, &segment->blocks, node) {
		release_block(block, unpin);
		cond_resched();
	}
	kfree(segment);
}

/* Look up one page of a VM_PFNMAP area that @segment may lead to. */
static int follow_pfn_checked(struct vm_area_struct *vma, u64 address,
			      const struct acrn_segment *segment,
			      unsigned long *pfn)
{
	struct follow_pfnmap_args args = { .vma = vma, .address = address };
	bool writable;
	int ret;

	ret = follow_pfnmap_start(&args);
	if (ret)
		return ret;
	*pfn = args.pfn;
	writable = args.writable;
	follow_pfnmap_end(&args);

	/* The guest must not get more than the caller has. */
	if (!writable && (segment->attr & ACRN_MEM_ACCESS_WRITE))
		return -EFAULT;
	/* Nothing would keep a page that is counted from being freed. */
	if (pfn_valid(*pfn) && !PageReserved(pfn_to_page(*pfn)))
		return -EFAULT;
	return 0;
}

/*
 * Find where a VM_PFNMAP area, which has no pages to pin, leads to. It must be
 * physically contiguous.
 */
static int follow_area(struct vm_area_struct *vma, u64 address,
		       const struct acrn_segment *segment, u64 *service_vm_pa)
{
	unsigned long pages = segment->size >> PAGE_SHIFT;
	unsigned long i, pfn, first = 0;
	int ret;

	if (segment->size > vma->vm_end - address)
		return -EINVAL;
	for (i = 0; i < pages; i++) {
		ret = follow_pfn_checked(vma, address + i * PAGE_SIZE, segment,
					 &pfn);
		if (ret)
			return ret;
		if (!i)
			first = pfn;
		if (pfn != first + i)
			return -EINVAL;
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	*service_vm_pa = PFN_PHYS(first);
	return 0;
}

/*
 * Handle an @address in a VM_PFNMAP area. 1 with the result in @service_vm_pa,
 * 0 when it is ordinary memory, or a negative errno.
 */
static int follow_pfnmap(const struct acrn_segment *segment, u64 address,
			 u64 *service_vm_pa)
{
	struct vm_area_struct *vma;
	int ret = 0;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, address);
	if (vma && (vma->vm_flags & VM_PFNMAP))
		ret = follow_area(vma, address, segment, service_vm_pa) ?: 1;
	mmap_read_unlock(current->mm);
	return ret;
}

static int map_ram(struct batch *batch, struct acrn_segment *segment,
		   u64 address)
{
	u64 service_vm_pa;
	int ret;

	ret = follow_pfnmap(segment, address, &service_vm_pa);
	if (ret < 0)
		return ret;
	if (ret)
		return map_contiguous(batch, segment, service_vm_pa);
	ret = pin_memory(segment, address);
	if (ret)
		return ret;
	return map_runs(batch, segment);
}

/*
 * Device memory is named by its physical address, which may be anything but
 * the kernel's own RAM.
 */
static bool is_device_memory(u64 service_vm_pa, u64 size)
{
	return region_intersects(service_vm_pa, size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) == REGION_DISJOINT;
}

/**
 * acrn_mmiodev_is_device() - Whether a device's regions are device memory
 * @device:	What user space wants to hand to a User VM
 *
 * All else is the hypervisor's to check: alignment above all.
 *
 * Return: true unless a region wraps or the kernel's own RAM is part of one
 */
bool acrn_mmiodev_is_device(const struct acrn_mmiodev *device)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(device->res); i++) {
		u64 start = device->res[i].service_vm_pa;
		u64 size = device->res[i].size;

		/* Fewer regions than there can be leave the others empty. */
		if (size && (start + size < start ||
			     !is_device_memory(start, size)))
			return false;
	}
	return true;
}

static int map_mmio(struct batch *batch, struct acrn_segment *segment,
		    u64 service_vm_pa)
{
	if (!is_device_memory(service_vm_pa, segment->size))
		return -EPERM;
	return map_contiguous(batch, segment, service_vm_pa);
}

static struct acrn_segment *new_segment(const struct acrn_vm_memmap *map)
{
	u32 access = map->attr & ACRN_MEM_ACCESS_RIGHT_MASK;
	struct acrn_segment *segment;

	segment = kzalloc(sizeof(*segment), GFP_KERNEL_ACCOUNT);
	if (!segment)
		return NULL;
	segment->user_vm_pa = map->user_vm_pa;
	segment->size = map->len;
	segment->type = map->type;
	/* Device models do not get to choose the memory type. */
	segment->attr = access | (map->type == ACRN_MEMMAP_RAM ?
				  ACRN_MEM_TYPE_WB : ACRN_MEM_TYPE_UC);
	INIT_LIST_HEAD(&segment->blocks);
	return segment;
}

static int insert_segment(struct acrn_memory *memory,
			  struct acrn_segment *segment)
{
	unsigned long first = PHYS_PFN(segment->user_vm_pa);
	int ret;

	if (memory->count == SEGMENTS_MAX)
		return -ENOSPC;
	ret = mtree_insert_range(&memory->segments, first,
				 first + PHYS_PFN(segment->size) - 1, segment,
				 GFP_KERNEL);
	if (!ret)
		memory->count++;
	return ret;
}

/*
 * Forget @segment, which leads nowhere any more. The hypervisor says so before
 * the VM's CPUs have dropped their translations, which it only asks them for,
 * and it does not flush those of an IOMMU. So pages that a VM may have used
 * stay pinned for as long as there is the VM.
 */
static void retire_segment(struct acrn_memory *memory,
			   struct acrn_segment *segment)
{
	mtree_erase(&memory->segments, PHYS_PFN(segment->user_vm_pa));
	if (READ_ONCE(memory->used) && !list_empty(&segment->blocks)) {
		list_add(&segment->retired, &memory->retired);
		return;
	}
	memory->count--;
	free_segment(segment, true);
}

/*
 * Insert @segment and map it. A failure leaves nothing behind, unless the
 * hypervisor refuses to forget what it had mapped by then: such a segment
 * stays, with its pages, for a later ACRN_IOCTL_UNSET_MEMSEG or the end of the
 * VM.
 */
static int set_segment(struct acrn_memory *memory, struct batch *batch,
		       struct acrn_segment *segment,
		       const struct acrn_vm_memmap *map)
{
	int ret;

	lockdep_assert_held(&memory->lock);
	ret = insert_segment(memory, segment);
	if (ret) {
		free_segment(segment, true);
		return ret;
	}
	if (segment->type == ACRN_MEMMAP_RAM)
		ret = map_ram(batch, segment, map->vma_base);
	else
		ret = map_mmio(batch, segment, map->service_vm_pa);
	if (!ret)
		return 0;

	if (!batch->sent || !unmap_segment(batch, segment))
		retire_segment(memory, segment);
	return ret;
}

/**
 * acrn_memory_set() - ACRN_IOCTL_SET_MEMSEG
 * @vm:		User VM
 * @map:	What to add to its address space, from the memory of the caller
 *
 * Process context.
 *
 * Return: 0; -EINVAL when misaligned, empty, beyond the range or of unknown
 * type; -EEXIST when it overlaps another segment; -EFAULT when there is no
 * memory at the user address; -EPERM when an MMIO segment is RAM; -ENOSPC when
 * there are too many; or the hypervisor's errno
 */
int acrn_memory_set(struct acrn_vm *vm, const struct acrn_vm_memmap *map)
{
	struct acrn_memory *memory = &vm->memory;
	struct acrn_segment *segment;
	struct batch *batch;
	int ret;

	ret = acrn_memseg_check(map, 1ULL << boot_cpu_data.x86_phys_bits);
	if (ret)
		return ret;
	batch = batch_alloc(vm);
	if (!batch)
		return -ENOMEM;
	segment = new_segment(map);
	if (!segment) {
		kfree(batch);
		return -ENOMEM;
	}

	ret = mutex_lock_killable(&memory->lock);
	if (ret) {
		free_segment(segment, true);
	} else {
		ret = set_segment(memory, batch, segment, map);
		mutex_unlock(&memory->lock);
	}
	kfree(batch);
	return ret;
}

/* Find the segment that is exactly @map. */
static struct acrn_segment *find_segment(struct acrn_memory *memory,
					 const struct acrn_vm_memmap *map)
{
	struct acrn_segment *segment;

	lockdep_assert_held(&memory->lock);
	segment = mtree_load(&memory->segments, PHYS_PFN(map->user_vm_pa));
	if (!segment || segment->user_vm_pa != map->user_vm_pa ||
	    segment->size != map->len || segment->type != map->type)
		return NULL;
	return segment;
}

static int unset_segment(struct acrn_memory *memory, struct batch *batch,
			 const struct acrn_vm_memmap *map)
{
	struct acrn_segment *segment = find_segment(memory, map);
	int ret;

	if (!segment)
		return -ENOENT;
	ret = unmap_segment(batch, segment);
	if (!ret)
		retire_segment(memory, segment);
	return ret;
}

/**
 * acrn_memory_unset() - ACRN_IOCTL_UNSET_MEMSEG
 * @vm:		User VM
 * @map:	Type, User VM address and length as they were set
 *
 * Process context. Pages are unpinned then, or with the VM if it has been
 * started.
 *
 * Return: 0; -EINVAL for an unknown type; -ENOENT when there is no such segment;
 * or the hypervisor's errno, upon which the segment stays
 */
int acrn_memory_unset(struct acrn_vm *vm, const struct acrn_vm_memmap *map)
{
	struct acrn_memory *memory = &vm->memory;
	struct batch *batch;
	int ret;

	if (map->type != ACRN_MEMMAP_RAM && map->type != ACRN_MEMMAP_MMIO)
		return -EINVAL;
	batch = batch_alloc(vm);
	if (!batch)
		return -ENOMEM;
	ret = mutex_lock_killable(&memory->lock);
	if (!ret) {
		ret = unset_segment(memory, batch, map);
		mutex_unlock(&memory->lock);
	}
	kfree(batch);
	return ret;
}

void acrn_memory_init(struct acrn_memory *memory)
{
	mutex_init(&memory->lock);
	mt_init(&memory->segments);
	INIT_LIST_HEAD(&memory->retired);
}

/*
 * Forget all segments. Nothing else uses @memory any more. Pages stay pinned
 * unless @unpin: a VM that cannot be destroyed still uses them.
 */
void acrn_memory_deinit(struct acrn_memory *memory, bool unpin)
{
	struct acrn_segment *segment, *next;
	unsigned long index = 0;

	mt_for_each(&memory->segments, segment, index, ULONG_MAX)
		free_segment(segment, unpin);
	list_for_each_entry_safe(segment, next, &memory->retired, retired)
		free_segment(segment, unpin);
	mtree_destroy(&memory->segments);
}
