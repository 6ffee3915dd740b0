/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Devices of a User VM that its device model does not emulate: devices of the
 * machine that were assigned to it, and PCI devices emulated here.
 *
 * There is no IOMMU, so assigning a PCI device or its interrupts is recorded
 * and has no effect: the Service VM keeps the device. Assigning an MMIO device
 * does move its memory from the Service VM to the User VM. The one kind of
 * emulated device has a PCI configuration space and nothing else.
 */
#ifndef HV_DEVICE_H
#define HV_DEVICE_H

#include "types.h"

#define MAX_PCIDEVS 8
#define MAX_VDEVS   4

#define PCI_CONFIG_SIZE 256

struct vm;
struct vcpu;

/* Record of an assigned PCI device; unused unless @present. */
struct pcidev {
	bool present;
	u16 virt_bdf;
	u16 phys_bdf;
};

/* An emulated PCI device; unused unless @present. */
struct vdev {
	bool present;
	u16 bdf;
	u8 config[PCI_CONFIG_SIZE];
};

/**
 * struct vm_devices - Devices of a VM
 * @pcidevs:	Assigned PCI devices; assigned and deassigned with the VM's
 *		control lock and pcidev_lock of hc_device.c held, read with
 *		either
 * @vdevs:	Emulated PCI devices; added and removed with the control lock
 *		held while the VM does not run. The VM's lock guards @config.
 * @pci_address: Value of port 0xcf8; guarded by the VM's lock
 */
struct vm_devices {
	struct pcidev pcidevs[MAX_PCIDEVS];
	struct vdev vdevs[MAX_VDEVS];
	u32 pci_address;
};

/**
 * vdev_access_port() - Emulate an access to the PCI configuration ports
 * @vcpu:	vCPU
 * @port:	Port
 * @size:	1, 2 or 4
 * @write:	Whether the guest writes
 * @value:	Value that the guest writes, or that it gets to read
 *
 * As on ACRN, ports 0xcf8 and 0xcfc are the hypervisor's. Two kinds of access
 * are left to the Service VM: a 4-byte write to 0xcf8, unless it is the address
 * of an emulated device; and an aligned access to 0xcfc to 0xcff, when the
 * address written before has the enable bit and is not that of an emulated
 * device. Any other read returns ones, any other write is dropped. Called in
 * the vCPU's thread with no lock held.
 *
 * Return: true when the access is done; false when it is for the Service VM.
 */
bool vdev_access_port(struct vcpu *vcpu, u16 port, u32 size, bool write,
		      u32 *value);

/*
 * The emulated PCI device at @bdf, or NULL. Called with the control lock held,
 * or by a vCPU of @vm.
 */
struct vdev *vdev_find(struct vm *vm, u16 bdf);

/* Take all its devices from @vm. Called with the control lock held. */
void devices_clear(struct vm *vm);

#endif /* HV_DEVICE_H */
