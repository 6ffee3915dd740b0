// SPDX-License-Identifier: GPL-2.0
/*
 * A virtio device of any kind. All functions run in the thread that handles I/O
 * requests, to which struct virtio_dev belongs; virtio_broken(),
 * virtio_change_config() and virtio_interrupt() may be called by any thread,
 * and touch only atomic fields and what @config_lock guards.
 */
#include <errno.h>
#include <string.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "process/log.h"
#include "virtio/virtio.h"

/* Has the driver accepted @feature? */
bool virtio_has(const struct virtio_dev *dev, unsigned int feature)
{
	return dev->accepted & 1ULL << feature;
}

/* Stop the device and forget what the driver has set up. */
void virtio_reset(struct virtio_dev *dev)
{
	unsigned int i;

	if (dev->running) {
		dev->running = false;
		dev->ops->stop(dev);
	}
	dev->accepted = 0;
	dev->status = 0;
	dev->needs_reset = false;
	dev->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (i = 0; i < dev->queue_count; i++) {
		struct virtio_queue *queue = &dev->queues[i];

		queue->config =
			(struct virtqueue_config){ .size = VIRTQUEUE_MAX_SIZE };
		queue->vector = VIRTIO_MSI_NO_VECTOR;
		queue->enabled = false;
	}
}

/* Device status as the driver reads it. */
uint8_t virtio_status(struct virtio_dev *dev)
{
	return dev->status |
	       (dev->needs_reset ? VIRTIO_CONFIG_S_NEEDS_RESET : 0);
}

/**
 * virtio_broken() - Have the driver reset the device
 * @dev:	Device that cannot go on because of what the driver did
 * @why:	Reason, for the message
 *
 * Any thread.
 */
void virtio_broken(struct virtio_dev *dev, const char *why)
{
	if (atomic_exchange(&dev->needs_reset, true))
		return;
	log_guest("%s: %s; waiting for the guest to reset it", dev->name, why);
	dev->raise(dev, dev->config_vector, VIRTIO_ISR_CONFIG);
}

/**
 * virtio_change_config() - Change the device configuration and tell the driver
 * @dev:	Device
 * @field:	Field in @config of @dev
 * @value:	New contents
 * @size:	Bytes in @value
 *
 * A driver that reads the configuration meanwhile sees another generation at
 * the end than at the beginning, and reads again. Any thread.
 */
void virtio_change_config(struct virtio_dev *dev, void *field,
			  const void *value, size_t size)
{
	pthread_mutex_lock(&dev->config_lock);
	memcpy(field, value, size);
	dev->generation++;
	pthread_mutex_unlock(&dev->config_lock);
	dev->raise(dev, dev->config_vector, VIRTIO_ISR_CONFIG);
}

/* Interrupt the driver, which has used buffers in @queue. Any thread. */
void virtio_interrupt(struct virtio_dev *dev, unsigned int queue)
{
	dev->raise(dev, dev->queues[queue].vector, VIRTIO_ISR_QUEUE);
}

/* The driver is ready. A failure that is not the guest's fault ends the VM. */
static void start_device(struct virtio_dev *dev)
{
	int ret = dev->ops->start(dev);

	if (!ret)
		dev->running = true;
	else if (ret == -EPROTO)
		virtio_broken(dev, "the guest's set-up of the queues is wrong");
	else
		dev->fatal(dev->opaque);
}

/*
 * The driver writes the device status. It adds bits, or writes 0 to reset the
 * device. FEATURES_OK stays off if it has accepted a feature that was not
 * offered or not accepted VERSION_1.
 */
void virtio_set_status(struct virtio_dev *dev, uint8_t status)
{
	uint8_t added = status & ~dev->status;

	if (!status) {
		virtio_reset(dev);
		return;
	}
	if ((added & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    ((dev->accepted & ~dev->offered) ||
	     !virtio_has(dev, VIRTIO_F_VERSION_1)))
		added &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	dev->status |= added & ~VIRTIO_CONFIG_S_NEEDS_RESET;
	if ((added & VIRTIO_CONFIG_S_FEATURES_OK) && dev->ops->negotiated)
		dev->ops->negotiated(dev);
	if ((added & VIRTIO_CONFIG_S_DRIVER_OK) &&
	    (dev->status & VIRTIO_CONFIG_S_FEATURES_OK))
		start_device(dev);
}

/* The driver accepts 32 features; after FEATURES_OK it can change nothing. */
void virtio_accept(struct virtio_dev *dev, unsigned int word, uint32_t value)
{
	if (word > 1 || (dev->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return;
	dev->accepted &= ~((uint64_t)UINT32_MAX << 32 * word);
	dev->accepted |= (uint64_t)value << 32 * word;
}

/* Queues can be enabled only before DRIVER_OK starts the device. */
void virtio_enable_queue(struct virtio_dev *dev, unsigned int index)
{
	if (!(dev->status & VIRTIO_CONFIG_S_DRIVER_OK))
		dev->queues[index].enabled = true;
}

/* A doorbell came as an I/O request. Those of unknown queues are ignored. */
void virtio_notify(struct virtio_dev *dev, unsigned int index)
{
	if (dev->running && index < dev->queue_count &&
	    dev->queues[index].enabled)
		dev->ops->notify(dev, index);
}
