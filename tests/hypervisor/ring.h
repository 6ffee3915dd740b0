/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rings in the Service VM's memory that the hypervisor fills.
 *
 * As on ACRN, the positions and sizes in a ring's header are trusted: whoever
 * can write to the header can make the hypervisor write to any address.
 */
#ifndef HV_RING_H
#define HV_RING_H

#include <acrn_hypercall.h>

#include "spinlock.h"

struct vm;

/**
 * struct vm_events - Ring in which the Service VM gets a VM's events
 * @lock:	Guards @ring, and writing to it
 * @ring:	Ring in the Service VM's memory, or NULL
 */
struct vm_events {
	struct spinlock lock;
	struct acrn_ring *ring;
};

/*
 * Put an element of @size bytes in a ring. The caller holds the lock that
 * guards it. Returns false when the ring is full.
 */
bool ring_put(struct acrn_ring *ring, const void *element, u32 size);

/**
 * ring_setup() - Carry out HC_SETUP_SBUF
 * @vm:		VM, in whatever state, control lock held
 * @id:		ACRN_RING_*, from the Service VM, unchecked
 * @pa:		The ring's physical address, unchecked
 *
 * Return: 0; -EPERM when there is no such @id, or when @pa is not RAM of the
 * Service VM that begins with the magic number.
 */
int ring_setup(struct vm *vm, u32 id, u64 pa);

/*
 * Put an event in the VM's ring and raise the upcall. The event is lost if
 * there is no ring or no room in it. Takes the ring's lock.
 */
void vm_event_send(struct vm *vm, const struct acrn_hv_event *event);

#endif /* HV_RING_H */
