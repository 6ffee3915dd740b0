/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared between the library's own files.
 *
 * The library has no threads and no locks: the caller makes no two calls for
 * one device at the same time. acrnvhost_kick(), acrnvhost_msi_pending() and
 * the functions that return a descriptor may be called meanwhile, as they only
 * read what is constant or a flag.
 */
#ifndef ACRNVHOST_INTERNAL_H
#define ACRNVHOST_INTERNAL_H

#include <errno.h>
#include <sys/ioctl.h>

#include "acrnvhost.h"

#define ACRNVHOST_MAX_QUEUES 16

/**
 * struct acrnvhost_vq - A queue, and what is registered for it now
 * @kick:	eventfd, doorbell to vhost
 * @call:	eventfd, vhost to interrupt
 * @error:	eventfd that vhost signals when it finds the ring corrupt
 * @set:	acrnvhost_set_queue() was called since the device was stopped
 * @config:	Argument of acrnvhost_set_queue(); its doorbell and msi point to
 *		@doorbell and @msi of this structure, or are NULL
 * @doorbell:	Copy of the doorbell
 * @msi:	Copy of the message
 * @running:	vhost has the addresses of the rings
 * @doorbell_assigned: The ioeventfd is registered
 * @irqfd_assigned:	The irqfd is registered
 */
struct acrnvhost_vq {
	int kick;
	int call;
	int error;
	bool set;
	struct acrnvhost_queue config;
	struct acrnvhost_doorbell doorbell;
	struct acrn_msi_entry msi;
	bool running;
	bool doorbell_assigned;
	bool irqfd_assigned;
};

/**
 * struct acrnvhost_backend - What differs between kinds of vhost devices
 * @path:	Device node; NULL if this process handles the queues
 * @start:	Let vhost run; all queues are set up. Undoes itself on failure.
 *		NULL if there is nothing to start.
 * @stop:	Stop vhost and wait until it has completed the requests it is
 *		working at; -ETIMEDOUT if it has not and runs on. NULL as
 *		@start.
 * @keeps_owner: The kernel's device does not know VHOST_RESET_OWNER. It has an
 *		owner until it is closed.
 */
struct acrnvhost_backend {
	const char *path;
	bool keeps_owner;
	int (*start)(struct acrnvhost *dev);
	int (*stop)(struct acrnvhost *dev);
};

/**
 * struct acrnvhost - A vhost device
 * @backend:	Kind of device
 * @hsm_fd:	/dev/acrn_hsm with the VM; the caller's
 * @vhost_fd:	Device node; the library's. -1 if there is none.
 * @backend_fd:	tap or disk; the caller's. -1 if there is none.
 * @owned:	VHOST_SET_OWNER has been done
 * @running:	Between acrnvhost_start() and acrnvhost_stop()
 * @queue_count: Number of queues, up to ACRNVHOST_MAX_QUEUES
 * @queues:	The first @queue_count are in use
 */
struct acrnvhost {
	const struct acrnvhost_backend *backend;
	int hsm_fd;
	int vhost_fd;
	int backend_fd;
	bool owned;
	bool running;
	unsigned int queue_count;
	struct acrnvhost_vq queues[ACRNVHOST_MAX_QUEUES];
};

/*
 * Returns 0 or -errno. Does nothing if @fd is -1: there is no vhost device if
 * this process handles the queues.
 */
static inline int acrnvhost_ioctl(int fd, unsigned long request, void *arg)
{
	if (fd < 0)
		return 0;
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

int acrnvhost_open(struct acrnvhost **dev, int hsm_fd, int backend_fd,
		   unsigned int queue_count,
		   const struct acrnvhost_backend *backend);

int acrnvhost_vq_init(struct acrnvhost_vq *queue);
void acrnvhost_vq_deinit(struct acrnvhost_vq *queue);
int acrnvhost_vq_start(struct acrnvhost *dev, unsigned int index);
int acrnvhost_vq_stop(struct acrnvhost *dev, unsigned int index);

#endif /* ACRNVHOST_INTERNAL_H */
