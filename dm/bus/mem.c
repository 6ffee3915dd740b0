// SPDX-License-Identifier: GPL-2.0
/*
 * RAM of the User VM. The main thread makes it before the VM runs and frees it
 * at the end; in between it does not change, and any thread translates
 * addresses without a lock. Its contents are shared with the guest, see mem.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <linux/memfd.h>

#include "bus/mem.h"
#include "process/log.h"

/*
 * Give addresses to @size bytes of RAM that are mapped at @va: below 4 GiB as
 * far as there is room, the rest above.
 */
void mem_layout(struct guest_mem *mem, uint64_t size, uint8_t *va)
{
	uint64_t low = size < MEM_LOW_MAX ? size : MEM_LOW_MAX;

	mem->regions[0] = (struct mem_region){ .size = low, .va = va };
	mem->regions[1] = (struct mem_region){ .gpa = MEM_HIGH_BASE,
					       .size = size - low,
					       .va = va + low };
	mem->count = size > low ? 2 : 1;
}

/**
 * mem_create() - Allocate and map the RAM of a User VM
 * @mem:	Result
 * @size:	Bytes, a multiple of MEM_GRANULE
 * @hugepages:	Take it from the system's pool of 2 MiB pages
 *
 * Return: 0 or -errno, with a message printed.
 */
int mem_create(struct guest_mem *mem, uint64_t size, bool hugepages)
{
	unsigned int flags = MFD_CLOEXEC;
	void *va;
	int fd, ret = 0;

	if (hugepages)
		flags |= MFD_HUGETLB | MFD_HUGE_2MB;
	fd = memfd_create("acrn-guest", flags);
	if (fd < 0 || ftruncate(fd, size) < 0) {
		ret = -errno;
		goto out;
	}
	va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (va == MAP_FAILED) {
		ret = -errno;
		goto out;
	}
	mem->hugepages = hugepages;
	mem_layout(mem, size, va);
out:
	if (fd >= 0)
		close(fd);
	if (ret)
		log_error("cannot allocate %llu MiB of memory for the VM: %s%s",
			  (unsigned long long)size >> 20, strerror(-ret),
			  hugepages ? "; write the number of 2 MiB pages to "
				      "/proc/sys/vm/nr_hugepages"
				    : "");
	return ret;
}

/* Undo mem_create(). No VM has the RAM any more. */
void mem_destroy(struct guest_mem *mem)
{
	munmap(mem->regions[0].va, mem->regions[0].size + mem->regions[1].size);
}

/**
 * mem_ptr() - Translate a guest physical address
 * @mem:	RAM
 * @gpa:	Guest physical address
 * @len:	Bytes to be accessed
 *
 * Any thread.
 *
 * Return: Pointer to @len bytes of RAM, or NULL if any of them is not RAM.
 */
void *mem_ptr(const struct guest_mem *mem, uint64_t gpa, uint64_t len)
{
	unsigned int i;

	for (i = 0; i < mem->count; i++) {
		const struct mem_region *region = &mem->regions[i];
		uint64_t offset = gpa - region->gpa;

		if (gpa >= region->gpa && offset <= region->size &&
		    len <= region->size - offset)
			return region->va + offset;
	}
	return NULL;
}
