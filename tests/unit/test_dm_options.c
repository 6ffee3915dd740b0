// sources: dm/options/options.c dm/options/device_options.c dm/options/fields.c dm/process/log.c
// SPDX-License-Identifier: GPL-2.0
/* The device model's command line. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dm/options/options.h"
#include "tap.h"

static void memory(void)
{
	static const char *const bad[] = {
		"",    "M",  "lots", "-2M", "1M",  "3M",
		"2MM", "2T", "0",    "2 M", "17G", "99999999999999999999"
	};
	uint64_t size;
	unsigned int i;

	tap_ok(!options_memory(NULL, &size, "128M") && size == 128 << 20,
	       "128M");
	tap_ok(!options_memory(NULL, &size, "1G") && size == 1 << 30, "1G");
	tap_ok(!options_memory(NULL, &size, "4096K") && size == 4 << 20,
	       "4096K");
	tap_ok(!options_memory(NULL, &size, "2097152") && size == 2 << 20,
	       "bytes");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tap_ok(options_memory(NULL, &size, bad[i]), "no memory: '%s'",
		       bad[i]);
}

static void cpus(void)
{
	static const char *const bad[] = {
		"",    ",",   "2,",  ",2",
		"2,2", "64",  "-1",  "a",
		"2 3", "2;3", "0x2", "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"
	};
	uint64_t mask;
	unsigned int i;

	tap_ok(!options_cpus(NULL, &mask, "2,3") && mask == 0xc, "two");
	tap_ok(!options_cpus(NULL, &mask, "63") && mask == 1ULL << 63,
	       "the last");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tap_ok(options_cpus(NULL, &mask, bad[i]), "no CPUs: '%s'",
		       bad[i]);
}

static void nets(void)
{
	static const char *const bad[] = { "",
					   "tap=",
					   "vhost=on",
					   "tap=a,vhost=maybe",
					   "tap=a,mac=1:2:3",
					   "tap=a,mac=01:00:00:00:00:00",
					   "tap=a,mac=52:54:00:00:00:01x",
					   "tap=a,queues=0",
					   "tap=a,queues=9",
					   "tap=a,queues=",
					   "tap=a,busyloop=1001",
					   "tap=a,busyloop=-1",
					   "tap=a,busyloop=1,vhost=off",
					   "tap=name-of-16-chars",
					   "tap=a,tap=b",
					   "tap" };
	struct net_options net, other;
	unsigned int i;

	tap_ok(!options_net("tap=tap0", &net) && !strcmp(net.tap, "tap0"),
	       "tap");
	tap_ok(net.vhost && net.queues == 1 && !net.busyloop,
	       "vhost and one pair of queues unless told otherwise");
	tap_ok((net.mac[0] & 3) == 2, "a local address");
	options_net("tap=tap1", &other);
	tap_ok(memcmp(net.mac, other.mac, 6), "another for another tap");
	tap_ok(!options_net("vhost=off,mac=52:54:00:aa:bb:cc,tap=x,queues=8",
			    &net) &&
		       !net.vhost && net.mac[5] == 0xcc && net.queues == 8,
	       "all of it");
	tap_ok(!options_net("tap=x,busyloop=1000", &net) &&
		       net.busyloop == 1000,
	       "busyloop");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tap_ok(options_net(bad[i], &net), "no device: '%s'", bad[i]);
}

static void blks(void)
{
	static const char *const bad[] = {
		"",
		"path=",
		"ro",
		"path=a,backend=thread",
		"path=a,queues=0",
		"path=a,queues=17",
		"path=a,queues=2x",
		"path=a,queues=-1",
		"path=a,queues=+1",
		"path=a,queues= 1",
		"path=a,busyloop=1001",
		"path=a,busyloop=",
		"path=a,busyloop=1,backend=uring",
		"path=a,serial=",
		"path=a,serial=twenty-one-characters",
		"path=a,rw",
		"path",
	};
	struct blk_options blk;
	unsigned int i;

	tap_ok(!options_blk("path=/dev/x", &blk) && !strcmp(blk.path, "/dev/x"),
	       "path");
	tap_ok(blk.backend == BLK_VHOST && !blk.read_only && blk.queues == 1 &&
		       !*blk.serial,
	       "vhost, one queue, writable, without a serial number");
	tap_ok(!options_blk("serial=12345678901234567890,queues=16,ro,"
			    "backend=uring,path=f",
			    &blk) &&
		       blk.backend == BLK_URING && blk.read_only &&
		       blk.queues == 16 && strlen(blk.serial) == 20,
	       "all of it");
	tap_ok(!options_blk("path=f,busyloop=50", &blk) && blk.busyloop == 50,
	       "busyloop");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tap_ok(options_blk(bad[i], &blk), "no disk: '%s'", bad[i]);
}

static void vsocks(void)
{
	static const char *const bad[] = {
		"",	  "cid",    "cid=",	   "cid=2", "cid=4294967295",
		"cid=-3", "cid=3x", "cid=3,cid=4", "3"
	};
	unsigned int cid, i;

	tap_ok(!options_vsock("cid=3", &cid) && cid == 3, "the first");
	tap_ok(!options_vsock("cid=4294967294", &cid) && cid == 4294967294,
	       "the last");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		tap_ok(options_vsock(bad[i], &cid), "no address: '%s'", bad[i]);
}

static int parse(struct options *options, const char *line)
{
	static char copy[200];
	char *argv[24] = { "vhost-dm" };
	int argc = 1;
	char *word;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok(copy, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_parse(options, argc, argv);
}

static void whole(void)
{
	struct options options;

	tap_ok(!parse(&options, "--cpu-affinity 2 --kernel k"), "the least");
	tap_eq(options.memory, 128 << 20, "its memory");
	tap_ok(!options.initrd && !options.stats && !options.net_count &&
		       !options.vsock_cid,
	       "nothing else");
	tap_ok(!parse(&options, "--kernel k --cpu-affinity 2,3 --name n "
				"--initrd i --memory 1G --hugepages --stats s "
				"--completion-polling --net tap=a "
				"--net tap=b,vhost=off --vsock cid=7") &&
		       options.hugepages && options.completion_polling &&
		       options.net_count == 2 && !options.nets[1].vhost &&
		       options.vsock_cid == 7,
	       "everything");
	tap_ok(!parse(&options, "--help") && options.help, "help alone");
	tap_ok(parse(&options, ""), "nothing");
	tap_ok(parse(&options, "--kernel k"), "no CPUs");
	tap_ok(parse(&options, "--cpu-affinity 2"), "no kernel");
	tap_ok(parse(&options, "--cpu-affinity 2 --kernel k --vsock cid=3 "
			       "--vsock cid=4"),
	       "two addresses");
	tap_ok(parse(&options, "--cpu-affinity 2 --kernel k extra"), "extra");
	tap_ok(parse(&options, "--cpu-affinity 2 --kernel k --nonsense"),
	       "an option that is none");
	tap_ok(parse(&options, "--cpu-affinity 2 --kernel k --name "
			       "0123456789abcdef"),
	       "a name that is too long");
}

int main(void)
{
	memory();
	cpus();
	nets();
	blks();
	vsocks();
	whole();
	return tap_done();
}
