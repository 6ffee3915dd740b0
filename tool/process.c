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

/**
 * process_name() - What program a process runs
 * @pid:	Process
 * @name:	Where to; empty when it is gone
 * @size:	Bytes of @name
 */
void process_name(uint64_t pid, char *name, size_t size)
{
	char word[32];

	files_word(word, sizeof(word), "/proc/%" PRIu64 "/comm", pid);
	copy_plain(name, size, word);
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
	char line[MAX_ARGUMENTS], program[32];
	const char *last = "", *found = "", *at = line;
	size_t len;

	len = files_read(line, sizeof(line), "/proc/%" PRIu64 "/cmdline", pid);
	process_name(pid, program, sizeof(program));
	while (at < line + len) {
		if (!strcmp(last, "--name"))
			found = at;
		last = at;
		at += strlen(at) + 1;
	}
	if (!*found && !strncmp(program, "acrn-dm", strlen("acrn-dm")))
		found = last;
	copy_plain(name, size, found);
}
