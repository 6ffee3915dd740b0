// SPDX-License-Identifier: GPL-2.0
#include "conformance.h"
#include "hv_trace.h"

#define RWX  ACRN_MEM_ACCESS_RWX
#define HUGE (2UL << 20)

/* A physical address that no processor here has */
#define BEYOND (1ULL << 52)

static int set_ram_with(int fd, uint32_t type, uint32_t attr, const void *from)
{
	return raw_memseg(fd, ACRN_IOCTL_SET_MEMSEG, type, attr, 0x10000000,
			  (uintptr_t)from, PAGE);
}

/* Segments that every HSM refuses. */
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

/* Segments that our HSM refuses and the in-tree HSM rounds or truncates. */
static void test_ram_rounded(void)
{
	static const char name[] = "memseg-arguments";
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(2 * PAGE);

	differs_errno(name, raw_set_ram(vm.fd, 100, pages, PAGE), EINVAL, 0,
		      "RAM: address not aligned");
	differs_errno(name, raw_set_ram(vm.fd, -PAGE, pages, 2 * PAGE), EINVAL,
		      0, "RAM: wraps");
	differs_errno(name, raw_set_ram(vm.fd, BEYOND, pages, PAGE), EINVAL, 0,
		      "RAM: beyond the range");
	differs_errno(name, set_ram_with(vm.fd, ACRN_MEMMAP_RAM, 0, pages),
		      EINVAL, 0, "RAM: no access");
	differs_errno(name,
		      set_ram_with(vm.fd, ACRN_MEMMAP_RAM,
				   ACRN_MEM_ACCESS_WRITE, pages),
		      EINVAL, 0, "RAM: not readable");
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

/* Segments as they reach the hypervisor: pages, rights and memory type. */
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

/**
 * struct changes - Memory regions that the hypervisor was given
 * @added:	Bytes mapped
 * @removed:	Bytes unmapped
 * @refused:	Regions that were part of a hypercall that failed
 */
struct changes {
	uint64_t added;
	uint64_t removed;
	unsigned int refused;
};

static struct changes take_changes(struct trace *trace)
{
	struct changes changes = { 0 };
	struct hv_trace_entry calls[64];
	unsigned int n = trace_take(trace, calls, 64);

	for (unsigned int i = 0; i < n; i++) {
		if (calls[i].id != (ACRN_HC_SET_MEMORY_REGIONS & 0xff))
			continue;
		if (calls[i].result)
			changes.refused++;
		else if (calls[i].args[0] == ACRN_MEMORY_REGION_ADD)
			changes.added += calls[i].args[3];
		else
			changes.removed += calls[i].args[3];
	}
	return changes;
}

/* differs_eq() of a number from the trace, which only the fixture has */
#define traced_eq(difference, got, ours, in_tree, ...)                         \
	do {                                                                   \
		if (!fixture_skip("registers", __VA_ARGS__))                   \
			differs_eq(difference, got, ours, in_tree,             \
				   __VA_ARGS__);                               \
	} while (0)

/*
 * SET_MEMSEG over existing segments. Our HSM unmaps the pages that they have in
 * common first.
 */
static void test_replace(void)
{
	static const char name[] = "memseg-replace";
	static const struct {
		uint64_t first;
		uint64_t pages;
		uint64_t replaced;
		const char *name;
	} cases[] = {
		/* Each is set after those above and the four pages at 16. */
		{ 16, 4, 4, "replace: the same" },
		{ 17, 1, 1, "replace: within" },
		{ 14, 3, 1, "replace: its first page" },
		{ 19, 3, 1, "replace: its last page" },
		{ 10, 8, 4, "replace: the pieces and what is between them" },
		{ 8, 16, 12, "replace: all of it" },
		{ 12, 1, 1, "replace: a page in the middle" },
		{ 8, 16, 16, "replace: pieces without a hole" },
	};
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct raw_vm other = raw_vm_create(cpus[1], 0);
	char *pages = raw_pages(16 * PAGE);
	struct trace trace;
	struct changes changes;
	long pinned;

	tap_success(raw_set_ram(vm.fd, 16 * PAGE, pages, 4 * PAGE),
		    "RAM of four pages");
	tap_success(
		raw_set_ram(other.fd, 16 * PAGE, pages + 8 * PAGE, 4 * PAGE),
		"the same in another VM");
	trace = trace_start();
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		pinned = pages_pinned();
		tap_success(raw_set_ram(vm.fd, cases[i].first * PAGE, pages,
					cases[i].pages * PAGE),
			    "%s", cases[i].name);
		changes = take_changes(&trace);
		fixture_ok(!changes.refused &&
				   changes.added == cases[i].pages * PAGE,
			   "%s, which the hypervisor gets", cases[i].name);
		traced_eq(name, changes.removed / PAGE, cases[i].replaced, 0,
			  "%s, pages that it is to forget first",
			  cases[i].name);
		differs_eq(name, pages_pinned() - pinned,
			   cases[i].pages - cases[i].replaced, cases[i].pages,
			   "%s, more pages that are pinned", cases[i].name);
	}
	pinned = pages_pinned();
	tap_success(raw_set_mmio(vm.fd, 10 * PAGE, HPET, PAGE),
		    "replace: with device memory");
	differs_eq(name, pages_pinned() - pinned, -1, 0,
		   "replace: with device memory, pages that are pinned");
	tap_success(raw_set_ram(vm.fd, 10 * PAGE, pages, PAGE),
		    "replace: device memory");
	changes = take_changes(&trace);
	traced_eq(name, changes.removed / PAGE, 2, 0,
		  "replace: pages that the hypervisor is to forget");
	trace_stop(&trace);
	raw_vm_close(&vm);
	raw_vm_close(&other);
	munmap(pages, 16 * PAGE);
}

static void test_unset_ram(void)
{
	static const char name[] = "unset-ram";
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(8 * PAGE);
	long pinned = pages_pinned();

	raw_set_ram(vm.fd, 0, pages, 8 * PAGE);
	tap_eq(pages_pinned() - pinned, 8, "SET_MEMSEG pins each page once");
	tap_errno(raw_unset_ram(vm.fd, 8, 4 * PAGE), EINVAL,
		  "UNSET_MEMSEG: address not aligned");
	tap_errno(raw_unset_ram(vm.fd, 0, 100), EINVAL,
		  "UNSET_MEMSEG: length not aligned");
	tap_errno(raw_unset_ram(vm.fd, 0, 0), EINVAL, "UNSET_MEMSEG: empty");
	tap_errno(raw_unset_ram(vm.fd, 1 << 20, PAGE), EINVAL,
		  "UNSET_MEMSEG: nothing there");
	tap_errno(
		raw_memseg(vm.fd, ACRN_IOCTL_UNSET_MEMSEG, 2, RWX, 0, 0, PAGE),
		EINVAL, "UNSET_MEMSEG: unknown type");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_UNSET_MEMSEG, NULL), EFAULT,
		  "UNSET_MEMSEG: no argument");
	tap_eq(pages_pinned() - pinned, 8, "all pages are pinned still");
	differs_errno(name, raw_unset_ram(vm.fd, 0, PAGE), 0, EINVAL,
		      "UNSET_MEMSEG: its beginning");
	differs_errno(name, raw_unset_ram(vm.fd, 3 * PAGE, 2 * PAGE), 0, EINVAL,
		      "UNSET_MEMSEG: its middle");
	differs_errno(name, raw_unset_ram(vm.fd, 7 * PAGE, 4 * PAGE), 0, EINVAL,
		      "UNSET_MEMSEG: its end and more");
	differs_eq(name, pages_pinned() - pinned, 4, 8,
		   "UNSET_MEMSEG, pages that are pinned");
	differs_errno(name, raw_unset_ram(vm.fd, 0, 8 * PAGE), 0, EINVAL,
		      "UNSET_MEMSEG: the rest");
	differs_eq(name, pages_pinned() - pinned, 0, 8,
		   "UNSET_MEMSEG of the rest, pages that are pinned");
	tap_errno(raw_unset_ram(vm.fd, 0, 8 * PAGE), EINVAL,
		  "UNSET_MEMSEG twice");
	tap_success(raw_set_ram(vm.fd, PAGE, pages, 2 * PAGE),
		    "what was unset can be set otherwise");
	raw_vm_close(&vm);
	munmap(pages, 8 * PAGE);
}

/* UNSET_MEMSEG with type MMIO of any segment, as acrn-dm uses it. */
static void test_unset_any(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(4 * PAGE);
	struct trace trace;
	struct changes changes;
	long pinned = pages_pinned();

	raw_set_ram(vm.fd, 0x10000, pages, 2 * PAGE);
	raw_set_mmio(vm.fd, 0x12000, HPET, PAGE);
	raw_set_ram(vm.fd, 0x13000, pages + 2 * PAGE, 2 * PAGE);
	trace = trace_start();
	tap_success(raw_unset_mmio(vm.fd, 0x11000, 3 * PAGE),
		    "UNSET_MEMSEG across segments of both types");
	changes = take_changes(&trace);
	fixture_ok(!changes.refused && changes.removed == 3 * PAGE,
		   "UNSET_MEMSEG: the hypervisor forgets all of it");
	differs_eq("unset-ram", pages_pinned() - pinned, 2, 4,
		   "UNSET_MEMSEG of RAM as MMIO, pages that are pinned");
	differs_errno("unset-hole", raw_unset_mmio(vm.fd, 0x10000, 5 * PAGE), 0,
		      EINVAL, "UNSET_MEMSEG across a hole");
	changes = take_changes(&trace);
	traced_eq("unset-hole", changes.removed / PAGE, 2, 0,
		  "UNSET_MEMSEG across a hole, pages that are forgotten");
	traced_eq("unset-hole", changes.refused, 0, 1,
		  "UNSET_MEMSEG across a hole, what the hypervisor refuses");
	trace_stop(&trace);
	raw_vm_close(&vm);
	munmap(pages, 4 * PAGE);
}

/*
 * Pages that are unset while the VM runs must stay pinned until it has ended,
 * because a vCPU may still have their translation.
 */
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
	tap_errno(raw_unset_ram(vm.fd, 1 << 30, 4 * PAGE), EINVAL,
		  "UNSET_MEMSEG twice while the VM runs");
	tap_eq(pages_pinned() - pinned, size / PAGE + 4,
	       "its pages stay pinned");
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "until there is no VM");
	munmap(ram, size);
	munmap(more, 4 * PAGE);
}

static void reset(const struct raw_vm *vm)
{
	if (ioctl(vm->fd, ACRN_IOCTL_PAUSE_VM) ||
	    ioctl(vm->fd, ACRN_IOCTL_RESET_VM))
		err(1, "PAUSE_VM or RESET_VM");
}

/*
 * Pages that are unset while the VM has a passthrough device must stay pinned:
 * the device may still access them, whether the VM has been started or not.
 */
static void test_unset_device(void)
{
	struct acrn_pcidev device = { .virt_bdf = 8, .phys_bdf = 16 };
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(4 * PAGE);
	long pinned = pages_pinned();

	if (fixture_skip("devices", "UNSET_MEMSEG of what a device has"))
		return;
	if (ioctl(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &device) ||
	    raw_set_ram(vm.fd, 0, pages, 4 * PAGE) ||
	    raw_unset_mmio(vm.fd, 0, 4 * PAGE))
		err(1, "a device and memory");
	tap_eq(pages_pinned() - pinned, 4, "pages that a device had");
	reset(&vm);
	tap_eq(pages_pinned() - pinned, 4, "the same after RESET_VM");
	if (ioctl(vm.fd, ACRN_IOCTL_DEASSIGN_PCIDEV, &device))
		err(1, "DEASSIGN_PCIDEV");
	tap_eq(pages_pinned() - pinned, 4, "and after DEASSIGN_PCIDEV");
	reset(&vm);
	differs_eq("unset-ram", pages_pinned() - pinned, 0, 4,
		   "until RESET_VM after that");
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "or until there is no VM");
	munmap(pages, 4 * PAGE);
}

static void test_mmio(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	void *page = raw_pages(PAGE);

	tap_success(raw_set_mmio(vm.fd, 0x1000, HPET, PAGE), "MMIO");
	tap_success(raw_unset_mmio(vm.fd, 0x1000, PAGE), "MMIO: unset");
	tap_errno(raw_unset_mmio(vm.fd, 0x1000, PAGE), EINVAL,
		  "MMIO: unset twice");
	tap_errno(raw_unset_mmio(vm.fd, 0x1008, PAGE), EINVAL,
		  "MMIO: unset, not aligned");
	differs_errno("memseg-arguments",
		      raw_set_mmio(vm.fd, 0x3000, HPET + 8, PAGE), EINVAL, 0,
		      "MMIO: not aligned");
	differs_errno("memseg-arguments", raw_set_mmio(vm.fd, 0x3000, HPET, 0),
		      EINVAL, 0, "MMIO: empty");
	tap_errno(raw_set_mmio(vm.fd, 0x3000, -PAGE, 2 * PAGE), EINVAL,
		  "MMIO: wraps");
	tap_errno(raw_set_mmio(vm.fd, 0x3000, BEYOND, PAGE), EINVAL,
		  "MMIO: beyond the range");
	differs_errno("mmio-is-ram",
		      raw_set_mmio(vm.fd, 0x3000, raw_physical(page), PAGE),
		      EPERM, 0, "MMIO: the kernel's RAM");
	differs_errno("mmio-is-ram", raw_set_mmio(vm.fd, HUGE, 0, HUGE), EPERM,
		      0, "MMIO: partly the kernel's RAM");
	raw_vm_close(&vm);
	munmap(page, PAGE);
}

/* RAM segments in a mapping of device memory, which has no pages to pin. */
static void test_pfnmap(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	void *page = raw_pages(PAGE);
	char *device =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, HPET);
	char *read_only = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, HPET);
	char *ram = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			 raw_physical(page));

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
	munmap(page, PAGE);
	close(fd);
}

/* A segment that takes several hypercalls, and the limit of segments. */
static void test_many(void)
{
	const size_t big = 64 << 20;
	const unsigned int limit = raw_hsm_is_in_tree() ? 256 : 1024;
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(big);
	long pinned = pages_pinned();
	int failed = 0;

	/* Pages that are faulted in again are not contiguous with the rest. */
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

/*
 * More segments than the hypervisor has page tables for. None can be mapped by
 * huge pages, because its offset within one differs from that in the Service
 * VM.
 */
static void test_tables(void)
{
	const uint64_t size = 512 << 20;
	struct raw_vm vm;
	uint64_t segments;

	if (differs_skip("memseg-tables", "ACRN stops with an assertion",
			 "more than there are page tables for"))
		return;
	vm = raw_vm_create(cpus[0], 0);
	for (segments = 0; segments < 1000; segments++)
		if (raw_set_mmio(vm.fd, segments * 2 * size + PAGE, 0xc0000000,
				 size))
			break;
	tap_errno(segments < 1000 ? -1 : 0, ENOSPC,
		  "more than there are page tables for");
	tap_ok(segments * size >= 4UL << 30,
	       "there are some for the address space of devices");
	tap_success(raw_unset_mmio(vm.fd, PAGE, size),
		    "page tables are given back");
	tap_success(raw_set_mmio(vm.fd, PAGE, 0xc0000000, size),
		    "and taken again");
	raw_vm_close(&vm);
}

/* Segments of whole huge pages, of parts of them, and across their borders. */
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
	fixture_eq(take_changes(&trace).added, size,
		   "huge pages: the guest gets them");
	tap_success(raw_set_ram(vm.fd, 2 * size, pages, HUGE + HUGE / 2),
		    "huge pages: the first half of one");
	if (!fixture_skip("registers", "huge pages: what the guest gets of it"))
		differs_eq("memseg-huge", take_changes(&trace).added,
			   HUGE + HUGE / 2, 2 * HUGE,
			   "huge pages: what the guest gets of it");
	if (!differs_skip("memseg-huge", why,
			  "huge pages: the second half of one"))
		tap_success(raw_set_ram(vm.fd, size, pages + HUGE / 2, HUGE),
			    "huge pages: the second half of one");
	munmap(pages, size);
	trace_stop(&trace);
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "close unpins them");
}

/* The hypervisor fails after it has mapped part of a segment. */
static void test_rollback(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(8 * PAGE);
	struct trace trace;
	long pinned = pages_pinned();

	if (fixture_skip("registers", "SET_MEMSEG fails"))
		return;
	/* Make the pages physically discontiguous: each is a region. */
	for (size_t i = 0; i < 8; i += 2)
		madvise(pages + i * PAGE, PAGE, MADV_DONTNEED);
	trace = trace_start();
	hv_fault(HV_FAULT_REGION, 2, 1, EXFULL);
	tap_errno(raw_set_ram(vm.fd, 0, pages, 8 * PAGE), EXFULL,
		  "SET_MEMSEG fails");
	tap_ok(hv_fault_done(), "SET_MEMSEG: half way");
	tap_eq(pages_pinned() - pinned, 0, "then no page is pinned");
	differs_eq("memseg-rollback", take_changes(&trace).removed / PAGE, 1, 0,
		   "and the hypervisor is told to forget what it has, pages");
	tap_success(raw_set_ram(vm.fd, 0, pages, 8 * PAGE), "SET_MEMSEG again");
	trace_stop(&trace);
	raw_vm_close(&vm);
	munmap(pages, 8 * PAGE);
}

void test_memory(void)
{
	group(test_ram_refused);
	group(test_ram_rounded);
	group(test_ram_type);
	group(test_replace);
	group(test_unset_ram);
	group(test_unset_any);
	group(test_unset_running);
	group(test_unset_device);
	group(test_mmio);
	group(test_pfnmap);
	group(test_many);
	group(test_tables);
	group(test_huge);
	group(test_rollback);
}
