// SPDX-License-Identifier: GPL-2.0
/* The packets are moved by vhost-net. */
#include <errno.h>
#include <string.h>
#include <acrnvhost.h>

#include "log.h"
#include "net.h"
#include "tap.h"
#include "vhost.h"

static int open_vhost_net(struct acrnvhost **dev, void *owner,
			  unsigned int index)
{
	const struct net *net = owner;

	(void)index;
	return acrnvhost_net_open(dev, net->vm->hsm.fd, net->tap);
}

static const struct vhost_kind vhost_net = {
	.name = "/dev/vhost-net",
	.module = "vhost_net",
	.without = "vhost=off",
	.open = open_vhost_net,
};

static int net_vhost_start(struct virtio_dev *dev)
{
	unsigned int i;
	int ret;

	for (i = 0; i < NET_QUEUES; i++)
		if (!dev->queues[i].enabled)
			return -EPROTO;
	ret = tap_set_offloads(net_of(dev)->tap, dev->accepted);
	if (ret) {
		log_error("%s cannot be set up: %s", dev->name, strerror(-ret));
		return ret;
	}
	return vhost_start(dev, dev->accepted, 1);
}

static const struct virtio_ops net_vhost_ops = {
	.start = net_vhost_start,
	.stop = vhost_stop,
	.notify = vhost_notify,
	.vector_changed = vhost_vector_changed,
	.vector_pending = vhost_vector_pending,
	.doorbells_moved = vhost_doorbells_moved,
};

static int net_vhost_create(struct net *net)
{
	const struct vhost_setup setup = {
		.kind = &vhost_net,
		.vm = net->vm,
		.pci = &net->pci,
		.owner = net,
		.devices = 1,
		.queues = NET_QUEUES,
	};
	struct vhost *vhost;
	int ret = vhost_create(&vhost, &setup);

	if (!ret)
		net->state = vhost;
	return ret;
}

static void net_vhost_destroy(struct net *net)
{
	vhost_destroy(net->state);
}

static uint64_t net_vhost_features(struct net *net, uint64_t wanted)
{
	struct vhost *vhost = net->state;

	return wanted & vhost->features;
}

const struct net_backend net_vhost_backend = {
	.ops = &net_vhost_ops,
	.create = net_vhost_create,
	.destroy = net_vhost_destroy,
	.features = net_vhost_features,
};
