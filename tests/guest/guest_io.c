// SPDX-License-Identifier: GPL-2.0
/*
 * Runs in the User VM and makes accesses that no well-behaved driver makes.
 * Each must return a value that real hardware could return, and PCI
 * configuration must work as before afterwards.
 */
#include <fcntl.h>
#include <stdint.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define PCI_ENABLE  0x80000000U
/* Ports and addresses that no device of vhost-dm claims */
#define UNCLAIMED_PORT 0x2000
#define UNCLAIMED_PAGE 0xdf000000UL

/* ACRN clears the address at each access to the data, so write it each time. */
static uint8_t config_byte(uint32_t address, unsigned int offset)
{
	outl(address, PCI_ADDRESS);
	return inb(PCI_DATA + offset);
}

static uint16_t config_word(uint32_t address, unsigned int offset)
{
	outl(address, PCI_ADDRESS);
	return inw(PCI_DATA + offset);
}

static uint32_t config_long(uint32_t address)
{
	outl(address, PCI_ADDRESS);
	return inl(PCI_DATA);
}

/* Vendor and device of function 0 of device @dev on bus 0. */
static uint32_t pci_id(unsigned int dev)
{
	return config_long(PCI_ENABLE | dev << 11);
}

/* The first virtio device on bus 0; 0 when there is none. */
static unsigned int find_virtio(void)
{
	for (unsigned int dev = 1; dev < 32; dev++)
		if ((pci_id(dev) & 0xffff) == 0x1af4)
			return dev;
	return 0;
}

static void narrow_address_port(unsigned int dev)
{
	uint32_t id = pci_id(dev);
	uint32_t address = PCI_ENABLE | dev << 11;

	outl(address, PCI_ADDRESS);
	outb(0xff, PCI_ADDRESS);
	tap_eq(inl(PCI_ADDRESS), address,
	       "a byte written to 0xCF8 is no address");
	outw(0xffff, PCI_ADDRESS);
	tap_eq(inl(PCI_ADDRESS), address,
	       "a word written to 0xCF8 is no address");
	outb(0xff, PCI_ADDRESS + 3);
	tap_eq(inl(PCI_ADDRESS), address,
	       "a byte written to 0xCFB is no address");
	tap_eq(inl(PCI_DATA), id, "configuration data after the narrow writes");
	outl(address, PCI_ADDRESS);
	inb(PCI_ADDRESS);
	inw(PCI_ADDRESS);
	tap_eq(inl(PCI_DATA), id, "configuration data after narrow reads");
}

static void narrow_data_port(unsigned int dev)
{
	uint32_t id = pci_id(dev), address = PCI_ENABLE | dev << 11;

	for (unsigned int i = 0; i < 4; i++)
		tap_eq(config_byte(address, i), id >> 8 * i & 0xff,
		       "byte %u of the configuration data", i);
	tap_eq(config_word(address, 0), id & 0xffff, "word 0");
	tap_eq(config_word(address, 2), id >> 16, "word 2");
}

static void disabled_address(void)
{
	outl(0, PCI_ADDRESS);
	tap_eq(inl(PCI_DATA), 0xffffffff, "no data without the enable bit");
	tap_eq(inb(PCI_DATA + 1), 0xff, "no byte without the enable bit");
}

static void unclaimed(int mem)
{
	volatile uint32_t *page;

	outb(0x5a, UNCLAIMED_PORT);
	tap_eq(inb(UNCLAIMED_PORT), 0xff,
	       "an unclaimed port reads as ones, byte");
	tap_eq(inw(UNCLAIMED_PORT), 0xffff, "word");
	tap_eq(inl(UNCLAIMED_PORT), 0xffffffff, "dword");

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mem,
		    UNCLAIMED_PAGE);
	if (!tap_ok(page != MAP_FAILED, "map an unclaimed address"))
		return;
	page[0] = 0x12345678;
	tap_eq(page[0], 0xffffffff, "an unclaimed address reads as ones");
	tap_eq(*(volatile uint8_t *)&page[1], 0xff, "byte");
	tap_eq(*(volatile uint16_t *)&page[1], 0xffff, "word");
	tap_eq(*(volatile uint64_t *)&page[2], ~0ULL, "qword");
}

/*
 * Find the notify area of the virtio device: the capability of type 2
 * (virtio 1.2, 4.1.4) names BAR and offset.
 */
static uint64_t notify_address(unsigned int dev)
{
	uint32_t base = PCI_ENABLE | dev << 11, cap, bar, offset;
	uint64_t address;

	cap = config_byte(base | 0x34, 0);
	while (cap && (config_byte(base | cap, 0) != 0x09 ||
		       config_byte(base | cap, 3) != 2))
		cap = config_byte(base | cap, 1);
	if (!cap)
		return 0;
	bar = config_byte(base | (cap + 4), 0);
	offset = config_long(base | (cap + 8));
	address = config_long(base | (0x10 + 4 * bar));
	if (address & 4)
		address |= (uint64_t)config_long(base | (0x14 + 4 * bar)) << 32;
	return (address & ~0xfULL) + offset;
}

static void read_doorbell(unsigned int dev, int mem)
{
	uint64_t address = notify_address(dev);
	uint64_t page = address & ~4095ULL;
	volatile uint8_t *map;

	tap_ok(address, "the notify capability");
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mem, page);
	if (!tap_ok(map != MAP_FAILED, "map the doorbells"))
		return;
	map += address - page;
	for (int i = 0; i < 1000; i++)
		(void)*(volatile uint16_t *)map;
	tap_ok(true, "1000 reads of a doorbell returned");
	*(volatile uint32_t *)map = 0;
	*(volatile uint8_t *)map = 0;
	tap_ok(true, "doorbell writes of a width that is none returned");
}

int main(void)
{
	int mem = open("/dev/mem", O_RDWR | O_SYNC);
	unsigned int dev;

	if (iopl(3) || mem < 0)
		return 1;
	dev = find_virtio();
	if (tap_ok(dev, "a virtio device on bus 0")) {
		narrow_address_port(dev);
		narrow_data_port(dev);
		disabled_address();
		read_doorbell(dev, mem);
	}
	unclaimed(mem);
	return tap_done();
}
