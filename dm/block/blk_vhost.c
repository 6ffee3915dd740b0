// SPDX-License-Identifier: GPL-2.0
/*
 * Disks on vhost-blk. The main thread calls blk_vhost_create(),
 * blk_vhost_destroy() and blk_vhost_features(), when no I/O requests are
 * handled; all else runs in the thread that handles I/O requests, to which
 * struct blk and struct vhost belong.
 */
#include <errno.h>
#include <string.h>
#include <linux/virtio_config.h>
#include <acrnvhost.h>

#include "block/blk_vhost.h"
#include "process/log.h"
#include "virtio/vhost.h"

static int open_vhost_blk(struct acrnvhost **result, struct virtio_dev *dev,
			  unsigned int index)
{
	const struct blk *blk = blk_of(dev);

	(void)index;
	return acrnvhost_blk_open(result, blk->vm->hsm.fd, blk->disk.fd,
				  blk->options->queues, blk->options->serial);
}

static const struct vhost_kind vhost_blk = {
	.name = "/dev/vhost-blk",
	.module = "vhost_blk",
	.no_module = "backend=uring",
	.open = open_vhost_blk,
};

/* vhost-blk takes VIRTIO_BLK_F_FLUSH to mean that there is a volatile cache. */
static uint64_t wanted_features(struct blk *blk)
{
	const uint64_t flush = 1ULL << VIRTIO_BLK_F_FLUSH;
	uint64_t features = blk->pci.virtio.accepted & ~flush;

	return blk->write_back ? features | flush : features;
}

/* For struct virtio_ops: vhost-blk takes all queues of the disk. */
static int blk_vhost_start(struct virtio_dev *dev)
{
	struct blk *blk = blk_of(dev);

	blk_starting(blk);
	return vhost_start(dev, wanted_features(blk), 1);
}

/*
 * For struct blk_backend. vhost-blk flushes the disk when it is told that there
 * is no cache, and this waits for that.
 */
static int blk_vhost_cache_changed(struct blk *blk)
{
	struct vhost *vhost = vhost_of(&blk->pci.virtio);

	return acrnvhost_change_features(
		vhost->devs[0], wanted_features(blk) & vhost->features);
}

static const struct virtio_ops blk_vhost_ops = {
	.negotiated = blk_negotiated,
	.start = blk_vhost_start,
	.stop = vhost_stop,
	.notify = vhost_notify,
	.config_written = blk_config_written,
	.vector_changed = vhost_vector_changed,
	.vector_pending = vhost_vector_pending,
	.doorbells_moved = vhost_doorbells_moved,
	.destroy = blk_destroy,
};

/* For struct blk_backend: open /dev/vhost-blk. */
static int blk_vhost_create(struct blk *blk)
{
	const struct vhost_setup setup = {
		.kind = &vhost_blk,
		.vm = blk->vm,
		.pci = &blk->pci,
		.devices = 1,
		.queues = blk->options->queues,
		.busyloop = blk->options->busyloop,
	};

	return vhost_create(&setup);
}

/* For struct blk_backend. Main thread, when no I/O requests are handled. */
static void blk_vhost_destroy(struct blk *blk)
{
	vhost_destroy(&blk->pci.virtio);
}

static uint64_t blk_vhost_features(struct blk *blk, uint64_t wanted)
{
	return wanted & vhost_of(&blk->pci.virtio)->features;
}

const struct blk_backend blk_vhost_backend = {
	.ops = &blk_vhost_ops,
	.create = blk_vhost_create,
	.destroy = blk_vhost_destroy,
	.features = blk_vhost_features,
	.cache_changed = blk_vhost_cache_changed,
};
