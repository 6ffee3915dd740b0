/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two address spaces, I/O ports and memory-mapped registers: which device
 * answers at which port or guest physical address.
 *
 * Only the thread that handles I/O requests uses a bus once the VM runs, so
 * there is no lock.
 */
#ifndef DM_BUS_H
#define DM_BUS_H

#include <stdint.h>

/**
 * struct io_ops - A device's registers
 * @read:	Value of @size bytes (1, 2, 4, 8) at @offset into the range
 * @write:	Takes @value, zero-extended from @size
 *
 * The access lies within the range, but need not be aligned.
 */
struct io_ops {
	uint64_t (*read)(void *dev, uint64_t offset, unsigned int size);
	void (*write)(void *dev, uint64_t offset, unsigned int size,
		      uint64_t value);
};

/**
 * struct io_range - Registers on a bus
 * @next:	Next range on the bus
 * @base:	First port or address
 * @size:	Number of ports or bytes
 * @ops:	What they do
 * @dev:	Argument of @ops
 */
struct io_range {
	struct io_range *next;
	uint64_t base;
	uint64_t size;
	const struct io_ops *ops;
	void *dev;
};

/**
 * struct bus - Port or memory address space
 * @first:	First range; of two that overlap the one added first answers
 */
struct bus {
	struct io_range *first;
};

void bus_add(struct bus *bus, struct io_range *range);
void bus_remove(struct bus *bus, struct io_range *range);
uint64_t bus_read(struct bus *bus, uint64_t addr, unsigned int size);
void bus_write(struct bus *bus, uint64_t addr, unsigned int size,
	       uint64_t value);

#endif /* DM_BUS_H */
