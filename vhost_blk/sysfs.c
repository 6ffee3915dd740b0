// SPDX-License-Identifier: GPL-2.0
/*
 * The counters of each device in sysfs: below /sys/class/misc/vhost-blk a
 * directory N, N being the number of the device, with a value a file, which
 * everybody may read. Names and meanings are in Documentation/counters.md and stay
 * as they are.
 *
 * All functions run in process context. The *_show() functions run in the task
 * of whoever reads a file, which holds a reference to the file, so that
 * vhost_blk_sysfs_remove() waits for it before the device is freed. They take
 * no lock for counters, which workers may be changing; disk_show() takes
 * dev.mutex.
 */
#include <linux/blkdev.h>
#include <linux/idr.h>
#include <linux/kobject.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "blk.h"
#include "sysfs.h"

/* Numbers of the devices that are open. Has a lock of its own */
static DEFINE_IDA(numbers);

/**
 * struct vhost_blk_dir - The directory of a device
 * @kobj:	The directory
 * @blk:	The device, which is there until kobject_del() has returned
 */
struct vhost_blk_dir {
	struct kobject kobj;
	struct vhost_blk *blk;
};

struct blk_attribute {
	struct attribute attr;
	ssize_t (*show)(struct vhost_blk *blk, char *buf);
};

#define BLK_NUMBER(_name, _value)					\
static ssize_t _name##_show(struct vhost_blk *blk, char *buf)		\
{									\
	return sysfs_emit(buf, "%llu\n", (u64)(_value));		\
}									\
static struct blk_attribute blk_attr_##_name = __ATTR_RO(_name)

/*
 * Count the requests of all types that have no file of their own. No lock
 * needed.
 */
static u64 sum_others(const struct vhost_blk *blk)
{
	static const u32 known = BIT(VIRTIO_BLK_T_IN) | BIT(VIRTIO_BLK_T_OUT) |
		BIT(VIRTIO_BLK_T_FLUSH) | BIT(VIRTIO_BLK_T_GET_ID) |
		BIT(VIRTIO_BLK_T_DISCARD) | BIT(VIRTIO_BLK_T_WRITE_ZEROES);
	unsigned int type;
	u64 total = 0;

	for (type = 0; type < VHOST_BLK_TYPES; type++)
		if (!(known & BIT(type)))
			total += VHOST_BLK_SUM(blk, requests[type]);
	return total;
}

BLK_NUMBER(pid, blk->pid);
BLK_NUMBER(reads, VHOST_BLK_SUM(blk, requests[VIRTIO_BLK_T_IN]));
BLK_NUMBER(writes, VHOST_BLK_SUM(blk, requests[VIRTIO_BLK_T_OUT]));
BLK_NUMBER(flushes, VHOST_BLK_SUM(blk, requests[VIRTIO_BLK_T_FLUSH]));
BLK_NUMBER(discards, VHOST_BLK_SUM(blk, requests[VIRTIO_BLK_T_DISCARD]));
BLK_NUMBER(write_zeroes, VHOST_BLK_SUM(blk, requests[VIRTIO_BLK_T_WRITE_ZEROES]));
BLK_NUMBER(ids, VHOST_BLK_SUM(blk, requests[VIRTIO_BLK_T_GET_ID]));
BLK_NUMBER(others, sum_others(blk));
BLK_NUMBER(errors, VHOST_BLK_SUM(blk, errors));
BLK_NUMBER(polls, VHOST_BLK_SUM(blk, polls));
BLK_NUMBER(polls_found, VHOST_BLK_SUM(blk, polls_found));
BLK_NUMBER(waits, VHOST_BLK_SUM(blk, waits));
BLK_NUMBER(interrupts, VHOST_BLK_SUM(blk, interrupts));

/*
 * Print which kind of disk is attached. Takes dev.mutex, which guards that;
 * whoever removes the directory and waits for this does not have it.
 */
static ssize_t disk_show(struct vhost_blk *blk, char *buf)
{
	ssize_t len;

	if (mutex_lock_interruptible(&blk->dev.mutex))
		return -EINTR;
	if (!blk->disk.file)
		len = sysfs_emit(buf, "none\n");
	else if (!blk->disk.bdev)
		len = sysfs_emit(buf, "file\n");
	else
		len = sysfs_emit(buf, "%pg\n", blk->disk.bdev);
	mutex_unlock(&blk->dev.mutex);
	return len;
}

static struct blk_attribute blk_attr_disk = __ATTR_RO(disk);

static struct attribute *blk_attrs[] = {
	&blk_attr_pid.attr,
	&blk_attr_disk.attr,
	&blk_attr_reads.attr,
	&blk_attr_writes.attr,
	&blk_attr_flushes.attr,
	&blk_attr_discards.attr,
	&blk_attr_write_zeroes.attr,
	&blk_attr_ids.attr,
	&blk_attr_others.attr,
	&blk_attr_errors.attr,
	&blk_attr_polls.attr,
	&blk_attr_polls_found.attr,
	&blk_attr_waits.attr,
	&blk_attr_interrupts.attr,
	NULL
};
ATTRIBUTE_GROUPS(blk);

/* Read a file: call the show function of its attribute for the device. */
static ssize_t blk_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	const struct vhost_blk_dir *dir =
		container_of(kobj, struct vhost_blk_dir, kobj);

	return container_of(attr, struct blk_attribute, attr)->show(dir->blk,
								    buf);
}

/*
 * Free a directory when the last reference is gone; the device may be gone
 * before.
 */
static void blk_dir_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct vhost_blk_dir, kobj));
}

static const struct sysfs_ops blk_sysfs_ops = {
	.show = blk_show,
};

static const struct kobj_type blk_dir_type = {
	.sysfs_ops	= &blk_sysfs_ops,
	.release	= blk_dir_release,
	.default_groups	= blk_groups,
};

/**
 * vhost_blk_sysfs_exit() - Free the numbers of devices
 *
 * Context: Process context. There is no device any more.
 */
void vhost_blk_sysfs_exit(void)
{
	ida_destroy(&numbers);
}

/*
 * Make the directory of a device that is being opened, which nobody else has
 * yet. May sleep. A device for whose directory there is no memory works
 * without.
 */
static void add_dir(struct vhost_blk *blk, struct kobject *parent)
{
	struct vhost_blk_dir *dir = kzalloc(sizeof(*dir), GFP_KERNEL_ACCOUNT);

	if (!dir)
		return;
	dir->blk = blk;
	if (kobject_init_and_add(&dir->kobj, &blk_dir_type, parent, "%d",
				 blk->number))
		kobject_put(&dir->kobj);
	else
		blk->dir = dir;
}

/**
 * vhost_blk_sysfs_add() - Number a device and show its counters
 * @blk:	Device with its queues
 * @parent:	Directory of /dev/vhost-blk
 *
 * A device that finds no number or no memory is not shown, and works.
 *
 * Context: Process context of whoever opens the device.
 */
void vhost_blk_sysfs_add(struct vhost_blk *blk, struct kobject *parent)
{
	blk->pid = task_tgid_nr(current);
	blk->number = ida_alloc(&numbers, GFP_KERNEL);
	if (blk->number >= 0)
		add_dir(blk, parent);
}

/**
 * vhost_blk_sysfs_remove() - Undo vhost_blk_sysfs_add()
 * @blk:	Device
 *
 * When this returns, nobody reads the counters here.
 *
 * Context: Process context, may sleep.
 */
void vhost_blk_sysfs_remove(struct vhost_blk *blk)
{
	if (blk->dir) {
		kobject_del(&blk->dir->kobj);
		kobject_put(&blk->dir->kobj);
	}
	if (blk->number >= 0)
		ida_free(&numbers, blk->number);
}
