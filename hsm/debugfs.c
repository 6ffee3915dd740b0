// SPDX-License-Identifier: GPL-2.0
/*
 * The latency histogram of each VM in debugfs: acrn_hsm/vmN for the VM with the id
 * N, where the data plane has its files as well. The formats are in
 * Documentation/tracing.md.
 *
 * All functions but acrn_latency_add() run in process context. The counters are
 * atomic, so whoever reads a file takes no lock; the files are removed before
 * the VM is freed.
 */
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <asm/tsc.h>

#include "debugfs_key.h"
#include "hsm.h"

DEFINE_STATIC_KEY_FALSE(acrn_latency_key);

/* Directory of the module. Constant while the module is loaded */
static struct dentry *top;

/**
 * acrn_latency_add() - Record how long a doorbell took
 * @vm:		VM
 * @cycles:	Cycles of the TSC from the beginning of the upcall to the completion
 *
 * Called while acrn_latency_key is enabled. Hot path then.
 *
 * Context: The upcall, or the VM's thread or whoever acts for it. No lock
 *	    needed.
 */
void acrn_latency_add(struct acrn_vm *vm, u64 cycles)
{
	u64 ns = mul_u64_u32_div(cycles, NSEC_PER_MSEC, tsc_khz);
	unsigned int bucket = histogram_bucket(ns, HISTOGRAM_NS_BUCKETS);

	atomic64_inc(&vm->stats.latency[bucket]);
}

/* Value of a bucket, for histogram_show(). Process context, no lock needed. */
static u64 latency_count(const void *vm, unsigned int bucket)
{
	const struct acrn_stats *stats = &((const struct acrn_vm *)vm)->stats;

	return atomic64_read(&stats->latency[bucket]);
}

static int latency_show(struct seq_file *seq, void *unused)
{
	histogram_show(seq, HISTOGRAM_NS_BUCKETS, latency_count);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

/**
 * acrn_debugfs_init() - Make the directory of the module
 *
 * Context: Process context, may sleep. The module is being loaded.
 */
void acrn_debugfs_init(void)
{
	top = debugfs_create_dir("acrn_hsm", NULL);
	debugfs_create_key("measure_latency", top, &acrn_latency_key);
}

/**
 * acrn_debugfs_exit() - Undo acrn_debugfs_init()
 *
 * Context: Process context, may sleep. There is no VM any more.
 */
void acrn_debugfs_exit(void)
{
	debugfs_remove(top);
}

/**
 * acrn_debugfs_add() - Show the counters of a VM
 * @vm:	VM with its id
 *
 * Context: Process context, may sleep. No other VM gets the id before
 *	    acrn_debugfs_remove().
 */
void acrn_debugfs_add(struct acrn_vm *vm)
{
	char name[16];

	snprintf(name, sizeof(name), "vm%u", vm->vmid);
	vm->debugfs_dir = debugfs_create_dir(name, top);
	debugfs_create_file("latency", 0400, vm->debugfs_dir, vm,
			    &latency_fops);
}

/**
 * acrn_debugfs_remove() - Undo acrn_debugfs_add()
 * @vm:	VM
 *
 * Removes the files of the data plane as well. When this returns, nobody reads
 * any of them.
 *
 * Context: Process context, may sleep. vmid_lock of vm.c is held if the id may
 *	    be that of another VM soon.
 */
void acrn_debugfs_remove(struct acrn_vm *vm)
{
	debugfs_remove(vm->debugfs_dir);
	vm->debugfs_dir = NULL;
}

/**
 * acrn_hsm_debugfs_dir() - Directory for the data plane's files about a VM
 * @vm:	User VM
 *
 * The directory is removed with all its files before &acrn_dataplane_ops.detach
 * is called.
 *
 * Context: Any. The directory is there until the VM is destroyed.
 * Return: the directory, for debugfs_create_file()
 */
struct dentry *acrn_hsm_debugfs_dir(struct acrn_vm *vm)
{
	return vm->debugfs_dir;
}
EXPORT_SYMBOL_NS_GPL(acrn_hsm_debugfs_dir, ACRN_HSM);
