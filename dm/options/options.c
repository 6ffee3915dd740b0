// SPDX-License-Identifier: GPL-2.0
/*
 * Main thread, before there are others.
 */
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

/* RAM that the HSM's segments can cover with small pages, see hsm.c. */
#define MAX_MEMORY (16ULL << 30)

/* A number, with K, M or G behind it or nothing. As @parse of struct field. */
int options_memory(const struct field *field, void *to, const char *text)
{
	unsigned int shift = 0;
	uint64_t memory;
	char *end;

	(void)field;
	errno = 0;
	memory = strtoull(text, &end, 10);
	if (errno || end == text || *text == '-')
		return -EINVAL;
	if (*end == 'K')
		shift = 10;
	else if (*end == 'M')
		shift = 20;
	else if (*end == 'G')
		shift = 30;
	if (shift)
		end++;
	if (*end || !memory || memory > MAX_MEMORY >> shift ||
	    (memory << shift) % MEM_GRANULE)
		return -EINVAL;
	*(uint64_t *)to = memory << shift;
	return 0;
}

/*
 * Numbers of different physical CPUs with commas between, which become a bit
 * each. As @parse of struct field.
 */
int options_cpus(const struct field *field, void *to, const char *text)
{
	uint64_t cpus = 0;
	unsigned long cpu;
	char *end;

	(void)field;
	do {
		cpu = strtoul(text, &end, 10);
		if (end == text || *text == '-' || cpu >= HSM_MAX_CPUS ||
		    (*end && *end != ',') || cpus & 1ULL << cpu)
			return -EINVAL;
		cpus |= 1ULL << cpu;
		text = end + 1;
	} while (*end);
	if (__builtin_popcountll(cpus) > HSM_MAX_VCPUS)
		return -EINVAL;
	*(uint64_t *)to = cpus;
	return 0;
}

/* A text that stays where it is. As @parse of struct field. */
static int set_text(const struct field *field, void *to, const char *text)
{
	if (field->max && (!*text || strlen(text) > field->max))
		return -EINVAL;
	*(const char **)to = text;
	return 0;
}

static int too_many(const struct field *field, unsigned int max)
{
	log_error("--%s is given more than %u time%s", field->name, max,
		  max == 1 ? "" : "s");
	return -E2BIG;
}

static int add_net(const struct field *field, void *to, const char *text)
{
	struct options *options = to;

	if (options->net_count == OPTIONS_MAX_NETS)
		return too_many(field, OPTIONS_MAX_NETS);
	return options_net(text, &options->nets[options->net_count++]);
}

static int add_blk(const struct field *field, void *to, const char *text)
{
	struct options *options = to;

	if (options->blk_count == OPTIONS_MAX_BLKS)
		return too_many(field, OPTIONS_MAX_BLKS);
	return options_blk(text, &options->blks[options->blk_count++]);
}

static int set_vsock(const struct field *field, void *to, const char *text)
{
	unsigned int *cid = to;

	return *cid ? too_many(field, 1) : options_vsock(text, cid);
}

static const struct field defs[] = {
	{ "cpu-affinity", "LIST",
	  "different physical CPUs, such as 2,3, at most 16: a vCPU on each",
	  options_cpus, .offset = offsetof(struct options, cpus),
	  .required = true },
	{ "kernel", "BZIMAGE", "Linux kernel to boot", set_text,
	  .offset = offsetof(struct options, kernel), .required = true },
	{ "initrd", "FILE", "its initramfs", set_text,
	  .offset = offsetof(struct options, initrd) },
	{ "cmdline", "STRING", "its command line (" DEFAULT_CMDLINE ")",
	  set_text, .offset = offsetof(struct options, cmdline) },
	{ "memory", "SIZE",
	  "RAM, such as 128M, with K, M or G, a multiple of 2M, up to 16G (128M)",
	  options_memory, .offset = offsetof(struct options, memory) },
	{ "hugepages", NULL, "RAM in pages of 2 MiB",
	  .offset = offsetof(struct options, hugepages) },
	{ "name", "NAME",
	  "name of the VM, up to 15 characters (" DEFAULT_NAME ")", set_text,
	  .offset = offsetof(struct options, name), .max = OPTIONS_MAX_NAME },
	{ "net", "tap=TAP[,...]",
	  "add a virtio-net device; may be given several times", add_net,
	  .fields = net_fields },
	{ "blk", "path=PATH[,...]",
	  "add a virtio-blk device; may be given several times", add_blk,
	  .fields = blk_fields },
	{ "vsock", "cid=N",
	  "add a virtio-vsock device on the kernel's vhost-vsock", set_vsock,
	  .offset = offsetof(struct options, vsock_cid),
	  .fields = vsock_fields },
	{ "completion-polling", NULL,
	  "vCPUs spin for the completion of their I/O",
	  .offset = offsetof(struct options, completion_polling) },
	{ "stats", "FILE", "write counters there at the end, in JSON", set_text,
	  .offset = offsetof(struct options, stats) },
	{ "help", NULL, "print this text",
	  .offset = offsetof(struct options, help) },
	{ 0 },
};

#define DEFS (sizeof(defs) / sizeof(defs[0]) - 1)

static const struct field_table table = { "", "--", ' ', defs };

/* Print the help, all of which is in the tables. */
void options_usage(void)
{
	unsigned int i;

	printf("Usage: vhost-dm");
	for (i = 0; i < DEFS; i++)
		if (defs[i].required)
			printf(" --%s %s", defs[i].name, defs[i].value);
	printf(" [OPTION]...\n"
	       "\n"
	       "Run Linux in a User VM of the ACRN hypervisor. Its first serial port is\n"
	       "on standard input and output; on a terminal, Control-] ends the VM.\n"
	       "\n");
	fields_print(&table, 2);
	printf("\n"
	       "Exit status: 0 the guest powered off, or a signal ended the VM; 1 error;\n"
	       "2 the guest crashed (triple fault).\n");
}

/* Make the table that getopt_long() wants of ours. */
static void fill_long_options(struct option *long_options)
{
	unsigned int i;

	for (i = 0; i < DEFS; i++)
		long_options[i] = (struct option){
			.name = defs[i].name,
			.has_arg =
				defs[i].value ? required_argument : no_argument,
			.val = i,
		};
	long_options[DEFS] = (struct option){ 0 };
}

/* Parse the command line. Returns 0 or -errno, with a message printed. */
int options_parse(struct options *options, int argc, char **argv)
{
	struct option long_options[DEFS + 1];
	uint32_t given = 0;
	int i, ret;

	*options = (struct options){
		.name = DEFAULT_NAME,
		.memory = DEFAULT_MEMORY,
		.cmdline = DEFAULT_CMDLINE,
	};
	fill_long_options(long_options);
	optind = 1;
	while ((i = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		/* getopt_long() has printed what is wrong with the option. */
		if (i == '?')
			return -EINVAL;
		ret = field_set(&table, &defs[i], options, optarg);
		if (ret)
			return ret;
		given |= 1U << i;
	}
	if (optind < argc) {
		log_error("'%s' is not an option", argv[optind]);
		return -EINVAL;
	}
	return options->help ? 0 : fields_check_required(&table, given);
}
