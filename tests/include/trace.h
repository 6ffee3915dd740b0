/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own trace, for what happened between two moments. */
#ifndef TRACE_H
#define TRACE_H

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define TRACE_DIR "/sys/kernel/tracing/"

/* Write @text to a file of tracefs, replacing its contents. */
static inline void trace_set(const char *file, const char *text)
{
	char path[128];
	ssize_t taken;
	int fd;

	snprintf(path, sizeof(path), TRACE_DIR "%s", file);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", path);
	/* Some files take a word at a time. */
	for (; *text; text += taken) {
		taken = write(fd, text, strlen(text));
		if (taken <= 0)
			err(1, "%s to %s", text, path);
	}
	close(fd);
}

/*
 * The file tracing_on, kept open, because opening it causes events itself. The
 * files of a program share it.
 */
__attribute__((weak)) int trace_on_fd = -1;

static inline void trace_on(bool on)
{
	if (write(trace_on_fd, on ? "1" : "0", 1) != 1)
		err(1, TRACE_DIR "tracing_on");
}

/* Begin with an empty trace that is off; times are those of tsc(). */
static inline void trace_init(void)
{
	if (mount("tracefs", TRACE_DIR, "tracefs", 0, NULL) && errno != EBUSY)
		err(1, TRACE_DIR);
	trace_on_fd = open(TRACE_DIR "tracing_on", O_WRONLY | O_CLOEXEC);
	trace_on(false);
	trace_set("trace_clock", "x86-tsc");
	trace_set("buffer_size_kb", "4096");
	trace_set("trace", "\n");
}

/* End tracing and leave no settings behind. */
static inline void trace_exit(void)
{
	trace_on(false);
	close(trace_on_fd);
	trace_set("current_tracer", "nop");
	trace_set("events/enable", "0");
	trace_set("trace", "\n");
}

/* Call @see for each line of the trace, with the time and what was traced. */
static inline void trace_read(void (*see)(uint64_t time, const char *what,
					  void *context),
			      void *context)
{
	FILE *file = fopen(TRACE_DIR "trace", "r");
	char line[512], *what, *time;

	if (!file)
		err(1, TRACE_DIR "trace");
	/* task-pid [cpu] flags TIME: WHAT */
	while (fgets(line, sizeof(line), file)) {
		what = strstr(line, ": ");
		if (line[0] == '#' || !what)
			continue;
		*what = '\0';
		time = strrchr(line, ' ');
		if (time)
			see(strtoull(time, NULL, 10), what + 2, context);
	}
	fclose(file);
}

#endif /* TRACE_H */
