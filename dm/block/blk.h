/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio-blk on a file or block device. The requests are handled by vhost-blk
 * (blk_vhost.c), or by threads of this process through io_uring (blk_uring.c).
 */
#ifndef DM_BLK_H
#define DM_BLK_H

#include <stdatomic.h>
#include <vhost_blk.h>

#include "block/disk.h"
#include "machine/vm.h"
#include "options/device_options.h"
#include "process/event.h"
#include "virtio/virtio_pci.h"

/* Sectors of one range to discard or to zero: 1 GiB. */
#define BLK_MAX_RANGE (1U << 21)

/**
 * struct blk - A disk of the VM
 * @pci:	virtio device on the PCI bus
 * @vm:		VM
 * @config:	Device configuration, read by the driver
 * @cache_wanted: What a driver that can choose has chosen last, of @write_back
 * @write_back:	The driver wants a volatile cache: what is written need not be
 *		on the medium before it says flush
 * @flush_error: 0, or the -errno of the first flush that failed since the
 *		device was started: what it should have saved may be lost
 * @disk:	What it is made of
 * @timer:	timerfd: look for another size of @disk
 * @options:	How it was asked for
 * @backend:	What handles the requests
 * @state:	Of @backend, if it needs more than vhost_create() makes
 */
struct blk {
	struct virtio_pci pci;
	struct vm *vm;
	struct virtio_blk_config config;
	bool cache_wanted;
	atomic_bool write_back;
	atomic_int flush_error;
	struct disk disk;
	struct event_source timer;
	const struct blk_options *options;
	const struct blk_backend *backend;
	void *state;
};

/**
 * struct blk_backend - What handles the requests
 * @ops:	For the virtio device
 * @create:	Make ready to start. Returns 0 or -errno, with a message
 *		printed.
 * @destroy:	Undo @create; the device has been stopped
 * @features:	What it knows of the features in @wanted; NULL if that is all
 * @cache_changed: @write_back of struct blk changed while the device runs; when
 *		it is off, what was completed has to be on the medium. Returns
 *		0 or -errno, and the change is taken back.
 */
struct blk_backend {
	const struct virtio_ops *ops;
	int (*create)(struct blk *blk);
	void (*destroy)(struct blk *blk);
	uint64_t (*features)(struct blk *blk, uint64_t wanted);
	int (*cache_changed)(struct blk *blk);
};

int blk_create(struct vm *vm, const struct blk_options *options,
	       const struct blk_backend *backend);
struct blk *blk_of(struct virtio_dev *dev);
void blk_negotiated(struct virtio_dev *dev);
void blk_starting(struct blk *blk);
void blk_destroy(struct virtio_dev *dev);
void blk_config_written(struct virtio_dev *dev, size_t offset, size_t size,
			uint64_t value);

#endif /* DM_BLK_H */
