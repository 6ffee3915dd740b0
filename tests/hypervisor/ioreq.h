/* SPDX-License-Identifier: GPL-2.0 */
/*
 * I/O requests: accesses that the Service VM carries out. The vCPU's thread
 * sleeps meanwhile, or spins if its VM was created that way. A doorbell that is
 * asynchronous is none.
 */
#ifndef HV_IOREQ_H
#define HV_IOREQ_H

#include "types.h"

struct vm;
struct vcpu;
struct mmio_access;

/**
 * ioreq_pio() - Have the Service VM access a port
 * @vcpu:	vCPU
 * @port:	Port
 * @size:	1, 2 or 4
 * @write:	Direction
 * @value:	Value to write, or what is read; stays where reading has rung a
 *		doorbell
 *
 * In the vCPU's thread, no lock held.
 *
 * Return: 0; -EFAULT when the slot was not free, with #GP injected as on ACRN.
 */
int ioreq_pio(struct vcpu *vcpu, u16 port, u32 size, bool write, u32 *value);

/* The same for memory; -EINPROGRESS when reading it has rung a doorbell. */
int ioreq_mmio(struct vcpu *vcpu, struct mmio_access *access);

/**
 * ioreq_finish() - HC_NOTIFY_REQUEST_FINISH
 * @vm:		VM, control lock held
 * @id:		vCPU, from the Service VM, unchecked
 *
 * Return: 0, also when the vCPU is not waiting, as on ACRN; -EINVAL for a vCPU
 * that does not exist or a request that is not COMPLETE.
 */
int ioreq_finish(struct vm *vm, u64 id);

/* Make all slots free, as a new page or a reset VM has them. No vCPU runs. */
void ioreq_free_slots(struct vm *vm);

#endif /* HV_IOREQ_H */
