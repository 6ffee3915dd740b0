// sources: dm/bus/pci.c dm/bus/bus.c
// SPDX-License-Identifier: GPL-2.0
/* PCI configuration space and BARs of the device model. */
#include <stdint.h>

#include "dm/bus/pci.h"
#include "tap.h"

#define BAR_SIZE 0x8000

static struct bus mmio;
static struct pci_bus bus;
static struct pci_dev dev;
static unsigned int moves;

static uint64_t reg_read(void *opaque, uint64_t offset, unsigned int size)
{
	(void)opaque, (void)size;
	return 0x100 + offset;
}

static void bar_moved(struct pci_dev *moved)
{
	(void)moved;
	moves++;
}

static const struct io_ops regs = { .read = reg_read };
static const struct pci_ops ops = { .bar_moved = bar_moved };
static const struct pci_id id = {
	.vendor = 0x1234,
	.device = 0x5678,
	.class = 0x020000,
	.revision = 1,
};

static uint32_t get(unsigned int reg, unsigned int size)
{
	return pci_config_read(&bus, 0, dev.slot, 0, reg, size);
}

static void put(unsigned int reg, unsigned int size, uint32_t value)
{
	pci_config_write(&bus, 0, dev.slot, 0, reg, size, value);
}

static void header(void)
{
	tap_eq(get(PCI_VENDOR_ID, 4), 0x56781234, "vendor and device");
	tap_eq(get(PCI_CLASS_REVISION, 4), 0x02000001, "class and revision");
	put(PCI_VENDOR_ID, 4, 0);
	tap_eq(get(PCI_VENDOR_ID, 2), 0x1234, "they cannot be written");
	put(PCI_INTERRUPT_LINE, 1, 5);
	tap_eq(get(PCI_INTERRUPT_LINE, 1), 5, "one byte can");
	tap_eq(get(PCI_INTERRUPT_PIN, 1), 0, "its neighbour stays");

	tap_eq(pci_config_read(&bus, 0, 31, 0, 0, 4), UINT32_MAX, "no slot");
	tap_eq(pci_config_read(&bus, 0, 1000, 0, 0, 4), UINT32_MAX,
	       "no such slot");
	tap_eq(pci_config_read(&bus, 1, dev.slot, 0, 0, 4), UINT32_MAX,
	       "no bus");
	tap_eq(pci_config_read(&bus, 0, dev.slot, 1, 0, 4), UINT32_MAX,
	       "no function");
	tap_eq(get(0x100, 4), UINT32_MAX, "no extended space");
	tap_eq(get(0xff, 4), UINT32_MAX, "nothing across the end");
	tap_eq(get(UINT32_MAX, 4), UINT32_MAX, "nothing far behind");
	tap_eq(get(0, 3), UINT32_MAX, "no three bytes");
	put(0xff, 4, 0);
	put(UINT32_MAX, 4, 0);
}

static void capabilities(void)
{
	unsigned int first = get(PCI_CAPABILITY_LIST, 1);

	tap_ok(get(PCI_STATUS, 2) & PCI_STATUS_CAP_LIST, "has capabilities");
	tap_eq(get(first, 1), PCI_CAP_ID_VNDR, "the first");
	tap_eq(get(first + 2, 1), 0xa1, "its body");
	tap_eq(get(get(first + 1, 1), 1), PCI_CAP_ID_MSIX, "the second");
	tap_eq(get(get(first + 1, 1) + 1, 1), 0, "is the last");
}

static void bar(void)
{
	uint32_t base = get(PCI_BASE_ADDRESS_0, 4);

	tap_ok(base >= PCI_MMIO_BASE && base % BAR_SIZE == 0,
	       "the BAR has an address");
	put(PCI_BASE_ADDRESS_0, 4, UINT32_MAX);
	tap_eq(get(PCI_BASE_ADDRESS_0, 4), ~(BAR_SIZE - 1U), "sizing");
	put(PCI_BASE_ADDRESS_0, 4, base);
	tap_eq(bus_read(&mmio, base, 4), UINT64_MAX, "decoding is off");
	tap_eq(moves, 0, "nothing moved");

	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	tap_eq(moves, 1, "mapped");
	tap_eq(bus_read(&mmio, base + 8, 4), 0x108, "it answers");
	tap_eq(bus_read(&mmio, base + BAR_SIZE - 4, 4), 0x100 + BAR_SIZE - 4,
	       "to its end");
	tap_eq(bus_read(&mmio, base + BAR_SIZE - 2, 4), UINT64_MAX,
	       "not across");
	tap_eq(bus_read(&mmio, base - 2, 4), UINT64_MAX, "not before");

	put(PCI_BASE_ADDRESS_0, 4, 0xfffffff0);
	tap_eq(moves, 2, "moved");
	tap_eq(bus_read(&mmio, 0xffff8000, 4), 0x100, "it answers there");
	tap_eq(bus_read(&mmio, base, 4), UINT64_MAX, "and not here");
	put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	tap_eq(moves, 2, "bus mastering moves nothing");

	pci_dev_reset(&dev);
	tap_eq(moves, 3, "a reset unmaps");
	tap_eq(bus_read(&mmio, 0xffff8000, 4), UINT64_MAX, "it is silent");
	tap_eq(get(PCI_BASE_ADDRESS_0, 4), base, "the address is back");

	put(PCI_BASE_ADDRESS_1, 4, UINT32_MAX);
	tap_eq(get(PCI_BASE_ADDRESS_1, 4), 0, "a BAR that is not there");
}

static void full_bus(void)
{
	static struct pci_dev others[PCI_SLOTS];
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < PCI_SLOTS; i++) {
		pci_dev_init(&others[i], &id, &ops);
		ret = pci_dev_add(&bus, &others[i]);
	}
	tap_eq(i, PCI_SLOTS, "32 devices fit on a bus");
	tap_eq(-ret, ENOSPC, "and no more");
	pci_dev_remove(&others[3]);
	tap_eq(pci_dev_add(&bus, &others[31]), 0, "a free slot is used again");

	pci_dev_remove(&dev);
	pci_dev_init(&dev, &id, &ops);
	pci_set_bar(&dev, 0, 0x80000000, &regs, NULL);
	tap_eq(-pci_dev_add(&bus, &dev), ENOSPC, "a BAR that does not fit");
}

int main(void)
{
	static const uint8_t body[] = { 0xa1, 0xa2, 0xa3 };

	pci_bus_init(&bus, &mmio);
	pci_dev_init(&dev, &id, &ops);
	pci_set_bar(&dev, 0, BAR_SIZE, &regs, NULL);
	pci_add_cap(&dev, PCI_CAP_ID_VNDR, body, sizeof(body));
	pci_add_cap(&dev, PCI_CAP_ID_MSIX, body, sizeof(body));
	tap_eq(pci_dev_add(&bus, &dev), 0, "device added");
	header();
	capabilities();
	bar();
	full_bus();
	return tap_done();
}
