// SPDX-License-Identifier: GPL-2.0
/*
 * The histograms of each device in debugfs: vhost_blk/N, N being the number of the
 * device. The formats are in Documentation/tracing.md.
 *
 * All functions run in process context. Whoever reads a file takes no lock:
 * workers may be counting meanwhile. The files are removed before the device is
 * freed.
 */
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>

#include "blk.h"
#include "debugfs.h"
#include "debugfs_key.h"
#include "stats.h"

DEFINE_STATIC_KEY_FALSE(vhost_blk_latency_key);

/* Directory of the module. Constant while the module is loaded */
static struct dentry *top;

/* Value of a bucket, for histogram_show(). No lock needed. */
static u64 depth_count(const void *blk, unsigned int bucket)
{
	return VHOST_BLK_SUM(blk, depth[bucket]);
}

static int depth_show(struct seq_file *seq, void *unused)
{
	histogram_show(seq, VHOST_BLK_DEPTHS, depth_count);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(depth);

/* Value of a bucket, for histogram_show(). No lock needed. */
static u64 latency_count(const void *blk, unsigned int bucket)
{
	return VHOST_BLK_SUM(blk, latency[bucket]);
}

static int latency_show(struct seq_file *seq, void *unused)
{
	histogram_show(seq, HISTOGRAM_NS_BUCKETS, latency_count);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

/**
 * vhost_blk_debugfs_init() - Make the directory of the module
 *
 * Context: Process context.
 */
void vhost_blk_debugfs_init(void)
{
	top = debugfs_create_dir("vhost_blk", NULL);
	debugfs_create_key("measure_latency", top, &vhost_blk_latency_key);
}

/**
 * vhost_blk_debugfs_exit() - Undo vhost_blk_debugfs_init()
 *
 * Context: Process context. There is no device any more.
 */
void vhost_blk_debugfs_exit(void)
{
	debugfs_remove(top);
}

/**
 * vhost_blk_debugfs_add() - Show the histograms of a device
 * @blk:	Device with its queues and, if there is one for it, its number
 *
 * Context: Process context of whoever opens the device.
 */
void vhost_blk_debugfs_add(struct vhost_blk *blk)
{
	char name[16];

	if (blk->number < 0)
		return;
	snprintf(name, sizeof(name), "%d", blk->number);
	blk->debugfs = debugfs_create_dir(name, top);
	debugfs_create_file("depth", 0400, blk->debugfs, blk, &depth_fops);
	debugfs_create_file("latency", 0400, blk->debugfs, blk, &latency_fops);
}

/**
 * vhost_blk_debugfs_remove() - Undo vhost_blk_debugfs_add()
 * @blk:	Device
 *
 * When this returns, nobody reads the histograms.
 *
 * Context: Process context.
 */
void vhost_blk_debugfs_remove(struct vhost_blk *blk)
{
	debugfs_remove(blk->debugfs);
}
