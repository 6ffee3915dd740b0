// SPDX-License-Identifier: GPL-2.0
/*
 * Which device answers at which port or address. The main thread uses a bus
 * before the VM runs and after it has ended, the thread that handles I/O
 * requests in between, so there is no lock.
 */
#include <stddef.h>

#include "bus/bus.h"

/* Have @range answer from now on, behind those that were added before. */
void bus_add(struct bus *bus, struct io_range *range)
{
	struct io_range **p = &bus->first;

	while (*p)
		p = &(*p)->next;
	range->next = NULL;
	*p = range;
}

/* Have @range not answer any more. Does nothing if it is not on the bus. */
void bus_remove(struct bus *bus, struct io_range *range)
{
	struct io_range **p = &bus->first;

	while (*p && *p != range)
		p = &(*p)->next;
	if (*p)
		*p = range->next;
}

/*
 * Find the range that an access lies in, or NULL. An access that begins in a
 * range and ends behind it reaches no device.
 */
static struct io_range *bus_find(struct bus *bus, uint64_t addr,
				 unsigned int size)
{
	struct io_range *range;

	for (range = bus->first; range; range = range->next)
		if (addr >= range->base && range->size >= size &&
		    addr - range->base <= range->size - size)
			return range;
	return NULL;
}

/*
 * Read for the guest: the device that answers does so in this thread. Where
 * there is no device, or none that can be read, all bits are ones.
 */
uint64_t bus_read(struct bus *bus, uint64_t addr, unsigned int size)
{
	struct io_range *range = bus_find(bus, addr, size);

	if (!range || !range->ops->read)
		return UINT64_MAX;
	return range->ops->read(range->dev, addr - range->base, size);
}

/* Write for the guest. A write to where no device can be written is ignored. */
void bus_write(struct bus *bus, uint64_t addr, unsigned int size,
	       uint64_t value)
{
	struct io_range *range = bus_find(bus, addr, size);

	if (range && range->ops->write)
		range->ops->write(range->dev, addr - range->base, size, value);
}
