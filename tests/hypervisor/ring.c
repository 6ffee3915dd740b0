// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "../include/hv_test.h"
#include "asyncio.h"
#include "ring.h"
#include "service_vm.h"
#include "string.h"
#include "testing.h"
#include "vm.h"
#include "x86.h"

bool ring_put(struct acrn_ring *ring, const void *element, u32 size)
{
	u32 tail = READ_ONCE(ring->tail);
	u32 next = tail + READ_ONCE(ring->ele_size);

	if (next >= READ_ONCE(ring->size))
		next -= READ_ONCE(ring->size);
	if (next == READ_ONCE(ring->head))
		return false;
	memcpy((u8 *)(ring + 1) + tail, element, size);
	smp_wmb();
	WRITE_ONCE(ring->tail, next);
	return true;
}

int ring_setup(struct vm *vm, u32 id, u64 pa)
{
	struct acrn_ring *ring = (struct acrn_ring *)pa;

	if (!service_vm_is_ram(pa, PAGE_SIZE) || ring->magic != ACRN_RING_MAGIC)
		return -EPERM;
	switch (id) {
	case ACRN_RING_ASYNCIO:
		asyncio_init(&vm->asyncio, ring);
		return 0;
	case ACRN_RING_VM_EVENT:
		if (testing_asyncio_size() != HV_ASYNCIO_SIZE)
			return -EPERM;
		spin_lock(&vm->events.lock);
		vm->events.ring = ring;
		spin_unlock(&vm->events.lock);
		return 0;
	default:
		return -EPERM;
	}
}

void vm_event_send(struct vm *vm, const struct acrn_hv_event *event)
{
	bool sent = false;

	spin_lock(&vm->events.lock);
	if (vm->events.ring)
		sent = ring_put(vm->events.ring, event, sizeof(*event));
	spin_unlock(&vm->events.lock);
	if (sent)
		service_vm_upcall();
}
