// SPDX-License-Identifier: GPL-2.0
/*
 * The counters of each device in debugfs: vhost_blk/N, N being the number of the
 * device. The formats are in Documentation/tracing.md.
 */
#include <linux/debugfs.h>
#include <linux/idr.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "blk.h"
#include "debugfs.h"
#include "debugfs_key.h"
#include "stats.h"

DEFINE_STATIC_KEY_FALSE(vhost_blk_latency_key);

static struct dentry *top;
static DEFINE_IDA(numbers);

/* The sum of a counter over all queues; @offset is that in their stats. */
static u64 sum(const struct vhost_blk *blk, size_t offset)
{
	u64 total = 0;
	unsigned int i;

	for (i = 0; i < VHOST_BLK_MAX_QUEUES; i++)
		total += READ_ONCE(*(u64 *)((char *)&blk->queues[i]->stats +
					    offset));
	return total;
}

#define SUM(blk, counter)	sum(blk, offsetof(struct vhost_blk_stats, counter))

static u64 sum_requests(const struct vhost_blk *blk, unsigned int type)
{
	return SUM(blk, requests[type]);
}

/* Requests of all types that have no line of their own */
static u64 sum_others(const struct vhost_blk *blk)
{
	static const u32 known = BIT(VIRTIO_BLK_T_IN) | BIT(VIRTIO_BLK_T_OUT) |
		BIT(VIRTIO_BLK_T_FLUSH) | BIT(VIRTIO_BLK_T_GET_ID) |
		BIT(VIRTIO_BLK_T_DISCARD) | BIT(VIRTIO_BLK_T_WRITE_ZEROES);
	unsigned int type;
	u64 total = 0;

	for (type = 0; type < VHOST_BLK_TYPES; type++)
		if (!(known & BIT(type)))
			total += sum_requests(blk, type);
	return total;
}

static int stats_show(struct seq_file *seq, void *unused)
{
	const struct vhost_blk *blk = seq->private;

	seq_printf(seq, "pid %d\n", blk->pid);
	seq_printf(seq, "reads %llu\n", sum_requests(blk, VIRTIO_BLK_T_IN));
	seq_printf(seq, "writes %llu\n", sum_requests(blk, VIRTIO_BLK_T_OUT));
	seq_printf(seq, "flushes %llu\n", sum_requests(blk, VIRTIO_BLK_T_FLUSH));
	seq_printf(seq, "discards %llu\n",
		   sum_requests(blk, VIRTIO_BLK_T_DISCARD));
	seq_printf(seq, "write_zeroes %llu\n",
		   sum_requests(blk, VIRTIO_BLK_T_WRITE_ZEROES));
	seq_printf(seq, "ids %llu\n", sum_requests(blk, VIRTIO_BLK_T_GET_ID));
	seq_printf(seq, "others %llu\n", sum_others(blk));
	seq_printf(seq, "errors %llu\n", SUM(blk, errors));
	seq_printf(seq, "polls %llu\n", SUM(blk, polls));
	seq_printf(seq, "polls_found %llu\n", SUM(blk, polls_found));
	seq_printf(seq, "waits %llu\n", SUM(blk, waits));
	seq_printf(seq, "interrupts %llu\n", SUM(blk, interrupts));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static u64 depth_count(const void *blk, unsigned int bucket)
{
	return SUM(blk, depth[bucket]);
}

static int depth_show(struct seq_file *seq, void *unused)
{
	histogram_show(seq, VHOST_BLK_DEPTHS, depth_count);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(depth);

static u64 latency_count(const void *blk, unsigned int bucket)
{
	return SUM(blk, latency[bucket]);
}

static int latency_show(struct seq_file *seq, void *unused)
{
	histogram_show(seq, HISTOGRAM_NS_BUCKETS, latency_count);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

void vhost_blk_debugfs_init(void)
{
	top = debugfs_create_dir("vhost_blk", NULL);
	debugfs_create_key("measure_latency", top, &vhost_blk_latency_key);
}

void vhost_blk_debugfs_exit(void)
{
	debugfs_remove(top);
	ida_destroy(&numbers);
}

/**
 * vhost_blk_debugfs_add() - Show the counters of a device
 * @blk:	Device with its queues
 *
 * A device that finds no number or no memory is not shown, and works.
 *
 * Context: Process context of whoever opens the device.
 */
void vhost_blk_debugfs_add(struct vhost_blk *blk)
{
	char name[16];

	blk->pid = task_tgid_nr(current);
	blk->number = ida_alloc(&numbers, GFP_KERNEL);
	if (blk->number < 0)
		return;
	snprintf(name, sizeof(name), "%d", blk->number);
	blk->debugfs = debugfs_create_dir(name, top);
	debugfs_create_file("stats", 0400, blk->debugfs, blk, &stats_fops);
	debugfs_create_file("depth", 0400, blk->debugfs, blk, &depth_fops);
	debugfs_create_file("latency", 0400, blk->debugfs, blk, &latency_fops);
}

/* Afterwards nobody reads the counters any more. Process context. */
void vhost_blk_debugfs_remove(struct vhost_blk *blk)
{
	if (blk->number < 0)
		return;
	debugfs_remove(blk->debugfs);
	ida_free(&numbers, blk->number);
}
