/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio-net on a tap device. The packets are moved by vhost-net (net_vhost.c)
 * or by a thread of this process (net_user.c).
 */
#ifndef DM_NET_H
#define DM_NET_H

#include <linux/virtio_net.h>

#include "options.h"
#include "virtio_pci.h"
#include "vm.h"

#define NET_RX	   0
#define NET_TX	   1
#define NET_QUEUES 2

/**
 * struct net - A network device
 * @device:	For the VM
 * @pci:	virtio device on the PCI bus
 * @vm:		VM
 * @config:	Device configuration, read by the driver
 * @tap:	tap device
 * @tap_name:	Its name
 * @backend:	What moves the packets
 * @state:	Of @backend
 */
struct net {
	struct vm_device device;
	struct virtio_pci pci;
	struct vm *vm;
	struct virtio_net_config config;
	int tap;
	char tap_name[IFNAMSIZ];
	const struct net_backend *backend;
	void *state;
};

/**
 * struct net_backend - What moves the packets
 * @ops:	For the virtio device
 * @create:	Fill in @state of struct net. Returns 0 or -errno, with a
 *		message printed.
 * @destroy:	Free it; the device has been stopped
 * @features:	What it knows of the ring features in @wanted
 */
struct net_backend {
	const struct virtio_ops *ops;
	int (*create)(struct net *net);
	void (*destroy)(struct net *net);
	uint64_t (*features)(struct net *net, uint64_t wanted);
};

extern const struct net_backend net_user_backend;
extern const struct net_backend net_vhost_backend;

int net_create(struct vm *vm, const struct net_options *options);
struct net *net_of(struct virtio_dev *dev);

#endif /* DM_NET_H */
