// SPDX-License-Identifier: GPL-2.0
/*
 * What the HSM keeps for each GiB of a User VM's memory, and how long
 * ACRN_IOCTL_SET_MEMSEG takes for one.
 *
 * The memory is there and mapped beforehand, so that neither its pages nor the
 * page tables of this program count. Its pages are touched in an order that
 * makes neighbours far apart in physical memory: page frames do not merge,
 * which is the worst that a device model can have.
 */
#include "bench.h"
#include "free_pages.h"
#include "raw_vm.h"

#define GIB	   (1UL << 30)
#define MIB	   (1UL << 20)
#define SMALL_PAGE 4096UL
#define HUGE_PAGE  (2 * MIB)
#define ADDRESS	   GIB /* in the User VM */

/* User VMs a case; the first is not counted, as the emulator learns the code.
 */
#define VMS 6

static void reserve_huge_pages(void)
{
	const char *path = "/proc/sys/vm/nr_hugepages";
	FILE *file = fopen(path, "w");

	if (!file || fprintf(file, "%lu\n", GIB / HUGE_PAGE) < 0 ||
	    fclose(file))
		err(1, "%s", path);
	if (raw_number(path) != GIB / HUGE_PAGE)
		errx(1, "%lu huge pages: not enough memory", GIB / HUGE_PAGE);
}

/* The next of @pages, each once, when @pages is a power of two. */
static unsigned long scattered(unsigned long i, unsigned long pages)
{
	/* An odd factor permutes; the golden ratio keeps neighbours apart. */
	return i * (pages * 618 / 1000 | 1) % pages;
}

static char *populate(unsigned long page_size)
{
	int huge = page_size == HUGE_PAGE ? MAP_HUGETLB : 0;
	char *memory = mmap(NULL, GIB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | huge, -1, 0);

	if (memory == MAP_FAILED)
		err(1, "1 GiB of memory");
	for (unsigned long i = 0; i < GIB / page_size; i++)
		memory[scattered(i, GIB / page_size) * page_size] = 1;
	return memory;
}

/* How many small pages of @memory do not follow the one before. */
static unsigned long breaks(const char *memory)
{
	static uint64_t frames[GIB / SMALL_PAGE];
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned long found = 1;

	if (fd < 0 || pread(fd, frames, sizeof(frames),
			    (uintptr_t)memory / SMALL_PAGE * sizeof(*frames)) !=
			      sizeof(frames))
		err(1, "/proc/self/pagemap");
	close(fd);
	for (unsigned long i = 1; i < GIB / SMALL_PAGE; i++)
		found += frames[i] != frames[i - 1] + 1;
	return found;
}

/* Give @memory to @vm, @segment bytes at a time; how long that took. */
static double set_memory(const struct raw_vm *vm, const char *memory,
			 unsigned long segment)
{
	uint64_t start = tsc();

	for (unsigned long offset = 0; offset < GIB; offset += segment) {
		struct acrn_vm_memmap map = {
			.type = ACRN_MEMMAP_RAM,
			.attr = ACRN_MEM_ACCESS_RWX,
			.user_vm_pa = ADDRESS + offset,
			.vma_base = (uintptr_t)memory + offset,
			.len = segment,
		};

		if (ioctl(vm->fd, ACRN_IOCTL_SET_MEMSEG, &map))
			err(1, "SET_MEMSEG of %lu MiB", segment / MIB);
	}
	return tsc_to_ns(tsc() - start);
}

static void measure(const char *what, int cpu, const char *memory,
		    unsigned long segment)
{
	struct samples kept = samples_create(VMS);
	struct samples time = samples_create(VMS);

	for (int i = 0; i < VMS; i++) {
		struct raw_vm vm = raw_vm_create(cpu, 0);
		long before = free_pages();
		double ns = set_memory(&vm, memory, segment);
		long after = free_pages();

		if (i) {
			samples_add(&time, ns / 1e6);
			samples_add(&kept, (before - after) * 4.0);
		}
		raw_vm_close(&vm);
	}
	row(what, "memory kept", "KiB/GiB", &kept);
	row(what, "SET_MEMSEG", "ms/GiB", &time);
}

int main(int argc, char **argv)
{
	char *memory;
	int cpu;

	if (argc != 3)
		errx(2, "usage: bench-memory VARIANT CPU");
	cpu = atoi(argv[2]);

	reserve_huge_pages();
	memory = populate(HUGE_PAGE);
	measure("2 MiB pages", cpu, memory, GIB);
	munmap(memory, GIB);

	memory = populate(SMALL_PAGE);
	printf("note: %lu of %lu small pages do not follow the one before\n",
	       breaks(memory), GIB / SMALL_PAGE);
	/* The in-tree HSM cannot allocate the table for more than 512 MiB. */
	measure("4 KiB pages, 4 x 256 MiB", cpu, memory, 256 * MIB);
	if (strcmp(argv[1], "in-tree"))
		measure("4 KiB pages, 1 GiB", cpu, memory, GIB);
	return 0;
}
