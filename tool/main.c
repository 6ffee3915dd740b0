// SPDX-License-Identifier: GPL-2.0
/*
 * acrn-vhost: what keeps acrn_hsm, acrn_vhost and vhost_blk from working on
 * this machine, and what they do. The program has one thread, reads files and
 * changes nothing.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "acrn_vhost_version.h"
#include "check.h"
#include "files.h"
#include "stat.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	bool has_options;
	const char *about;
} commands[] = {
	{ "check", check_main, false,
	  "what stands in the way on this machine" },
	{ "stat", stat_main, true,
	  "what User VMs and disks do: rates, or -1 for sums" },
	{ "list", list_main, false, "User VMs, their device models and disks" },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static int usage(FILE *to)
{
	fprintf(to,
		"usage: acrn-vhost [--root FOLDER] COMMAND [OPTION...]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-6s %s\n", commands[i].name, commands[i].about);
	fprintf(to, "\nSee acrn-vhost(1).\n");
	return to == stdout ? 0 : 2;
}

static bool asks_for_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h");
}

/* Run the command of argv[0]; those with options have a usage of their own. */
static int run(const struct command *command, int argc, char **argv)
{
	bool help;

	if (command->has_options || argc == 1)
		return command->run(argc, argv);
	help = argc == 2 && asks_for_help(argv[1]);
	fprintf(help ? stdout : stderr, "usage: acrn-vhost %s\n",
		command->name);
	return help ? 0 : 2;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "--root")) {
		files_set_root(argv[2]);
		if (!files_exist("/proc")) {
			fprintf(stderr,
				"acrn-vhost: there is no %s/proc: FOLDER is to be "
				"the root of a machine\n",
				argv[2]);
			return 1;
		}
		argc -= 2;
		argv += 2;
	}
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--version")) {
		printf("acrn-vhost %s\n", ACRN_VHOST_VERSION);
		return 0;
	}
	if (asks_for_help(argv[1]))
		return usage(stdout);
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return run(&commands[i], argc - 1, argv + 1);
	return usage(stderr);
}
