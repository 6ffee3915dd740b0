// SPDX-License-Identifier: GPL-2.0
/*
 * Rings in memory of the Service VM that the hypervisor writes to. It believes
 * what the header of a ring says, so no ring is in memory that user space can
 * write to.
 */
#include <linux/slab.h>

#include "acrn_hypercall.h"
#include "hsm.h"

/**
 * acrn_ring_set_up() - Tell the hypervisor where a ring of a VM is
 * @vm:		VM, not running, see acrn_hc_setup_sbuf()
 * @id:		Purpose of the ring: ACRN_RING_*
 * @ring:	Header of the ring, zeroed, in a page of the kernel's own that
 *		stays as long as the VM
 * @elements:	Number of elements that follow
 * @size:	Bytes of an element
 *
 * Context: Process context, may sleep. The caller owns the ring, and makes sure
 *	    that the VM is not started meanwhile.
 * Return: 0, -ENOMEM or the hypervisor's errno
 */
int acrn_ring_set_up(const struct acrn_vm *vm, u32 id, struct acrn_ring *ring,
		     u32 elements, u32 size)
{
	struct acrn_ring_param *param = kzalloc(sizeof(*param), GFP_KERNEL);
	int ret;

	if (!param)
		return -ENOMEM;
	ring->magic = ACRN_RING_MAGIC;
	ring->ele_num = elements;
	ring->ele_size = size;
	ring->size = elements * size;
	param->cpu_id = ACRN_RING_NO_CPU;
	param->ring_id = id;
	param->address = virt_to_phys(ring);
	ret = acrn_hc_setup_sbuf(vm->vmid, param);
	kfree(param);
	return ret;
}
