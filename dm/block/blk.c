// SPDX-License-Identifier: GPL-2.0
/*
 * virtio-blk. The main thread creates and destroys the disk, when no I/O
 * requests are handled, and its event loop calls check_size(). All else runs in
 * the thread that handles I/O requests. Of the configuration the main thread
 * changes the capacity alone, under @config_lock of struct virtio_dev. Threads
 * that handle requests see the atomic @write_back.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/timerfd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "block/blk.h"
#include "process/alloc.h"
#include "process/log.h"

#define PCI_CLASS_STORAGE 0x018000

#define SIZE_CHECK_SECONDS 1

#define BIT(n) (1ULL << (n))

#define RING_FEATURES                                                          \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_RING_F_EVENT_IDX) |              \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC))

/* The disk that a virtio device is. */
struct blk *blk_of(struct virtio_dev *dev)
{
	return (void *)((char *)dev - offsetof(struct blk, pci.virtio));
}

/*
 * For struct virtio_ops. The driver's choice of the cache outlives a reset,
 * because a driver that comes back from sleep does not repeat it. A driver that
 * cannot flush begins without a volatile cache.
 */
void blk_negotiated(struct virtio_dev *dev)
{
	struct blk *blk = blk_of(dev);

	blk->config.wce =
		blk->cache_wanted && virtio_has(dev, VIRTIO_BLK_F_FLUSH);
}

/*
 * To be called before the device starts. A driver that can choose the cache has
 * chosen; another one has a volatile cache if it can flush.
 */
void blk_starting(struct blk *blk)
{
	struct virtio_dev *dev = &blk->pci.virtio;

	blk->write_back = virtio_has(dev, VIRTIO_BLK_F_CONFIG_WCE)
				  ? blk->config.wce
				  : virtio_has(dev, VIRTIO_BLK_F_FLUSH);
	blk->flush_error = 0;
}

/*
 * Turn the volatile cache on or off. Returns whether it is on then. May wait
 * for the disk, and the guest with it.
 */
static bool switch_cache(struct blk *blk, bool on)
{
	int ret;

	blk->write_back = on;
	if (!blk->pci.virtio.running)
		return on;
	ret = blk->backend->cache_changed(blk);
	if (!ret)
		return on;
	log_guest("%s: cannot turn the cache on or off: %s", blk->options->path,
		  strerror(-ret));
	blk->write_back = !on;
	return !on;
}

/*
 * For struct virtio_ops. The driver can turn the cache on or off, and reads
 * back whether that has succeeded. The rest of the configuration is read-only.
 */
void blk_config_written(struct virtio_dev *dev, size_t offset, size_t size,
			uint64_t value)
{
	struct blk *blk = blk_of(dev);

	if (offset != offsetof(struct virtio_blk_config, wce) || size != 1 ||
	    !virtio_has(dev, VIRTIO_BLK_F_CONFIG_WCE))
		return;
	if (blk->config.wce != (value & 1))
		blk->config.wce = switch_cache(blk, value & 1);
	blk->cache_wanted = blk->config.wce;
}

/* The features that both the disk and its backend have. Main thread. */
static uint64_t offered_features(struct blk *blk)
{
	uint64_t wanted =
		RING_FEATURES |
		acrnvhost_blk_offer(&blk->disk.is, blk->options->queues);

	return blk->backend->features ? blk->backend->features(blk, wanted)
				      : wanted;
}

/*
 * Main thread. A timer calls this, because no event exists that tells a process
 * of a new size for every kind of disk.
 */
static void check_size(void *opaque)
{
	struct blk *blk = opaque;
	uint64_t capacity, ignored;

	if (read(blk->timer.fd, &ignored, sizeof(ignored)) < 0 ||
	    !disk_resized(&blk->disk))
		return;
	capacity = blk->disk.sectors;
	virtio_change_config(&blk->pci.virtio, &blk->config.capacity, &capacity,
			     sizeof(capacity));
}

/*
 * Begin to look at the size of the disk. Returns 0 or -errno, with a message.
 */
static int start_size_timer(struct blk *blk)
{
	const struct itimerspec when = {
		.it_interval.tv_sec = SIZE_CHECK_SECONDS,
		.it_value.tv_sec = SIZE_CHECK_SECONDS,
	};
	int ret;

	blk->timer = (struct event_source){
		.fd = timerfd_create(CLOCK_MONOTONIC,
				     TFD_NONBLOCK | TFD_CLOEXEC),
		.ready = check_size,
		.opaque = blk,
		.enabled = true,
	};
	ret = blk->timer.fd < 0 ||
			      timerfd_settime(blk->timer.fd, 0, &when, NULL)
		      ? -errno
		      : event_add(&blk->vm->events, &blk->timer);
	if (!ret)
		return 0;
	log_error("%s: cannot make a timer: %s", blk->options->path,
		  strerror(-ret));
	if (blk->timer.fd >= 0)
		close(blk->timer.fd);
	return ret;
}

static void stop_size_timer(struct blk *blk)
{
	event_remove(&blk->vm->events, &blk->timer);
	close(blk->timer.fd);
}

/* For struct virtio_ops: main thread, when no I/O requests are handled. */
void blk_destroy(struct virtio_dev *dev)
{
	struct blk *blk = blk_of(dev);

	stop_size_timer(blk);
	blk->backend->destroy(blk);
	disk_close(&blk->disk);
	free(blk);
}

/* Describe the disk to the driver, and put it on the PCI bus. Main thread. */
static int blk_add(struct blk *blk)
{
	struct virtio_dev *virtio = &blk->pci.virtio;

	virtio->ops = blk->backend->ops;
	virtio->offered = offered_features(blk);
	virtio->queue_count = blk->options->queues;
	virtio->config = &blk->config;
	virtio->config_size = offsetof(struct virtio_blk_config, unused1);
	return virtio_pci_add(&blk->pci, blk->vm, VIRTIO_ID_BLOCK,
			      PCI_CLASS_STORAGE);
}

/**
 * blk_create() - Give the VM a disk
 * @vm:		VM
 * @options:	Options of the disk, which must outlive it
 * @backend:	Handles the requests
 *
 * Return: 0 or -errno, with a message printed.
 */
int blk_create(struct vm *vm, const struct blk_options *options,
	       const struct blk_backend *backend)
{
	struct blk *blk;
	int ret;

	blk = alloc_zeroed(sizeof(*blk));
	if (!blk)
		return -ENOMEM;
	blk->vm = vm;
	blk->options = options;
	blk->backend = backend;
	blk->cache_wanted = true;
	blk->pci.virtio.name = options->path;
	ret = disk_open(&blk->disk, options->path, options->read_only);
	if (ret)
		goto free;
	acrnvhost_blk_config(&blk->config, &blk->disk.is, blk->disk.sectors,
			     options->queues, VIRTQUEUE_MAX_SIZE);
	ret = backend->create(blk);
	if (ret)
		goto close;
	ret = start_size_timer(blk);
	if (ret)
		goto destroy;
	ret = blk_add(blk);
	if (!ret)
		return 0;

	stop_size_timer(blk);
destroy:
	backend->destroy(blk);
close:
	disk_close(&blk->disk);
free:
	free(blk);
	return ret;
}
