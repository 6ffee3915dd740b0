/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory of the User VM, and the only way from a guest physical address to a
 * pointer. The guest can change its contents at any time, so each value must be
 * read only once.
 */
#ifndef DM_MEM_H
#define DM_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * RAM below 4 GiB ends here at the latest: PCI memory, IOAPIC and local APICs
 * follow. More RAM lies above 4 GiB.
 */
#define MEM_LOW_MAX   0x80000000ULL
#define MEM_HIGH_BASE 0x100000000ULL

/* The size of RAM is a multiple of a huge page, in bytes. */
#define MEM_GRANULE 0x200000ULL

/**
 * struct mem_region - RAM at consecutive guest physical addresses
 * @gpa:	First address
 * @size:	Bytes
 * @va:		Where this process has it mapped
 */
struct mem_region {
	uint64_t gpa;
	uint64_t size;
	uint8_t *va;
};

/**
 * struct guest_mem - All RAM of the User VM
 * @regions:	RAM below 4 GiB, then RAM above
 * @count:	Number of regions, 1 or 2
 * @hugepages:	RAM consists of pages of 2 MiB
 *
 * Does not change while the VM exists; no lock needed.
 */
struct guest_mem {
	struct mem_region regions[2];
	unsigned int count;
	bool hugepages;
};

int mem_create(struct guest_mem *mem, uint64_t size, bool hugepages);
void mem_destroy(struct guest_mem *mem);
void mem_layout(struct guest_mem *mem, uint64_t size, uint8_t *va);
void *mem_ptr(const struct guest_mem *mem, uint64_t gpa, uint64_t len);

#endif /* DM_MEM_H */
