/* SPDX-License-Identifier: GPL-2.0 */
/* virtio 1.x over PCI: capabilities, registers, MSI-X. */
#ifndef DM_VIRTIO_PCI_H
#define DM_VIRTIO_PCI_H

#include <stdatomic.h>
#include <stdint.h>
#include <linux/acrn.h>

#include "bus/msix.h"
#include "bus/pci.h"
#include "virtio/virtio.h"

struct vm;

/**
 * struct virtio_pci - A virtio device on the PCI bus
 * @virtio:		The device
 * @pci:		Its place on the bus
 * @msix:		Its interrupts: one vector per queue and one for the
 *			configuration
 * @vm:			VM that it belongs to
 * @isr:		Interrupt status; set by any thread
 * @cfg_cap:		Offset of the capability that gives access to the BAR
 *			through configuration space
 * @msix_cap:		Offset of the MSI-X capability
 * @offer_word:		Which 32 offered features the driver looks at
 * @accept_word:	Which 32 accepted features the driver writes
 * @queue_select:	Which queue the driver looks at
 */
struct virtio_pci {
	struct virtio_dev virtio;
	struct pci_dev pci;
	struct msix msix;
	struct vm *vm;
	_Atomic uint8_t isr;
	unsigned int cfg_cap;
	unsigned int msix_cap;
	uint32_t offer_word;
	uint32_t accept_word;
	uint16_t queue_select;
};

int virtio_pci_add(struct virtio_pci *dev, struct vm *vm, uint16_t type,
		   uint32_t class);
void virtio_pci_remove(struct virtio_pci *dev);
void virtio_pci_reset(struct virtio_pci *dev);
bool virtio_pci_message(struct virtio_pci *dev, unsigned int queue,
			struct acrn_msi_entry *msi);
bool virtio_pci_doorbell(struct virtio_pci *dev, unsigned int queue,
			 uint64_t *gpa);

#endif /* DM_VIRTIO_PCI_H */
