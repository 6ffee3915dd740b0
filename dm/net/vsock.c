// SPDX-License-Identifier: GPL-2.0
/*
 * Sockets on vhost-vsock. The main thread creates and destroys the device, when
 * no I/O requests are handled; all else runs in the thread that handles I/O
 * requests. struct vsock is constant once it is created.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <linux/virtio_vsock.h>
#include <acrnvhost.h>

#include "net/vsock.h"
#include "process/alloc.h"
#include "virtio/vhost.h"

#define PCI_CLASS_COMMUNICATION 0x078000

/*
 * vhost handles the queues that receive and transmit. The third queue is for
 * events of the device. The only event says that the guest has been moved to
 * another machine, which never happens here.
 */
#define VHOST_QUEUES 2
#define ALL_QUEUES   3

#define BIT(n) (1ULL << (n))

#define FEATURES                                                               \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |              \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_VSOCK_F_SEQPACKET))

/**
 * struct vsock - A vsock device
 * @pci:	virtio device on the PCI bus
 * @vm:		VM
 * @config:	Device configuration, read by the driver
 * @name:	For messages
 */
struct vsock {
	struct virtio_pci pci;
	struct vm *vm;
	struct virtio_vsock_config config;
	char name[sizeof("vsock 4294967295")];
};

static struct vsock *vsock_of(struct virtio_dev *dev)
{
	return (void *)((char *)dev - offsetof(struct vsock, pci.virtio));
}

static int open_vhost_vsock(struct acrnvhost **result, struct virtio_dev *dev,
			    unsigned int index)
{
	const struct vsock *vsock = vsock_of(dev);

	(void)index;
	return acrnvhost_vsock_open(result, vsock->vm->hsm.fd,
				    vsock->config.guest_cid);
}

static const struct vhost_kind vhost_vsock = {
	.name = "/dev/vhost-vsock",
	.module = "vhost_vsock",
	.open = open_vhost_vsock,
};

/* For struct virtio_ops: vhost-vsock needs both of its queues. */
static int vsock_start(struct virtio_dev *dev)
{
	unsigned int i;

	for (i = 0; i < VHOST_QUEUES; i++)
		if (!dev->queues[i].enabled)
			return -EPROTO;
	return vhost_start(dev, dev->accepted, 1);
}

/* For struct virtio_ops: main thread, when no I/O requests are handled. */
static void vsock_destroy(struct virtio_dev *dev)
{
	vhost_destroy(dev);
	free(vsock_of(dev));
}

static const struct virtio_ops vsock_ops = {
	.start = vsock_start,
	.stop = vhost_stop,
	.notify = vhost_notify,
	.vector_changed = vhost_vector_changed,
	.vector_pending = vhost_vector_pending,
	.doorbells_moved = vhost_doorbells_moved,
	.destroy = vsock_destroy,
};

/* Open /dev/vhost-vsock. Main thread. */
static int vsock_open(struct vsock *vsock)
{
	const struct vhost_setup setup = {
		.kind = &vhost_vsock,
		.vm = vsock->vm,
		.pci = &vsock->pci,
		.devices = 1,
		.queues = VHOST_QUEUES,
	};

	return vhost_create(&setup);
}

/* Describe the device to the driver, and put it on the PCI bus. Main thread. */
static int vsock_add(struct vsock *vsock)
{
	struct virtio_dev *virtio = &vsock->pci.virtio;

	virtio->ops = &vsock_ops;
	virtio->offered = FEATURES & vhost_of(virtio)->features;
	virtio->queue_count = ALL_QUEUES;
	virtio->config = &vsock->config;
	virtio->config_size = sizeof(vsock->config);
	return virtio_pci_add(&vsock->pci, vsock->vm, VIRTIO_ID_VSOCK,
			      PCI_CLASS_COMMUNICATION);
}

/**
 * vsock_create() - Give the VM a vsock device
 * @vm:		VM
 * @cid:	Context id of the guest
 *
 * Return: 0 or -errno, with a message printed.
 */
int vsock_create(struct vm *vm, uint32_t cid)
{
	struct vsock *vsock;
	int ret;

	vsock = alloc_zeroed(sizeof(*vsock));
	if (!vsock)
		return -ENOMEM;
	vsock->vm = vm;
	vsock->config.guest_cid = cid;
	snprintf(vsock->name, sizeof(vsock->name), "vsock %u", cid);
	vsock->pci.virtio.name = vsock->name;
	ret = vsock_open(vsock);
	if (ret)
		goto free;
	ret = vsock_add(vsock);
	if (!ret)
		return 0;

	vhost_destroy(&vsock->pci.virtio);
free:
	free(vsock);
	return ret;
}
