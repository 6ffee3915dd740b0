// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/mem.h"
#include "machine/hsm.h"
#include "options/options.h"
#include "process/log.h"

#define DEFAULT_NAME	"vm"
#define DEFAULT_MEMORY	(128ULL << 20)
#define DEFAULT_CMDLINE "console=ttyS0"

/* As much as the HSM's segments cover with small pages, see hsm.c. */
#define MAX_MEMORY (16ULL << 30)

static const char usage[] =
	"Usage: vhost-dm --cpu-affinity LIST --kernel BZIMAGE [OPTION]...\n"
	"\n"
	"Run Linux in a User VM of the ACRN hypervisor. Its first serial port is\n"
	"on standard input and output; on a terminal, Control-] ends the VM.\n"
	"\n"
	"  --cpu-affinity LIST   physical CPUs, such as 2,3: a vCPU on each\n"
	"  --kernel BZIMAGE      Linux kernel to boot\n"
	"  --initrd FILE         its initramfs\n"
	"  --cmdline STRING      its command line (" DEFAULT_CMDLINE ")\n"
	"  --memory SIZE         RAM, with K, M or G, a multiple of 2M (128M)\n"
	"  --hugepages           RAM in pages of 2 MiB\n"
	"  --name NAME           name of the VM, up to 15 characters (" DEFAULT_NAME
	")\n"
	"  --net tap=TAP[,mac=MAC][,vhost=on|off][,queues=N][,busyloop=N]\n"
	"                        virtio-net on an existing tap device; vhost=off\n"
	"                        moves packets in this process instead of the\n"
	"                        kernel (on); with N pairs of queues, up to 8 (1),\n"
	"                        of which the guest uses as many as it likes, and\n"
	"                        for more than one TAP has to be multi_queue; the\n"
	"                        kernel waits busyloop microseconds for packets\n"
	"                        before it asks for a doorbell (0); may be given\n"
	"                        several times\n"
	"  --blk path=PATH[,backend=vhost|uring][,ro][,serial=ID][,queues=N]\n"
	"      [,busyloop=N]\n"
	"                        virtio-blk on a file or block device; uring handles\n"
	"                        requests in this process instead of the kernel\n"
	"                        (vhost), which waits busyloop microseconds for\n"
	"                        requests before it asks for a doorbell (0); may be\n"
	"                        given several times\n"
	"  --vsock cid=N         virtio-vsock on the kernel's vhost-vsock: N is the\n"
	"                        guest's address, from 3 on, of which there is one\n"
	"                        in the Service VM\n"
	"  --completion-polling  vCPUs spin for the completion of their I/O\n"
	"  --stats FILE          write counters there at the end, in JSON\n"
	"  --help                this text\n"
	"\n"
	"Exit status: 0 the guest powered off, or a signal ended the VM; 1 error;\n"
	"2 the guest crashed (triple fault).\n";

void options_usage(void)
{
	fputs(usage, stdout);
}

/* A number with K, M or G behind it. Returns 0 or -EINVAL, message printed. */
int options_memory(const char *text, uint64_t *memory)
{
	unsigned int shift = 0;
	char *end;

	errno = 0;
	*memory = strtoull(text, &end, 10);
	if (errno || end == text || *text == '-')
		goto fail;
	if (*end == 'K')
		shift = 10;
	else if (*end == 'M')
		shift = 20;
	else if (*end == 'G')
		shift = 30;
	if (shift)
		end++;
	if (*end || !*memory || *memory > MAX_MEMORY >> shift)
		goto fail;
	*memory <<= shift;
	if (*memory % MEM_GRANULE == 0)
		return 0;
fail:
	log_error("--memory %s: a size such as 128M is needed, a multiple of "
		  "2M, up to 16G",
		  text);
	return -EINVAL;
}

/* Numbers with commas between. Returns 0 or -EINVAL, message printed. */
int options_cpus(const char *text, uint64_t *cpus)
{
	const char *p = text;
	unsigned long cpu;
	char *end;

	*cpus = 0;
	do {
		cpu = strtoul(p, &end, 10);
		if (end == p || *p == '-' || cpu >= HSM_MAX_CPUS ||
		    (*end && *end != ','))
			goto fail;
		if (*cpus & 1ULL << cpu)
			goto fail;
		*cpus |= 1ULL << cpu;
		p = end + 1;
	} while (*end);
	if (__builtin_popcountll(*cpus) <= HSM_MAX_VCPUS)
		return 0;
fail:
	log_error("--cpu-affinity %s: a list of different physical CPUs such "
		  "as 2,3 is needed, at most %d",
		  text, HSM_MAX_VCPUS);
	return -EINVAL;
}

static bool parse_number(const char *text, unsigned int min, unsigned int max,
			 unsigned int *number)
{
	unsigned long value;
	char *end;

	value = strtoul(text, &end, 10);
	if (end == text || *end || *text == '-' || value < min || value > max)
		return false;
	*number = value;
	return true;
}

/* Six bytes in hexadecimal, of a single interface. */
static bool parse_mac(const char *text, uint8_t *mac)
{
	unsigned int byte[MAC_SIZE], i;
	int length = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1],
		   &byte[2], &byte[3], &byte[4], &byte[5],
		   &length) != MAC_SIZE ||
	    text[length])
		return false;
	for (i = 0; i < MAC_SIZE; i++)
		mac[i] = byte[i];
	return !(mac[0] & 1);
}

/* A locally administered address that differs from tap to tap. */
static void default_mac(struct net_options *net)
{
	uint32_t hash = 2166136261; /* FNV-1a */
	const char *p;

	for (p = net->tap; *p; p++)
		hash = (hash ^ (uint8_t)*p) * 16777619;
	net->mac[0] = 0x52;
	net->mac[1] = 0x54;
	memcpy(&net->mac[2], &hash, sizeof(hash));
}

static bool parse_net_field(char *field, struct net_options *net)
{
	char *value = strchr(field, '=');

	if (!value)
		return false;
	*value++ = 0;
	if (!strcmp(field, "tap")) {
		if (!*value || strlen(value) >= sizeof(net->tap))
			return false;
		strcpy(net->tap, value);
		return true;
	}
	if (!strcmp(field, "mac"))
		return parse_mac(value, net->mac);
	if (!strcmp(field, "vhost")) {
		net->vhost = !strcmp(value, "on");
		return net->vhost || !strcmp(value, "off");
	}
	if (!strcmp(field, "queues"))
		return parse_number(value, 1, NET_MAX_PAIRS, &net->queues);
	if (!strcmp(field, "busyloop"))
		return parse_number(value, 0, OPTIONS_MAX_BUSYLOOP,
				    &net->busyloop);
	return false;
}

/* tap=TAP and so on. Returns 0 or -EINVAL, message printed. */
int options_net(const char *text, struct net_options *net)
{
	static const uint8_t none[MAC_SIZE];
	char *copy = strdup(text);
	char *save, *field;
	bool ok = copy;

	*net = (struct net_options){ .vhost = true, .queues = 1 };
	for (field = ok ? strtok_r(copy, ",", &save) : NULL; ok && field;
	     field = strtok_r(NULL, ",", &save))
		ok = parse_net_field(field, net);
	free(copy);
	if (!ok || !*net->tap || (net->busyloop && !net->vhost)) {
		log_error(
			"--net %s: tap=TAP[,mac=MAC][,vhost=on|off][,queues=N]"
			"[,busyloop=N] is needed, with the address of a single "
			"interface, up to %d queues and, for vhost, busyloop "
			"for up to %d microseconds",
			text, NET_MAX_PAIRS, OPTIONS_MAX_BUSYLOOP);
		return -EINVAL;
	}
	if (!memcmp(net->mac, none, sizeof(none)))
		default_mac(net);
	return 0;
}

static int add_net(struct options *options, const char *text)
{
	if (options->net_count == OPTIONS_MAX_NETS) {
		log_error("more than %d times --net", OPTIONS_MAX_NETS);
		return -EINVAL;
	}
	return options_net(text, &options->nets[options->net_count++]);
}

static bool set_text(char *to, size_t size, const char *text)
{
	if (!*text || strlen(text) >= size)
		return false;
	strcpy(to, text);
	return true;
}

static bool parse_backend(const char *text, enum blk_backend_kind *kind)
{
	static const char *const names[] = {
		[BLK_VHOST] = "vhost",
		[BLK_URING] = "uring",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]))
			continue;
		*kind = i;
		return true;
	}
	return false;
}

static bool parse_blk_field(char *field, struct blk_options *blk)
{
	char *value = strchr(field, '=');

	if (!strcmp(field, "ro")) {
		blk->read_only = true;
		return true;
	}
	if (!value)
		return false;
	*value++ = 0;
	if (!strcmp(field, "path"))
		return set_text(blk->path, sizeof(blk->path), value);
	if (!strcmp(field, "serial"))
		return set_text(blk->serial, sizeof(blk->serial), value);
	if (!strcmp(field, "queues"))
		return parse_number(value, 1, BLK_MAX_QUEUES, &blk->queues);
	if (!strcmp(field, "busyloop"))
		return parse_number(value, 0, OPTIONS_MAX_BUSYLOOP,
				    &blk->busyloop);
	if (!strcmp(field, "backend"))
		return parse_backend(value, &blk->backend);
	return false;
}

/* path=PATH and so on. Returns 0 or -EINVAL, message printed. */
int options_blk(const char *text, struct blk_options *blk)
{
	char *copy = strdup(text);
	char *save, *field;
	bool ok = copy;

	*blk = (struct blk_options){ .queues = 1 };
	for (field = ok ? strtok_r(copy, ",", &save) : NULL; ok && field;
	     field = strtok_r(NULL, ",", &save))
		ok = parse_blk_field(field, blk);
	free(copy);
	if (ok && *blk->path && (!blk->busyloop || blk->backend == BLK_VHOST))
		return 0;
	log_error("--blk %s: path=PATH[,backend=vhost|uring][,ro][,serial=ID]"
		  "[,queues=N][,busyloop=N] is needed, with up to %d bytes of "
		  "ID, up to %d queues and, for vhost, busyloop for up to %d "
		  "microseconds",
		  text, BLK_SERIAL_SIZE, BLK_MAX_QUEUES, OPTIONS_MAX_BUSYLOOP);
	return -EINVAL;
}

static int add_blk(struct options *options, const char *text)
{
	if (options->blk_count == OPTIONS_MAX_BLKS) {
		log_error("more than %d times --blk", OPTIONS_MAX_BLKS);
		return -EINVAL;
	}
	return options_blk(text, &options->blks[options->blk_count++]);
}

/* cid=N. Returns 0 or -EINVAL, message printed. */
int options_vsock(const char *text, unsigned int *cid)
{
	if (!strncmp(text, "cid=", 4) &&
	    parse_number(text + 4, VSOCK_MIN_CID, VSOCK_MAX_CID, cid))
		return 0;
	log_error("--vsock %s: cid=N is needed, with a number from %u to %u",
		  text, VSOCK_MIN_CID, VSOCK_MAX_CID);
	return -EINVAL;
}

static int set_vsock(struct options *options, const char *text)
{
	if (options->vsock_cid) {
		log_error("more than one --vsock");
		return -EINVAL;
	}
	return options_vsock(text, &options->vsock_cid);
}

static int set_name(struct options *options, const char *name)
{
	options->name = name;
	if (*name && strlen(name) <= OPTIONS_MAX_NAME)
		return 0;
	log_error("--name %s: 1 to %d characters are needed", name,
		  OPTIONS_MAX_NAME);
	return -EINVAL;
}

enum option_id {
	OPT_CPU_AFFINITY,
	OPT_KERNEL,
	OPT_INITRD,
	OPT_CMDLINE,
	OPT_MEMORY,
	OPT_HUGEPAGES,
	OPT_NAME,
	OPT_NET,
	OPT_BLK,
	OPT_VSOCK,
	OPT_COMPLETION_POLLING,
	OPT_STATS,
	OPT_HELP,
};

static const struct option long_options[] = {
	{ "cpu-affinity", required_argument, NULL, OPT_CPU_AFFINITY },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "cmdline", required_argument, NULL, OPT_CMDLINE },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "hugepages", no_argument, NULL, OPT_HUGEPAGES },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "net", required_argument, NULL, OPT_NET },
	{ "blk", required_argument, NULL, OPT_BLK },
	{ "vsock", required_argument, NULL, OPT_VSOCK },
	{ "completion-polling", no_argument, NULL, OPT_COMPLETION_POLLING },
	{ "stats", required_argument, NULL, OPT_STATS },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static int parse_one(struct options *options, int option, const char *value)
{
	switch (option) {
	case OPT_CPU_AFFINITY:
		return options_cpus(value, &options->cpus);
	case OPT_KERNEL:
		options->kernel = value;
		return 0;
	case OPT_INITRD:
		options->initrd = value;
		return 0;
	case OPT_CMDLINE:
		options->cmdline = value;
		return 0;
	case OPT_MEMORY:
		return options_memory(value, &options->memory);
	case OPT_HUGEPAGES:
		options->hugepages = true;
		return 0;
	case OPT_NAME:
		return set_name(options, value);
	case OPT_NET:
		return add_net(options, value);
	case OPT_BLK:
		return add_blk(options, value);
	case OPT_VSOCK:
		return set_vsock(options, value);
	case OPT_COMPLETION_POLLING:
		options->completion_polling = true;
		return 0;
	case OPT_STATS:
		options->stats = value;
		return 0;
	case OPT_HELP:
		options->help = true;
		return 0;
	default:
		/* getopt has told what is wrong with it. */
		return -EINVAL;
	}
}

static int check_complete(const struct options *options)
{
	if (options->help)
		return 0;
	if (!options->cpus) {
		log_error("--cpu-affinity is missing: on which physical CPUs "
			  "may the VM run?");
		return -EINVAL;
	}
	if (!options->kernel) {
		log_error("--kernel is missing: which bzImage shall the VM "
			  "boot?");
		return -EINVAL;
	}
	return 0;
}

/* Returns 0 or -EINVAL, with a message printed. */
int options_parse(struct options *options, int argc, char **argv)
{
	int option, ret;

	*options = (struct options){
		.name = DEFAULT_NAME,
		.memory = DEFAULT_MEMORY,
		.cmdline = DEFAULT_CMDLINE,
	};
	optind = 1;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) !=
	       -1) {
		ret = parse_one(options, option, optarg);
		if (ret)
			return ret;
	}
	if (optind < argc) {
		log_error("'%s' is no option", argv[optind]);
		return -EINVAL;
	}
	return check_complete(options);
}
