/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices that a User VM has without the device model: those of the machine
 * that were assigned to it, and those that the hypervisor emulates.
 *
 * There is no IOMMU here and the Service VM keeps what it sees of a device. So
 * an assigned PCI device is merely noted, its interrupts too; the memory of an
 * MMIO device is really mapped; and the one kind of emulated device is a PCI
 * device that has a configuration space and nothing else.
 */
#ifndef HV_DEVICE_H
#define HV_DEVICE_H

#include "types.h"

#define MAX_PCIDEVS 8
#define MAX_VDEVS   4
#define NR_VECTORS  256

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
 * @msis:	Injected so far, by vector; the VM's lock
 */
struct vm_devices {
	struct pcidev pcidevs[MAX_PCIDEVS];
	struct vdev vdevs[MAX_VDEVS];
	u32 pci_address;
	u64 msis[NR_VECTORS];
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
