// SPDX-License-Identifier: GPL-2.0
/*
 * Checks of MSIs. The function looks at nothing but its argument: any context,
 * no lock needed.
 */
#include <linux/errno.h>
#include <linux/types.h>

#include "msi.h"

/*
 * The format of an MSI is in volume 3 of Intel's manual, "Message Signalled
 * Interrupts". Address: bits 31-20 are 0xfee, 19-12 the destination, 3 the
 * redirection hint, 2 the destination mode. Data: bits 10-8 are the delivery
 * mode, 7-0 the vector. Bits 15 and 14 of the data, trigger mode and level, and
 * its reserved bits up to 31 have no effect: an MSI is always an edge.
 */
#define MSI_ADDR_FIXED_BITS	(~0xfffffULL | 0xff3)
#define MSI_ADDR_FIXED		0xfee00000ULL

#define MSI_DATA_MODE(data)	(((data) >> 8) & 7)
#define MSI_DATA_VECTOR(data)	((data) & 0xff)

#define MSI_MODE_FIXED		0
#define MSI_MODE_LOWEST		1
#define MSI_MODE_EXTINT		7

/* A lower vector is an error to the local APIC. */
#define MSI_VECTOR_MIN		16

/**
 * msi_check() - Check that an MSI can reach a vCPU
 * @msi:	Address and data as the guest has written them to its device
 *
 * The hypervisor itself refuses an MSI only if it is not to 0xFEExxxxx. Others
 * it drops without an error, or sends elsewhere if the address has bits that
 * extend or remap the destination. These are refused here.
 *
 * Context: Any.
 * Return: 0, or -EINVAL.
 */
int msi_check(const struct acrn_msi_entry *msi)
{
	if ((msi->msi_addr & MSI_ADDR_FIXED_BITS) != MSI_ADDR_FIXED)
		return -EINVAL;
	if (msi->msi_data >> 32)
		return -EINVAL;

	switch (MSI_DATA_MODE(msi->msi_data)) {
	case MSI_MODE_FIXED:
	case MSI_MODE_LOWEST:
		if (MSI_DATA_VECTOR(msi->msi_data) < MSI_VECTOR_MIN)
			return -EINVAL;
		return 0;
	case MSI_MODE_EXTINT:
		return 0;
	default:
		return -EINVAL;
	}
}
