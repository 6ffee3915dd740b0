// SPDX-License-Identifier: GPL-2.0
#include <linux/types.h>

#include "pci_conf.h"

#define PCI_CONF_ADDRESS	0xcf8
#define PCI_CONF_DATA		0xcfc
#define PCI_CONF_DATA_SIZE	4
#define PCI_CONF_ENABLE		0x80000000U

/* A read that no device answers returns all ones, as on a bus. */
static enum acrn_pci_conf_result unclaimed(struct acrn_access *access)
{
	access->value = ~0ULL;
	return ACRN_PCI_CONF_DONE;
}

/* Find the register that an access to port 0xCFC and the following reaches. */
static enum acrn_pci_conf_result access_data(u32 address,
					     struct acrn_access *access,
					     struct acrn_pci_register *reg)
{
	u32 offset = access->address - PCI_CONF_DATA;

	/* An access cannot reach beyond the four ports. */
	if (access->size > PCI_CONF_DATA_SIZE - offset)
		return unclaimed(access);
	if (!(address & PCI_CONF_ENABLE))
		return unclaimed(access);

	reg->bus = (address >> 16) & 0xff;
	reg->dev = (address >> 11) & 0x1f;
	reg->func = (address >> 8) & 0x7;
	/* Bits 24 to 27 select the extended registers of PCI Express. */
	reg->reg = (address & 0xfc) + ((address >> 16) & 0xf00) + offset;
	return ACRN_PCI_CONF_REGISTER;
}

/**
 * acrn_pci_conf_access() - Deal with an access to ports 0xCF8 to 0xCFF
 * @address:	Address register of the VM, at port 0xCF8
 * @access:	Access of the guest; its value is replaced if the result is
 *		ACRN_PCI_CONF_DONE
 * @write:	Direction of @access: true for a write
 * @reg:	Register that is accessed, if the result is ACRN_PCI_CONF_REGISTER
 *
 * Only accesses of four bytes reach the address register. Others at its ports
 * are for other devices, such as the reset control register at 0xCF9.
 *
 * Context: Any. The caller guards @address.
 * Return: what became of the access
 */
enum acrn_pci_conf_result acrn_pci_conf_access(u32 *address,
					       struct acrn_access *access,
					       bool write,
					       struct acrn_pci_register *reg)
{
	if (access->type != ACRN_IOREQ_TYPE_PORTIO)
		return ACRN_PCI_CONF_PASS;

	if (access->address == PCI_CONF_ADDRESS && access->size == 4) {
		if (write)
			*address = access->value;
		access->value = *address;
		return ACRN_PCI_CONF_DONE;
	}
	if (access->address < PCI_CONF_DATA ||
	    access->address >= PCI_CONF_DATA + PCI_CONF_DATA_SIZE)
		return ACRN_PCI_CONF_PASS;
	if (access->size != 1 && access->size != 2 && access->size != 4)
		return ACRN_PCI_CONF_PASS;

	return access_data(*address, access, reg);
}
