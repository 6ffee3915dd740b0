/* SPDX-License-Identifier: GPL-2.0 */
/*
 * libacrnvhost: attach a vhost device of the Service VM's kernel to a User VM
 * on ACRN. For device models.
 *
 * A virtio queue of the User VM is attached to the kernel at three points. Once
 * they are in place, no system call is needed between them:
 *
 *	doorbell	ACRN_IOCTL_IOEVENTFD -> kick eventfd -> vhost worker
 *	rings		read and written by the vhost worker
 *	interrupt	vhost worker -> call eventfd -> ACRN_IOCTL_IRQFD -> MSI
 *
 * Use:
 *
 *	acrnvhost_net_open()		once, or acrnvhost_blk_open(),
 *					acrnvhost_vsock_open() or
 *					acrnvhost_user_open()
 *	acrnvhost_features()		what the device may offer to the driver
 *	acrnvhost_set_queue()		each queue, when the driver is ready
 *	acrnvhost_start()
 *	acrnvhost_set_msi()		whenever the driver changes a vector
 *	acrnvhost_stop()		when the driver resets the device, or
 *					a queue could not be set
 *	acrnvhost_close()
 *
 * All functions return 0 or a negative errno; none prints or exits. The pointer
 * to a device is set when open succeeds, not else. Calls for one device must
 * not run at the same time, but acrnvhost_kick(), acrnvhost_msi_pending(),
 * acrnvhost_error_fd(), acrnvhost_kick_fd() and acrnvhost_call_fd() may be
 * called any time between open and close, by any thread. Different devices are
 * independent.
 *
 * Only ioctls of <linux/acrn.h> and <linux/vhost.h> are used, and for disks
 * those of vhost_blk.h, so that the library works with the in-tree HSM as well.
 */
#ifndef ACRNVHOST_H
#define ACRNVHOST_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
/* acrn-dm has definitions of its own, which are the same. */
#ifndef ACRN_IOCTL_TYPE
#include <linux/acrn.h>
#endif

/* Largest range to discard or to zero, in sectors: 1 GiB. */
#define ACRNVHOST_BLK_MAX_RANGE (1U << 21)

/*
 * What a device model may add to the message for -EBUSY of
 * acrnvhost_disk_open().
 */
#define ACRNVHOST_DISK_IN_USE                                                  \
	"; release it first: it, or a part of it, is mounted, swap, in a "     \
	"RAID, or another VM's disk"

struct acrnvhost;
struct virtio_blk_config;

/**
 * struct acrnvhost_region - Memory of the User VM that the device may reach
 * @gpa:	User VM physical address, page aligned
 * @size:	Bytes, a multiple of the page size
 * @va:		Where this process has it mapped
 */
struct acrnvhost_region {
	__u64 gpa;
	__u64 size;
	void *va;
};

/**
 * struct acrnvhost_doorbell - The driver's write that announces new buffers
 * @flags:	0, ACRN_IOEVENTFD_FLAG_PIO, ACRN_IOEVENTFD_FLAG_DATAMATCH
 * @len:	Bytes written: 1, 2, 4 or 8
 * @addr:	User VM physical address, or port with ACRN_IOEVENTFD_FLAG_PIO
 * @data:	Value written, with ACRN_IOEVENTFD_FLAG_DATAMATCH
 */
struct acrnvhost_doorbell {
	__u32 flags;
	__u32 len;
	__u64 addr;
	__u64 data;
};

/**
 * struct acrnvhost_queue - One virtqueue as the driver has set it up
 * @size:	Number of descriptors, a power of two
 * @desc:	Descriptor table, mapped in this process
 * @avail:	Available ring, mapped in this process
 * @used:	Used ring, mapped in this process
 * @doorbell:	The driver's doorbell, NULL while the driver cannot reach it
 * @msi:	Message to send for used buffers, NULL while the vector is
 *		masked or there is none
 * @busyloop:	Microseconds that vhost waits for further buffers before it asks
 *		for a doorbell, 0 for none
 *
 * What @doorbell and @msi point to is copied.
 */
struct acrnvhost_queue {
	__u32 size;
	void *desc;
	void *avail;
	void *used;
	const struct acrnvhost_doorbell *doorbell;
	const struct acrn_msi_entry *msi;
	__u32 busyloop;
};

/**
 * struct acrnvhost_disk - A file or a block device as a disk
 * @is_device:	It is a block device
 * @read_only:	It must not be written to
 * @block_size:	Requests begin and end at a multiple of this, in bytes
 * @physical_block_size: Unit in which the medium writes, in bytes
 * @discard_granularity: Unit in which data can be discarded, in bytes; 0 if it
 *		cannot be
 */
struct acrnvhost_disk {
	bool is_device;
	bool read_only;
	__u32 block_size;
	__u32 physical_block_size;
	__u32 discard_granularity;
};

int acrnvhost_disk_open(int *fd, const char *path, bool read_only);
int acrnvhost_disk_probe(struct acrnvhost_disk *disk, int fd);
__u64 acrnvhost_disk_sectors(const struct acrnvhost_disk *disk, int fd);
__u64 acrnvhost_blk_offer(const struct acrnvhost_disk *disk,
			  unsigned int queues);
void acrnvhost_blk_config(struct virtio_blk_config *config,
			  const struct acrnvhost_disk *disk, __u64 sectors,
			  unsigned int queues, unsigned int queue_size);

int acrnvhost_net_open(struct acrnvhost **dev, int hsm_fd, int tap_fd);
int acrnvhost_blk_open(struct acrnvhost **dev, int hsm_fd, int disk_fd,
		       unsigned int queues, const char *serial);
int acrnvhost_vsock_open(struct acrnvhost **dev, int hsm_fd, __u64 cid);
int acrnvhost_user_open(struct acrnvhost **dev, int hsm_fd,
			unsigned int queues);
void acrnvhost_close(struct acrnvhost *dev);
int acrnvhost_features(struct acrnvhost *dev, __u64 *features);
int acrnvhost_change_features(struct acrnvhost *dev, __u64 features);

int acrnvhost_set_queue(struct acrnvhost *dev, unsigned int index,
			const struct acrnvhost_queue *queue);
int acrnvhost_start(struct acrnvhost *dev, __u64 features,
		    const struct acrnvhost_region *regions, size_t count);
int acrnvhost_stop(struct acrnvhost *dev);

int acrnvhost_set_doorbell(struct acrnvhost *dev, unsigned int index,
			   const struct acrnvhost_doorbell *doorbell);
int acrnvhost_set_msi(struct acrnvhost *dev, unsigned int index,
		      const struct acrn_msi_entry *msi);
bool acrnvhost_msi_pending(struct acrnvhost *dev, unsigned int index);
int acrnvhost_kick(struct acrnvhost *dev, unsigned int index);
int acrnvhost_error_fd(struct acrnvhost *dev, unsigned int index);
int acrnvhost_kick_fd(struct acrnvhost *dev, unsigned int index);
int acrnvhost_call_fd(struct acrnvhost *dev, unsigned int index);

#endif /* ACRNVHOST_H */
