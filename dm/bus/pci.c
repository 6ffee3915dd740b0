// SPDX-License-Identifier: GPL-2.0
/*
 * PCI bus 0. The main thread adds devices before the VM runs and removes them
 * after it has ended; the thread that handles I/O requests does all else,
 * accesses of the guest and resets. So there is no lock.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "bus/pci.h"

/* Capabilities start behind the header. */
#define CAP_START 0x40

#define COMMAND_WRITABLE                                                       \
	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |            \
	 PCI_COMMAND_INTX_DISABLE)

/* Numbers in configuration space are little-endian, at any alignment. */
uint16_t pci_get16(const uint8_t *p)
{
	return p[0] | p[1] << 8;
}

uint32_t pci_get32(const uint8_t *p)
{
	return pci_get16(p) | (uint32_t)pci_get16(p + 2) << 16;
}

void pci_put16(uint8_t *p, uint16_t value)
{
	p[0] = value;
	p[1] = value >> 8;
}

void pci_put32(uint8_t *p, uint32_t value)
{
	pci_put16(p, value);
	pci_put16(p + 2, value >> 16);
}

/* Make a bus without devices, whose BARs are mapped in @mmio. */
void pci_bus_init(struct pci_bus *bus, struct bus *mmio)
{
	*bus = (struct pci_bus){ .mmio = mmio, .next_bar = PCI_MMIO_BASE };
}

static uint8_t *bar_register(struct pci_dev *dev, unsigned int bar)
{
	return &dev->config[PCI_BASE_ADDRESS_0 + 4 * bar];
}

static void bar_unmap(struct pci_dev *dev, struct pci_bar *bar)
{
	if (bar->mapped)
		bus_remove(dev->bus->mmio, &bar->range);
	bar->mapped = false;
}

/*
 * Map one BAR where its register says if the command register enables it, unmap
 * it if not. Returns whether that changed anything.
 */
static bool bar_update(struct pci_dev *dev, unsigned int index)
{
	struct pci_bar *bar = &dev->bars[index];
	uint32_t base =
		pci_get32(bar_register(dev, index)) & PCI_BASE_ADDRESS_MEM_MASK;
	bool map = pci_get16(&dev->config[PCI_COMMAND]) & PCI_COMMAND_MEMORY;

	if (map == bar->mapped && (!map || base == bar->range.base))
		return false;
	bar_unmap(dev, bar);
	if (map) {
		bar->range.base = base;
		bus_add(dev->bus->mmio, &bar->range);
		bar->mapped = true;
	}
	return true;
}

/*
 * Map each BAR where the guest has put it by now, and tell the device if one
 * moved.
 */
static void bars_update(struct pci_dev *dev)
{
	bool moved = false;
	unsigned int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (dev->bars[i].size)
			moved |= bar_update(dev, i);
	if (moved && dev->ops->bar_moved)
		dev->ops->bar_moved(dev);
}

/* Find a device; all are function 0 of bus 0. NULL if there is none. */
static struct pci_dev *device_at(struct pci_bus *bus, unsigned int busno,
				 unsigned int slot, unsigned int func)
{
	if (busno || func || slot >= PCI_SLOTS)
		return NULL;
	return bus->slots[slot];
}

static bool valid_access(unsigned int reg, unsigned int size)
{
	return (size == 1 || size == 2 || size == 4) && reg < PCI_CONFIG_SIZE &&
	       reg + size <= PCI_CONFIG_SIZE;
}

/*
 * Read configuration space for the guest. Registers of a device that does not
 * exist read as all ones.
 */
uint32_t pci_config_read(struct pci_bus *bus, unsigned int busno,
			 unsigned int slot, unsigned int func, unsigned int reg,
			 unsigned int size)
{
	struct pci_dev *dev = device_at(bus, busno, slot, func);
	uint32_t value = 0;
	unsigned int i;

	if (!dev || !valid_access(reg, size))
		return UINT32_MAX;
	if (dev->ops->config_read)
		dev->ops->config_read(dev, reg, size);
	for (i = 0; i < size; i++)
		value |= (uint32_t)dev->config[reg + i] << 8 * i;
	return value;
}

/*
 * Write configuration space for the guest. Only those bits change that the
 * device has made writable.
 */
void pci_config_write(struct pci_bus *bus, unsigned int busno,
		      unsigned int slot, unsigned int func, unsigned int reg,
		      unsigned int size, uint32_t value)
{
	struct pci_dev *dev = device_at(bus, busno, slot, func);
	unsigned int i;

	if (!dev || !valid_access(reg, size))
		return;
	for (i = 0; i < size; i++) {
		uint8_t mask = dev->writable[reg + i];
		uint8_t *byte = &dev->config[reg + i];

		*byte = (*byte & ~mask) | (value >> 8 * i & mask);
	}
	bars_update(dev);
	if (dev->ops->config_written)
		dev->ops->config_written(dev, reg, size);
}

/* Fill in a device's identity. BARs and capabilities are added to it then. */
void pci_dev_init(struct pci_dev *dev, const struct pci_id *id,
		  const struct pci_ops *ops)
{
	*dev = (struct pci_dev){ .ops = ops, .cap_end = CAP_START };
	pci_put16(&dev->config[PCI_VENDOR_ID], id->vendor);
	pci_put16(&dev->config[PCI_DEVICE_ID], id->device);
	pci_put16(&dev->config[PCI_SUBSYSTEM_VENDOR_ID], id->subsystem_vendor);
	pci_put16(&dev->config[PCI_SUBSYSTEM_ID], id->subsystem);
	pci_put32(&dev->config[PCI_CLASS_REVISION],
		  id->class << 8 | id->revision);
	pci_put16(&dev->writable[PCI_COMMAND], COMMAND_WRITABLE);
	dev->writable[PCI_CACHE_LINE_SIZE] = 0xff;
	dev->writable[PCI_INTERRUPT_LINE] = 0xff;
}

/**
 * pci_set_bar() - Give a device a 32-bit memory BAR
 * @dev:	Device, not yet on a bus
 * @bar:	Number of the BAR
 * @size:	Bytes, a power of two, at least 16
 * @ops:	Registers behind it
 * @opaque:	Argument of @ops
 */
void pci_set_bar(struct pci_dev *dev, unsigned int bar, uint32_t size,
		 const struct io_ops *ops, void *opaque)
{
	dev->bars[bar] = (struct pci_bar){
		.size = size,
		.range = { .size = size, .ops = ops, .dev = opaque },
	};
	pci_put32(&dev->writable[PCI_BASE_ADDRESS_0 + 4 * bar], ~(size - 1));
}

/**
 * pci_add_cap() - Append a capability
 * @dev:	Device, not yet on a bus
 * @id:		PCI_CAP_ID_*
 * @body:	What follows the two bytes of header
 * @size:	Bytes in @body
 *
 * Return: Offset of the capability; the caller makes bits of it writable.
 */
unsigned int pci_add_cap(struct pci_dev *dev, uint8_t id, const void *body,
			 unsigned int size)
{
	unsigned int cap = dev->cap_end;

	dev->config[cap + PCI_CAP_LIST_ID] = id;
	memcpy(&dev->config[cap + 2], body, size);
	if (dev->cap_last)
		dev->config[dev->cap_last + PCI_CAP_LIST_NEXT] = cap;
	else
		dev->config[PCI_CAPABILITY_LIST] = cap;
	dev->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	dev->cap_last = cap;
	dev->cap_end = (cap + 2 + size + 3) & ~3U;
	return cap;
}

/*
 * Give each BAR an address, as firmware does. The guest enables them in the
 * command register.
 */
static int assign_bars(struct pci_bus *bus, struct pci_dev *dev)
{
	unsigned int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		uint32_t size = dev->bars[i].size;
		uint64_t base;

		if (!size)
			continue;
		base = ((uint64_t)bus->next_bar + size - 1) & ~(size - 1ULL);
		if (base + size > (uint64_t)PCI_MMIO_BASE + PCI_MMIO_SIZE)
			return -ENOSPC;
		pci_put32(bar_register(dev, i), base);
		bus->next_bar = base + size;
	}
	return 0;
}

/* Put a device into the first free slot. Returns 0 or -ENOSPC. */
int pci_dev_add(struct pci_bus *bus, struct pci_dev *dev)
{
	unsigned int slot = 0;
	int ret;

	while (slot < PCI_SLOTS && bus->slots[slot])
		slot++;
	if (slot == PCI_SLOTS)
		return -ENOSPC;
	ret = assign_bars(bus, dev);
	if (ret)
		return ret;
	dev->bus = bus;
	dev->slot = slot;
	memcpy(dev->initial, dev->config, sizeof(dev->config));
	bus->slots[slot] = dev;
	return 0;
}

/* Unmap the BARs and free the slot. */
void pci_dev_remove(struct pci_dev *dev)
{
	unsigned int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		bar_unmap(dev, &dev->bars[i]);
	dev->bus->slots[dev->slot] = NULL;
}

/* Bring configuration space and BARs back to the state after power-on. */
void pci_dev_reset(struct pci_dev *dev)
{
	memcpy(dev->config, dev->initial, sizeof(dev->config));
	bars_update(dev);
}
