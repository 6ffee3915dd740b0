/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio-blk on a file or block device: the configuration that the driver sees,
 * and the write cache. struct blk_backend handles the requests.
 *
 * Used by the thread that handles I/O requests, except where noted. Threads
 * that handle requests read @write_back and @disk of struct blk and set
 * @flush_error, which are atomic or do not change.
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

/**
 * struct blk - A disk of the VM
 * @pci:	virtio device on the PCI bus
 * @vm:		VM
 * @config:	Device configuration, read by the driver
 * @cache_wanted: The last choice of a driver that can choose @write_back
 * @write_back:	The disk has a volatile cache for the driver: data that was
 *		written need not be on the medium before the driver flushes
 * @flush_error: 0, or the -errno of the last flush that failed since the device
 *		was started: the data that it should have saved may be lost
 * @disk:	File or block device
 * @timer:	timerfd: check the size of @disk
 * @options:	Options of the device
 * @backend:	Handles the requests
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
 * struct blk_backend - One way to handle the requests to a disk
 * @ops:	Operations of the virtio device
 * @create:	Make ready to start. Returns 0 or -errno, with a message
 *		printed.
 * @destroy:	Undo @create; the device has been stopped
 * @features:	Returns those of the features @wanted that the backend knows.
 *		NULL if it knows them all.
 * @cache_changed: @write_back of struct blk has changed while the device runs.
 *		If it is off now, put the data of completed writes on the
 *		medium. Returns 0; -errno has the change undone.
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
