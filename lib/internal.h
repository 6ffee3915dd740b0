/* SPDX-License-Identifier: GPL-2.0 */
/* Shared between the library's own files. */
#ifndef ACRNVHOST_INTERNAL_H
#define ACRNVHOST_INTERNAL_H

#include "acrnvhost.h"

#define ACRNVHOST_MAX_QUEUES 16

/**
 * struct vhost_queue - A queue and what is registered for it at this moment
 * @kick:	eventfd, doorbell to vhost
 * @call:	eventfd, vhost to interrupt
 * @error:	eventfd that vhost signals when it finds the ring corrupt
 * @set:	acrnvhost_set_queue() was called since the device was stopped
 * @config:	Its argument; @config.doorbell and @config.msi point to
 *		@doorbell and @msi or are NULL
 * @doorbell:	Copy
 * @msi:	Copy
 * @running:	vhost knows the rings
 * @doorbell_on: The ioeventfd is registered
 * @irqfd_on:	The irqfd is registered
 */
struct vhost_queue {
	int kick;
	int call;
	int error;
	bool set;
	struct acrnvhost_queue config;
	struct acrnvhost_doorbell doorbell;
	struct acrn_msi_entry msi;
	bool running;
	bool doorbell_on;
	bool irqfd_on;
};

/**
 * struct vhost_backend - What differs between kinds of vhost devices
 * @path:	Device node; NULL if the rings are read by this process
 * @start:	Let vhost run; all queues are set up. Undoes itself on failure.
 * @stop:	Stop vhost and wait for what it is doing; -ETIMEDOUT if it
 *		goes on with that
 * @keeps_owner: The kernel's device does not know VHOST_RESET_OWNER and stays
 *		this process's until it is closed
 */
struct vhost_backend {
	const char *path;
	bool keeps_owner;
	int (*start)(struct acrnvhost *dev);
	int (*stop)(struct acrnvhost *dev);
};

/**
 * struct acrnvhost - A vhost device
 * @backend:	Kind of device
 * @hsm_fd:	VM, belongs to the caller
 * @vhost_fd:	Device, belongs to the library; -1 if there is none to be told
 *		anything
 * @backend_fd:	tap or disk, belongs to the caller; -1 if there is none
 * @owned:	VHOST_SET_OWNER has been done
 * @running:	Between acrnvhost_start() and acrnvhost_stop()
 * @queue_count: Number of queues, up to ACRNVHOST_MAX_QUEUES
 * @queues:	The first @queue_count are in use
 */
struct acrnvhost {
	const struct vhost_backend *backend;
	int hsm_fd;
	int vhost_fd;
	int backend_fd;
	bool owned;
	bool running;
	unsigned int queue_count;
	struct vhost_queue queues[ACRNVHOST_MAX_QUEUES];
};

int vhost_device_open(struct acrnvhost **dev, int hsm_fd, int backend_fd,
		      unsigned int queue_count,
		      const struct vhost_backend *backend);
int vhost_ioctl(int fd, unsigned long request, void *arg);

int vhost_queue_init(struct vhost_queue *queue);
void vhost_queue_deinit(struct vhost_queue *queue);
int vhost_queue_start(struct acrnvhost *dev, unsigned int index);
int vhost_queue_stop(struct acrnvhost *dev, unsigned int index);

#endif /* ACRNVHOST_INTERNAL_H */
