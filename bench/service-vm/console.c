// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command in a User VM over its console, as ssh does over a network:
 *
 *	console N counters guest COMMAND...
 *
 * The console is that of start_vm in tests/system/lib.sh: output in
 * /run/vmN.log, input from /run/vmN.in. It sleeps until there is output, so
 * that a load in the User VM is alone.
 */
#include <err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* What the command prints last, the line of counters.c */
#define MARK_DONE "load: done "

#define GIVE_UP_MS 60000

static int open_vm(const char *vm, const char *kind, int flags)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/run/vm%s.%s", vm, kind);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

/* Tells when the console has printed something. */
static int watch(const char *vm)
{
	int fd = inotify_init1(IN_CLOEXEC);
	char path[32];

	snprintf(path, sizeof(path), "/run/vm%s.log", vm);
	if (fd < 0 || inotify_add_watch(fd, path, IN_MODIFY) < 0)
		err(1, "watch %s", path);
	return fd;
}

/* Blocks until the console has more than it had. */
static void wait_for_output(int watcher)
{
	struct pollfd poller = { .fd = watcher, .events = POLLIN };
	char events[4096];

	if (poll(&poller, 1, GIVE_UP_MS) != 1)
		errx(1, "the User VM says nothing");
	if (read(watcher, events, sizeof(events)) < 0)
		err(1, "inotify");
}

static void send(const char *vm, char **words)
{
	int fd = open_vm(vm, "in", O_WRONLY);

	for (; *words; words++)
		dprintf(fd, "%s%c", *words, words[1] ? ' ' : '\n');
	close(fd);
}

/* Pass the console's output on, a line at a time, until the command is done. */
static void pass_on(FILE *console, int watcher)
{
	char line[65536];
	size_t len = 0;

	for (;;) {
		clearerr(console);
		if (!fgets(line + len, sizeof(line) - len, console)) {
			wait_for_output(watcher);
			continue;
		}
		len += strlen(line + len);
		if (line[len - 1] != '\n' && len < sizeof(line) - 1)
			continue;
		len = 0;
		fputs(line, stdout);
		fflush(stdout);
		if (strstr(line, MARK_DONE))
			return;
	}
}

int main(int argc, char **argv)
{
	FILE *console;
	int fd, watcher;

	if (argc < 3)
		errx(2, "usage: console N COMMAND...");
	fd = open_vm(argv[1], "log", O_RDONLY);
	lseek(fd, 0, SEEK_END);
	console = fdopen(fd, "r");
	if (!console)
		err(1, "console");
	watcher = watch(argv[1]);
	send(argv[1], argv + 2);
	pass_on(console, watcher);
	return 0;
}
