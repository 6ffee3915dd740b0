// SPDX-License-Identifier: GPL-2.0
/* Rings in Service VM memory that the hypervisor writes to. */
#include <linux/slab.h>

#include "acrn_hypercall.h"
#include "hsm.h"

/**
 * acrn_ring_set_up() - Tell the hypervisor where one of a VM's rings is
 * @vm:		VM, not running: see acrn_hc_setup_sbuf()
 * @id:		ACRN_RING_*, which ring
 * @ring:	In a page of the kernel's own, that stays as long as the VM
 * @elements:	How many it has
 * @size:	Of one, in bytes
 *
 * Process context.
 *
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
