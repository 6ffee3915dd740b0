/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio device whose queues are handled by vhost devices of the kernel: the
 * part that is the same for all kinds. See acrnvhost.h for what is done.
 */
#ifndef DM_VHOST_H
#define DM_VHOST_H

#include <pthread.h>
#include <stdint.h>

#include "machine/vm.h"
#include "process/event.h"
#include "virtio/virtio_pci.h"

#define VHOST_MAX_DEVICES 8

struct acrnvhost;

/**
 * struct vhost_kind - What differs between kinds of vhost devices
 * @name:	For messages: its device node, if it has one
 * @module:	Module that has the node
 * @no_module:	Option that does without @module, NULL if there is none
 * @no_dataplane: Option that does without acrn_vhost.ko, NULL if there is none
 * @open:	Open device number @index for a virtio device. Returns 0 or
 *		-errno.
 */
struct vhost_kind {
	const char *name;
	const char *module;
	const char *no_module;
	const char *no_dataplane;
	int (*open)(struct acrnvhost **result, struct virtio_dev *dev,
		    unsigned int index);
};

/**
 * struct vhost_setup - How a virtio device uses vhost
 * @kind:	Kind of device
 * @vm:		VM
 * @pci:	The virtio device; it has its name already
 * @devices:	Number of vhost devices, up to VHOST_MAX_DEVICES
 * @queues:	Queues that each has; those of the virtio device go to the first
 *		vhost device, then to the second, and so on. What is left is
 *		none of vhost's business.
 * @busyloop:	Microseconds to wait for the driver with open eyes
 */
struct vhost_setup {
	const struct vhost_kind *kind;
	struct vm *vm;
	struct virtio_pci *pci;
	unsigned int devices;
	unsigned int queues;
	unsigned int busyloop;
};

/**
 * struct vhost - A virtio device on vhost
 * @setup:	How
 * @devs:	vhost devices
 * @running:	Number of those that the driver has running, the first ones
 * @features:	What they can do
 * @lock:	Held while @errors are read and acted on
 * @errors:	Queues that were found to be corrupt
 *
 * The @state of struct virtio_dev points here.
 */
struct vhost {
	struct vhost_setup setup;
	struct acrnvhost *devs[VHOST_MAX_DEVICES];
	unsigned int running;
	uint64_t features;
	pthread_mutex_t lock;
	struct event_source errors[VIRTIO_MAX_QUEUES];
};

/* The vhost devices of a virtio device that vhost_create() was called for. */
static inline struct vhost *vhost_of(const struct virtio_dev *dev)
{
	return dev->state;
}

int vhost_create(const struct vhost_setup *setup);
void vhost_destroy(struct virtio_dev *dev);

int vhost_start(struct virtio_dev *dev, uint64_t features,
		unsigned int devices);
void vhost_stop(struct virtio_dev *dev);
void vhost_notify(struct virtio_dev *dev, unsigned int queue);
void vhost_vector_changed(struct virtio_dev *dev, unsigned int queue);
bool vhost_vector_pending(struct virtio_dev *dev, unsigned int queue);
void vhost_doorbells_moved(struct virtio_dev *dev);

#endif /* DM_VHOST_H */
