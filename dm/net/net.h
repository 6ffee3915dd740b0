/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio-net on a tap device: the configuration that the driver sees, and pairs
 * of queues (net_pairs.c). struct net_backend moves the packets.
 *
 * Used by the thread that handles I/O requests.
 */
#ifndef DM_NET_H
#define DM_NET_H

#include <linux/virtio_net.h>

#include "machine/vm.h"
#include "net/net_ctrl.h"
#include "options/device_options.h"
#include "virtio/virtio_pci.h"

/*
 * Queues of a pair. Pair n has queues 2 * n and 2 * n + 1 of the virtio device;
 * the control queue follows the last pair.
 */
#define NET_RX	   0
#define NET_TX	   1
#define NET_QUEUES 2

/**
 * struct net - A network device
 * @pci:	virtio device on the PCI bus
 * @vm:		VM
 * @config:	Device configuration, read by the driver
 * @pairs:	Number of pairs of queues that the driver may use
 * @busyloop:	Microseconds that vhost waits for packets
 * @taps:	File descriptors of the tap device, each a queue of it
 * @attached:	Number of @taps that are attached to the tap device, which are
 *		the first ones; the driver uses so many pairs
 * @tap_name:	Name of the tap device
 * @usable:	Number of pairs that the driver has set up
 * @ctrl:	Control queue
 * @ctrl_works:	The driver has set up @ctrl, and it was not found corrupt
 * @backend:	Moves the packets
 * @state:	Of @backend, if it needs more than vhost_create() makes
 */
struct net {
	struct virtio_pci pci;
	struct vm *vm;
	struct virtio_net_config config;
	unsigned int pairs;
	unsigned int busyloop;
	int taps[NET_MAX_PAIRS];
	unsigned int attached;
	char tap_name[IFNAMSIZ];
	unsigned int usable;
	struct virtqueue ctrl;
	bool ctrl_works;
	const struct net_backend *backend;
	void *state;
};

/**
 * struct net_backend - One way to move the packets of a network device
 * @ops:	Operations of the virtio device
 * @create:	Make ready to start. Returns 0 or -errno, with a message
 *		printed.
 * @destroy:	Undo @create; the device has been stopped
 * @features:	Returns those of the ring features @wanted that the backend
 *		knows; NULL if it knows them all
 * @set_pairs:	The driver uses the first @pairs from now on; the device runs.
 *		Returns 0 or -errno.
 */
struct net_backend {
	const struct virtio_ops *ops;
	int (*create)(struct net *net);
	void (*destroy)(struct net *net);
	uint64_t (*features)(struct net *net, uint64_t wanted);
	int (*set_pairs)(struct net *net, unsigned int pairs);
};

int net_create(struct vm *vm, const struct net_options *options,
	       const struct net_backend *backend);
void net_destroy(struct virtio_dev *dev);
struct net *net_of(struct virtio_dev *dev);
int net_starting(struct net *net);
int net_attach(struct net *net, unsigned int pairs);
bool net_notify(struct net *net, unsigned int queue);

#endif /* DM_NET_H */
