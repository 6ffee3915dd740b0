// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls for rings and for asynchronous doorbells. As on ACRN they work for
 * every id that a VM can have, whatever the state of the VM, even when there is
 * no VM with that id.
 */
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "asyncio.h"
#include "hypercall.h"
#include "service_vm.h"
#include "testing.h"
#include "vm.h"

s64 hc_setup_sbuf(u64 vmid, u64 address)
{
	struct acrn_ring_param param;
	struct vm *vm;
	int ret;

	if (!testing_asyncio_size())
		return -ENOTTY;
	if (service_vm_read(address, &param, sizeof(param)))
		return -EPERM;
	vm = vm_get_any(vmid);
	if (!vm)
		return -ENOTTY;
	ret = ring_setup(vm, param.ring_id, param.address);
	vm_put(vm);
	return ret;
}

/*
 * Read the doorbell and call @fn with it and the VM's control lock held. The
 * first hypervisors with asynchronous doorbells had a shorter structure,
 * without match_data and data; testing_asyncio_size() says which one is
 * imitated.
 */
static s64 with_doorbell(u64 vmid, u64 address,
			 void (*fn)(struct asyncio *asyncio,
				    const struct acrn_async_doorbell *doorbell))
{
	u32 size = testing_asyncio_size();
	struct acrn_async_doorbell doorbell = {};
	struct vm *vm;

	if (!size)
		return -ENOTTY;
	if (service_vm_read(address, &doorbell, size))
		return -EPERM;
	if (size < sizeof(doorbell))
		doorbell.match_data = 0;
	vm = vm_get_any(vmid);
	if (!vm)
		return -ENOTTY;
	fn(&vm->asyncio, &doorbell);
	vm_put(vm);
	return 0;
}

static void add(struct asyncio *asyncio,
		const struct acrn_async_doorbell *doorbell)
{
	asyncio_add(asyncio, doorbell,
		    testing_asyncio_size() == sizeof(*doorbell));
}

s64 hc_asyncio_assign(u64 vmid, u64 address)
{
	return with_doorbell(vmid, address, add);
}

s64 hc_asyncio_deassign(u64 vmid, u64 address)
{
	return with_doorbell(vmid, address, asyncio_remove);
}
