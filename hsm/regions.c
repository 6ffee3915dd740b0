// SPDX-License-Identifier: GPL-2.0
/*
 * Regions on their way to the hypervisor.
 *
 * The hypervisor takes the regions of a hypercall in order, each as a whole, and
 * stops at one that it refuses. It does not say which that was. It refuses to
 * unmap a region of which any page is not mapped, and where it is told to map
 * what is mapped already, it leaves what there is and says nothing.
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
 * @batch:	What is to be mapped, with @regions
 * @query:	What a page leads to
 * @max_regions:	How many regions there can be at a time
 * @attr:	ACRN_MEM_* of them
 * @bytes:	That they have
 * @mapped_end:	First page frame of the User VM that is not done
 * @regions:	What @batch points to
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
 * Large enough for the hypercall itself to cost little beside its regions. Not
 * larger, as the hypervisor does nothing else for the VM meanwhile: an upcall
 * that completes a doorbell of its waits, with interrupts off. For the same
 * reason a hypercall is about no more memory than the largest page has.
 */
#define BATCH_SIZE	(8 * PAGE_SIZE)
#define PART_SIZE	((u64)SZ_1G)

/**
 * acrn_regions_alloc() - Make room for regions of a VM
 * @vmid:	User VM
 *
 * Process context.
 *
 * Return: for acrn_regions_free(), or NULL
 */
struct acrn_regions *acrn_regions_alloc(u16 vmid)
{
	size_t size = BATCH_SIZE;
	struct acrn_regions *regions;

	regions = kmalloc(size, GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (!regions) {
		/* Will do as well. */
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

void acrn_regions_free(struct acrn_regions *regions)
{
	kfree(regions);
}

static bool is_mapped(struct acrn_regions *regions, unsigned int i)
{
	regions->query.user_vm_pa = regions->regions[i].user_vm_pa;
	return !acrn_hc_vm_gpa_to_hpa(regions->batch.vmid, &regions->query);
}

/*
 * How many regions of a batch that failed are mapped. As none was before, all
 * up to the one that failed are, and none behind.
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

/* Map what has been gathered. */
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

/* Bytes from @gpa to the end of a part, @left at most. */
static u64 part_size(u64 gpa, u64 left)
{
	return min(left, PART_SIZE - gpa % PART_SIZE);
}

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
 * acrn_regions_map() - Let part of a VM's address space lead to a segment
 * @regions:	From acrn_regions_alloc()
 * @segment:	Segment
 * @first:	First page frame of the User VM
 * @last:	Last page frame of the User VM; none from @first on is mapped
 * @end:	Result: first page frame that is not mapped, also after a failure
 *
 * Process context, may sleep.
 *
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
 * acrn_regions_unmap() - Let part of a VM's address space lead nowhere
 * @regions:	From acrn_regions_alloc()
 * @first:	First page frame of the User VM
 * @last:	Last page frame of the User VM; all from @first on are mapped
 * @end:	Result: first page frame that is still mapped, also after a
 *		failure
 *
 * Process context.
 *
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
