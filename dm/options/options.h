/* SPDX-License-Identifier: GPL-2.0 */
/* The command line: what it asks for, and what it may contain. */
#ifndef DM_OPTIONS_H
#define DM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <limits.h>
#include <net/if.h>

#include "options/fields.h"

#define OPTIONS_MAX_NETS 8
#define OPTIONS_MAX_BLKS 8
#define OPTIONS_MAX_NAME 15
#define MAC_SIZE	 6

/* Microseconds: a wait of more than a millisecond costs more than a doorbell.
 */
#define OPTIONS_MAX_BUSYLOOP 1000

/* A pair of queues takes a vhost-net device, or a thread. */
#define NET_MAX_PAIRS 8

/* What vhost-blk allows. */
#define BLK_MAX_QUEUES	16
#define BLK_SERIAL_SIZE 20

/**
 * struct net_options - One --net
 * @tap:	Name of the tap device
 * @mac:	Address of the guest's interface
 * @queues:	Pairs of queues
 * @busyloop:	Microseconds that vhost waits for packets before it asks for a
 *		doorbell
 * @vhost:	1: vhost-net moves the packets; 0: this process does
 */
struct net_options {
	char tap[IFNAMSIZ];
	uint8_t mac[MAC_SIZE];
	unsigned int queues;
	unsigned int busyloop;
	unsigned int vhost;
};

/* What handles the requests to a disk, in the order of backend= in blk_fields.
 */
enum blk_backend_kind {
	BLK_VHOST,
	BLK_URING,
};

/**
 * struct blk_options - One --blk
 * @path:	File or block device
 * @serial:	What the guest sees as its serial number
 * @queues:	Number of queues
 * @busyloop:	Microseconds that vhost waits for requests before it asks for a
 *		doorbell
 * @read_only:	The guest must not write to it
 * @backend:	What handles its requests
 */
struct blk_options {
	char path[PATH_MAX];
	char serial[BLK_SERIAL_SIZE + 1];
	unsigned int queues;
	unsigned int busyloop;
	bool read_only;
	enum blk_backend_kind backend;
};

/* Context ids: 0 to 2 and the highest one have other meanings. */
#define VSOCK_MIN_CID 3
#define VSOCK_MAX_CID 4294967294U

/**
 * struct options - What was asked for
 * @name:		Name of the VM
 * @cpus:		Physical CPUs, a bit each
 * @memory:		Bytes of RAM
 * @kernel:		Path of the bzImage
 * @initrd:		Path of the initramfs or NULL
 * @cmdline:		Kernel command line
 * @stats:		Path for the counters or NULL
 * @completion_polling: vCPUs spin for their I/O requests
 * @hugepages:		RAM in 2 MiB pages
 * @help:		--help was given; nothing else is checked
 * @nets:		Network devices
 * @net_count:		Their number
 * @blks:		Disks
 * @blk_count:		Their number
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

extern const struct field net_fields[];
extern const struct field blk_fields[];
extern const struct field vsock_fields[];

int options_parse(struct options *options, int argc, char **argv);
int options_memory(const char *text, uint64_t *memory);
int options_cpus(const char *text, uint64_t *cpus);
int options_blk(const char *text, struct blk_options *blk);
int options_net(const char *text, struct net_options *net);
int options_vsock(const char *text, unsigned int *cid);
void options_usage(void);

#endif /* DM_OPTIONS_H */
