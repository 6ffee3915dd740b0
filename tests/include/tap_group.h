/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Groups of checks, each in a process of its own. When a group hangs or dies,
 * the other groups are still run.
 */
#ifndef TAP_GROUP_H
#define TAP_GROUP_H

#include <err.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

/* Most groups take less than a second. On slow machines this is multiplied. */
#define TAP_GROUP_SECONDS 30
#define TAP_KILL_SECONDS  5

/* Let child processes continue to count where this program does. */
static inline void tap_share_counts(void)
{
	struct tap_counts *shared;

	if (tap_counts != &tap_own)
		return;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "counts");
	*shared = tap_own;
	tap_counts = shared;
}

static inline int tap_group_seconds(void)
{
	return TAP_GROUP_SECONDS * tap_slowness();
}

/* Whether the process @pidfd ends within @seconds. */
static inline bool tap_ends(int pidfd, int seconds)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	return poll(&ended, 1, seconds * 1000) == 1;
}

/* Print the kernel stack of a process. */
static inline void tap_show_stack(pid_t pid)
{
	char path[64], line[128];
	FILE *stack;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	stack = fopen(path, "re");
	if (!stack)
		return;
	while (fgets(line, sizeof(line), stack)) {
		line[strcspn(line, "\n")] = '\0';
		tap_diag("%s", line);
	}
	fclose(stack);
}

/*
 * Wait for the process of a group. One that hangs in the kernel and cannot be
 * killed is left there.
 */
static inline void tap_group_wait(const char *name, pid_t pid, int seconds)
{
	int pidfd = pidfd_open(pid, 0), status;

	if (pidfd < 0)
		err(1, "pidfd_open");
	if (!tap_ends(pidfd, seconds)) {
		tap_show_stack(pid);
		kill(pid, SIGKILL);
		tap_ok(false, "%s: ends within %d s", name, seconds);
		if (!tap_ends(pidfd, TAP_KILL_SECONDS))
			tap_diag("%s: it cannot be killed", name);
	} else if (waitpid(pid, &status, 0) == pid && status) {
		tap_ok(false, "%s: comes to its end", name);
		tap_diag("%s: wait status %#x", name, status);
	}
	close(pidfd);
}

/* Run a group of checks in a child process, and wait for its end. */
static inline void tap_group(const char *name, void (*checks)(void))
{
	pid_t pid;

	tap_share_counts();
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		checks();
		fflush(stdout);
		_exit(0);
	}
	tap_group_wait(name, pid, tap_group_seconds());
}

#endif /* TAP_GROUP_H */
