/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI bus 0: configuration space, BARs and capabilities of type 0 functions.
 *
 * Used by the thread that handles I/O requests once the VM runs; no lock.
 */
#ifndef DM_PCI_H
#define DM_PCI_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/pci_regs.h>

#include "bus/bus.h"

#define PCI_SLOTS	32
#define PCI_CONFIG_SIZE 256

/* The memory that BARs are placed in. _CRS of PCI0 in dsdt.asl has the same. */
#define PCI_MMIO_BASE 0x80000000U
#define PCI_MMIO_SIZE 0x60000000U

struct pci_dev;

/**
 * struct pci_ops - What a device does beyond its configuration space
 * @config_read:	The guest is about to read @size bytes at @reg; the
 *			device can still change them
 * @config_written:	The guest has written @size bytes at @reg
 * @bar_moved:		A BAR was mapped, unmapped or moved
 *
 * Each may be NULL.
 */
struct pci_ops {
	void (*config_read)(struct pci_dev *dev, unsigned int reg,
			    unsigned int size);
	void (*config_written)(struct pci_dev *dev, unsigned int reg,
			       unsigned int size);
	void (*bar_moved)(struct pci_dev *dev);
};

/**
 * struct pci_bar - A 32-bit memory BAR
 * @size:	Bytes, a power of two; 0 if there is none
 * @mapped:	@range is on the bus
 * @range:	Registers behind it; @range.base is valid while @mapped
 */
struct pci_bar {
	uint32_t size;
	bool mapped;
	struct io_range range;
};

/**
 * struct pci_dev - Function 0 of a slot
 * @bus:	Bus that the device is on
 * @slot:	Number of the slot
 * @ops:	What the device does beyond its configuration space
 * @config:	Configuration space
 * @writable:	Bits of @config that the guest can change are 1
 * @initial:	@config as after power-on
 * @cap_end:	First free byte for a capability
 * @cap_last:	Offset of the last capability, 0 if there is none
 * @bars:	BARs
 */
struct pci_dev {
	struct pci_bus *bus;
	unsigned int slot;
	const struct pci_ops *ops;
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	uint8_t initial[PCI_CONFIG_SIZE];
	unsigned int cap_end;
	unsigned int cap_last;
	struct pci_bar bars[PCI_STD_NUM_BARS];
};

/**
 * struct pci_bus - Bus 0
 * @mmio:	Where BARs are mapped
 * @next_bar:	First free address for a BAR
 * @slots:	Devices
 */
struct pci_bus {
	struct bus *mmio;
	uint32_t next_bar;
	struct pci_dev *slots[PCI_SLOTS];
};

/**
 * struct pci_id - What tells the guest which device this is
 * @vendor:	Vendor
 * @device:	Device
 * @subsystem_vendor: Vendor of the board
 * @subsystem:	Board
 * @class:	Class, subclass and interface, a byte each
 * @revision:	Revision
 */
struct pci_id {
	uint16_t vendor;
	uint16_t device;
	uint16_t subsystem_vendor;
	uint16_t subsystem;
	uint32_t class;
	uint8_t revision;
};

void pci_bus_init(struct pci_bus *bus, struct bus *mmio);
uint32_t pci_config_read(struct pci_bus *bus, unsigned int busno,
			 unsigned int slot, unsigned int func, unsigned int reg,
			 unsigned int size);
void pci_config_write(struct pci_bus *bus, unsigned int busno,
		      unsigned int slot, unsigned int func, unsigned int reg,
		      unsigned int size, uint32_t value);

void pci_dev_init(struct pci_dev *dev, const struct pci_id *id,
		  const struct pci_ops *ops);
int pci_dev_add(struct pci_bus *bus, struct pci_dev *dev);
void pci_dev_remove(struct pci_dev *dev);
void pci_dev_reset(struct pci_dev *dev);
void pci_set_bar(struct pci_dev *dev, unsigned int bar, uint32_t size,
		 const struct io_ops *ops, void *opaque);
unsigned int pci_add_cap(struct pci_dev *dev, uint8_t id, const void *body,
			 unsigned int size);

uint16_t pci_get16(const uint8_t *p);
uint32_t pci_get32(const uint8_t *p);
void pci_put16(uint8_t *p, uint16_t value);
void pci_put32(uint8_t *p, uint32_t value);

#endif /* DM_PCI_H */
