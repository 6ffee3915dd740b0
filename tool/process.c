// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "files.h"
#include "process.h"

#define MAX_ARGUMENTS 4096

/*
 * Copy a name. Bytes that a terminal would obey, or that JSON would have to
 * escape, become question marks: a command line may have any.
 */
static void copy_plain(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
	for (; *to; to++)
		if (*to <= ' ' || *to > '~' || *to == '"' || *to == '\\')
			*to = '?';
}

/* Read a command line, words that end with 0. Returns its length. */
static size_t read_command(char *line, uint64_t pid)
{
	return files_read(line, MAX_ARGUMENTS, "/proc/%" PRIu64 "/cmdline",
			  pid);
}

/* The program of a command line, without its folder. */
static const char *program_of(const char *line)
{
	const char *slash = strrchr(line, '/');

	return slash ? slash + 1 : line;
}

/**
 * process_name() - What program a process runs
 * @pid:	Process
 * @name:	Where to; empty when it is gone
 * @size:	Bytes of @name
 *
 * The kernel's name for the process is of no use: it is that of the first
 * thread, and acrn-dm calls that mevent.
 */
void process_name(uint64_t pid, char *name, size_t size)
{
	char line[MAX_ARGUMENTS];

	read_command(line, pid);
	copy_plain(name, size, program_of(line));
}

/**
 * process_vm_name() - What name a device model has given its VM
 * @pid:	Process
 * @name:	Where to; empty when it cannot be told
 * @size:	Bytes of @name
 *
 * acrn-dm has it as its last argument, vhost-dm behind --name.
 */
void process_vm_name(uint64_t pid, char *name, size_t size)
{
	const char *last = "", *found = "", *program, *at;
	char line[MAX_ARGUMENTS];
	size_t len;

	len = read_command(line, pid);
	program = program_of(line);
	for (at = line; at < line + len; at += strlen(at) + 1) {
		if (!strcmp(last, "--name"))
			found = at;
		last = at;
	}
	if (!*found && !strncmp(program, "acrn-dm", strlen("acrn-dm")))
		found = last;
	copy_plain(name, size, found);
}
