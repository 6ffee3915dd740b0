/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Those parts of the interface of /dev/acrn_hsm that <linux/acrn.h> of Linux
 * does not have. The numbers are those of acrn-dm (hsm_ioctl_defs.h). The
 * kernels that the ACRN project publishes have some of them in their
 * <linux/acrn.h>.
 */
#ifndef ACRN_IOCTL_H
#define ACRN_IOCTL_H

#include <linux/acrn.h>

/*
 * Argument: user address of a page that begins with &struct acrn_ring, for
 * cookies of doorbells. The HSM ignores it and has a ring of its own.
 */
#ifndef ACRN_IOCTL_SETUP_ASYNCIO
#define ACRN_IOCTL_SETUP_ASYNCIO	_IOW(ACRN_IOCTL_TYPE, 0x90, __u64)
#endif

/*
 * In &struct acrn_ioeventfd.flags: make the doorbell asynchronous if possible,
 * so that the vCPU does not wait for it. acrn-dm sets the flag for each device
 * that has an I/O thread, and relies on kernels that do not know the flag to
 * ignore it.
 */
#ifndef ACRN_IOEVENTFD_FLAG_ASYNCIO
#define ACRN_IOEVENTFD_FLAG_ASYNCIO	0x08
#endif

/*
 * Argument: user address of a page that begins with &struct acrn_ring, for
 * elements of &struct acrn_hv_event (acrn_hypercall.h). The events of the VM
 * are put there.
 */
#ifndef ACRN_IOCTL_SETUP_VM_EVENT_RING
#define ACRN_IOCTL_SETUP_VM_EVENT_RING	_IOW(ACRN_IOCTL_TYPE, 0xa0, __u64)
#endif

/* Argument: eventfd that is signalled when there are events */
#ifndef ACRN_IOCTL_SETUP_VM_EVENT_FD
#define ACRN_IOCTL_SETUP_VM_EVENT_FD	_IOW(ACRN_IOCTL_TYPE, 0xa1, int)
#endif

#endif /* ACRN_IOCTL_H */
