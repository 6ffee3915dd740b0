// SPDX-License-Identifier: GPL-2.0
/*
 * Pairs of queues: how many the driver has set up, and how many of those it
 * uses. The driver begins with one pair and asks for more on the control queue.
 * The queue of the tap device is detached for a pair that is not used, so that
 * the kernel puts no packets there.
 *
 * Used by the thread that handles I/O requests.
 */
#include <errno.h>
#include <string.h>
#include <linux/virtio_ring.h>

#include "net/net.h"
#include "net/tap.h"
#include "process/log.h"

/* Number of pairs that the driver knows of. */
static unsigned int known_pairs(const struct net *net)
{
	return virtio_has(&net->pci.virtio, VIRTIO_NET_F_MQ) ? net->pairs : 1;
}

static unsigned int ctrl_index(const struct net *net)
{
	return NET_QUEUES * known_pairs(net);
}

/*
 * Returns the number of pairs that the driver has enabled, up to the first one
 * that it has not; -EPROTO if there is none or only half of a pair is enabled.
 */
static int count_pairs(const struct net *net)
{
	const struct virtio_queue *queues = net->pci.virtio.queues;
	unsigned int i;

	for (i = 0; i < known_pairs(net); i++, queues += NET_QUEUES) {
		if (queues[NET_RX].enabled != queues[NET_TX].enabled)
			return -EPROTO;
		if (!queues[NET_RX].enabled)
			break;
	}
	return i ? (int)i : -EPROTO;
}

/* Take over the control queue, if the driver uses one. Returns 0 or -EPROTO. */
static int start_ctrl(struct net *net)
{
	struct virtio_dev *dev = &net->pci.virtio;
	struct virtio_queue *queue = &dev->queues[ctrl_index(net)];

	net->ctrl_works =
		virtio_has(dev, VIRTIO_NET_F_CTRL_VQ) && queue->enabled;
	if (!net->ctrl_works)
		return 0;
	return virtqueue_init(&net->ctrl, &net->vm->mem, &queue->config,
			      virtio_has(dev, VIRTIO_RING_F_EVENT_IDX))
		       ? -EPROTO
		       : 0;
}

/**
 * net_starting() - Take over what the driver has set up, before the device
 * starts
 * @net:	Device
 *
 * Return: 0; -EPROTO if the driver has set up the queues wrongly; another
 * -errno, with a message printed, if the tap device takes no offloads.
 */
int net_starting(struct net *net)
{
	int ret;

	ret = count_pairs(net);
	if (ret < 0)
		return ret;
	net->usable = ret;
	ret = start_ctrl(net);
	if (ret)
		return ret;
	ret = tap_set_offloads(net->taps[0], net->pci.virtio.accepted);
	if (ret)
		log_error("%s: cannot set the offloads: %s", net->tap_name,
			  strerror(-ret));
	return ret;
}

/**
 * net_attach() - Attach the tap device's queues for the first pairs only
 * @net:	Device
 * @pairs:	Number of pairs, at least 1
 *
 * Return: 0 or -errno, with a message printed; @attached of struct net says how
 * many are attached then.
 */
int net_attach(struct net *net, unsigned int pairs)
{
	int ret = 0;

	while (!ret && net->attached < pairs) {
		ret = tap_attach(net->taps[net->attached], true);
		net->attached += !ret;
	}
	while (!ret && net->attached > pairs) {
		ret = tap_attach(net->taps[net->attached - 1], false);
		net->attached -= !ret;
	}
	if (ret)
		log_guest("%s: cannot change the number of queues: %s",
			  net->tap_name, strerror(-ret));
	return ret;
}

/*
 * As @set_pairs of struct net_ctrl_ops: only pairs that were set up can be
 * used.
 */
static int set_pairs(void *opaque, unsigned int pairs)
{
	struct net *net = opaque;

	if (!pairs || pairs > net->usable)
		return -EINVAL;
	return net->backend->set_pairs(net, pairs);
}

static const struct net_ctrl_ops ctrl_ops = { .set_pairs = set_pairs };

/**
 * net_notify() - Handle the doorbell of a queue that belongs to no pair
 * @net:	Device, running
 * @queue:	Queue whose doorbell came as an I/O request
 *
 * Return: false if the queue belongs to a pair, which is for the backend.
 */
bool net_notify(struct net *net, unsigned int queue)
{
	struct virtio_dev *dev = &net->pci.virtio;
	int ret;

	if (queue < ctrl_index(net))
		return false;
	net->vm->stats.doorbells_user++;
	/*
	 * A driver without VIRTIO_NET_F_MQ knows of no queues behind this one.
	 */
	if (queue > ctrl_index(net) || !net->ctrl_works)
		return true;
	ret = net_ctrl_serve(&net->ctrl, &ctrl_ops, net);
	if (ret < 0) {
		net->ctrl_works = false;
		virtio_broken(dev, "the guest made a corrupt control queue");
	} else if (ret) {
		virtio_interrupt(dev, queue);
	}
	return true;
}
