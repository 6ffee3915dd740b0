/* SPDX-License-Identifier: GPL-2.0 */
/* The command line. Used by the main thread, before there are others. */
#ifndef DM_OPTIONS_H
#define DM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "options/device_options.h"

#define OPTIONS_MAX_NETS 8
#define OPTIONS_MAX_BLKS 8
#define OPTIONS_MAX_NAME 15

/**
 * struct options - The meaning of a command line
 * @name:		Name of the VM
 * @cpus:		Physical CPUs, a bit each
 * @memory:		Bytes of RAM
 * @kernel:		Path of the bzImage
 * @initrd:		Path of the initramfs or NULL
 * @cmdline:		Kernel command line
 * @stats:		Path for the counters or NULL
 * @completion_polling: vCPUs spin for their I/O requests
 * @hugepages:		RAM in 2 MiB pages
 * @help:		--help was given; required options may be missing
 * @nets:		Network devices
 * @net_count:		Number of network devices
 * @blks:		Disks
 * @blk_count:		Number of disks
 * @vsock_cid:		Context id of the vsock device, 0 for none
 */
struct options {
	const char *name;
	uint64_t cpus;
	uint64_t memory;
	const char *kernel;
	const char *initrd;
	const char *cmdline;
	const char *stats;
	bool completion_polling;
	bool hugepages;
	bool help;
	struct net_options nets[OPTIONS_MAX_NETS];
	unsigned int net_count;
	struct blk_options blks[OPTIONS_MAX_BLKS];
	unsigned int blk_count;
	unsigned int vsock_cid;
};

int options_parse(struct options *options, int argc, char **argv);
int options_memory(const struct field *field, void *to, const char *text);
int options_cpus(const struct field *field, void *to, const char *text);
void options_usage(void);

#endif /* DM_OPTIONS_H */
