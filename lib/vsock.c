// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-vsock: sockets between the User VM and processes of the Service VM.
 * Queue 0 receives, queue 1 transmits; the event queue of the virtio device is
 * not vhost's.
 */
#include <linux/vhost.h>

#include "internal.h"

#define VSOCK_QUEUES 2

static int vsock_set_running(struct acrnvhost *dev, int running)
{
	return acrnvhost_ioctl(dev->vhost_fd, VHOST_VSOCK_SET_RUNNING,
			       &running);
}

static int vsock_start(struct acrnvhost *dev)
{
	return vsock_set_running(dev, 1);
}

/*
 * Stopping takes the locks of the queues, which the worker holds while it
 * works.
 */
static int vsock_stop(struct acrnvhost *dev)
{
	return vsock_set_running(dev, 0);
}

static const struct acrnvhost_backend vsock_backend = {
	.path = "/dev/vhost-vsock",
	.keeps_owner = true,
	.start = vsock_start,
	.stop = vsock_stop,
};

/**
 * acrnvhost_vsock_open() - Open a vhost-vsock device
 * @dev:	Result
 * @hsm_fd:	/dev/acrn_hsm, with a VM created on it
 * @cid:	Context id of the User VM, from 3 on, which is its address for
 *		as long as the device is open. The driver learns it from the
 *		device configuration.
 *
 * Connections outlive acrnvhost_stop(): a driver that has started anew resets
 * those that it does not know when a packet of them arrives. acrnvhost_close()
 * resets all.
 *
 * Return: 0; -EADDRINUSE if somebody has that id; -EINVAL if it is reserved;
 * -ENOENT or -ENODEV without vhost-vsock, -EACCES without the right to use it,
 * -ENOMEM, -EMFILE.
 */
int acrnvhost_vsock_open(struct acrnvhost **dev, int hsm_fd, __u64 cid)
{
	struct acrnvhost *vsock;
	int ret;

	ret = acrnvhost_open(&vsock, hsm_fd, -1, VSOCK_QUEUES, &vsock_backend);
	if (ret)
		return ret;
	ret = acrnvhost_ioctl(vsock->vhost_fd, VHOST_VSOCK_SET_GUEST_CID, &cid);
	if (ret) {
		acrnvhost_close(vsock);
		return ret;
	}
	*dev = vsock;
	return 0;
}
