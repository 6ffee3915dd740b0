/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory of a queue's requests. All of it is allocated before the first
 * request is taken from the ring, and the size of the ring bounds it.
 */
#ifndef VHOST_BLK_POOL_H
#define VHOST_BLK_POOL_H

#include <linux/atomic.h>
#include <linux/bio.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "check.h"
#include "vhost_blk.h"

/* Pages that one bio takes; a larger request takes several bios. */
#define VHOST_BLK_BIO_VECS	64

/* Bytes that pass at a time through the bounce buffer of a queue. */
#define VHOST_BLK_BOUNCE	32768

struct mm_struct;
struct vhost_blk_queue;
struct vhost_blk_request;

/**
 * struct vhost_blk_part - A bio and its pages
 * @next:	Next part of the request, or next free part of the pool
 * @request:	Request that the part belongs to
 * @to_submit:	The bio has not been submitted yet, or the block layer has
 *		returned it because submitting it would have had to wait
 * @iter:	bi_iter of @bio at its first submission
 * @vec_count:	bi_vcnt of @bio at its first submission
 * @flags:	bi_flags of @bio at its first submission
 * @bio:	bio
 * @vecs:	Pages of @bio
 *
 * A free part is under vq.mutex; one of a request belongs to whom the request
 * belongs to, and its bio to the block layer while it is submitted.
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
 * struct vhost_blk_buffer - Memory that a request allocates once and then keeps
 * @data:	Memory
 * @size:	Bytes at @data
 *
 * Belongs to whom the request belongs to.
 */
struct vhost_blk_buffer {
	void *data;
	size_t size;
};

/**
 * struct vhost_blk_request - A request of the guest
 * @list:	Entry in the free list of the pool, or in the list of requests
 *		that are done
 * @queue:	Queue that the request came from
 * @start_ns:	Time at which it was taken from the ring, by ktime_get_ns(); 0 if
 *		that is not measured
 * @head:	Index of the first descriptor, which identifies the request to the
 *		driver
 * @status:	Address of the status byte
 * @written:	Bytes that the device writes if the request succeeds, including
 *		the status byte
 * @type:	VIRTIO_BLK_T_*
 * @error:	0 or the first error
 * @bytes:	Data that is read or written
 * @out:	Number of buffers that the device reads
 * @in:		Number of buffers that the device writes
 * @pending:	References that keep the request from being done: one for each
 *		bio that has not ended, or for the I/O on @iocb, and one for the
 *		function that is submitting them
 * @unsubmitted: Some of @parts have to be submitted once more, by a thread that
 *		may wait
 * @parts:	bios, in the order of their data
 * @last_part:	Last one of @parts
 * @iocb:	I/O on a regular file
 * @result:	What the last I/O on @iocb returned, 0 before the first
 * @pos:	Offset of the data in the file
 * @iov:	struct iovec of the data, preceded by the header for a write; used
 *		for a regular file only
 * @work:	Continues the request in a workqueue, where it may sleep
 * @ranges:	Ranges to discard or to zero
 * @range_count: Number of @ranges
 * @log:	struct vhost_log of the guest memory that the request writes to;
 *		used while VHOST_F_LOG_ALL is set
 * @log_count:	Number of entries in @log
 *
 * No lock guards a request, but it has one owner at a time: the pool while it
 * is free, under vq.mutex; the worker that starts it, under vq.mutex; then its
 * I/O, or the work in a workqueue; and after vhost_blk_request_done() whoever
 * holds vq.mutex to return it. Several bios may end at the same time, and
 * before the function that submits them returns: whoever drops the last
 * reference in the atomic @pending goes on with the request.
 */
struct vhost_blk_request {
	struct list_head list;
	struct vhost_blk_queue *queue;
	u64 start_ns;
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
 * struct vhost_blk_pool - Requests and bios of a queue
 * @requests:	All requests. Constant while a disk is attached
 * @request_count: Number of @requests. Constant while a disk is attached
 * @free:	Requests that are not in use; under vq.mutex
 * @part_memory: All parts. Constant while a disk is attached
 * @parts:	Parts that are not in use; under vq.mutex
 * @part_count:	Number of all parts, 0 for a regular file. Constant while a disk
 *		is attached
 * @parts_free:	Number of parts in @parts; under vq.mutex
 * @bounce:	Buffer for data that the disk cannot reach where it lies. For a
 *		block device the worker uses it, under vq.mutex; for a file the
 *		workqueue uses it, under @bounce_mutex.
 * @bounce_mutex: Guards @bounce for a file
 */
struct vhost_blk_pool {
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
};

void vhost_blk_pool_init(struct vhost_blk_pool *pool);
int vhost_blk_pool_create(struct vhost_blk_pool *pool, unsigned int ring_size,
			  bool bios);
void vhost_blk_pool_destroy(struct vhost_blk_pool *pool);
struct vhost_blk_request *vhost_blk_request_get(struct vhost_blk_pool *pool);
void vhost_blk_request_put(struct vhost_blk_pool *pool,
			   struct vhost_blk_request *request);
void vhost_blk_buffer_fill(struct vhost_blk_buffer *buffer,
			   struct mm_struct *owner, const void *data,
			   size_t bytes);
struct vhost_blk_part *vhost_blk_part_get(struct vhost_blk_pool *pool,
					  struct vhost_blk_request *request);
void vhost_blk_parts_put(struct vhost_blk_pool *pool,
			 struct vhost_blk_request *request);

#endif /* VHOST_BLK_POOL_H */
