/* SPDX-License-Identifier: GPL-2.0 */
/*
 * I/O requests: accesses that the Service VM carries out. The vCPU's thread
 * sleeps meanwhile, or spins if its VM was created that way. A doorbell that is
 * asynchronous is none.
 */
#ifndef HV_IOREQ_H
#define HV_IOREQ_H

#include "types.h"

/* The ACPI register in which a User VM says "S5", which is power-off. */
#define PM1A_CONTROL_PORT 0x404
#define PM1A_CONTROL_SIZE 2
#define PM1A_SLEEP	  0x3c00
#define PM1A_SLEEP_S5	  0x3400

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
 * Return: 0, also when the vCPU is not waiting, or its request not complete;
 * -EINVAL for a vCPU that does not exist; -EPERM for an RTVM.
 */
int ioreq_finish(struct vm *vm, u64 id);

/*
 * When a vCPU's thread begins: a reset does not end the polling for a request
 * that was outstanding.
 */
void ioreq_poll_on(struct vcpu *vcpu);

/* Make all slots free, as a new page or a reset VM has them. No vCPU runs. */
void ioreq_free_slots(struct vm *vm);

#endif /* HV_IOREQ_H */
