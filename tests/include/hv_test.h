/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test hypervisor offers to tests beyond ACRN's interface: model
 * specific registers of the Service VM, for which user space has
 * /dev/cpu/0/msr. Included by both sides.
 */
#ifndef HV_TEST_H
#define HV_TEST_H

/*
 * Read and write: which hypercall is going to fail. Bits 0 to 7 are the low
 * byte of its id; bits 8 to 19 say from which call on, those for other VMs
 * included: 1 is the next one; bits 20 to 31 say how many calls; bits 32 to 63
 * are the errno, positive. Such a call does nothing but fail. The register
 * counts down and is zero, which means none, when all is done.
 */
#define HV_MSR_FAULT 0x41435200U
#define HV_FAULT(id, from, calls, error)                                       \
	((unsigned long long)(error) << 32 | (unsigned int)(calls) << 20 |     \
	 (from) << 8 | ((id)&0xff))

/*
 * Read only: the last argument of a device hypercall (0x53 to 0x5a). Bits 0 to
 * 7 of the first are the low byte of the hypercall's id, bits 16 to 31 the VM
 * id, bits 32 to 63 the size in bytes; the others are the argument, eight bytes
 * each.
 */
#define HV_MSR_ARGUMENT_INFO   0x41435201U
#define HV_MSR_ARGUMENT	       0x41435300U
#define HV_ARGUMENT_MSRS       24
#define HV_ARGUMENT_ID(info)   ((info)&0xff)
#define HV_ARGUMENT_VMID(info) ((info) >> 16 & 0xffff)
#define HV_ARGUMENT_SIZE(info) ((info) >> 32)

#endif /* HV_TEST_H */
