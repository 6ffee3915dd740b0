/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared between the files of vhost_blk.ko.
 *
 *	main.c		the device file and its ioctls
 *	backend.c	attaching and detaching a disk
 *	pool.c		memory of a queue, all of it taken when a disk is attached
 *	queue.c		the worker: ring to requests, and back
 *	poll.c		the worker waits for the driver without a doorbell
 *	request.c	one request: parsed, checked, started
 *	range.c		discarding and zeroing, piece by piece
 *	bdev.c		requests to a block device
 *	file.c		requests to a regular file
 *	log.c		dirty pages
 *	check.c		what is allowed
 *
 * Locks: dev.mutex of &struct vhost_dev is taken by each ioctl. The mutex of
 * &struct vhost_virtqueue comes after it and is held by the worker while it
 * works on the queue. @lock of &struct vhost_blk_queue is the innermost and
 * taken in hard-IRQ context, by the end of I/O.
 */
#ifndef VHOST_BLK_BLK_H
#define VHOST_BLK_BLK_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <vhost.h>

#include "check.h"
#include "vhost_blk.h"

/* Pages that one bio takes; larger requests take several. */
#define VHOST_BLK_BIO_VECS	64

/* Used buffers that are written to the ring at once. */
#define VHOST_BLK_BATCH		64

/* Bytes that pass at a time through the bounce buffer of a queue. */
#define VHOST_BLK_BOUNCE	32768

struct vhost_blk_request;

/**
 * struct vhost_blk_part - A bio and its pages
 * @next:	Next one of the request, or in the pool
 * @request:	Request it is part of
 * @to_submit:	It is not on its way, or has come back as that would have to wait
 * @iter:	Data of @bio as it is submitted
 * @vec_count:	Number of @vecs in use
 * @flags:	Flags of @bio as it is submitted
 * @bio:	bio
 * @vecs:	Pages of @bio
 */
struct vhost_blk_part {
	struct vhost_blk_part *next;
	struct vhost_blk_request *request;
	bool to_submit;
	struct bvec_iter iter;
	unsigned short vec_count;
	unsigned short flags;
	struct bio bio;
	struct bio_vec vecs[VHOST_BLK_BIO_VECS];
};

/**
 * struct vhost_blk_buffer - Memory that a request takes once and keeps
 * @data:	Memory
 * @size:	Bytes that are there
 */
struct vhost_blk_buffer {
	void *data;
	size_t size;
};

/**
 * struct vhost_blk_request - A request of the guest
 * @list:	In @free or @done of the queue
 * @queue:	Queue it came from
 * @head:	Descriptor that identifies it to the driver
 * @status:	Where its status goes
 * @written:	Bytes that the device writes if it succeeds, @status included
 * @type:	VIRTIO_BLK_T_*
 * @error:	0 or the first error
 * @bytes:	Data that is read or written
 * @out:	Number of buffers that the device reads
 * @in:		Number of buffers that the device writes
 * @pending:	bios that have not ended yet, or the I/O on @iocb, and one more
 *		while they are submitted
 * @unsubmitted: Some of @parts are to be submitted once more, with time to wait
 * @parts:	bios, in the order of their data
 * @last_part:	Last one of @parts
 * @iocb:	For a regular file
 * @result:	What the I/O on @iocb has ended with
 * @pos:	Where in it
 * @iov:	For a regular file: struct iovec of the data, and of the header
 * @work:	For what cannot be done without sleeping for long
 * @ranges:	To discard or to zero
 * @range_count: Their number
 * @log:	struct vhost_log of guest memory that it writes to, for
 *		VHOST_F_LOG_ALL
 * @log_count:	Number of entries in @log
 */
struct vhost_blk_request {
	struct list_head list;
	struct vhost_blk_queue *queue;
	unsigned int head;
	u8 __user *status;
	u32 written;
	u32 type;
	int error;
	size_t bytes;
	unsigned int out;
	unsigned int in;
	atomic_t pending;
	bool unsubmitted;
	struct vhost_blk_part *parts;
	struct vhost_blk_part *last_part;
	struct kiocb iocb;
	ssize_t result;
	loff_t pos;
	struct vhost_blk_buffer iov;
	struct work_struct work;
	struct vhost_blk_range ranges[VHOST_BLK_MAX_RANGES];
	unsigned int range_count;
	struct vhost_blk_buffer log;
	unsigned int log_count;
};

/**
 * struct vhost_blk_queue - A queue
 * @vq:		vhost's part of it; its private_data is the disk while one is
 *		attached
 * @blk:	Device
 * @work:	Runs in the worker when requests are done
 * @broken:	The guest has made a mess of the ring; under vq.mutex
 * @starved:	A request waits in the ring for memory; under vq.mutex
 * @requests:	All requests
 * @request_count: Their number
 * @free:	Those not in use; under vq.mutex
 * @part_memory: All parts
 * @parts:	Those not in use; under vq.mutex
 * @part_count:	Number of all parts
 * @parts_free:	Number of those in @parts
 * @bounce:	Buffer for data that the disk cannot reach where it is; of a
 *		block device under vq.mutex, of a file under @bounce_mutex
 * @bounce_mutex: Held by who waits for a file, in the workqueue
 * @used:	Requests that are done and not in the used ring yet; under
 *		vq.mutex
 * @used_count:	Their number
 * @poll_ns:	How long to wait for the driver before a doorbell is asked for;
 *		under vq.mutex
 * @quiet_since: Time at which a doorbell was asked for, 0 if the worker knows
 *		of something to do; under vq.mutex
 * @lock:	Guards what follows
 * @stopping:	No new requests; true while there is no disk
 * @done:	Requests that are done
 * @in_flight:	Number of requests that are neither free nor in @done, and one
 *		more while the worker starts some
 * @reaping:	The worker is going to look at @done in any case
 * @idle:	Woken when @in_flight is 0
 */
struct vhost_blk_queue {
	struct vhost_virtqueue vq;
	struct vhost_blk *blk;
	struct vhost_work work;
	bool broken;
	bool starved;
	struct vhost_blk_request *requests;
	unsigned int request_count;
	struct list_head free;
	struct vhost_blk_part *part_memory;
	struct vhost_blk_part *parts;
	unsigned int part_count;
	unsigned int parts_free;
	void *bounce;
	/* Guards @bounce for files. */
	struct mutex bounce_mutex;
	struct vring_used_elem used[VHOST_BLK_BATCH];
	unsigned int used_count;
	u64 poll_ns;
	u64 quiet_since;
	/* Guards all below. */
	spinlock_t lock;
	bool stopping;
	struct list_head done;
	unsigned int in_flight;
	bool reaping;
	wait_queue_head_t idle;
};

/**
 * struct vhost_blk - A device
 * @dev:	vhost's part of it
 * @vqs:	Queues, as vhost wants them
 * @queues:	The same
 * @serial:	Answer to VIRTIO_BLK_T_GET_ID; under dev.mutex
 * @file:	Disk, NULL if there is none; under dev.mutex, constant while any
 *		queue has private_data
 * @bdev:	Block device of @file, NULL if it is a regular file; likewise
 * @block_size:	Requests to a regular file begin and end at a multiple of this;
 *		likewise
 * @blkcg:	Of who attached the disk: what is charged for I/O that does not come
 *		from the worker; NULL in a kernel without; likewise
 * @ioprio:	Its I/O priority; likewise
 * @flush_error: A file could not be flushed: every flush fails
 * @slow_workqueue: For requests that cannot be done without sleeping
 * @range_workqueue: For those that discard or zero, which take longest
 * @detaching:	The disk is being detached: discarding and zeroing end early
 * @closing:	Nobody waits any more for what is done in the workqueues
 */
struct vhost_blk {
	struct vhost_dev dev;
	struct vhost_virtqueue *vqs[VHOST_BLK_MAX_QUEUES];
	struct vhost_blk_queue *queues[VHOST_BLK_MAX_QUEUES];
	u8 serial[VIRTIO_BLK_ID_BYTES];
	struct file *file;
	struct block_device *bdev;
	u32 block_size;
	struct cgroup_subsys_state *blkcg;
	int ioprio;
	int flush_error;
	struct workqueue_struct *slow_workqueue;
	struct workqueue_struct *range_workqueue;
	bool detaching;
	bool closing;
};

/* backend.c */
long vhost_blk_set_backend(struct vhost_blk *blk, int fd);
int vhost_blk_detach(struct vhost_blk *blk, long timeout);
int vhost_blk_flush(struct vhost_blk *blk);
int vhost_blk_pause(struct vhost_blk *blk);
void vhost_blk_resume(struct vhost_blk *blk);

/* pool.c */
int vhost_blk_pool_create(struct vhost_blk_queue *queue);
void vhost_blk_pool_destroy(struct vhost_blk_queue *queue);
struct vhost_blk_request *vhost_blk_request_get(struct vhost_blk_queue *queue);
void vhost_blk_request_put(struct vhost_blk_request *request);
void vhost_blk_buffer_fill(struct vhost_blk_buffer *buffer,
			   struct mm_struct *owner, const void *data,
			   size_t bytes);
struct vhost_blk_part *vhost_blk_part_get(struct vhost_blk_request *request);
void vhost_blk_parts_put(struct vhost_blk_request *request);

/* queue.c */
void vhost_blk_queue_init(struct vhost_blk_queue *queue, struct vhost_blk *blk);
void vhost_blk_queue_claim(struct vhost_blk_queue *queue);
void vhost_blk_queue_reap(struct vhost_blk_queue *queue, bool tell);
void vhost_blk_request_done(struct vhost_blk_request *request, int error);

/* poll.c */
bool vhost_blk_poll(struct vhost_blk_queue *queue);
void vhost_blk_poll_quiet(struct vhost_blk_queue *queue);
void vhost_blk_poll_rung(struct vhost_blk_queue *queue);

/* log.c */
void vhost_blk_log_keep(struct vhost_blk_request *request, unsigned int count);
int vhost_blk_log_write(struct vhost_blk_request *request);

/* range.c */
int vhost_blk_do_ranges(struct vhost_blk_request *request);

/* request.c */
int vhost_blk_request_start(struct vhost_blk_request *request,
			    unsigned int out, unsigned int in);
void vhost_blk_request_init(struct vhost_blk_request *request);

/* bdev.c */
int vhost_blk_bdev_transfer(struct vhost_blk_request *request, u64 sector,
			    struct iov_iter *data);
int vhost_blk_bdev_flush(struct vhost_blk_request *request);
void vhost_blk_bdev_submit_slowly(struct vhost_blk_request *request);
int vhost_blk_bdev_range(struct vhost_blk_request *request,
			 const struct vhost_blk_range *range);
void vhost_blk_bdev_release(struct vhost_blk_request *request);

/* file.c */
int vhost_blk_file_transfer(struct vhost_blk_request *request, u64 sector);
void vhost_blk_file_transfer_slowly(struct vhost_blk_request *request);
int vhost_blk_file_flush(struct vhost_blk *blk);
int vhost_blk_file_range(struct vhost_blk_request *request,
			 const struct vhost_blk_range *range);

/*
 * Must a write be on the medium when it is completed? So it is unless the
 * driver was offered a flush and took it; see also Documentation/vhost-blk.md.
 */
static inline bool vhost_blk_write_through(const struct vhost_blk_queue *queue)
{
	return !(queue->vq.acked_features & BIT_ULL(VIRTIO_BLK_F_FLUSH));
}

#endif /* VHOST_BLK_BLK_H */
