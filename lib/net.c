// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-net, for a tap device. Queue 0 receives, queue 1 transmits. A virtio
 * network device with several pairs of queues needs one vhost device for each.
 */
#include <linux/vhost.h>

#include "internal.h"

#define NET_QUEUES 2

static int net_set_backend(struct acrnvhost *dev, unsigned int index, int fd)
{
	struct vhost_vring_file backend = { .index = index, .fd = fd };

	return acrnvhost_ioctl(dev->vhost_fd, VHOST_NET_SET_BACKEND, &backend);
}

/*
 * Detaching waits until the worker has left the queue. Returns the first error.
 */
static int net_stop(struct acrnvhost *dev)
{
	unsigned int i;
	int ret = 0, err;

	for (i = 0; i < dev->queue_count; i++) {
		if (!dev->queues[i].running)
			continue;
		err = net_set_backend(dev, i, VHOST_FILE_UNBIND);
		if (!ret)
			ret = err;
	}
	return ret;
}

/* Attach the tap device to both queues, or to none. */
static int net_start(struct acrnvhost *dev)
{
	unsigned int i;
	int ret;

	for (i = 0; i < dev->queue_count; i++) {
		if (!dev->queues[i].running)
			continue;
		ret = net_set_backend(dev, i, dev->backend_fd);
		if (ret) {
			net_stop(dev);
			return ret;
		}
	}
	return 0;
}

static const struct acrnvhost_backend net_backend = {
	.path = "/dev/vhost-net",
	.start = net_start,
	.stop = net_stop,
};

/**
 * acrnvhost_net_open() - Open a vhost-net device
 * @dev:	Result
 * @hsm_fd:	/dev/acrn_hsm, with a VM created on it
 * @tap_fd:	tap device, opened with IFF_NO_PI and IFF_VNET_HDR and with the
 *		virtio-net header length of the negotiated features
 *
 * The device has one pair of queues. For a virtio device with several pairs,
 * open one for each pair, and pass each a queue of its own of a tap device with
 * IFF_MULTI_QUEUE. That queue has to be attached (TUNSETQUEUE) at
 * acrnvhost_start(). It may be detached and attached while the pair runs; what
 * the driver transmits meanwhile is lost. The caller handles the control queue.
 *
 * Both descriptors stay the caller's and must outlive the device.
 *
 * Return: 0; -ENOENT or -ENODEV without vhost-net, -EACCES without the right
 * to use it, -ENOMEM, -EMFILE.
 */
int acrnvhost_net_open(struct acrnvhost **dev, int hsm_fd, int tap_fd)
{
	return acrnvhost_open(dev, hsm_fd, tap_fd, NET_QUEUES, &net_backend);
}
