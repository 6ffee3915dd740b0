/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio device of any kind: feature negotiation, status, set-up of queues.
 * virtio_pci.c is how the driver reaches it, struct virtio_ops what it does.
 *
 * Used by the thread that handles I/O requests, except where noted.
 */
#ifndef DM_VIRTIO_H
#define DM_VIRTIO_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/virtqueue.h"

/* A network device has the most queues: eight pairs and the control queue. */
#define VIRTIO_MAX_QUEUES 17

/* Bits of the interrupt status. */
#define VIRTIO_ISR_QUEUE  1
#define VIRTIO_ISR_CONFIG 2

struct virtio_dev;

/**
 * struct virtio_ops - What a device of some kind does
 * @negotiated:		The driver has chosen its features, on which the device
 *			configuration may depend
 * @start:		The driver is ready. Returns 0; -EPROTO if the guest has
 *			set up the device wrongly, which then needs a reset;
 *			another -errno, with a message printed, which ends the
 *			VM.
 * @stop:		The driver reset the device: when this returns, nothing
 *			touches guest memory. Called only after @start
 *			succeeded.
 * @notify:		A doorbell of @queue came as an I/O request
 * @config_written:	The driver wrote to the device configuration. The device
 *			may run or not.
 * @vector_changed:	The MSI of @queue has changed, or was masked or unmasked
 * @vector_pending:	Does vhost keep an interrupt of @queue until its vector
 *			is unmasked?
 * @doorbells_moved:	The guest has moved the doorbells
 * @destroy:		Free the device, which is stopped and off the bus. Main
 *			thread, when no I/O requests are handled.
 *
 * @notify and those from @vector_changed to @doorbells_moved are called only
 * while the device runs. @negotiated and those from @config_written to
 * @doorbells_moved may be NULL.
 */
struct virtio_ops {
	void (*negotiated)(struct virtio_dev *dev);
	int (*start)(struct virtio_dev *dev);
	void (*stop)(struct virtio_dev *dev);
	void (*notify)(struct virtio_dev *dev, unsigned int queue);
	void (*config_written)(struct virtio_dev *dev, size_t offset,
			       size_t size, uint64_t value);
	void (*vector_changed)(struct virtio_dev *dev, unsigned int queue);
	bool (*vector_pending)(struct virtio_dev *dev, unsigned int queue);
	void (*doorbells_moved)(struct virtio_dev *dev);
	void (*destroy)(struct virtio_dev *dev);
};

/**
 * struct virtio_queue - A queue as the driver sets it up
 * @config:	Size and rings, as the driver writes them
 * @vector:	MSI-X vector; read by any thread
 * @enabled:	The driver has enabled the queue; @config is final
 */
struct virtio_queue {
	struct virtqueue_config config;
	_Atomic uint16_t vector;
	bool enabled;
};

/**
 * struct virtio_dev - A virtio device
 * @name:		For messages
 * @ops:		Kind of device
 * @state:		vhost devices, see vhost_create()
 * @offered:		Features of the device
 * @accepted:		Features that the driver wants
 * @status:		Device status without DEVICE_NEEDS_RESET
 * @needs_reset:	DEVICE_NEEDS_RESET; set by any thread
 * @running:		Between @ops->start and @ops->stop
 * @config_vector:	MSI-X vector of configuration changes; read by any
 *			thread
 * @queue_count:	Number of queues
 * @queues:		Queues
 * @config:		Device configuration; belongs to the device
 * @config_size:	Bytes in it
 * @config_lock:	Held while the driver reads @config, and while the
 *			device changes it together with @generation
 * @generation:		Number of times that the device has changed @config
 * @fatal:		Called when @ops->start has failed and the guest is not
 *			to blame
 * @raise:		Interrupt the guest: MSI-X vector and VIRTIO_ISR_*. Any
 *			thread.
 * @opaque:		Argument of @fatal
 */
struct virtio_dev {
	const char *name;
	const struct virtio_ops *ops;
	void *state;
	uint64_t offered;
	uint64_t accepted;
	uint8_t status;
	atomic_bool needs_reset;
	bool running;
	_Atomic uint16_t config_vector;
	unsigned int queue_count;
	struct virtio_queue queues[VIRTIO_MAX_QUEUES];
	const void *config;
	size_t config_size;
	pthread_mutex_t config_lock;
	_Atomic uint8_t generation;
	void (*raise)(struct virtio_dev *dev, uint16_t vector, uint8_t isr);
	void (*fatal)(void *opaque);
	void *opaque;
};

void virtio_reset(struct virtio_dev *dev);
uint8_t virtio_status(struct virtio_dev *dev);
void virtio_set_status(struct virtio_dev *dev, uint8_t status);
void virtio_accept(struct virtio_dev *dev, unsigned int word, uint32_t value);
void virtio_enable_queue(struct virtio_dev *dev, unsigned int index);
void virtio_notify(struct virtio_dev *dev, unsigned int index);
bool virtio_has(const struct virtio_dev *dev, unsigned int feature);

void virtio_interrupt(struct virtio_dev *dev, unsigned int queue);
void virtio_change_config(struct virtio_dev *dev, void *field,
			  const void *value, size_t size);
void virtio_broken(struct virtio_dev *dev, const char *why);

#endif /* DM_VIRTIO_H */
