// sources: hsm/memseg.c
// SPDX-License-Identifier: GPL-2.0
/* Checks of memory segments' arguments, and merging of pinned pages */
#include "hsm/memseg.h"
#include "tap.h"

#include <errno.h>

#define LIMIT (1ULL << 40)
#define PAGE  4096ULL

static int check(u32 type, u32 attr, u64 gpa, u64 from, u64 len)
{
	struct acrn_vm_memmap map = { .type = type,
				      .attr = attr,
				      .user_vm_pa = gpa,
				      .service_vm_pa = from,
				      .len = len };

	return acrn_memseg_check(&map, LIMIT);
}

static void ram(int want, u64 gpa, u64 vma, u64 len, const char *name)
{
	tap_eq(check(ACRN_MEMMAP_RAM, ACRN_MEM_ACCESS_RWX, gpa, vma, len), want,
	       "RAM: %s", name);
}

static void mmio(int want, u64 gpa, u64 hpa, u64 len, const char *name)
{
	tap_eq(check(ACRN_MEMMAP_MMIO, ACRN_MEM_ACCESS_RWX, gpa, hpa, len),
	       want, "MMIO: %s", name);
}

static void attr(int want, u32 value, const char *name)
{
	tap_eq(check(ACRN_MEMMAP_RAM, value, 0, PAGE, PAGE), want,
	       "attributes: %s", name);
}

static void test_ranges(void)
{
	ram(0, 0, PAGE, PAGE, "the first page");
	ram(0, LIMIT - PAGE, PAGE, PAGE, "the last page");
	ram(0, 0, PAGE, LIMIT, "all there is");
	ram(-EINVAL, LIMIT, PAGE, PAGE, "beyond the limit");
	ram(-EINVAL, LIMIT - PAGE, PAGE, 2 * PAGE, "across the limit");
	ram(-EINVAL, PAGE, PAGE, LIMIT, "longer than the rest");
	ram(-EINVAL, PAGE, PAGE, -PAGE, "wraps to 0");
	ram(-EINVAL, -PAGE, PAGE, 2 * PAGE, "wraps beyond 0");
	ram(-EINVAL, 0, PAGE, 0, "empty");
	ram(-EINVAL, 1, PAGE, PAGE, "address not aligned");
	ram(-EINVAL, 0, PAGE, PAGE - 1, "length not aligned");
	ram(-EINVAL, 0, PAGE + 8, PAGE, "user address not aligned");
	ram(0, 0, -PAGE, PAGE, "where the user address leads is not looked at");

	mmio(0, PAGE, 0xfe000000, PAGE, "a page");
	mmio(0, PAGE, LIMIT - PAGE, PAGE, "the last page of the Service VM");
	mmio(-EINVAL, PAGE, LIMIT, PAGE, "beyond the Service VM's limit");
	mmio(-EINVAL, PAGE, LIMIT - PAGE, 2 * PAGE, "across that limit");
	mmio(-EINVAL, PAGE, -PAGE, 2 * PAGE, "wraps in the Service VM");
	mmio(-EINVAL, PAGE, 0xfe000800, PAGE, "not aligned in the Service VM");
}

static void test_attributes(void)
{
	attr(0, ACRN_MEM_ACCESS_READ, "read only");
	attr(0, ACRN_MEM_ACCESS_RWX | ACRN_MEM_TYPE_WB, "with a memory type");
	attr(0, ACRN_MEM_ACCESS_RWX | ACRN_MEM_TYPE_MASK, "all that there are");
	attr(-EINVAL, 0, "no access");
	attr(-EINVAL, ACRN_MEM_ACCESS_WRITE, "not readable");
	attr(-EINVAL, ACRN_MEM_ACCESS_EXEC, "execute only");
	attr(-EINVAL, ACRN_MEM_TYPE_UC, "a memory type, but no access");
	attr(-EINVAL, ACRN_MEM_ACCESS_RWX | 0x8, "unknown bit 3");
	attr(-EINVAL, ACRN_MEM_ACCESS_RWX | 0x800, "unknown bit 11");
	attr(-EINVAL, ACRN_MEM_ACCESS_RWX | 0x80000000U, "unknown bit 31");
}

static void test_types(void)
{
	tap_eq(check(2, ACRN_MEM_ACCESS_RWX, 0, PAGE, PAGE), -EINVAL,
	       "type 2 is unknown");
	tap_eq(check(~0U, ACRN_MEM_ACCESS_RWX, 0, PAGE, PAGE), -EINVAL,
	       "type -1 is unknown");
}

static void test_runs(void)
{
	struct acrn_run run = { .pfn = 0x1000, .pages = 1 };

	tap_eq(sizeof(run), 8, "a run takes eight bytes");
	tap_ok(acrn_run_extend(&run, 0x1001), "the next page is taken");
	tap_eq(run.pages, 2, "and counted");
	tap_ok(!acrn_run_extend(&run, 0x1003), "a gap is not bridged");
	tap_ok(!acrn_run_extend(&run, 0x1001), "a page does not count twice");
	tap_ok(!acrn_run_extend(&run, 0xfff), "the page before is not taken");
	tap_eq(run.pages, 2, "and nothing of this is counted");

	run.pages = ACRN_RUN_PAGES_MAX;
	tap_ok(!acrn_run_extend(&run, 0x1000 + ACRN_RUN_PAGES_MAX),
	       "a run that is full stays as it is");
	tap_eq(run.pages, ACRN_RUN_PAGES_MAX, "with all its pages");

	run = (struct acrn_run){ .pfn = (1ULL << 40) - 2, .pages = 1 };
	tap_ok(acrn_run_extend(&run, (1ULL << 40) - 1), "the last page frame");
	tap_ok(!acrn_run_extend(&run, 0), "no wrapping after it");
}

int main(void)
{
	test_ranges();
	test_attributes();
	test_types();
	test_runs();
	return tap_done();
}
