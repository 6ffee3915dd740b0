// SPDX-License-Identifier: GPL-2.0
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
#include "process/log.h"

#define PCI_CLASS_ETHERNET 0x020000

#define BIT(n) (1ULL << (n))

/* Known to who handles the rings. */
#define RING_FEATURES                                                          \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |              \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_NET_F_MRG_RXBUF))

#define DEVICE_FEATURES (BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS))

_Static_assert(NET_QUEUES *NET_MAX_PAIRS < VIRTIO_MAX_QUEUES,
	       "the control queue needs a place");

struct net *net_of(struct virtio_dev *dev)
{
	return (void *)((char *)dev - offsetof(struct net, pci.virtio));
}

static struct net *from_device(struct vm_device *device)
{
	return (void *)((char *)device - offsetof(struct net, device));
}

static void net_reset(struct vm_device *device)
{
	virtio_pci_reset(&from_device(device)->pci);
}

static void close_taps(struct net *net, unsigned int count)
{
	while (count--)
		close(net->taps[count]);
}

/* Each is attached once it is open. */
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

static void net_free(struct net *net)
{
	net->backend->destroy(net);
	close_taps(net, net->pairs);
	free(net);
}

static void net_destroy(struct vm_device *device)
{
	struct net *net = from_device(device);

	virtio_pci_remove(&net->pci);
	net_free(net);
}

/* What several pairs of queues add to a device with one. */
static void add_pairs(struct virtio_dev *virtio)
{
	virtio->offered |= BIT(VIRTIO_NET_F_MQ) | BIT(VIRTIO_NET_F_CTRL_VQ);
	virtio->queue_count++;
	virtio->config_size = offsetof(struct virtio_net_config, mtu);
}

static int net_add(struct net *net)
{
	struct virtio_dev *virtio = &net->pci.virtio;
	int ret;

	virtio->ops = net->backend->ops;
	virtio->offered = DEVICE_FEATURES | tap_features(net->taps[0]) |
			  net->backend->features(net, RING_FEATURES);
	virtio->queue_count = NET_QUEUES * net->pairs;
	virtio->config = &net->config;
	/* Up to and with the status; what follows belongs to other features. */
	virtio->config_size =
		offsetof(struct virtio_net_config, max_virtqueue_pairs);
	if (net->pairs > 1)
		add_pairs(virtio);
	ret = virtio_pci_add(&net->pci, net->vm, VIRTIO_ID_NET,
			     PCI_CLASS_ETHERNET);
	if (ret)
		log_error("no place on the PCI bus for %s", net->tap_name);
	return ret;
}

/**
 * net_create() - Give the VM a network device
 * @vm:		VM
 * @options:	The device
 *
 * Return: 0 or -errno, with a message printed.
 */
int net_create(struct vm *vm, const struct net_options *options)
{
	struct net *net;
	int ret;

	net = calloc(1, sizeof(*net));
	if (!net)
		return -ENOMEM;
	net->vm = vm;
	net->device.reset = net_reset;
	net->device.destroy = net_destroy;
	net->backend = options->vhost ? &net_vhost_backend : &net_user_backend;
	net->pairs = options->queues;
	net->busyloop = options->busyloop;
	net->config.status = VIRTIO_NET_S_LINK_UP;
	net->config.max_virtqueue_pairs = options->queues;
	memcpy(net->config.mac, options->mac, sizeof(net->config.mac));
	strcpy(net->tap_name, options->tap);
	net->pci.virtio.name = net->tap_name;

	ret = open_taps(net);
	if (ret)
		goto free;
	ret = net->backend->create(net);
	if (ret)
		goto close;
	ret = net_add(net);
	if (ret) {
		net_free(net);
		return ret;
	}
	vm_add_device(vm, &net->device);
	return 0;

close:
	close_taps(net, net->pairs);
free:
	free(net);
	return ret;
}
