/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What device models use of /dev/acrn_hsm beyond <linux/acrn.h>. The numbers are
 * those of acrn-dm (hsm_ioctl_defs.h); the kernels that ACRN's project publishes
 * have some of them in their <linux/acrn.h>.
 */
#ifndef ACRN_IOCTL_H
#define ACRN_IOCTL_H

#include <linux/acrn.h>

/*
 * Argument: address of a page of the caller's that begins with &struct acrn_ring,
 * for cookies of doorbells. The HSM has one of its own and does not look at it.
 */
#ifndef ACRN_IOCTL_SETUP_ASYNCIO
#define ACRN_IOCTL_SETUP_ASYNCIO	_IOW(ACRN_IOCTL_TYPE, 0x90, __u64)
#endif

/*
 * &struct acrn_ioeventfd.flags: a wish that the vCPU does not wait for the
 * doorbell at all. acrn-dm sends it for each device that has an I/O thread, and
 * counts on a kernel without it to ignore it.
 */
#ifndef ACRN_IOEVENTFD_FLAG_ASYNCIO
#define ACRN_IOEVENTFD_FLAG_ASYNCIO	0x08
#endif

/*
 * Argument: address of a page of the caller's, &struct acrn_ring of &struct
 * acrn_hv_event (acrn_hypercall.h), in which it is told of the VM's events
 */
#ifndef ACRN_IOCTL_SETUP_VM_EVENT_RING
#define ACRN_IOCTL_SETUP_VM_EVENT_RING	_IOW(ACRN_IOCTL_TYPE, 0xa0, __u64)
#endif

/* Argument: the eventfd that says when there are such */
#ifndef ACRN_IOCTL_SETUP_VM_EVENT_FD
#define ACRN_IOCTL_SETUP_VM_EVENT_FD	_IOW(ACRN_IOCTL_TYPE, 0xa1, int)
#endif

#endif /* ACRN_IOCTL_H */
