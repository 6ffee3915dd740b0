// SPDX-License-Identifier: GPL-2.0
/*
 * Called by the main thread before the VM runs, when there is no other thread.
 */
#include "baseline/blk_uring.h"
#include "baseline/net_user.h"
#include "block/blk_vhost.h"
#include "devices.h"
#include "machine/console.h"
#include "machine/platform.h"
#include "net/net_vhost.h"
#include "net/vsock.h"

static int create_net(struct vm *vm, const struct net_options *options)
{
	return net_create(vm, options,
			  options->vhost ? &net_vhost_backend
					 : &net_user_backend);
}

static int create_blk(struct vm *vm, const struct blk_options *options)
{
	return blk_create(vm, options,
			  options->backend == BLK_VHOST ? &blk_vhost_backend
							: &blk_uring_backend);
}

/**
 * devices_create() - Give the VM all its devices
 * @vm:		VM without devices
 * @options:	Command line; stays where it is
 *
 * Return: 0 or -errno, with a message printed. The VM owns those devices that
 * were made, also after an error.
 */
int devices_create(struct vm *vm, const struct options *options)
{
	unsigned int i;
	int ret;

	ret = platform_create(vm);
	for (i = 0; !ret && i < options->net_count; i++)
		ret = create_net(vm, &options->nets[i]);
	for (i = 0; !ret && i < options->blk_count; i++)
		ret = create_blk(vm, &options->blks[i]);
	if (!ret && options->vsock_cid)
		ret = vsock_create(vm, options->vsock_cid);
	/*
	 * The console comes last: it makes the terminal raw, on which messages
	 * about the other devices would not begin at the left.
	 */
	return ret ? ret : console_create(vm);
}
