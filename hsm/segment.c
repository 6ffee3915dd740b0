// SPDX-License-Identifier: GPL-2.0
/*
 * Segments. Ordinary memory of the device model stays pinned, page by page,
 * from acrn_segment_create() to acrn_segment_release(). Device memory has no
 * pages that can be pinned, and is physically contiguous.
 *
 * All functions run in process context: in an ioctl, that of the process whose
 * memory it is while a segment is created, or when the VM is destroyed. While a
 * segment is created nobody else has it; afterwards &struct acrn_memory.lock
 * guards it.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "hsm.h"
#include "memseg.h"
#include "segment.h"

/**
 * struct run_block - A page full of runs
 * @next:	Block with the runs that follow, or NULL
 * @first:	First page frame of the User VM in @runs
 * @used:	Number of elements of @runs that are in use
 * @runs:	Runs in the order of their addresses in the User VM
 */
struct run_block {
	struct run_block *next;
	unsigned long first;
	unsigned long used;
	struct acrn_run runs[];
};

#define RUNS_PER_BLOCK	((PAGE_SIZE - sizeof(struct run_block)) / \
			 sizeof(struct acrn_run))

/*
 * Append a block whose runs begin with the page frame @gfn of the User VM.
 * Returns NULL when there is no memory. Called while the segment is created, so
 * nobody else has it.
 */
static struct run_block *add_block(struct acrn_segment *segment,
				   unsigned long gfn)
{
	struct run_block *block;

	block = (struct run_block *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!block)
		return NULL;
	block->next = NULL;
	block->first = gfn;
	block->used = 0;
	if (segment->last_block)
		segment->last_block->next = block;
	else
		segment->blocks = block;
	segment->last_block = block;
	return block;
}

/* Append the pinned page @pfn to a segment that is being created. */
static int add_page(struct acrn_segment *segment, unsigned long pfn)
{
	struct run_block *block = segment->last_block;

	if (block && acrn_run_extend(&block->runs[block->used - 1], pfn))
		goto added;
	if (!block || block->used == RUNS_PER_BLOCK)
		block = add_block(segment, segment->first + segment->pages);
	if (!block)
		return -ENOMEM;
	block->runs[block->used++] = (struct acrn_run){ .pfn = pfn, .pages = 1 };
added:
	segment->pages++;
	return 0;
}

/*
 * Append pinned pages to a segment that is being created. Those that cannot be
 * appended are unpinned.
 */
static int add_pages(struct acrn_segment *segment, struct page **pages,
		     unsigned long count)
{
	unsigned long i;
	int ret;

	for (i = 0; i < count; i++) {
		ret = add_page(segment, page_to_pfn(pages[i]));
		if (ret) {
			unpin_user_pages(pages + i, count - i);
			return ret;
		}
	}
	return 0;
}

/**
 * acrn_pin_page() - Pin a page of the caller's memory for a VM
 * @address:	User address of the page
 * @page:	Result, for unpin_user_pages_dirty_lock()
 *
 * Context: Process context of the owner of the memory, may sleep. No lock
 *	    needed: the page is the caller's own.
 * Return: 0; -EINVAL when @address is not aligned to a page; -EFAULT when there
 *	   is no writable memory; -ENOMEM
 */
int acrn_pin_page(u64 address, struct page **page)
{
	int ret;

	if (!PAGE_ALIGNED(address))
		return -EINVAL;
	/* At the end of the address space, pinning would fail with -EOVERFLOW. */
	if (!access_ok((void __user *)address, PAGE_SIZE))
		return -EFAULT;
	ret = pin_user_pages_fast(address, 1, FOLL_WRITE | FOLL_LONGTERM, page);
	if (ret == 1)
		return 0;
	return ret ?: -EFAULT;
}

/**
 * acrn_replace_page() - Replace a pinned page by another one
 * @vm:		VM
 * @address:	User address of the new page
 * @replace:	Function that begins to use the new page. It returns the page
 *		that is not used any more: the former one, which may be NULL, or
 *		the new one if it sets @ret to an errno.
 *
 * Context: Process context: an ioctl, may sleep. @replace takes the lock that
 *	    guards the page.
 * Return: 0, or the errno of acrn_pin_page() or @replace
 */
int acrn_replace_page(struct acrn_vm *vm, u64 address,
		      struct page *(*replace)(struct acrn_vm *vm,
					      struct page *page, int *ret))
{
	struct page *page;
	int ret;

	ret = acrn_pin_page(address, &page);
	if (ret)
		return ret;
	page = replace(vm, page, &ret);
	if (page)
		unpin_user_pages_dirty_lock(&page, 1, true);
	return ret;
}

/*
 * Pin @size bytes of the caller's memory at @address. On failure the pages
 * pinned so far stay recorded in @segment; the caller unpins them. May sleep. The
 * segment is being created, so nobody else has it.
 */
static int pin_memory(struct acrn_segment *segment, u64 address, u64 size)
{
	unsigned long left = size >> PAGE_SHIFT;
	unsigned long batch = PAGE_SIZE / sizeof(struct page *);
	struct page **pages;
	int ret = 0;

	if (!access_ok((void __user *)address, size))
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
		ret = add_pages(segment, pages, count);
		left -= count;
		address += PFN_PHYS(count);
		if (fatal_signal_pending(current))
			ret = -EINTR;
		cond_resched();
	}
	free_page((unsigned long)pages);
	return ret;
}

/*
 * Look up a page of a VM_PFNMAP area, and check whether a User VM may have it.
 * The caller holds the mmap lock of the process for reading.
 */
static int follow_pfn_checked(struct vm_area_struct *vma, u64 address,
			      bool write, unsigned long *pfn)
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

	/* The guest must not have more access than the caller. */
	if (write && !writable)
		return -EFAULT;
	/* A page with a reference count may be freed, as nothing pins it here. */
	if (pfn_valid(*pfn) && !PageReserved(pfn_to_page(*pfn)))
		return -EFAULT;
	return 0;
}

/*
 * Find the physical address of @size bytes of a VM_PFNMAP area, which has no
 * pages that can be pinned. Fails with -EINVAL if they are not physically
 * contiguous or not all in the area. The caller holds the mmap lock of the
 * process for reading.
 */
static int follow_area(struct acrn_segment *segment,
		       struct vm_area_struct *vma, u64 address, u64 size)
{
	bool write = segment->attr & ACRN_MEM_ACCESS_WRITE;
	unsigned long i, pfn, first = 0;
	int ret;

	if (size > vma->vm_end - address)
		return -EINVAL;
	for (i = 0; i < size >> PAGE_SHIFT; i++) {
		ret = follow_pfn_checked(vma, address + i * PAGE_SIZE, write,
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
	segment->service_vm_pa = PFN_PHYS(first);
	segment->pages = i;
	return 0;
}

/*
 * Take memory of a VM_PFNMAP area of the caller. Returns 1 if it has, 0 if
 * @address is in no such area, or a negative errno. Takes the mmap lock of the
 * process.
 */
static int follow_pfnmap(struct acrn_segment *segment, u64 address, u64 size)
{
	struct vm_area_struct *vma;
	int ret = 0;

	mmap_read_lock(current->mm);
	vma = vma_lookup(current->mm, address);
	if (vma && (vma->vm_flags & VM_PFNMAP))
		ret = follow_area(segment, vma, address, size) ?: 1;
	mmap_read_unlock(current->mm);
	return ret;
}

/* Take memory of the caller, be it ordinary memory or that of a device. */
static int take_ram(struct acrn_segment *segment, u64 address, u64 size)
{
	int ret = follow_pfnmap(segment, address, size);

	if (ret)
		return min(ret, 0);
	return pin_memory(segment, address, size);
}

/* Whether no part of a range of physical addresses is RAM of the kernel. */
static bool is_device_memory(u64 service_vm_pa, u64 size)
{
	return region_intersects(service_vm_pa, size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) == REGION_DISJOINT;
}

/**
 * acrn_mmiodev_is_device() - Check that the regions of a device are device memory
 * @device:	Device that user space wants to assign to a User VM
 *
 * The hypervisor checks alignment, and nothing else.
 *
 * Context: Process context, no lock needed: @device is the caller's own copy.
 * Return: false if a region wraps, or if RAM of the kernel is part of one
 */
bool acrn_mmiodev_is_device(const struct acrn_mmiodev *device)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(device->res); i++) {
		u64 start = device->res[i].service_vm_pa;
		u64 size = device->res[i].size;

		/* A region that the device does not have is empty. */
		if (size && (start + size < start ||
			     !is_device_memory(start, size)))
			return false;
	}
	return true;
}

/*
 * Take device memory that the caller names by its physical address. It may be
 * that of any device of the Service VM, so it is for those who could access it
 * themselves.
 */
static int take_mmio(struct acrn_segment *segment, u64 service_vm_pa, u64 size)
{
	if (!capable(CAP_SYS_RAWIO) || !is_device_memory(service_vm_pa, size))
		return -EPERM;
	segment->service_vm_pa = service_vm_pa;
	segment->pages = size >> PAGE_SHIFT;
	return 0;
}

/* Free a segment, all pages of which are unpinned or must stay pinned. */
static void free_segment(struct acrn_segment *segment)
{
	struct run_block *block = segment->blocks, *next;

	for (; block; block = next) {
		next = block->next;
		free_page((unsigned long)block);
	}
	kfree(segment);
}

/**
 * acrn_segment_create() - Take memory for a User VM
 * @map:	Argument of ACRN_IOCTL_SET_MEMSEG that has passed
 *		acrn_memseg_check()
 *
 * Context: Process context of the owner of the memory, may sleep.
 * Return: the segment, for acrn_segment_release(); or an ERR_PTR() of -EFAULT
 *	   when there is no memory at the user address that a User VM may have,
 *	   -EINVAL when there is device memory that is too short or not
 *	   contiguous, -EPERM when an MMIO segment is RAM or the caller lacks
 *	   CAP_SYS_RAWIO, -EINTR when the caller was killed, -ENOMEM
 */
struct acrn_segment *acrn_segment_create(const struct acrn_vm_memmap *map)
{
	bool is_ram = map->type == ACRN_MEMMAP_RAM;
	struct acrn_segment *segment;
	int ret;

	segment = kzalloc(sizeof(*segment), GFP_KERNEL_ACCOUNT);
	if (!segment)
		return ERR_PTR(-ENOMEM);
	segment->first = PHYS_PFN(map->user_vm_pa);
	/* The kernel chooses the memory type, not the device model. */
	segment->attr = (map->attr & ACRN_MEM_ACCESS_RIGHT_MASK) |
			(is_ram ? ACRN_MEM_TYPE_WB : ACRN_MEM_TYPE_UC);
	ret = is_ram ? take_ram(segment, map->vma_base, map->len) :
		       take_mmio(segment, map->service_vm_pa, map->len);
	if (!ret)
		return segment;

	if (segment->pages)
		acrn_segment_release(segment, segment->first,
				     segment->first + segment->pages - 1, true);
	else
		free_segment(segment);
	return ERR_PTR(ret);
}

/*
 * Call @fn for each run of @block, as far as it is from @first to @last. For
 * acrn_segment_walk(), with its context.
 */
static int walk_block(const struct run_block *block, unsigned long first,
		      unsigned long last, acrn_run_fn fn, void *context)
{
	unsigned long gfn = block->first, i;
	int ret = 0;

	for (i = 0; i < block->used && gfn <= last && !ret; i++) {
		unsigned long pages = block->runs[i].pages;
		unsigned long from = max(gfn, first);
		unsigned long to = min(gfn + pages - 1, last);

		if (from <= to)
			ret = fn(context, from, block->runs[i].pfn + from - gfn,
				 to - from + 1);
		gfn += pages;
	}
	return ret;
}

/**
 * acrn_segment_walk() - Call a function for each run of pages in part of a segment
 * @segment:	Segment
 * @first:	First page frame of the User VM, within the segment
 * @last:	Last page frame of the User VM, within the segment
 * @fn:		Called for each run in order, until it returns an errno
 * @context:	Argument for @fn
 *
 * Context: Process context, may sleep. The runs do not change once the segment
 *	    is created; &struct acrn_memory.lock keeps it from being freed.
 * Return: what @fn has returned last
 */
int acrn_segment_walk(const struct acrn_segment *segment, unsigned long first,
		      unsigned long last, acrn_run_fn fn, void *context)
{
	const struct run_block *block = segment->blocks;
	int ret = 0;

	if (!block)
		return fn(context, first,
			  PHYS_PFN(segment->service_vm_pa) + first -
				  segment->first,
			  last - first + 1);
	for (; block && block->first <= last && !ret; block = block->next) {
		if (block->next && block->next->first <= first)
			continue;
		ret = walk_block(block, first, last, fn, context);
		cond_resched();
	}
	return ret;
}

/*
 * Unpin a run, marked dirty, as the guest may have written to it: see
 * acrn_run_fn.
 */
static int unpin_run(void *context, unsigned long gfn, unsigned long pfn,
		     unsigned long pages)
{
	unpin_user_page_range_dirty_lock(pfn_to_page(pfn), pages, true);
	return 0;
}

/**
 * acrn_segment_release() - Release pages that no User VM can reach any more
 * @segment:	Segment, freed with the last of its pages
 * @first:	First page frame of the User VM, within the segment
 * @last:	Last page frame of the User VM, within the segment
 * @unpin:	False if the pages must stay pinned for good
 *
 * The caller releases each page once.
 *
 * Context: Process context, may sleep. &struct acrn_memory.lock is held, or
 *	    nobody else has the segment yet.
 */
void acrn_segment_release(struct acrn_segment *segment, unsigned long first,
			  unsigned long last, bool unpin)
{
	if (unpin && segment->blocks)
		acrn_segment_walk(segment, first, last, unpin_run, NULL);
	segment->pages -= last - first + 1;
	if (!segment->pages)
		free_segment(segment);
}
