// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-net. The main thread creates and destroys the device, when no I/O
 * requests are handled. struct net belongs to the thread that handles I/O
 * requests while the VM runs, but for the descriptors of the tap device, which
 * its backend uses.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "net/net.h"
#include "net/tap.h"
#include "process/alloc.h"

#define PCI_CLASS_ETHERNET 0x020000

#define BIT(n) (1ULL << (n))

/*
 * Features that the backend must know, because they change how rings are used.
 */
#define RING_FEATURES                                                          \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |              \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_NET_F_MRG_RXBUF))

#define DEVICE_FEATURES (BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS))

_Static_assert(NET_QUEUES *NET_MAX_PAIRS < VIRTIO_MAX_QUEUES,
	       "the control queue needs a place");

/* The network device that a virtio device is. */
struct net *net_of(struct virtio_dev *dev)
{
	return (void *)((char *)dev - offsetof(struct net, pci.virtio));
}

static void close_taps(struct net *net, unsigned int count)
{
	while (count--)
		close(net->taps[count]);
}

/*
 * Open the tap device once for each pair, which attaches a queue of it. Returns
 * 0 or -errno, with a message printed.
 */
static int open_taps(struct net *net)
{
	int fd;

	while (net->attached < net->pairs) {
		fd = tap_open(net->tap_name, net->pairs > 1);
		if (fd < 0) {
			close_taps(net, net->attached);
			return fd;
		}
		net->taps[net->attached++] = fd;
	}
	return 0;
}

/* For struct virtio_ops: main thread, when no I/O requests are handled. */
void net_destroy(struct virtio_dev *dev)
{
	struct net *net = net_of(dev);

	net->backend->destroy(net);
	close_taps(net, net->pairs);
	free(net);
}

static uint64_t ring_features(struct net *net)
{
	return net->backend->features
		       ? net->backend->features(net, RING_FEATURES)
		       : RING_FEATURES;
}

/* Add what a device with several pairs of queues has besides. */
static void add_pairs(struct virtio_dev *virtio)
{
	virtio->offered |= BIT(VIRTIO_NET_F_MQ) | BIT(VIRTIO_NET_F_CTRL_VQ);
	virtio->queue_count++;
	virtio->config_size = offsetof(struct virtio_net_config, mtu);
}

/* Describe the device to the driver, and put it on the PCI bus. Main thread. */
static int net_add(struct net *net)
{
	struct virtio_dev *virtio = &net->pci.virtio;

	virtio->ops = net->backend->ops;
	virtio->offered = DEVICE_FEATURES | tap_features(net->taps[0]) |
			  ring_features(net);
	virtio->queue_count = NET_QUEUES * net->pairs;
	virtio->config = &net->config;
	/* The status is the last field of a device with one pair of queues. */
	virtio->config_size =
		offsetof(struct virtio_net_config, max_virtqueue_pairs);
	if (net->pairs > 1)
		add_pairs(virtio);
	return virtio_pci_add(&net->pci, net->vm, VIRTIO_ID_NET,
			      PCI_CLASS_ETHERNET);
}

/* Take over the options. Main thread. */
static void net_init(struct net *net, const struct net_options *options)
{
	net->pairs = options->queues;
	net->busyloop = options->busyloop;
	net->config.status = VIRTIO_NET_S_LINK_UP;
	net->config.max_virtqueue_pairs = options->queues;
	memcpy(net->config.mac, options->mac, sizeof(net->config.mac));
	strcpy(net->tap_name, options->tap);
	net->pci.virtio.name = net->tap_name;
}

/**
 * net_create() - Give the VM a network device
 * @vm:		VM
 * @options:	Options of the device
 * @backend:	Moves the packets
 *
 * Return: 0 or -errno, with a message printed.
 */
int net_create(struct vm *vm, const struct net_options *options,
	       const struct net_backend *backend)
{
	struct net *net;
	int ret;

	net = alloc_zeroed(sizeof(*net));
	if (!net)
		return -ENOMEM;
	net->vm = vm;
	net->backend = backend;
	net_init(net, options);
	ret = open_taps(net);
	if (ret)
		goto free;
	ret = backend->create(net);
	if (ret)
		goto close;
	ret = net_add(net);
	if (!ret)
		return 0;

	backend->destroy(net);
close:
	close_taps(net, net->pairs);
free:
	free(net);
	return ret;
}
