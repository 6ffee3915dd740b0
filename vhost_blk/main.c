// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vhost-blk: opening, closing and the ioctls. The vhost core implements most
 * of the ioctls.
 *
 * All functions run in process context, in the task that has made the system
 * call, and may sleep. Several tasks may call ioctls at the same time; each
 * ioctl holds dev.mutex of the device while it looks at the device or changes
 * it. While the device is opened and when the file is released, nobody else uses
 * it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compat.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "acrn_vhost_version.h"
#include "attach.h"
#include "blk.h"
#include "compat.h"
#include "debugfs.h"
#include "queue.h"
#include "sysfs.h"
#include "worker.h"

/* Requests or bytes after which a worker goes on to the next of its queues. */
#define WEIGHT		256
#define BYTE_WEIGHT	(4 << 20)

/* Features of the rings, and dirty page tracking. */
#define RING_FEATURES (BIT_ULL(VHOST_F_LOG_ALL) | \
		       BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | \
		       BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | \
		       BIT_ULL(VIRTIO_F_NOTIFY_ON_EMPTY) | \
		       BIT_ULL(VIRTIO_F_ANY_LAYOUT) | \
		       BIT_ULL(VIRTIO_F_VERSION_1))

/*
 * Features of the disk. The device model offers those that fit its disk. Only
 * FLUSH and RO change what this module does.
 */
#define DISK_FEATURES (BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) | \
		       BIT_ULL(VIRTIO_BLK_F_SEG_MAX) | \
		       BIT_ULL(VIRTIO_BLK_F_RO) | \
		       BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) | \
		       BIT_ULL(VIRTIO_BLK_F_FLUSH) | \
		       BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) | \
		       BIT_ULL(VIRTIO_BLK_F_CONFIG_WCE) | \
		       BIT_ULL(VIRTIO_BLK_F_MQ) | \
		       BIT_ULL(VIRTIO_BLK_F_DISCARD) | \
		       BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES))

#define FEATURES (RING_FEATURES | DISK_FEATURES)

/*
 * Features that may change while a disk is attached: the guest turns the disk's
 * cache on and off, a migration begins and ends.
 */
#define FEATURES_AT_RUN_TIME (BIT_ULL(VIRTIO_BLK_F_FLUSH) | \
			      BIT_ULL(VHOST_F_LOG_ALL))

/*
 * Requests of a device that run in workqueues at the same time. Each device has
 * workqueues of its own, so that no other device waits for them. Discarding and
 * zeroing take long and have one apart, so that no other request waits for them.
 */
#define MAX_SLOW	16
#define MAX_RANGES	4

/* Undo alloc_queues(). Nobody uses the device any more. */
static void free_queues(struct vhost_blk *blk)
{
	unsigned int i;

	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++)
		kvfree(blk->queues[i]);
}

/* Allocate the queues of a device that is being opened. */
static int alloc_queues(struct vhost_blk *blk)
{
	unsigned int i;

	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++) {
		blk->queues[i] = kvzalloc(sizeof(*blk->queues[i]),
					  GFP_KERNEL_ACCOUNT);
		if (!blk->queues[i]) {
			free_queues(blk);
			return -ENOMEM;
		}
		vhost_blk_queue_init(blk->queues[i], blk);
		blk->vqs[i] = &blk->queues[i]->vq;
	}
	return 0;
}

/*
 * Undo alloc_workqueues(), also after half of it. Waits until the last work is
 * done.
 */
static void free_workqueues(struct vhost_blk *blk)
{
	if (blk->slow_workqueue)
		destroy_workqueue(blk->slow_workqueue);
	if (blk->range_workqueue)
		destroy_workqueue(blk->range_workqueue);
}

/* Create the workqueues of a device that is being opened. */
static int alloc_workqueues(struct vhost_blk *blk)
{
	blk->slow_workqueue = alloc_workqueue("vhost_blk", WQ_UNBOUND,
					      MAX_SLOW);
	blk->range_workqueue = alloc_workqueue("vhost_blk_range", WQ_UNBOUND,
					       MAX_RANGES);
	if (blk->slow_workqueue && blk->range_workqueue)
		return 0;
	free_workqueues(blk);
	return -ENOMEM;
}

/* Initialise the vhost core's part of a device that is being opened. */
static void init_dev(struct vhost_blk *blk)
{
	unsigned int i;

	vhost_dev_init(&blk->dev, blk->vqs, VHOST_BLK_MAX_QUEUES, UIO_MAXIOV,
		       WEIGHT, BYTE_WEIGHT, true, NULL);
	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++)
		vhost_blk_worker_init(blk->queues[i]);
}

/* Make a device for a file that is being opened. Nobody else has it yet. */
static int vhost_blk_open(struct inode *inode, struct file *file)
{
	struct miscdevice *misc = file->private_data;
	struct vhost_blk *blk;
	int ret;

	blk = kzalloc(sizeof(*blk), GFP_KERNEL_ACCOUNT);
	if (!blk)
		return -ENOMEM;
	ret = alloc_workqueues(blk);
	if (ret)
		goto free_blk;
	ret = alloc_queues(blk);
	if (ret)
		goto free_workqueues;
	init_dev(blk);
	vhost_blk_sysfs_add(blk, &misc->this_device->kobj);
	vhost_blk_debugfs_add(blk);
	file->private_data = blk;
	return 0;
free_workqueues:
	free_workqueues(blk);
free_blk:
	kfree(blk);
	return ret;
}

/*
 * The last descriptor was closed, so no ioctl is running. Takes dev.mutex to
 * detach the disk, as vhost_blk_detach() wants it, and waits for the requests
 * in flight.
 */
static int vhost_blk_release(struct inode *inode, struct file *file)
{
	struct vhost_blk *blk = file->private_data;

	vhost_blk_debugfs_remove(blk);
	vhost_blk_sysfs_remove(blk);
	WRITE_ONCE(blk->closing, true);
	mutex_lock(&blk->dev.mutex);
	vhost_blk_detach(blk, MAX_SCHEDULE_TIMEOUT);
	mutex_unlock(&blk->dev.mutex);
	vhost_dev_stop(&blk->dev);
	vhost_blk_workers_stop(blk);
	vhost_dev_cleanup(&blk->dev);
	/* This waits until the last work has returned. */
	free_workqueues(blk);
	free_queues(blk);
	kfree(blk);
	return 0;
}

/* VHOST_BLK_SET_BACKEND. Takes dev.mutex. */
static long set_backend(struct vhost_blk *blk, void __user *argp)
{
	struct vhost_vring_file backend;
	long ret;

	if (copy_from_user(&backend, argp, sizeof(backend)))
		return -EFAULT;
	if (backend.index)
		return -EINVAL;
	mutex_lock(&blk->dev.mutex);
	ret = vhost_dev_check_owner(&blk->dev);
	if (!ret)
		ret = vhost_blk_set_backend(blk, backend.fd);
	mutex_unlock(&blk->dev.mutex);
	return ret;
}

/*
 * VHOST_BLK_SET_SERIAL. Takes dev.mutex. Workers read the serial without it: it
 * is constant while there is a disk.
 */
static long set_serial(struct vhost_blk *blk, void __user *argp)
{
	u8 serial[VIRTIO_BLK_ID_BYTES];
	long ret = 0;

	if (copy_from_user(serial, argp, sizeof(serial)))
		return -EFAULT;
	mutex_lock(&blk->dev.mutex);
	if (blk->disk.file)
		ret = -EBUSY;
	else
		memcpy(blk->serial, serial, sizeof(serial));
	mutex_unlock(&blk->dev.mutex);
	return ret;
}

/*
 * VHOST_SET_NWORKERS. Takes dev.mutex to find who the owner is, and changes nothing.
 * QEMU with OpenVZ's vhost-blk device has no disk at all when this fails. A device
 * with fewer threads than it asked for is slower, and nothing else. Queues get
 * threads of their own by VHOST_NEW_WORKER or, before Linux 6.5, without asking.
 */
static long set_nworkers(struct vhost_blk *blk, int __user *argp)
{
	int count;
	long ret;

	if (get_user(count, argp))
		return -EFAULT;
	mutex_lock(&blk->dev.mutex);
	ret = vhost_dev_check_owner(&blk->dev);
	mutex_unlock(&blk->dev.mutex);
	if (!ret && count < 1)
		ret = -EINVAL;
	if (!ret && count > 1)
		pr_info_once("VHOST_SET_NWORKERS changes nothing: %d threads were asked for\n",
			     count);
	return ret;
}

/* VHOST_GET_FEATURES. They are constant, so there is no lock. */
static long get_features(void __user *argp)
{
	u64 features = FEATURES;

	return copy_to_user(argp, &features, sizeof(features)) ? -EFAULT : 0;
}

/*
 * Give each queue the features that the driver has accepted. dev.mutex is held;
 * takes vq.mutex of one queue after the other, as the worker reads them under
 * it.
 */
static void store_features(struct vhost_blk *blk, u64 features)
{
	unsigned int i;

	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++) {
		mutex_lock(&blk->vqs[i]->mutex);
		blk->vqs[i]->acked_features = features;
		mutex_unlock(&blk->vqs[i]->mutex);
	}
}

/*
 * Take over the features that the driver has accepted, and pause the disk
 * meanwhile, as its requests must not see them change. dev.mutex is held; may
 * wait for the disk.
 */
static int accept_features(struct vhost_blk *blk, u64 features)
{
	u64 changed = features ^ blk->vqs[0]->acked_features;
	u64 log = BIT_ULL(VHOST_F_LOG_ALL);
	bool cache_off = changed & ~features & BIT_ULL(VIRTIO_BLK_F_FLUSH);
	int ret;

	if (blk->disk.file && changed & ~FEATURES_AT_RUN_TIME)
		return -EBUSY;
	if (features & log && !vhost_log_access_ok(&blk->dev))
		return -EFAULT;
	if (!blk->disk.file || !changed) {
		store_features(blk, features);
		return 0;
	}
	/*
	 * No request is in flight while features change. So each is logged from
	 * beginning to end or not at all, each that was taken without a cache
	 * is on the medium when it is completed, and each that was completed
	 * without being on the medium is flushed here.
	 */
	ret = vhost_blk_pause(blk);
	if (ret)
		return ret;
	if (cache_off)
		ret = blk->disk.ops->flush(&blk->disk);
	if (!ret)
		store_features(blk, features);
	vhost_blk_resume(blk);
	return ret;
}

/* VHOST_SET_FEATURES. Takes dev.mutex. */
static long set_features(struct vhost_blk *blk, void __user *argp)
{
	u64 features;
	long ret;

	if (copy_from_user(&features, argp, sizeof(features)))
		return -EFAULT;
	if (features & ~FEATURES)
		return -EOPNOTSUPP;
	mutex_lock(&blk->dev.mutex);
	ret = accept_features(blk, features);
	mutex_unlock(&blk->dev.mutex);
	return ret;
}

/*
 * VHOST_RESET_OWNER: detach the disk, and let the device have another owner.
 * dev.mutex is held; waits for the requests in flight.
 */
static long reset_owner(struct vhost_blk *blk)
{
	struct vhost_iotlb *memory;
	long ret;

	ret = vhost_dev_check_owner(&blk->dev);
	if (ret)
		return ret;
	ret = vhost_blk_set_backend(blk, VHOST_FILE_UNBIND);
	if (ret)
		return ret;
	memory = vhost_dev_reset_owner_prepare();
	if (!memory)
		return -ENOMEM;
	vhost_dev_stop(&blk->dev);
	vhost_blk_workers_stop(blk);
	vhost_dev_reset_owner(&blk->dev, memory);
	return 0;
}

/*
 * VHOST_SET_MEM_TABLE. dev.mutex is held. Requests in flight still go to the
 * memory that they were meant for: this waits for them.
 */
static long set_mem_table(struct vhost_blk *blk, void __user *argp)
{
	long ret;

	if (!blk->disk.file)
		return vhost_dev_ioctl(&blk->dev, VHOST_SET_MEM_TABLE, argp);
	ret = vhost_blk_pause(blk);
	if (ret)
		return ret;
	ret = vhost_dev_ioctl(&blk->dev, VHOST_SET_MEM_TABLE, argp);
	vhost_blk_resume(blk);
	return ret;
}

/*
 * An ioctl that the vhost core implements, in one of three functions, of which
 * each refuses what it does not know. dev.mutex is held; the core takes
 * vq.mutex where it changes a queue.
 */
static long core_ioctl(struct vhost_blk *blk, unsigned int cmd,
		       void __user *argp)
{
	long ret;

	ret = vhost_dev_ioctl(&blk->dev, cmd, argp);
	if (ret == -ENOIOCTLCMD)
		ret = vhost_worker_ioctl(&blk->dev, cmd, argp);
	if (ret == -ENOIOCTLCMD)
		ret = vhost_vring_ioctl(&blk->dev, cmd, argp);
	return ret;
}

/*
 * An ioctl of /dev/vhost-blk. Any thread of any process that has the file open.
 * The functions of the switch take dev.mutex themselves, if they need it; for
 * the others it is held.
 */
static long vhost_blk_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	struct vhost_blk *blk = file->private_data;
	void __user *argp = (void __user *)arg;
	long ret;

	switch (cmd) {
	case VHOST_BLK_SET_BACKEND:
		return set_backend(blk, argp);
	case VHOST_BLK_SET_SERIAL:
		return set_serial(blk, argp);
	case VHOST_SET_NWORKERS:
		return set_nworkers(blk, argp);
	case VHOST_GET_FEATURES:
		return get_features(argp);
	case VHOST_SET_FEATURES:
		return set_features(blk, argp);
	}
	mutex_lock(&blk->dev.mutex);
	if (cmd == VHOST_RESET_OWNER)
		ret = reset_owner(blk);
	else if (cmd == VHOST_SET_MEM_TABLE)
		ret = set_mem_table(blk, argp);
	else
		ret = core_ioctl(blk, cmd, argp);
	mutex_unlock(&blk->dev.mutex);
	return ret;
}

static const struct file_operations vhost_blk_fops = {
	.owner = THIS_MODULE,
	.open = vhost_blk_open,
	.release = vhost_blk_release,
	.unlocked_ioctl = vhost_blk_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice vhost_blk_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vhost-blk",
	.fops = &vhost_blk_fops,
};

/* Load the module. Devices can be opened from misc_register() on. */
static int __init vhost_blk_init(void)
{
	int ret;

	vhost_blk_debugfs_init();
	ret = misc_register(&vhost_blk_misc);
	if (ret)
		vhost_blk_debugfs_exit();
	return ret;
}
module_init(vhost_blk_init);

/*
 * Unload the module. An open file keeps it loaded, so there is no device any
 * more.
 */
static void __exit vhost_blk_exit(void)
{
	misc_deregister(&vhost_blk_misc);
	vhost_blk_debugfs_exit();
	vhost_blk_sysfs_exit();
}
module_exit(vhost_blk_exit);

MODULE_LICENSE("GPL");
MODULE_VERSION(ACRN_VHOST_VERSION);
MODULE_DESCRIPTION("virtio-blk on the kernel's vhost core");
