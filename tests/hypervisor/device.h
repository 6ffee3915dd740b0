/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that a User VM has without the device model: those of the machine
 * that were assigned to it, and those that the hypervisor emulates.
 *
 * There is no IOMMU here, so an assigned PCI device is merely noted, its
 * interrupts too, and stays with the Service VM; the memory of an MMIO device
 * really changes hands; and the one kind of emulated device is a PCI device
 * that has a configuration space and nothing else.
 */
#ifndef HV_DEVICE_H
#define HV_DEVICE_H

#include "types.h"

#define MAX_PCIDEVS 8
#define MAX_VDEVS   4

#define PCI_CONFIG_SIZE 256

struct vm;
struct vcpu;

/* An assigned PCI device. */
struct pcidev {
	bool present;
	u16 virt_bdf;
	u16 phys_bdf;
};

/* An emulated PCI device. */
struct vdev {
	bool present;
	u16 bdf;
	u8 config[PCI_CONFIG_SIZE];
};

/**
 * struct vm_devices - Devices of a VM
 * @pcidevs:	Written with the control lock and the lock in hc_device.c
 * @vdevs:	Come and go with the control lock while the VM does not run;
 *		@config with the VM's lock
 * @pci_address: Port 0xcf8; the VM's lock
 */
struct vm_devices {
	struct pcidev pcidevs[MAX_PCIDEVS];
	struct vdev vdevs[MAX_VDEVS];
	u32 pci_address;
};

/**
 * vdev_access_port() - Offer an access to the emulated devices
 * @vcpu:	vCPU
 * @port:	Port
 * @size:	1, 2 or 4
 * @write:	Direction
 * @value:	Value to write, or read
 *
 * As on ACRN, ports 0xcf8 and 0xcfc are the hypervisor's. To the Service VM go
 * four bytes written to 0xcf8, unless they are an emulated device's address,
 * and aligned accesses to 0xcfc to 0xcff when what was written before has the
 * enable bit and no emulated device there. The rest reads as ones and is lost
 * when written. In the vCPU's thread, no lock held.
 *
 * Return: true when it is done; false when it is the Service VM's.
 */
bool vdev_access_port(struct vcpu *vcpu, u16 port, u32 size, bool write,
		      u32 *value);

/* The emulated PCI device there, or NULL. */
struct vdev *vdev_find(struct vm *vm, u16 bdf);

#endif /* HV_DEVICE_H */
