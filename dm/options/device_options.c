// SPDX-License-Identifier: GPL-2.0
/*
 * The options that add a device: --net, --blk and --vsock. Main thread, before
 * there are others.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options/device_options.h"
#include "process/log.h"

/* Six bytes in hexadecimal, not those of a multicast address. */
static int parse_mac(const struct field *field, void *to, const char *text)
{
	unsigned int byte[MAC_SIZE], i;
	uint8_t *mac = to;
	int length = 0;

	(void)field;
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1],
		   &byte[2], &byte[3], &byte[4], &byte[5],
		   &length) != MAC_SIZE ||
	    text[length])
		return -EINVAL;
	for (i = 0; i < MAC_SIZE; i++)
		mac[i] = byte[i];
	return mac[0] & 1 ? -EINVAL : 0;
}

const struct field net_fields[] = {
	{ "tap", "TAP",
	  "name of a tap device that exists, made with multi_queue for "
	  "more than one pair of queues",
	  field_text, .offset = offsetof(struct net_options, tap),
	  .max = IFNAMSIZ - 1, .required = true },
	{ "mac", "MAC",
	  "address of the guest's interface, such as 52:54:00:12:34:56, "
	  "not a multicast one",
	  parse_mac, .offset = offsetof(struct net_options, mac) },
	{ "vhost", "off|on",
	  "whether the kernel moves the packets (on) or this process does",
	  field_choice, .offset = offsetof(struct net_options, vhost) },
	{ "queues", "N", "number of pairs of queues that the guest may use (1)",
	  field_number, .offset = offsetof(struct net_options, queues),
	  .min = 1, .max = NET_MAX_PAIRS },
	{ "busyloop", "N",
	  "microseconds that vhost waits for packets before it asks for "
	  "a doorbell (0)",
	  field_number, .offset = offsetof(struct net_options, busyloop),
	  .max = OPTIONS_MAX_BUSYLOOP },
	{ 0 },
};

const struct field blk_fields[] = {
	{ "path", "PATH", "file or block device", field_text,
	  .offset = offsetof(struct blk_options, path), .max = PATH_MAX - 1,
	  .required = true },
	{ "backend", "vhost|uring",
	  "whether the kernel handles the requests (vhost) or this "
	  "process does, by io_uring (uring)",
	  field_choice, .offset = offsetof(struct blk_options, backend) },
	{ "ro", NULL, "the guest can only read",
	  .offset = offsetof(struct blk_options, read_only) },
	{ "serial", "ID",
	  "serial number that the guest sees, up to 20 characters", field_text,
	  .offset = offsetof(struct blk_options, serial),
	  .max = BLK_SERIAL_SIZE },
	{ "queues", "N", "number of queues (1)", field_number,
	  .offset = offsetof(struct blk_options, queues), .min = 1,
	  .max = BLK_MAX_QUEUES },
	{ "busyloop", "N",
	  "microseconds that vhost waits for requests before it asks for "
	  "a doorbell (0)",
	  field_number, .offset = offsetof(struct blk_options, busyloop),
	  .max = OPTIONS_MAX_BUSYLOOP },
	{ 0 },
};

const struct field vsock_fields[] = {
	{ "cid", "N", "the guest's address, which is no other guest's",
	  field_number, .min = VSOCK_MIN_CID, .max = VSOCK_MAX_CID,
	  .required = true },
	{ 0 },
};

/* Make a locally administered address that differs from tap to tap. */
static void set_default_mac(struct net_options *net)
{
	uint32_t hash = 2166136261; /* FNV-1a */
	const char *p;

	for (p = net->tap; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619;
	net->mac[0] = 0x52;
	net->mac[1] = 0x54;
	memcpy(&net->mac[2], &hash, sizeof(hash));
}

static int check_busyloop(const char *option, unsigned int busyloop, bool vhost)
{
	if (!busyloop || vhost)
		return 0;
	log_error("--%s: busyloop=%u is refused; only vhost waits", option,
		  busyloop);
	return -EBADMSG;
}

/* Parse the value of --net. Returns 0 or -errno, with a message printed. */
int options_net(const char *text, struct net_options *net)
{
	static const struct field_table table = { "--net: ", "", '=',
						  net_fields };
	static const uint8_t none[MAC_SIZE];
	int ret;

	*net = (struct net_options){ .vhost = true, .queues = 1 };
	ret = fields_parse(&table, net, text);
	if (!ret)
		ret = check_busyloop("net", net->busyloop, net->vhost);
	if (!ret && !memcmp(net->mac, none, sizeof(none)))
		set_default_mac(net);
	return ret;
}

/* Parse the value of --blk. Returns 0 or -errno, with a message printed. */
int options_blk(const char *text, struct blk_options *blk)
{
	static const struct field_table table = { "--blk: ", "", '=',
						  blk_fields };
	int ret;

	*blk = (struct blk_options){ .queues = 1 };
	ret = fields_parse(&table, blk, text);
	return ret ? ret
		   : check_busyloop("blk", blk->busyloop,
				    blk->backend == BLK_VHOST);
}

/* Parse the value of --vsock. Returns 0 or -errno, with a message printed. */
int options_vsock(const char *text, unsigned int *cid)
{
	static const struct field_table table = { "--vsock: ", "", '=',
						  vsock_fields };

	return fields_parse(&table, cid, text);
}
