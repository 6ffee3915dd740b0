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

/* RAM that the HSM's segments can cover with small pages, see hsm.c. */
#define MAX_MEMORY (16ULL << 30)

/* Columns of the help: where explanations begin, and where lines end. */
#define HELP_INDENT 24
#define HELP_WIDTH  79

/**
 * options_memory() - Parse the value of --memory
 * @text:	A number, with K, M or G behind it or nothing
 * @memory:	Result: bytes
 *
 * Return: 0 or -EINVAL, with a message printed.
 */
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

/**
 * options_cpus() - Parse the value of --cpu-affinity
 * @text:	Numbers of physical CPUs with commas between
 * @cpus:	Result: a bit for each
 *
 * Return: 0 or -EINVAL, with a message printed.
 */
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

static int set_cpus(struct options *options, const char *text)
{
	return options_cpus(text, &options->cpus);
}

static int set_memory(struct options *options, const char *text)
{
	return options_memory(text, &options->memory);
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

static int add_net(struct options *options, const char *text)
{
	if (options->net_count == OPTIONS_MAX_NETS) {
		log_error("more than %d times --net", OPTIONS_MAX_NETS);
		return -EINVAL;
	}
	return options_net(text, &options->nets[options->net_count++]);
}

static int add_blk(struct options *options, const char *text)
{
	if (options->blk_count == OPTIONS_MAX_BLKS) {
		log_error("more than %d times --blk", OPTIONS_MAX_BLKS);
		return -EINVAL;
	}
	return options_blk(text, &options->blks[options->blk_count++]);
}

static int set_vsock(struct options *options, const char *text)
{
	if (options->vsock_cid) {
		log_error("more than one --vsock");
		return -EINVAL;
	}
	return options_vsock(text, &options->vsock_cid);
}

/**
 * struct option_def - An option of the command line
 * @name:	Name, without the dashes
 * @value:	Placeholder of the value in the help; NULL if there is no value
 * @help:	What the option does
 * @required:	Nothing works without it, but --help
 * @set:	Checks the value and stores its meaning. Returns 0 or -errno,
 *		with a message printed. NULL stores the value itself, or true if
 *		there is none.
 * @offset:	Place of a const char *, or of a bool, in struct options for an
 *		option without @set
 * @fields:	Fields of the value, for the help; NULL if it has none
 */
struct option_def {
	const char *name;
	const char *value;
	const char *help;
	bool required;
	int (*set)(struct options *options, const char *value);
	size_t offset;
	const struct field *fields;
};

/* Parser, messages and help are made from this table. */
static const struct option_def defs[] = {
	{ "cpu-affinity", "LIST", "physical CPUs, such as 2,3: a vCPU on each",
	  .required = true, .set = set_cpus },
	{ "kernel", "BZIMAGE", "Linux kernel to boot", .required = true,
	  .offset = offsetof(struct options, kernel) },
	{ "initrd", "FILE", "its initramfs",
	  .offset = offsetof(struct options, initrd) },
	{ "cmdline", "STRING", "its command line (" DEFAULT_CMDLINE ")",
	  .offset = offsetof(struct options, cmdline) },
	{ "memory", "SIZE", "RAM, with K, M or G, a multiple of 2M (128M)",
	  .set = set_memory },
	{ "hugepages", NULL, "RAM in pages of 2 MiB",
	  .offset = offsetof(struct options, hugepages) },
	{ "name", "NAME",
	  "name of the VM, up to 15 characters (" DEFAULT_NAME ")",
	  .set = set_name },
	{ "net", "tap=TAP[,...]",
	  "add a virtio-net device; may be given several times", .set = add_net,
	  .fields = net_fields },
	{ "blk", "path=PATH[,...]",
	  "add a virtio-blk device; may be given several times", .set = add_blk,
	  .fields = blk_fields },
	{ "vsock", "cid=N",
	  "add a virtio-vsock device on the kernel's vhost-vsock",
	  .set = set_vsock, .fields = vsock_fields },
	{ "completion-polling", NULL,
	  "vCPUs spin for the completion of their I/O",
	  .offset = offsetof(struct options, completion_polling) },
	{ "stats", "FILE", "write counters there at the end, in JSON",
	  .offset = offsetof(struct options, stats) },
	{ "help", NULL, "print this text",
	  .offset = offsetof(struct options, help) },
};

#define DEFS (sizeof(defs) / sizeof(defs[0]))

/* Print an entry of the help: its name, then lines of explanation beside it. */
static void print_entry(int indent, const char *prefix, const char *name,
			char separator, const char *value, const char *help)
{
	int column, length;

	column = printf("%*s%s%s", indent, "", prefix, name);
	if (value)
		column += printf("%c%s", separator, value);
	if (column > HELP_INDENT - 2)
		column = HELP_WIDTH;
	while (*help) {
		length = strcspn(help, " ");
		if (column + 1 + length > HELP_WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (column < HELP_INDENT)
			column += printf("%*s", HELP_INDENT - column, "");
		else
			column += printf(" ");
		column += printf("%.*s", length, help);
		help += length;
		help += strspn(help, " ");
	}
	putchar('\n');
}

static void print_fields(const struct field *field)
{
	char what[256];

	for (; field->name; field++) {
		fields_describe(field, what, sizeof(what));
		print_entry(6, "", field->name, '=', field->value, what);
	}
}

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
	for (i = 0; i < DEFS; i++) {
		print_entry(2, "--", defs[i].name, ' ', defs[i].value,
			    defs[i].help);
		if (defs[i].fields)
			print_fields(defs[i].fields);
	}
	printf("\n"
	       "Exit status: 0 the guest powered off, or a signal ended the VM; 1 error;\n"
	       "2 the guest crashed (triple fault).\n");
}

static int set_option(struct options *options, const struct option_def *def,
		      const char *value)
{
	char *to = (char *)options + def->offset;

	if (def->set)
		return def->set(options, value);
	if (def->value)
		*(const char **)to = value;
	else
		*(bool *)to = true;
	return 0;
}

/* Bit n of @given says that option n was given. */
static int check_required(const struct options *options, uint32_t given)
{
	unsigned int i;

	for (i = 0; i < DEFS && !options->help; i++) {
		if (!defs[i].required || given & 1U << i)
			continue;
		log_error("--%s %s is missing: %s", defs[i].name, defs[i].value,
			  defs[i].help);
		return -EINVAL;
	}
	return 0;
}

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
		ret = set_option(options, &defs[i], optarg);
		if (ret)
			return ret;
		given |= 1U << i;
	}
	if (optind < argc) {
		log_error("'%s' is not an option", argv[optind]);
		return -EINVAL;
	}
	return check_required(options, given);
}
