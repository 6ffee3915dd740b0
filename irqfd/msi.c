// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/types.h>

#include "msi.h"

/*
 * A message-signalled interrupt as Intel's manual has it, volume 3, "Message
 * Signalled Interrupts". Address: bits 31-20 0xfee, 19-12 destination, 3
 * redirection hint, 2 destination mode. Data: bits 10-8 delivery mode, 7-0
 * vector. Trigger mode and level (data bits 15 and 14) and the reserved bits of
 * the lower half of the data have no effect: every MSI is an edge.
 */
#define MSI_ADDR_FIXED_BITS	(~0xfffffULL | 0xff3)
#define MSI_ADDR_FIXED		0xfee00000ULL

#define MSI_DATA_MODE(data)	(((data) >> 8) & 7)
#define MSI_DATA_VECTOR(data)	((data) & 0xff)

#define MSI_MODE_FIXED		0
#define MSI_MODE_LOWEST		1
#define MSI_MODE_EXTINT		7

/* The local APIC takes lower ones for an error. */
#define MSI_VECTOR_MIN		16

/**
 * msi_check() - Whether an MSI can reach a vCPU
 * @msi:	Address and data as the guest wrote them into its device
 *
 * Accepts what the hypervisor delivers. It refuses no more than a wrong window;
 * what it would drop without a word or, as with the address bits that extend
 * the destination or remap it, send elsewhere, is refused here.
 *
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
