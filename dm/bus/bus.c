// SPDX-License-Identifier: GPL-2.0
#include <stddef.h>

#include "bus/bus.h"

void bus_add(struct bus *bus, struct io_range *range)
{
	struct io_range **p = &bus->first;

	while (*p)
		p = &(*p)->next;
	range->next = NULL;
	*p = range;
}

void bus_remove(struct bus *bus, struct io_range *range)
{
	struct io_range **p = &bus->first;

	while (*p && *p != range)
		p = &(*p)->next;
	if (*p)
		*p = range->next;
}

/* An access that is only partly in a range is nobody's. */
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

/* What no device claims reads as all ones. */
uint64_t bus_read(struct bus *bus, uint64_t addr, unsigned int size)
{
	struct io_range *range = bus_find(bus, addr, size);

	if (!range || !range->ops->read)
		return UINT64_MAX;
	return range->ops->read(range->dev, addr - range->base, size);
}

void bus_write(struct bus *bus, uint64_t addr, unsigned int size,
	       uint64_t value)
{
	struct io_range *range = bus_find(bus, addr, size);

	if (range && range->ops->write)
		range->ops->write(range->dev, addr - range->base, size, value);
}
