/* SPDX-License-Identifier: GPL-2.0 */
/* Events of a VM by raw ioctls. On the fixture, tests can raise events. */
#ifndef RAW_EVENT_H
#define RAW_EVENT_H

#include "acrn_hypercall.h"
#include "acrn_ioctl.h"
#include "raw_hv.h"
#include "raw_vm.h"

#define ELEMENT ((uint32_t)sizeof(struct acrn_hv_event))
#define EVENTS	((4096 - sizeof(struct acrn_ring)) / ELEMENT)
/*
 * Capacity: one element stays free, which tells a full ring from an empty one
 */
#define ROOM (EVENTS - 1)

/* A device model's ring, of one page. */
struct event_ring {
	struct acrn_ring header;
	struct acrn_hv_event events[EVENTS];
};

/* Fill in the header as acrn-dm does, but with head and tail at @first. */
static inline void fill_header(struct event_ring *ring, uint32_t first)
{
	ring->header = (struct acrn_ring){ .magic = ACRN_RING_MAGIC,
					   .ele_num = EVENTS,
					   .ele_size = ELEMENT,
					   .head = first * ELEMENT,
					   .tail = first * ELEMENT,
					   .size = EVENTS * ELEMENT };
}

static inline struct event_ring *new_ring(void)
{
	struct event_ring *ring = raw_pages(4096);

	fill_header(ring, 0);
	return ring;
}

static inline int set_ring(const struct raw_vm *vm, const void *ring)
{
	return ioctl(vm->fd, ACRN_IOCTL_SETUP_VM_EVENT_RING, ring);
}

static inline int set_fd(const struct raw_vm *vm, long fd)
{
	return ioctl(vm->fd, ACRN_IOCTL_SETUP_VM_EVENT_FD, fd);
}

static inline void raise_event(const struct raw_vm *vm, uint32_t type,
			       uint64_t data)
{
	hv_write_msr(HV_MSR_CALL_ARG0, vm->vmid);
	hv_write_msr(HV_MSR_CALL_ARG1, data);
	hv_write_msr(HV_MSR_EVENT, type);
}

#endif /* RAW_EVENT_H */
