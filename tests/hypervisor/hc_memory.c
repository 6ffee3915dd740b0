// SPDX-License-Identifier: GPL-2.0
/* Hypercalls for the memory of a User VM. */
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "../include/hv_test.h"
#include "hypercall.h"
#include "log.h"
#include "service_vm.h"
#include "testing.h"
#include "vm.h"

_Static_assert(ACRN_MEM_ACCESS_READ == NPT_READ &&
		       ACRN_MEM_ACCESS_WRITE == NPT_WRITE &&
		       ACRN_MEM_ACCESS_EXEC == NPT_EXEC,
	       "access rights are passed on as they are");

/*
 * Pages that are mapped already keep their mapping, without an error. A region
 * without the right to read is ignored, also without an error: SVM cannot map
 * memory that is writable but not readable. On ACRN such memory is an EPT
 * misconfiguration once the guest touches it, which stops a debug build.
 */
static int add_region(struct vm *vm, const struct acrn_memory_region *region)
{
	u32 rights = region->attr & ACRN_MEM_ACCESS_RIGHT_MASK;
	long ret;

	if (!service_vm_may_map(region->service_vm_pa, region->size))
		return -EINVAL;
	if (!(rights & NPT_READ)) {
		hv_log_limited("vm %u: memory at 0x%llx that cannot be read",
			       vm->id, region->user_vm_pa);
		return 0;
	}
	ret = npt_map(&vm->npt, region->user_vm_pa,
		      PAGE_ALIGN(region->service_vm_pa), region->size, rights);
	if (ret < 0)
		return ret;
	if (ret)
		hv_log_limited("vm %u: 0x%llx is mapped already and stays so",
			       vm->id, region->user_vm_pa);
	return 0;
}

/* Unmap the region, or nothing of it when any page is not mapped. */
static int del_region(struct vm *vm, const struct acrn_memory_region *region)
{
	int ret;

	if (!npt_is_mapped(&vm->npt, region->user_vm_pa, region->size)) {
		hv_log_limited("vm %u: not all of 0x%llx + 0x%llx is mapped",
			       vm->id, region->user_vm_pa, region->size);
		return -EINVAL;
	}
	ret = npt_unmap(&vm->npt, region->user_vm_pa, region->size);
	vm_flush_tlb(vm);
	return ret;
}

/*
 * As on ACRN only the size is checked: addresses are rounded up to the next
 * page, address bits that the page tables do not have are dropped, a range that
 * wraps around is empty, and any type but ADD means delete.
 */
static int set_region(struct vm *vm, struct acrn_memory_region *region)
{
	if (!IS_ALIGNED(region->size, PAGE_SIZE))
		return -EINVAL;
	if (region->user_vm_pa + region->size < region->user_vm_pa)
		return 0;
	region->user_vm_pa = PAGE_ALIGN(region->user_vm_pa) % NPT_SPAN;
	return region->type == ACRN_MEMORY_REGION_ADD ? add_region(vm, region)
						      : del_region(vm, region);
}

/*
 * Carry out the regions in order, up to the first that fails; the ones before
 * it stay done. A batch without regions is refused. As on ACRN.
 */
static int set_regions(struct vm *vm, const struct acrn_memory_batch *batch)
{
	struct acrn_memory_region region;
	int ret = -EPERM;

	for (u64 i = 0; i < batch->number; i++) {
		ret = service_vm_read(batch->regions + i * sizeof(region),
				      &region, sizeof(region));
		if (!ret)
			ret = testing_fault(HV_FAULT_REGION);
		if (!ret)
			ret = set_region(vm, &region);
		if (ret)
			break;
	}
	return ret;
}

s64 hc_set_memory_regions(u64 address, u64 unused)
{
	struct acrn_memory_batch batch;
	struct vm *vm;
	int ret;

	(void)unused;
	/*
	 * ACRN first looks for the VM that the argument names; it finds none.
	 */
	if (service_vm_read(address, &batch, sizeof(batch)))
		return -ENOTTY;
	vm = vm_get(batch.vmid);
	if (!vm)
		return vm_absent(batch.vmid, -EPERM);
	ret = set_regions(vm, &batch);
	vm_put(vm);
	return ret;
}

s64 hc_vm_gpa_to_hpa(u64 vmid, u64 address)
{
	struct acrn_gpa_to_hpa query;
	struct vm *vm;
	void *memory;

	if (service_vm_read(address, &query, sizeof(query)))
		return -EPERM;
	vm = vm_get(vmid);
	if (!vm)
		return vm_absent(vmid, -EPERM);
	spin_lock(&vm->npt.lock);
	memory = npt_lookup(&vm->npt, query.user_vm_pa, NPT_READ);
	spin_unlock(&vm->npt.lock);
	vm_put(vm);
	query.hpa = (u64)memory;
	return memory ? service_vm_write(address, &query, sizeof(query))
		      : -EPERM;
}
