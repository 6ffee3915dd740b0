/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rings in the Service VM's memory, which the hypervisor fills.
 *
 * As on ACRN, what a ring's header says is believed: whoever in the Service VM
 * can write to one has the hypervisor write wherever they like.
 */
#ifndef HV_RING_H
#define HV_RING_H

#include <acrn_hypercall.h>

#include "spinlock.h"

struct vm;

/**
 * struct vm_events - Where the Service VM is told of a VM's events
 * @lock:	Guards @ring, and what is written to it
 * @ring:	In the Service VM's memory, or NULL
 */
struct vm_events {
	struct spinlock lock;
	struct acrn_ring *ring;
};

/* Put an element of @size bytes. False: the ring is full. */
bool ring_put(struct acrn_ring *ring, const void *element, u32 size);

/**
 * ring_setup() - HC_SETUP_SBUF
 * @vm:		VM, in whatever state, control lock held
 * @id:		ACRN_RING_*, from the Service VM, unchecked
 * @pa:		The ring's physical address, unchecked
 *
 * Return: 0; -EPERM for no such ring and for one without the magic number.
 */
int ring_setup(struct vm *vm, u32 id, u64 pa);

/* Tell of an event, if there is a ring and room in it. No lock held. */
void vm_event_send(struct vm *vm, const struct acrn_hv_event *event);

#endif /* HV_RING_H */
