/* SPDX-License-Identifier: GPL-2.0 */
/*
 * I/O requests: accesses of a User VM that its device model, or the kernel of
 * the Service VM, carries out. The vCPU's thread sleeps meanwhile, or spins if
 * its VM was created with completion polling. An access that rings an
 * asynchronous doorbell makes no request.
 */
#ifndef HV_IOREQ_H
#define HV_IOREQ_H

#include "types.h"

/* The ACPI register PM1a control, to which a guest writes "S5" to power off */
#define PM1A_CONTROL_PORT 0x404
#define PM1A_CONTROL_SIZE 2
#define PM1A_SLEEP	  0x3c00
#define PM1A_SLEEP_S5	  0x3400

struct vm;
struct vcpu;
struct mmio_access;

/**
 * ioreq_pio() - Have the Service VM carry out a port access
 * @vcpu:	vCPU
 * @port:	Port
 * @size:	1, 2 or 4
 * @write:	Whether the guest writes
 * @value:	Value to write, or that was read; unchanged when a read rang an
 *		asynchronous doorbell
 *
 * Called in the vCPU's thread with no lock held. Sleeps until the request is
 * finished.
 *
 * Return: 0; -EFAULT when the slot was not free, with #GP injected as on ACRN.
 */
int ioreq_pio(struct vcpu *vcpu, u16 port, u32 size, bool write, u32 *value);

/*
 * Have the Service VM carry out a memory access; context and result as for
 * ioreq_pio(). Also returns -EINPROGRESS when a read rang an asynchronous
 * doorbell, so that no value was read.
 */
int ioreq_mmio(struct vcpu *vcpu, struct mmio_access *access);

/**
 * ioreq_finish() - Carry out HC_NOTIFY_REQUEST_FINISH
 * @vm:		VM, control lock held
 * @id:		vCPU, from the Service VM, unchecked
 *
 * Return: 0, also when the vCPU is not waiting or its request is not complete;
 * -EINVAL for a vCPU that does not exist and for a VM without an ioreq page;
 * -EPERM for an RTVM.
 */
int ioreq_finish(struct vm *vm, u64 id);

/*
 * Called when a vCPU's thread begins. If the vCPU was spinning for a request
 * when its VM was reset, it spins on until that request is complete.
 */
void ioreq_poll_on(struct vcpu *vcpu);

/*
 * Set all slots of the VM's ioreq page to FREE, for a new page and after a
 * reset. No vCPU runs.
 */
void ioreq_free_slots(struct vm *vm);

#endif /* HV_IOREQ_H */
