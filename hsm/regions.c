// SPDX-License-Identifier: GPL-2.0
/*
 * Mapping and unmapping parts of a User VM's address space.
 *
 * The hypervisor processes the regions of a hypercall in order, each as a
 * whole, and stops at the first that it refuses. It does not say which one that
 * was. It refuses to unmap a region of which any page is not mapped. When it is
 * told to map a page that is mapped already, it leaves the page as it is and
 * reports no error.
 *
 * A &struct acrn_regions belongs to the ioctl that has allocated it. &struct
 * acrn_memory.lock of the VM is held while it is used to map and unmap.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "acrn_hypercall.h"
#include "regions.h"
#include "segment.h"

/**
 * struct acrn_regions - Arguments of hypercalls, in the linear map
 * @batch:	Argument of the hypercall that maps or unmaps @regions
 * @query:	Argument of the hypercall that asks whether a page is mapped
 * @max_regions: Number of @regions that there is room for
 * @attr:	Attributes of what is mapped: ACRN_MEM_*
 * @bytes:	Sum of the sizes of @regions
 * @mapped_end:	First page frame of the User VM that is not mapped yet
 * @regions:	Regions that have been gathered for the next hypercall
 */
struct acrn_regions {
	struct acrn_memory_batch batch;
	struct acrn_gpa_to_hpa query;
	unsigned int max_regions;
	u32 attr;
	u64 bytes;
	unsigned long mapped_end;
	struct acrn_memory_region regions[];
};

/*
 * Bytes of &struct acrn_regions. Large enough that the hypercall itself costs
 * little compared to its regions. No larger, because the hypervisor holds the
 * lock of the VM meanwhile: an upcall that completes a request of the VM waits
 * for it, with interrupts off.
 */
#define BATCH_SIZE	(8 * PAGE_SIZE)

/*
 * For the same reason a region has no more bytes than this, and a hypercall is
 * made as soon as its regions together have as many.
 */
#define PART_SIZE	((u64)SZ_1G)

/**
 * acrn_regions_alloc() - Allocate the arguments of hypercalls
 * @vmid:	Id of the User VM
 *
 * Context: Process context, may sleep. No lock needed: the arguments are the
 *	    caller's own.
 * Return: arguments for acrn_regions_free(); NULL when there is no memory
 */
struct acrn_regions *acrn_regions_alloc(u16 vmid)
{
	size_t size = BATCH_SIZE;
	struct acrn_regions *regions;

	regions = kmalloc(size, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (!regions) {
		/* A smaller batch only takes more hypercalls. */
		size = PAGE_SIZE;
		regions = kmalloc(size, GFP_KERNEL);
	}
	if (!regions)
		return NULL;
	regions->batch = (struct acrn_memory_batch) {
		.vmid		= vmid,
		.regions	= virt_to_phys(regions->regions),
	};
	regions->max_regions = (size - sizeof(*regions)) /
			       sizeof(regions->regions[0]);
	regions->bytes = 0;
	return regions;
}

/**
 * acrn_regions_free() - Free what acrn_regions_alloc() has returned
 * @regions:	Arguments
 *
 * Context: Process context. No lock needed: the arguments are the caller's own.
 */
void acrn_regions_free(struct acrn_regions *regions)
{
	kfree(regions);
}

/* Ask the hypervisor whether the first page of region @i is mapped. */
static bool is_mapped(struct acrn_regions *regions, unsigned int i)
{
	regions->query.user_vm_pa = regions->regions[i].user_vm_pa;
	return !acrn_hc_vm_gpa_to_hpa(regions->batch.vmid, &regions->query);
}

/*
 * Find how many regions of a batch that has failed are mapped. None was mapped
 * before, so those before the one that the hypervisor has refused are mapped,
 * and the others are not.
 */
static unsigned int count_mapped(struct acrn_regions *regions)
{
	unsigned int low = 0, high = regions->batch.number - 1;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (is_mapped(regions, middle))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Map the regions that have been gathered. */
static int flush_batch(struct acrn_regions *regions)
{
	unsigned int done = regions->batch.number;
	int ret;

	if (!done)
		return 0;
	ret = acrn_hc_set_memory_regions(&regions->batch);
	if (ret)
		done = count_mapped(regions);
	if (done) {
		const struct acrn_memory_region *last =
			&regions->regions[done - 1];

		regions->mapped_end = PHYS_PFN(last->user_vm_pa + last->size);
	}
	regions->batch.number = 0;
	regions->bytes = 0;
	return ret;
}

/* Bytes from @gpa on that one region may have, of @left. */
static u64 part_size(u64 gpa, u64 left)
{
	return min(left, PART_SIZE - gpa % PART_SIZE);
}

/* Gather a run, and make the hypercall when there are enough: see acrn_run_fn. */
static int add_run(void *context, unsigned long gfn, unsigned long pfn,
		   unsigned long pages)
{
	struct acrn_regions *regions = context;
	u64 left = PFN_PHYS(pages), gpa = PFN_PHYS(gfn), pa = PFN_PHYS(pfn);
	int ret = 0;
	u64 size;

	for (; left && !ret; left -= size, gpa += size, pa += size) {
		size = part_size(gpa, left);
		regions->regions[regions->batch.number++] =
			(struct acrn_memory_region) {
				.type		= ACRN_MEMORY_REGION_ADD,
				.attr		= regions->attr,
				.user_vm_pa	= gpa,
				.service_vm_pa	= pa,
				.size		= size,
			};
		regions->bytes += size;
		if (regions->batch.number == regions->max_regions ||
		    regions->bytes >= PART_SIZE)
			ret = flush_batch(regions);
	}
	return ret;
}

/**
 * acrn_regions_map() - Map part of a segment
 * @regions:	Arguments of hypercalls
 * @segment:	Segment
 * @first:	First page frame of the User VM
 * @last:	Last page frame of the User VM. None from @first to @last is mapped
 * @end:	Result, also after a failure: first page frame that is not mapped
 *
 * Context: Process context, may sleep. &struct acrn_memory.lock of the VM is
 *	    held.
 * Return: 0 or the hypervisor's errno
 */
int acrn_regions_map(struct acrn_regions *regions,
		     const struct acrn_segment *segment, unsigned long first,
		     unsigned long last, unsigned long *end)
{
	int ret;

	regions->attr = segment->attr;
	regions->mapped_end = first;
	ret = acrn_segment_walk(segment, first, last, add_run, regions) ?:
	      flush_batch(regions);
	*end = regions->mapped_end;
	return ret;
}

/**
 * acrn_regions_unmap() - Unmap part of the address space
 * @regions:	Arguments of hypercalls
 * @first:	First page frame of the User VM
 * @last:	Last page frame of the User VM. All from @first to @last are mapped
 * @end:	Result, also after a failure: first page frame that is still mapped
 *
 * Context: Process context. &struct acrn_memory.lock of the VM is held.
 * Return: 0 or the hypervisor's errno
 */
int acrn_regions_unmap(struct acrn_regions *regions, unsigned long first,
		       unsigned long last, unsigned long *end)
{
	u64 gpa = PFN_PHYS(first), left = PFN_PHYS(last) + PAGE_SIZE - gpa;
	int ret = 0;
	u64 size;

	for (; left; left -= size, gpa += size) {
		size = part_size(gpa, left);
		regions->regions[0] = (struct acrn_memory_region) {
			.type		= ACRN_MEMORY_REGION_DEL,
			.user_vm_pa	= gpa,
			.size		= size,
		};
		regions->batch.number = 1;
		ret = acrn_hc_set_memory_regions(&regions->batch);
		if (ret)
			break;
	}
	regions->batch.number = 0;
	*end = PHYS_PFN(gpa);
	return ret;
}
