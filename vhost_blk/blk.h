/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The structures of vhost_blk.ko. A file calls functions of the files below it
 * in this list, and of no other:
 *
 *	main.c		the device file and its ioctls
 *	sysfs.c		counters of all devices
 *	debugfs.c	histograms of all devices
 *	attach.c	attaching, detaching and pausing a disk
 *	file.c		disks that are regular files; the module builds without
 *	bdev.c		disks that are block devices
 *	queue.c		the worker: takes requests from the ring and starts them
 *	worker.c	a worker for each queue, before Linux 6.5
 *	poll.c		the worker waits for requests without a doorbell
 *	reap.c		requests that have ended return to the driver
 *	interrupt.c	interrupts are held back while the worker polls
 *	log.c		dirty pages
 *	request.c	one request: parsed, checked, given to the disk
 *	range.c		discarding and zeroing, piece by piece
 *	inflight.c	requests that were started and have not ended
 *	pool.c		memory of requests
 *	check.c		which requests a disk accepts
 *	stats.c		a device's counters are the sums of its queues'
 *	layout.c	what vhost.h looked like, compared before the module is loaded
 *
 * The functions of bdev.c and file.c are called from below through
 * &struct vhost_blk_disk_ops.
 *
 * The code runs in one of four contexts:
 *
 *	an ioctl	a task of the device model, with dev.mutex of &struct
 *			vhost_dev held; the release of the file likewise. Both
 *			take vq.mutex to attach and detach a queue, and return
 *			requests that have ended
 *	the worker	the thread of the vhost core that serves the queue, in
 *			the address space of the device's owner, with vq.mutex
 *			of &struct vhost_virtqueue held
 *	a workqueue	requests that sleep; without a lock, as each request
 *			belongs to the work that carries it out
 *	the end of I/O	any context up to hard IRQ; without a lock, as each
 *			request belongs to its I/O
 *
 * The first three may sleep unless a spinlock is held.
 *
 * Locks, outermost first: dev.mutex, vq.mutex, and the spinlock of &struct
 * vhost_blk_inflight, which the end of I/O takes. Works take the bounce_mutex
 * of &struct vhost_blk_pool, and none of the others while they hold it.
 */
#ifndef VHOST_BLK_BLK_H
#define VHOST_BLK_BLK_H

#include <linux/types.h>
#include <linux/workqueue.h>
#include <vhost.h>

#include "check.h"
#include "inflight.h"
#include "interrupt.h"
#include "poll.h"
#include "pool.h"
#include "stats.h"
#include "vhost_blk.h"

/* Entries of the used ring that are written at once. */
#define VHOST_BLK_BATCH		64

struct block_device;
struct cgroup_subsys_state;
struct dentry;
struct file;
struct iov_iter;
struct vhost_blk;
struct vhost_blk_dir;

/**
 * struct vhost_blk_disk - The disk that is attached to a device
 * @ops:	Functions of its kind
 * @file:	The disk, NULL if there is none
 * @bdev:	Block device of @file, NULL if it is a regular file
 * @block_size:	Logical block size that is offered for a regular file
 * @blkcg:	Block cgroup of the process that attached the disk. It is charged
 *		for I/O that the worker leaves to workqueues. NULL in a kernel
 *		without block cgroups.
 * @ioprio:	I/O priority of that process
 * @flush_error: Error of the last flush of a regular file that failed; every
 *		later one fails too. Whoever flushes writes it, without a lock
 *
 * All but @flush_error change under dev.mutex only, and while no queue has a
 * backend: workers, workqueues and the end of I/O read them without a lock.
 */
struct vhost_blk_disk {
	const struct vhost_blk_disk_ops *ops;
	struct file *file;
	struct block_device *bdev;
	u32 block_size;
	struct cgroup_subsys_state *blkcg;
	int ioprio;
	int flush_error;
};

/**
 * struct vhost_blk_disk_ops - What one kind of disk does its own way
 * @needs_bios:	Requests take &struct vhost_blk_part from the pool
 * @get_geometry: Say how large the disk is at this moment. Any context.
 * @is_read_only: Whether the disk refuses writes, however it was opened; NULL if
 *		it never does. Any context.
 * @transfer:	Start a read or a write whose place was checked. Called by the
 *		worker under vq.mutex. Returns 0 if the request ends by
 *		vhost_blk_request_done(); -EAGAIN if it has to wait in the ring
 *		until other requests have ended; another negative errno if it failed.
 * @transfer_slowly: Continue a transfer that would have made the worker wait. The
 *		request ends by vhost_blk_request_done(). Called in a workqueue.
 * @release:	Release what @transfer has taken, after the request has ended; NULL
 *		if that is nothing. Called under vq.mutex.
 * @start_flush: Start a flush, as @transfer does. NULL if it takes a thread
 *		that can sleep: the workqueue calls @flush.
 * @flush:	Put all completed writes on the medium. Sleeps. Returns 0 or a
 *		negative errno.
 * @do_range:	Discard or zero a range, as the type of the request says. Sleeps.
 *		Returns 0 or a negative errno.
 * @zero_sectors: Sectors that are zeroed at a time: writing them has to end soon
 */
struct vhost_blk_disk_ops {
	bool needs_bios;
	void (*get_geometry)(const struct vhost_blk_disk *disk,
			     struct vhost_blk_geometry *geometry);
	bool (*is_read_only)(const struct vhost_blk_disk *disk);
	int (*transfer)(struct vhost_blk_request *request, u64 sector,
			struct iov_iter *data);
	void (*transfer_slowly)(struct vhost_blk_request *request);
	void (*release)(struct vhost_blk_request *request);
	int (*start_flush)(struct vhost_blk_request *request);
	int (*flush)(struct vhost_blk_disk *disk);
	int (*do_range)(struct vhost_blk_request *request,
			const struct vhost_blk_range *range);
	u32 zero_sectors;
};

/**
 * struct vhost_blk_queue - A queue
 * @vq:		The vhost core's part of it; private_data is the device while a
 *		disk is attached, and changes under vq.mutex
 * @blk:	Device. Constant
 * @worker:	Vhost device whose worker serves the queue; see worker.c. Under
 *		dev.mutex of @blk
 * @pool:	Memory of requests
 * @inflight:	Requests in flight; has a lock of its own
 * @broken:	The ring is corrupt and nothing more is taken from it; under
 *		vq.mutex
 * @starved:	A request waits in the ring until others have ended; under vq.mutex
 * @used:	Entries for the used ring that were not written yet; under vq.mutex
 * @used_count:	Number of entries in @used; under vq.mutex
 * @poll:	How long the worker polls before it asks for a doorbell; under
 *		vq.mutex
 * @interrupt:	The interrupt that is held back while the worker polls; under
 *		vq.mutex
 * @stats:	Counters; written under vq.mutex, read without a lock
 */
struct vhost_blk_queue {
	struct vhost_virtqueue vq;
	struct vhost_blk *blk;
	struct vhost_dev worker;
	struct vhost_blk_pool pool;
	struct vhost_blk_inflight inflight;
	bool broken;
	bool starved;
	struct vring_used_elem used[VHOST_BLK_BATCH];
	unsigned int used_count;
	struct vhost_blk_poll poll;
	struct vhost_blk_interrupt interrupt;
	struct vhost_blk_stats stats;
};

/**
 * struct vhost_blk - A device
 * @dev:	The vhost core's part of it
 * @vqs:	Queues as the vhost core wants them. Constant
 * @queues:	The same queues. Constant
 * @serial:	Answer to VIRTIO_BLK_T_GET_ID; under dev.mutex, and constant while
 *		a disk is attached
 * @disk:	Disk
 * @slow_workqueue: Runs requests that sleep. Constant
 * @range_workqueue: Runs requests that discard or zero, which take longest.
 *		Constant
 * @detaching:	The disk is being detached, or was to be when the ioctl timed out:
 *		discarding, zeroing and large requests that are copied end early.
 *		Written under dev.mutex, read by workqueues without it
 * @closing:	The device is being closed: requests that still wait in a workqueue
 *		end with an error. Written by the release of the file, read by
 *		workqueues
 * @number:	Number of the device in sysfs, debugfs and traces; negative if there
 *		was none for it. Constant
 * @pid:	Process that has opened the device, as the initial namespace numbers
 *		it. Constant
 * @dir:	Its directory in sysfs; NULL when there was no memory for it
 * @debugfs:	Its directory in debugfs
 */
struct vhost_blk {
	struct vhost_dev dev;
	struct vhost_virtqueue *vqs[VHOST_BLK_MAX_QUEUES];
	struct vhost_blk_queue *queues[VHOST_BLK_MAX_QUEUES];
	u8 serial[VIRTIO_BLK_ID_BYTES];
	struct vhost_blk_disk disk;
	struct workqueue_struct *slow_workqueue;
	struct workqueue_struct *range_workqueue;
	bool detaching;
	bool closing;
	int number;
	pid_t pid;
	struct vhost_blk_dir *dir;
	struct dentry *debugfs;
};

/*
 * The disk that a request is for. Any context; the disk stays while it is in
 * flight.
 */
static inline struct vhost_blk_disk *
vhost_blk_disk_of(const struct vhost_blk_request *request)
{
	return &request->queue->blk->disk;
}

/*
 * Whether a write has to be on the medium before it is completed. It has to
 * unless the driver was offered a flush and accepted it; see
 * Documentation/vhost-blk.md. Any context. The feature changes only while no
 * request is in flight, so this takes no lock.
 */
static inline bool vhost_blk_write_through(const struct vhost_blk_queue *queue)
{
	return !(queue->vq.acked_features & BIT_ULL(VIRTIO_BLK_F_FLUSH));
}

/**
 * vhost_blk_request_done() - End a request
 * @request:	Request
 * @error:	0 or a negative errno
 *
 * Context: Any, from the start of the request by the worker to hard IRQ. The
 * request belongs to whoever holds vq.mutex afterwards, to return it to the
 * driver.
 */
static inline void vhost_blk_request_done(struct vhost_blk_request *request,
					  int error)
{
	request->error = error;
	vhost_blk_inflight_done(&request->queue->inflight, request);
}

#endif /* VHOST_BLK_BLK_H */
