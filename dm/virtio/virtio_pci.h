/* SPDX-License-Identifier: GPL-2.0 */
/* virtio 1.x over PCI: capabilities, MSI-X, and a place on the bus. */
#ifndef DM_VIRTIO_PCI_H
#define DM_VIRTIO_PCI_H

#include <stdint.h>
#include <linux/acrn.h>

#include "bus/msix.h"
#include "bus/pci.h"
#include "machine/vm.h"
#include "virtio/virtio.h"
#include "virtio/virtio_regs.h"

/**
 * struct virtio_pci - A virtio device on the PCI bus
 * @device:		For the VM, which resets and destroys it
 * @virtio:		The device
 * @pci:		Its configuration space and slot
 * @msix:		Its interrupts: one vector per queue and one for changes
 *			of the configuration
 * @vm:			VM that it belongs to
 * @regs:		Its registers
 * @cfg_cap:		Offset of the capability that gives access to the BAR
 *			through configuration space
 * @msix_cap:		Offset of the MSI-X capability
 */
struct virtio_pci {
	struct vm_device device;
	struct virtio_dev virtio;
	struct pci_dev pci;
	struct msix msix;
	struct vm *vm;
	struct virtio_regs regs;
	unsigned int cfg_cap;
	unsigned int msix_cap;
};

int virtio_pci_add(struct virtio_pci *dev, struct vm *vm, uint16_t type,
		   uint32_t class);
bool virtio_pci_message(struct virtio_pci *dev, unsigned int queue,
			struct acrn_msi_entry *msi);
bool virtio_pci_doorbell(struct virtio_pci *dev, unsigned int queue,
			 uint64_t *gpa);

#endif /* DM_VIRTIO_PCI_H */
