/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCI configuration mechanism #1: a guest writes the address of a register to
 * port 0xCF8 and then accesses the register through ports 0xCFC to 0xCFF.
 * Device models want both steps as one request. Pure logic, which the unit
 * tests compile for user space as well.
 */
#ifndef HSM_PCI_CONF_H
#define HSM_PCI_CONF_H

#include <linux/types.h>

#include "acrn_hsm.h"

/**
 * enum acrn_pci_conf_result - What became of a guest's access
 * @ACRN_PCI_CONF_PASS:		It is an ordinary access, to other ports
 * @ACRN_PCI_CONF_DONE:		It is done; the access has the value that a read
 *				returns
 * @ACRN_PCI_CONF_REGISTER:	It accesses a configuration register
 */
enum acrn_pci_conf_result {
	ACRN_PCI_CONF_PASS,
	ACRN_PCI_CONF_DONE,
	ACRN_PCI_CONF_REGISTER,
};

/**
 * struct acrn_pci_register - Address of a configuration register
 * @bus:	0 to 255
 * @dev:	0 to 31
 * @func:	0 to 7
 * @reg:	Byte offset, 0 to 4095
 */
struct acrn_pci_register {
	u32 bus;
	u32 dev;
	u32 func;
	u32 reg;
};

enum acrn_pci_conf_result acrn_pci_conf_access(u32 *address,
					       struct acrn_access *access,
					       bool write,
					       struct acrn_pci_register *reg);

#endif /* HSM_PCI_CONF_H */
