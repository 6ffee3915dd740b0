/* SPDX-License-Identifier: GPL-2.0 */
/* What --net, --blk and --vsock say of a device. */
#ifndef DM_DEVICE_OPTIONS_H
#define DM_DEVICE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <limits.h>
#include <net/if.h>

#include "options/fields.h"

#define MAC_SIZE 6

/*
 * Microseconds: a wait of more than a millisecond costs more than a doorbell.
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

/*
 * What handles the requests to a disk, in the order of backend= in blk_fields.
 */
enum blk_backend_kind {
	BLK_VHOST,
	BLK_URING,
};

/**
 * struct blk_options - One --blk
 * @path:	File or block device
 * @serial:	Serial number of the disk for the guest
 * @queues:	Number of queues
 * @busyloop:	Microseconds that vhost waits for requests before it asks for a
 *		doorbell
 * @read_only:	The guest must not write to it
 * @backend:	Handles the requests
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

extern const struct field net_fields[];
extern const struct field blk_fields[];
extern const struct field vsock_fields[];

int options_net(const char *text, struct net_options *net);
int options_blk(const char *text, struct blk_options *blk);
int options_vsock(const char *text, unsigned int *cid);

#endif /* DM_DEVICE_OPTIONS_H */
