// SPDX-License-Identifier: GPL-2.0
/*
 * A vhost device as a whole: open, features, memory, start and stop.
 *
 * device_teardown() undoes in reverse order what acrnvhost_start() does, both
 * when a start fails and when the device is stopped.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <linux/vhost.h>

#include "internal.h"

static void free_queues(struct acrnvhost *dev, unsigned int count)
{
	while (count--)
		acrnvhost_vq_deinit(&dev->queues[count]);
}

/**
 * acrnvhost_open() - Open a device of any kind
 * @result:	Result
 * @hsm_fd:	/dev/acrn_hsm, with a VM created on it
 * @backend_fd:	tap or disk, -1 if there is none
 * @queue_count: Number of queues
 * @backend:	Kind of device
 *
 * Return: 0; -EINVAL for too many queues or none; -ENOMEM; errors of open() and
 * eventfd().
 */
int acrnvhost_open(struct acrnvhost **result, int hsm_fd, int backend_fd,
		   unsigned int queue_count,
		   const struct acrnvhost_backend *backend)
{
	struct acrnvhost *dev;
	unsigned int i;
	int ret;

	if (!queue_count || queue_count > ACRNVHOST_MAX_QUEUES)
		return -EINVAL;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return -ENOMEM;

	dev->backend = backend;
	dev->hsm_fd = hsm_fd;
	dev->backend_fd = backend_fd;
	dev->queue_count = queue_count;
	for (i = 0; i < queue_count; i++) {
		ret = acrnvhost_vq_init(&dev->queues[i]);
		if (ret)
			goto free_queues;
	}

	dev->vhost_fd = -1;
	if (backend->path)
		dev->vhost_fd = open(backend->path, O_RDWR | O_CLOEXEC);
	if (backend->path && dev->vhost_fd < 0) {
		ret = -errno;
		goto free_queues;
	}
	*result = dev;
	return 0;

free_queues:
	free_queues(dev, i);
	free(dev);
	return ret;
}

/**
 * acrnvhost_features() - What the kernel's device can do
 * @dev:	Device
 * @features:	Result: virtio feature bits, and VHOST_F_* ones
 *
 * A device model offers these to the driver, and besides those that the kernel
 * need not know of. For a network device these are MAC, STATUS, MQ with CTRL_VQ
 * and the offloads of the tap device.
 */
int acrnvhost_features(struct acrnvhost *dev, __u64 *features)
{
	/* Where there is no vhost device, the caller knows what it can do. */
	*features = UINT64_MAX;
	return acrnvhost_ioctl(dev->vhost_fd, VHOST_GET_FEATURES, features);
}

/**
 * acrnvhost_change_features() - Change negotiated features while it runs
 * @dev:	Device, running
 * @features:	As for acrnvhost_start()
 *
 * The only feature that can be changed is VIRTIO_BLK_F_FLUSH of a disk, which
 * stands for its volatile write cache.
 *
 * Return: 0; -EINVAL while it does not run; errors of vhost.
 */
int acrnvhost_change_features(struct acrnvhost *dev, __u64 features)
{
	if (!dev->running)
		return -EINVAL;
	return acrnvhost_ioctl(dev->vhost_fd, VHOST_SET_FEATURES, &features);
}

/* Tell vhost where the User VM's memory is mapped in this process. */
static int set_memory(struct acrnvhost *dev,
		      const struct acrnvhost_region *regions, size_t count)
{
	struct vhost_memory *table;
	size_t i;
	int ret;

	table = calloc(1, sizeof(*table) + count * sizeof(table->regions[0]));
	if (!table)
		return -ENOMEM;

	table->nregions = count;
	for (i = 0; i < count; i++) {
		table->regions[i].guest_phys_addr = regions[i].gpa;
		table->regions[i].memory_size = regions[i].size;
		table->regions[i].userspace_addr = (__u64)regions[i].va;
	}
	ret = acrnvhost_ioctl(dev->vhost_fd, VHOST_SET_MEM_TABLE, table);
	free(table);
	return ret;
}

/* Become the owner, as which vhost uses this process's address space. */
static int set_owner(struct acrnvhost *dev)
{
	int ret;

	if (dev->owned)
		return 0;
	ret = acrnvhost_ioctl(dev->vhost_fd, VHOST_SET_OWNER, NULL);
	dev->owned = !ret;
	return ret;
}

/* Give the device up, unless it keeps its owner until it is closed. */
static int reset_owner(struct acrnvhost *dev)
{
	int ret;

	if (!dev->owned || dev->backend->keeps_owner)
		return 0;
	ret = acrnvhost_ioctl(dev->vhost_fd, VHOST_RESET_OWNER, NULL);
	dev->owned = ret;
	return ret;
}

/*
 * Undo as much of a start as has been done, the owner last, and forget the
 * queues. Continues after an error, and returns the first one.
 */
static int device_teardown(struct acrnvhost *dev)
{
	unsigned int i = dev->queue_count;
	int ret = 0, err;

	while (i--) {
		err = acrnvhost_vq_stop(dev, i);
		if (!ret)
			ret = err;
	}
	err = reset_owner(dev);
	return ret ? ret : err;
}

/**
 * acrnvhost_start() - Start vhost when the driver is ready (DRIVER_OK)
 * @dev:	Device, stopped
 * @features:	Negotiated feature bits, a subset of acrnvhost_features()
 * @regions:	All memory of the User VM
 * @count:	Number of @regions
 *
 * Runs the queues that acrnvhost_set_queue() was called for. On failure nothing
 * stays registered, and the queues have to be set again.
 *
 * Return: 0; -EBUSY if it runs; -EINVAL without any queue; -ENOTTY or other
 * errors of the HSM if it has no ioeventfd or irqfd; -EEXIST if the driver put
 * a doorbell where another one is; errors of vhost.
 */
int acrnvhost_start(struct acrnvhost *dev, __u64 features,
		    const struct acrnvhost_region *regions, size_t count)
{
	unsigned int i, set = 0;
	int ret;

	if (dev->running)
		return -EBUSY;
	for (i = 0; i < dev->queue_count; i++)
		set += dev->queues[i].set;
	if (!set)
		return -EINVAL;

	ret = set_owner(dev);
	if (ret)
		goto teardown;
	ret = acrnvhost_ioctl(dev->vhost_fd, VHOST_SET_FEATURES, &features);
	if (ret)
		goto teardown;
	ret = set_memory(dev, regions, count);
	if (ret)
		goto teardown;

	for (i = 0; i < dev->queue_count; i++) {
		ret = acrnvhost_vq_start(dev, i);
		if (ret)
			goto teardown;
	}
	if (dev->backend->start)
		ret = dev->backend->start(dev);
	if (ret)
		goto teardown;

	dev->running = true;
	/*
	 * A doorbell that came before the ioeventfd was assigned is lost, and
	 * the driver does not ring again for those buffers.
	 */
	for (i = 0; i < dev->queue_count; i++)
		if (dev->queues[i].running)
			acrnvhost_kick(dev, i);
	return 0;

teardown:
	device_teardown(dev);
	return ret;
}

static void forget_queues(struct acrnvhost *dev)
{
	unsigned int i;

	for (i = 0; i < dev->queue_count; i++)
		dev->queues[i].set = false;
}

/**
 * acrnvhost_stop() - Stop vhost and deassign all that start has assigned
 * @dev:	Device
 *
 * When this returns, vhost no longer accesses rings and buffers, and the HSM
 * has no doorbell and no interrupt of this device. The queues have to be set
 * again before the next start. For a device that does not run, this only
 * forgets the queues that were set.
 *
 * Return: 0; -ETIMEDOUT if a disk has not answered for a minute: the device
 * runs on, may write to the User VM's memory, and is to be stopped once more or
 * closed. After any other error, of which the first one is returned, the device
 * is stopped.
 */
int acrnvhost_stop(struct acrnvhost *dev)
{
	int ret = 0, err;

	if (!dev->running) {
		forget_queues(dev);
		return 0;
	}

	if (dev->backend->stop)
		ret = dev->backend->stop(dev);
	if (ret == -ETIMEDOUT)
		return ret;
	dev->running = false;
	err = device_teardown(dev);
	return ret ? ret : err;
}

/**
 * acrnvhost_close() - Stop a device and free it
 * @dev:	Device, or NULL
 *
 * Waits until vhost has completed the requests that it is working at. The file
 * descriptors that were passed to open stay open.
 */
void acrnvhost_close(struct acrnvhost *dev)
{
	if (!dev)
		return;
	acrnvhost_stop(dev);
	if (dev->vhost_fd >= 0)
		close(dev->vhost_fd);
	/* close() has stopped a device that acrnvhost_stop() could not. */
	dev->vhost_fd = -1;
	if (dev->running)
		device_teardown(dev);
	free_queues(dev, dev->queue_count);
	free(dev);
}
