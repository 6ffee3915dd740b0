// SPDX-License-Identifier: GPL-2.0
/* vhost-blk, for a disk. All queues take any request. */
#include <errno.h>
#include <string.h>
#include <vhost_blk.h>

#include "internal.h"
#include "vhost_worker.h"

static int blk_set_backend(struct acrnvhost *dev, int fd)
{
	struct vhost_vring_file backend = { .fd = fd };

	return acrnvhost_ioctl(dev->vhost_fd, VHOST_BLK_SET_BACKEND, &backend);
}

/* Have a worker handle queue @index. */
static int blk_attach_worker(struct acrnvhost *dev, unsigned int index,
			     const struct vhost_worker_state *worker)
{
	struct vhost_vring_worker ring = {
		.index = index,
		.worker_id = worker->worker_id,
	};

	return acrnvhost_ioctl(dev->vhost_fd, VHOST_ATTACH_VRING_WORKER, &ring);
}

/*
 * Whether an error of VHOST_NEW_WORKER leaves the queues with the worker that
 * comes with the device:
 *
 *	ENOTTY	The kernel is older than 6.5. vhost-blk gives each queue a
 *		worker by itself there.
 *	EFAULT	Workers are kernel threads, of which vhost makes no more: the
 *		parameter fork_from_owner_default of vhost.ko is 0.
 *	ENOMEM	The user may have no more threads (RLIMIT_NPROC), or there is no
 *		memory for one.
 */
static bool can_share_worker(int error)
{
	return error == -ENOTTY || error == -EFAULT || error == -ENOMEM;
}

/*
 * Give each queue but the first a worker, a thread of the kernel, of its own;
 * the first one has the worker that comes with the device. If there are no more
 * workers, the other queues share that one. The kernel frees workers with the
 * owner.
 */
static int blk_add_workers(struct acrnvhost *dev)
{
	struct vhost_worker_state worker = { 0 };
	unsigned int i;
	int ret;

	for (i = 1; i < dev->queue_count; i++) {
		if (!dev->queues[i].running)
			continue;
		ret = acrnvhost_ioctl(dev->vhost_fd, VHOST_NEW_WORKER, &worker);
		if (can_share_worker(ret))
			return 0;
		if (!ret)
			ret = blk_attach_worker(dev, i, &worker);
		if (ret)
			return ret;
	}
	return 0;
}

static int blk_start(struct acrnvhost *dev)
{
	int ret = blk_add_workers(dev);

	return ret ? ret : blk_set_backend(dev, dev->backend_fd);
}

/* Waits until the requests in flight are completed. */
static int blk_stop(struct acrnvhost *dev)
{
	return blk_set_backend(dev, VHOST_FILE_UNBIND);
}

static const struct acrnvhost_backend blk_backend = {
	.path = "/dev/vhost-blk",
	.start = blk_start,
	.stop = blk_stop,
};

/* Set what the driver reads as the serial number, up to 20 bytes. */
static int blk_set_serial(struct acrnvhost *dev, const char *text)
{
	__u8 serial[VIRTIO_BLK_ID_BYTES] = { 0 };
	size_t length = strlen(text);

	if (length > sizeof(serial))
		return -EINVAL;
	memcpy(serial, text, length);
	return acrnvhost_ioctl(dev->vhost_fd, VHOST_BLK_SET_SERIAL, serial);
}

/**
 * acrnvhost_blk_open() - Open a vhost-blk device
 * @dev:	Result
 * @hsm_fd:	/dev/acrn_hsm, with a VM created on it
 * @disk_fd:	Block device or regular file, open for reading and, unless the
 *		disk is read-only, for writing
 * @queues:	Number of queues, up to 16
 * @serial:	What the driver learns by VIRTIO_BLK_T_GET_ID, up to 20 bytes
 *
 * Both descriptors stay the caller's and must outlive the device.
 *
 * Return: 0; -ENOENT or -ENODEV without vhost-blk, -EACCES without the right to
 * use it, -EINVAL for too many queues or bytes, -ENOMEM, -EMFILE.
 */
int acrnvhost_blk_open(struct acrnvhost **dev, int hsm_fd, int disk_fd,
		       unsigned int queues, const char *serial)
{
	struct acrnvhost *blk;
	int ret;

	ret = acrnvhost_open(&blk, hsm_fd, disk_fd, queues, &blk_backend);
	if (ret)
		return ret;
	ret = blk_set_serial(blk, serial);
	if (ret) {
		acrnvhost_close(blk);
		return ret;
	}
	*dev = blk;
	return 0;
}
