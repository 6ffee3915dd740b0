// SPDX-License-Identifier: GPL-2.0
#include "conformance.h"
#include "hv_trace.h"

#define RWX  ACRN_MEM_ACCESS_RWX
#define HUGE (2UL << 20)

/* Beyond what any of the processors here can address */
#define BEYOND (1ULL << 52)

static int set_ram_with(int fd, uint32_t type, uint32_t attr, const void *from)
{
	return raw_memseg(fd, ACRN_IOCTL_SET_MEMSEG, type, attr, 0x10000000,
			  (uintptr_t)from, PAGE);
}

/* What no HSM takes. */
static void test_ram_refused(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(4 * PAGE), *read_only = raw_pages(PAGE);
	long pinned = pages_pinned();

	munmap(pages + 2 * PAGE, PAGE);
	mprotect(read_only, PAGE, PROT_READ);
	tap_errno(raw_set_ram(vm.fd, 0, pages, 0), EINVAL, "RAM: empty");
	tap_errno(raw_set_ram(vm.fd, 0, pages, 100), EINVAL,
		  "RAM: less than a page");
	tap_errno(raw_set_ram(vm.fd, 100, pages, PAGE), EINVAL,
		  "RAM: address not aligned");
	tap_errno(raw_set_ram(vm.fd, -PAGE, pages, 2 * PAGE), EINVAL,
		  "RAM: wraps");
	tap_errno(raw_set_ram(vm.fd, BEYOND, pages, PAGE), EINVAL,
		  "RAM: beyond the range");
	tap_errno(raw_set_ram(vm.fd, 0, (void *)(1UL << 63), PAGE), EFAULT,
		  "RAM: kernel address");
	tap_errno(raw_set_ram(vm.fd, 0, NULL, PAGE), EFAULT,
		  "RAM: null pointer");
	tap_errno(raw_set_ram(vm.fd, 0, pages + 2 * PAGE, PAGE), EFAULT,
		  "RAM: not mapped");
	tap_errno(raw_set_ram(vm.fd, 0, pages, 4 * PAGE), EFAULT,
		  "RAM: not mapped in the middle");
	tap_errno(raw_set_ram(vm.fd, 0, read_only, PAGE), EFAULT,
		  "RAM: not writable");
	tap_errno(set_ram_with(vm.fd, ACRN_MEMMAP_RAM, 0, pages), EINVAL,
		  "RAM: no access");
	tap_errno(set_ram_with(vm.fd, 2, RWX, pages), EINVAL,
		  "segment of unknown type");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_SET_MEMSEG, NULL), EFAULT,
		  "SET_MEMSEG: no argument");
	tap_eq(pages_pinned() - pinned, 0,
	       "nothing of this leaves a page pinned");
	tap_success(raw_set_ram(vm.fd, 0, pages, 2 * PAGE),
		    "RAM: nothing of this leaves the range in use");

	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "close unpins all pages");
	munmap(pages, 4 * PAGE);
	munmap(read_only, PAGE);
}

/* What the in-tree HSM takes as something else. */
static void test_ram_rounded(void)
{
	static const char name[] = "memseg-arguments";
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(2 * PAGE);

	differs_errno(name, raw_set_ram(vm.fd, 0x10000, pages, PAGE + 100),
		      EINVAL, 0, "RAM: length not aligned");
	differs_errno(name, raw_set_ram(vm.fd, 0x20000, pages + 100, PAGE),
		      EINVAL, 0, "RAM: user address not aligned");
	differs_errno(name,
		      raw_set_ram(vm.fd, 0x30000, pages, (1ULL << 44) + PAGE),
		      EINVAL, 0, "RAM: length cut to 32 bits of pages");
	differs_errno(name,
		      set_ram_with(vm.fd, ACRN_MEMMAP_RAM, RWX | 0x1000, pages),
		      EINVAL, 0, "RAM: unknown attribute");
	if (!differs_skip("memseg-large",
			  "the kernel warns of an allocation of that size",
			  "RAM: length wraps"))
		tap_errno(raw_set_ram(vm.fd, PAGE, pages, -PAGE), EINVAL,
			  "RAM: length wraps");
	raw_vm_close(&vm);
	munmap(pages, 2 * PAGE);
}

/* How the hypervisor gets it. */
static void test_ram_type(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	uint64_t *pages = raw_pages(3 * PAGE);
	struct trace trace = trace_start();
	struct hv_trace_entry calls[8];
	const uint64_t gpa = 0x40000000;
	uint64_t sum = 0;
	unsigned int n;

	for (unsigned int i = 0; i < 3; i++) {
		pages[i * PAGE / 8] = 0x1234567 * (i + 1);
		sum += pages[i * PAGE / 8] * (gpa / PAGE + i);
	}
	tap_success(raw_memseg(vm.fd, ACRN_IOCTL_SET_MEMSEG, ACRN_MEMMAP_RAM,
			       ACRN_MEM_ACCESS_READ | ACRN_MEM_TYPE_UC, gpa,
			       (uintptr_t)pages, 3 * PAGE),
		    "RAM that is read only and uncached");
	n = trace_take(&trace, calls, 8);
	fixture_ok(
		n == 1 && calls[0].id == (ACRN_HC_SET_MEMORY_REGIONS & 0xff) &&
			calls[0].vmid == vm.vmid &&
			calls[0].args[0] == ACRN_MEMORY_REGION_ADD &&
			calls[0].args[2] == gpa && calls[0].args[3] == 3 * PAGE,
		"RAM: one range for the hypervisor");
	fixture_eq(calls[0].args[5], sum, "RAM: the right pages");
	fixture_eq(calls[0].args[1], ACRN_MEM_ACCESS_READ | ACRN_MEM_TYPE_WB,
		   "RAM: read only, but write-back");

	tap_success(raw_set_mmio(vm.fd, 0x1000, HPET, PAGE), "MMIO");
	n = trace_take(&trace, calls, 8);
	fixture_ok(n == 1 && calls[0].args[1] == (RWX | ACRN_MEM_TYPE_UC) &&
			   calls[0].args[2] == 0x1000 &&
			   calls[0].args[5] == HPET - 0x1000,
		   "MMIO: uncached, at its address");
	trace_stop(&trace);
	raw_vm_close(&vm);
	munmap(pages, 3 * PAGE);
}

/* Each on a part of the address space of its own, as some succeed in-tree. */
static void test_overlap(void)
{
	static const char name[] = "memseg-overlap";
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct raw_vm other = raw_vm_create(cpus[1], 0);
	char *pages = raw_pages(16 * PAGE);
	const uint64_t gpa = 0x100000;

	tap_success(raw_set_ram(vm.fd, gpa, pages, 4 * PAGE),
		    "RAM of four pages");
	tap_success(raw_set_ram(vm.fd, gpa - PAGE, pages, PAGE),
		    "right before it");
	tap_success(raw_set_ram(vm.fd, gpa + 4 * PAGE, pages, PAGE),
		    "right after it");
	tap_success(raw_set_ram(other.fd, gpa, pages + 8 * PAGE, 4 * PAGE),
		    "the same in another VM");
	differs_errno(name, raw_set_ram(vm.fd, gpa, pages, 4 * PAGE), EEXIST, 0,
		      "overlap: the same");
	differs_errno(name, raw_set_ram(vm.fd, gpa + PAGE, pages, PAGE), EEXIST,
		      0, "overlap: within");
	differs_errno(name, raw_set_ram(vm.fd, gpa - 2 * PAGE, pages, 2 * PAGE),
		      EEXIST, 0, "overlap: its first page");
	differs_errno(name, raw_set_ram(vm.fd, gpa + 4 * PAGE, pages, 2 * PAGE),
		      EEXIST, 0, "overlap: its last page");
	differs_errno(name,
		      raw_set_ram(vm.fd, gpa - 4 * PAGE, pages, 12 * PAGE),
		      EEXIST, 0, "overlap: all of it");
	differs_errno(name, raw_set_mmio(vm.fd, gpa, HPET, PAGE), EEXIST, 0,
		      "overlap: device memory");
	raw_vm_close(&vm);
	raw_vm_close(&other);
	munmap(pages, 16 * PAGE);
}

static void test_unset_ram(void)
{
	static const char name[] = "unset-ram";
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(4 * PAGE);
	long pinned = pages_pinned();

	raw_set_ram(vm.fd, 0, pages, 4 * PAGE);
	tap_eq(pages_pinned() - pinned, 4, "SET_MEMSEG pins each page once");
	differs_errno(name, raw_unset_ram(vm.fd, PAGE, 3 * PAGE), ENOENT,
		      EINVAL, "UNSET_MEMSEG: not from its start");
	differs_errno(name, raw_unset_ram(vm.fd, 0, 3 * PAGE), ENOENT, EINVAL,
		      "UNSET_MEMSEG: not all of it");
	differs_errno(name, raw_unset_ram(vm.fd, 0, 5 * PAGE), ENOENT, EINVAL,
		      "UNSET_MEMSEG: more than it");
	differs_errno(name, raw_unset_ram(vm.fd, 8, 4 * PAGE), ENOENT, EINVAL,
		      "UNSET_MEMSEG: address not aligned");
	differs_errno(name, raw_unset_ram(vm.fd, 1 << 20, PAGE), ENOENT, EINVAL,
		      "UNSET_MEMSEG: nothing there");
	tap_errno(
		raw_memseg(vm.fd, ACRN_IOCTL_UNSET_MEMSEG, 2, RWX, 0, 0, PAGE),
		EINVAL, "UNSET_MEMSEG: unknown type");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_UNSET_MEMSEG, NULL), EFAULT,
		  "UNSET_MEMSEG: no argument");
	tap_eq(pages_pinned() - pinned, 4, "all pages are pinned still");
	differs_errno(name, raw_unset_ram(vm.fd, 0, 4 * PAGE), 0, EINVAL,
		      "UNSET_MEMSEG");
	differs_eq(name, pages_pinned() - pinned, 0, 4,
		   "UNSET_MEMSEG, pages that are pinned");
	differs_errno(name, raw_unset_ram(vm.fd, 0, 4 * PAGE), ENOENT, EINVAL,
		      "UNSET_MEMSEG twice");
	tap_success(raw_set_ram(vm.fd, PAGE, pages, 2 * PAGE),
		    "what was unset can be set otherwise");
	raw_vm_close(&vm);
	munmap(pages, 4 * PAGE);
}

/* A guest that runs may have the translation of a page that was unset. */
static void test_unset_running(void)
{
	static const char name[] = "unset-ram";
	const size_t size = 2 << 20;
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *ram = raw_pages(size), *more = raw_pages(4 * PAGE);
	long pinned = pages_pinned();

	memcpy(ram + PAGE, "\xf4\xeb\xfd", 3); /* hlt; jmp */
	if (raw_set_memory(vm.fd, ram, size) ||
	    raw_set_registers(vm.fd, PAGE, size) ||
	    ioctl(vm.fd, ACRN_IOCTL_START_VM))
		err(1, "START_VM");
	tap_success(raw_set_ram(vm.fd, 1 << 30, more, 4 * PAGE),
		    "SET_MEMSEG while the VM runs");
	differs_errno(name, raw_unset_ram(vm.fd, 1 << 30, 4 * PAGE), 0, EINVAL,
		      "UNSET_MEMSEG while the VM runs");
	differs_errno(name, raw_unset_ram(vm.fd, 1 << 30, 4 * PAGE), ENOENT,
		      EINVAL, "UNSET_MEMSEG twice while the VM runs");
	tap_eq(pages_pinned() - pinned, size / PAGE + 4,
	       "its pages stay pinned");
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "until there is no VM");
	munmap(ram, size);
	munmap(more, 4 * PAGE);
}

static void test_mmio(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *page = raw_pages(PAGE);

	tap_success(raw_set_mmio(vm.fd, 0x1000, HPET, PAGE), "MMIO");
	tap_success(raw_unset_mmio(vm.fd, 0x1000, PAGE), "MMIO: unset");
	differs_errno("unset-exact", raw_unset_mmio(vm.fd, 0x1000, PAGE),
		      ENOENT, 0, "MMIO: unset twice");
	differs_errno("unset-exact", raw_unset_mmio(vm.fd, 0x1008, PAGE),
		      ENOENT, EINVAL, "MMIO: unset, not aligned");
	raw_set_ram(vm.fd, 0x1000, page, PAGE);
	differs_errno("unset-exact", raw_unset_mmio(vm.fd, 0x1000, PAGE),
		      ENOENT, 0, "MMIO: unset, but it is RAM");
	tap_errno(raw_set_mmio(vm.fd, 0x3000, HPET + 8, PAGE), EINVAL,
		  "MMIO: not aligned");
	tap_errno(raw_set_mmio(vm.fd, 0x3000, HPET, 0), EINVAL, "MMIO: empty");
	tap_errno(raw_set_mmio(vm.fd, 0x3000, -PAGE, 2 * PAGE), EINVAL,
		  "MMIO: wraps");
	tap_errno(raw_set_mmio(vm.fd, 0x3000, BEYOND, PAGE), EINVAL,
		  "MMIO: beyond the range");
	differs_errno("mmio-is-ram",
		      raw_set_mmio(vm.fd, 0x3000, 16 << 20, PAGE), EPERM, 0,
		      "MMIO: the kernel's RAM");
	differs_errno("mmio-is-ram", raw_set_mmio(vm.fd, HUGE, 0, HUGE), EPERM,
		      0, "MMIO: partly the kernel's RAM");
	raw_vm_close(&vm);
	munmap(page, PAGE);
}

/* Device memory that the caller has mapped, which has no pages to pin. */
static void test_pfnmap(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	char *device =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, HPET);
	char *read_only = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, HPET);
	char *ram = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 1 << 30);

	if (device == MAP_FAILED || read_only == MAP_FAILED ||
	    ram == MAP_FAILED)
		err(1, "/dev/mem");
	tap_success(raw_set_ram(vm.fd, 0, device, PAGE),
		    "mapped device memory");
	tap_errno(raw_set_ram(vm.fd, 0x10000, device, 2 * PAGE), EINVAL,
		  "mapped device memory, more than there is");
	tap_errno(raw_set_ram(vm.fd, 0x10000, read_only, PAGE), EFAULT,
		  "mapped device memory, not writable");
	tap_errno(raw_set_ram(vm.fd, 0x10000, ram, PAGE), EFAULT,
		  "mapped pages that the kernel may free");
	raw_vm_close(&vm);
	munmap(device, PAGE);
	munmap(read_only, PAGE);
	munmap(ram, PAGE);
	close(fd);
}

/* Many pages, so that they take several hypercalls, and many segments. */
static void test_many(void)
{
	const size_t big = 64 << 20;
	const unsigned int limit = raw_hsm_is_in_tree() ? 256 : 1024;
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(big);
	long pinned = pages_pinned();
	int failed = 0;

	/* Holes make neighbours in memory ones that are not. */
	for (size_t i = 0; i < big; i += 2 * PAGE)
		madvise(pages + i, PAGE, MADV_DONTNEED);
	tap_success(raw_set_ram(vm.fd, 0, pages, big), "RAM of 64 MiB");
	tap_eq(pages_pinned() - pinned, big / PAGE, "all its pages are pinned");
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "close unpins all of them");

	vm = raw_vm_create(cpus[0], 0);
	pinned = pages_pinned();
	for (uint64_t i = 0; i < limit; i++)
		failed += raw_set_ram(vm.fd, i * 2 * PAGE, pages, PAGE) != 0;
	differs_eq("memseg-limit", limit - failed, 1024, 256,
		   "so many segments");
	differs_errno("memseg-limit", raw_set_ram(vm.fd, 1 << 30, pages, PAGE),
		      ENOSPC, ENOMEM, "one more than the limit");
	differs_errno("memseg-limit", raw_set_mmio(vm.fd, 1 << 30, HPET, PAGE),
		      ENOSPC, 0, "one more than the limit, of device memory");
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "close unpins the page of each");
	munmap(pages, big);
}

static uint64_t mapped(struct trace *trace)
{
	struct hv_trace_entry calls[16];
	unsigned int n = trace_take(trace, calls, 16);
	uint64_t size = 0;

	for (unsigned int i = 0; i < n; i++)
		if (calls[i].id == (ACRN_HC_SET_MEMORY_REGIONS & 0xff) &&
		    calls[i].args[0] == ACRN_MEMORY_REGION_ADD)
			size += calls[i].args[3];
	return size;
}

/* Huge pages, whole, in part and across their borders. */
static void test_huge(void)
{
	static const char name[] = "/proc/sys/vm/nr_hugepages";
	static const char why[] = "a kernel BUG with CONFIG_DEBUG_VM";
	const size_t size = 4 * HUGE;
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct trace trace = trace_start();
	long pinned = pages_pinned();
	FILE *file = fopen(name, "w");
	char *pages;

	if (!file || fprintf(file, "8\n") < 0 || fclose(file))
		err(1, "%s", name);
	pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (pages == MAP_FAILED)
		err(1, "huge pages");
	tap_success(raw_set_ram(vm.fd, 0, pages, size), "huge pages");
	tap_eq(pages_pinned() - pinned, size / PAGE, "all of them are pinned");
	fixture_eq(mapped(&trace), size, "huge pages: the guest gets them");
	tap_success(raw_set_ram(vm.fd, 2 * size, pages, HUGE + HUGE / 2),
		    "huge pages: the first half of one");
	if (!fixture_skip("registers", "huge pages: what the guest gets of it"))
		differs_eq("memseg-huge", mapped(&trace), HUGE + HUGE / 2,
			   2 * HUGE, "huge pages: what the guest gets of it");
	if (!differs_skip("memseg-huge", why,
			  "huge pages: the second half of one"))
		tap_success(raw_set_ram(vm.fd, size, pages + HUGE / 2, HUGE),
			    "huge pages: the second half of one");
	munmap(pages, size);
	trace_stop(&trace);
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "close unpins them");
}

/* The hypervisor fails when it has mapped some of a segment. */
static void test_rollback(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(4 * PAGE);
	struct trace trace = trace_start();
	struct hv_trace_entry calls[16];
	long pinned = pages_pinned();
	unsigned int n, removed = 0;

	if (fixture_skip("registers", "SET_MEMSEG fails"))
		return;
	hv_fault(ACRN_HC_SET_MEMORY_REGIONS, 1, 1, EXFULL);
	tap_errno(raw_set_ram(vm.fd, 0, pages, 4 * PAGE), EXFULL,
		  "SET_MEMSEG fails");
	tap_eq(pages_pinned() - pinned, 0, "then no page is pinned");
	n = trace_take(&trace, calls, 16);
	for (unsigned int i = 0; i < n; i++)
		removed += calls[i].args[0] == ACRN_MEMORY_REGION_DEL;
	differs_eq("memseg-rollback", removed, 1, 0,
		   "and the hypervisor is told to forget it, hypercalls");
	tap_success(raw_set_ram(vm.fd, 0, pages, 4 * PAGE), "SET_MEMSEG again");
	trace_stop(&trace);
	raw_vm_close(&vm);
	munmap(pages, 4 * PAGE);
}

void test_memory(void)
{
	group(test_ram_refused);
	group(test_ram_rounded);
	group(test_ram_type);
	group(test_overlap);
	group(test_unset_ram);
	group(test_unset_running);
	group(test_mmio);
	group(test_pfnmap);
	group(test_many);
	group(test_huge);
	group(test_rollback);
}
