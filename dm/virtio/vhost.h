/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtio devices whose doorbells and interrupts are ioeventfds and irqfds: the
 * part that is the same for all kinds. Their queues are handled by vhost
 * devices of the kernel, or by threads of this process. See acrnvhost.h for how
 * a device is attached.
 *
 * Used by the thread that handles I/O requests, except where noted.
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
 * @name:	Name for messages: the device node, if there is one
 * @module:	Module that the device node is from, NULL if there is none
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
 * struct vhost_setup - The vhost devices that a virtio device needs
 * @kind:	Kind of device
 * @vm:		VM
 * @pci:	The virtio device; it has its name already
 * @devices:	Number of vhost devices, up to VHOST_MAX_DEVICES
 * @queues:	Number of queues of each vhost device. The first ones of the
 *		virtio device go to the first vhost device, the next ones to the
 *		second, and so on. vhost has nothing to do with the rest.
 * @busyloop:	Microseconds that vhost waits for buffers before it asks for a
 *		doorbell
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
 * struct vhost - The vhost devices of a virtio device
 * @setup:	Argument of vhost_create()
 * @devs:	vhost devices
 * @running:	Number of vhost devices that run, which are the first ones
 * @features:	Features of the vhost devices
 * @lock:	Held while @errors are read and acted on
 * @errors:	eventfds that vhost signals when it finds a queue corrupt, and
 *		that the main thread waits for
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
