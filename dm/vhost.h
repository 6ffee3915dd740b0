/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio device whose queues are handled by a vhost device of the kernel: the
 * part that is the same for all kinds. See acrnvhost.h for what is done.
 */
#ifndef DM_VHOST_H
#define DM_VHOST_H

#include <stdint.h>

#include "event.h"
#include "virtio_pci.h"
#include "vm.h"

struct acrnvhost;

/**
 * struct vhost_kind - For messages
 * @name:	Name of the kernel's device, in /dev
 * @module:	Module that has it
 * @without:	Option that does without
 */
struct vhost_kind {
	const char *name;
	const char *module;
	const char *without;
};

/**
 * struct vhost - A virtio device on vhost
 * @kind:	Kind of device
 * @vm:		VM
 * @pci:	The virtio device
 * @dev:	vhost device
 * @features:	What it can do
 * @queue_count: Number of queues
 * @busyloop:	Microseconds to wait for the driver with open eyes
 * @errors:	Queues that were found to be corrupt
 *
 * The @state of struct virtio_dev points here.
 */
struct vhost {
	const struct vhost_kind *kind;
	struct vm *vm;
	struct virtio_pci *pci;
	struct acrnvhost *dev;
	uint64_t features;
	unsigned int queue_count;
	unsigned int busyloop;
	struct event_source errors[VIRTIO_MAX_QUEUES];
};

int vhost_init(struct vhost *vhost, unsigned int queue_count, const char *name);
void vhost_deinit(struct vhost *vhost);
void vhost_explain_open(const struct vhost_kind *kind, const char *name,
			int err);

int vhost_start(struct virtio_dev *dev, uint64_t features);
void vhost_stop(struct virtio_dev *dev);
void vhost_notify(struct virtio_dev *dev, unsigned int queue);
void vhost_vector_changed(struct virtio_dev *dev, unsigned int queue);
bool vhost_vector_pending(struct virtio_dev *dev, unsigned int queue);
void vhost_doorbells_moved(struct virtio_dev *dev);

#endif /* DM_VHOST_H */
