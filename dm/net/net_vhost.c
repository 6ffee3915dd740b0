// SPDX-License-Identifier: GPL-2.0
/*
 * Networks on vhost-net. The main thread calls net_vhost_create(),
 * net_vhost_destroy() and net_vhost_features(), when no I/O requests are
 * handled; all else runs in the thread that handles I/O requests, to which
 * struct net and struct vhost belong.
 */
#include <acrnvhost.h>

#include "net/net_vhost.h"
#include "virtio/vhost.h"

static int open_vhost_net(struct acrnvhost **result, struct virtio_dev *dev,
			  unsigned int index)
{
	const struct net *net = net_of(dev);

	return acrnvhost_net_open(result, net->vm->hsm.fd, net->taps[index]);
}

static const struct vhost_kind vhost_net = {
	.name = "/dev/vhost-net",
	.module = "vhost_net",
	.no_module = "vhost=off",
	.no_dataplane = "vhost=off",
	.open = open_vhost_net,
};

_Static_assert(NET_MAX_PAIRS <= VHOST_MAX_DEVICES, "a device for each pair");

/*
 * Every pair is started with its queue of the tap device attached, as vhost-net
 * refuses a detached one. Then all but the first are detached: the driver
 * begins with one pair.
 */
static int net_vhost_start(struct virtio_dev *dev)
{
	struct net *net = net_of(dev);
	int ret;

	ret = net_starting(net);
	if (ret)
		return ret;
	ret = net_attach(net, net->usable);
	if (ret)
		return ret;
	ret = vhost_start(dev, dev->accepted, net->usable);
	if (ret)
		return ret;
	ret = net_attach(net, 1);
	if (ret)
		vhost_stop(dev);
	return ret;
}

/*
 * For struct virtio_ops: the control queue is ours, all others are vhost-net's.
 */
static void net_vhost_notify(struct virtio_dev *dev, unsigned int queue)
{
	if (!net_notify(net_of(dev), queue))
		vhost_notify(dev, queue);
}

static const struct virtio_ops net_vhost_ops = {
	.start = net_vhost_start,
	.stop = vhost_stop,
	.notify = net_vhost_notify,
	.vector_changed = vhost_vector_changed,
	.vector_pending = vhost_vector_pending,
	.doorbells_moved = vhost_doorbells_moved,
	.destroy = net_destroy,
};

/* For struct net_backend: open a /dev/vhost-net for each pair of queues. */
static int net_vhost_create(struct net *net)
{
	const struct vhost_setup setup = {
		.kind = &vhost_net,
		.vm = net->vm,
		.pci = &net->pci,
		.devices = net->pairs,
		.queues = NET_QUEUES,
		.busyloop = net->busyloop,
	};

	return vhost_create(&setup);
}

/* For struct net_backend. Main thread, when no I/O requests are handled. */
static void net_vhost_destroy(struct net *net)
{
	vhost_destroy(&net->pci.virtio);
}

static uint64_t net_vhost_features(struct net *net, uint64_t wanted)
{
	return wanted & vhost_of(&net->pci.virtio)->features;
}

const struct net_backend net_vhost_backend = {
	.ops = &net_vhost_ops,
	.create = net_vhost_create,
	.destroy = net_vhost_destroy,
	.features = net_vhost_features,
	.set_pairs = net_attach,
};
