// SPDX-License-Identifier: GPL-2.0
/* The requests are handled by vhost-blk. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/virtio_config.h>
#include <acrnvhost.h>

#include "blk.h"
#include "log.h"
#include "vhost.h"

static const struct vhost_kind vhost_blk = {
	.name = "vhost-blk",
	.module = "vhost_blk",
	.without = "backend=thread",
};

/* To vhost-blk, a disk that is to be flushed is one with a volatile cache. */
static uint64_t wanted_features(struct blk *blk)
{
	const uint64_t flush = 1ULL << VIRTIO_BLK_F_FLUSH;
	uint64_t features = blk->pci.virtio.accepted & ~flush;

	return blk->write_back ? features | flush : features;
}

static int blk_vhost_start(struct virtio_dev *dev)
{
	struct blk *blk = blk_of(dev);

	blk_starting(blk);
	return vhost_start(dev, wanted_features(blk));
}

static void blk_vhost_cache_changed(struct blk *blk)
{
	struct vhost *vhost = blk->state;
	int ret;

	ret = acrnvhost_change_features(vhost->dev,
					wanted_features(blk) & vhost->features);
	if (ret)
		log_guest("%s: the cache is not switched: %s",
			  blk->options->path, strerror(-ret));
}

static const struct virtio_ops blk_vhost_ops = {
	.start = blk_vhost_start,
	.stop = vhost_stop,
	.notify = vhost_notify,
	.config_written = blk_config_written,
	.vector_changed = vhost_vector_changed,
	.vector_pending = vhost_vector_pending,
	.doorbells_moved = vhost_doorbells_moved,
};

static void blk_vhost_destroy(struct blk *blk)
{
	vhost_deinit(blk->state);
	free(blk->state);
}

static int blk_vhost_create(struct blk *blk)
{
	const struct blk_options *options = blk->options;
	struct vhost *vhost;
	int ret;

	vhost = calloc(1, sizeof(*vhost));
	if (!vhost)
		return -ENOMEM;
	vhost->kind = &vhost_blk;
	vhost->vm = blk->vm;
	vhost->pci = &blk->pci;
	vhost->busyloop = options->busyloop;
	ret = acrnvhost_blk_open(&vhost->dev, blk->vm->hsm.fd, blk->disk.fd,
				 options->queues, options->serial);
	if (ret) {
		vhost_explain_open(&vhost_blk, options->path, -ret);
		goto free;
	}
	ret = vhost_init(vhost, options->queues, options->path);
	if (ret)
		goto close;
	blk->state = vhost;
	return 0;

close:
	acrnvhost_close(vhost->dev);
free:
	free(vhost);
	return ret;
}

static uint64_t blk_vhost_features(struct blk *blk, uint64_t wanted)
{
	struct vhost *vhost = blk->state;

	return wanted & vhost->features;
}

const struct blk_backend blk_vhost_backend = {
	.ops = &blk_vhost_ops,
	.create = blk_vhost_create,
	.destroy = blk_vhost_destroy,
	.features = blk_vhost_features,
	.cache_changed = blk_vhost_cache_changed,
};
