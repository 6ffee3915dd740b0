// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the kernel's samples/acrn/vm-sample.c, unchanged: a user of the HSM's
 * interface that is not part of this project. The sample prints each request of
 * its User VM, whose code is guest16.S, until SIGINT ends it.
 *
 * The sample's VM names no physical CPU, so the hypervisor has to have one for
 * such VMs.
 */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "raw_vm.h"
#include "tap.h"

#define SAMPLE	"/bin/vm-sample"
#define WAIT_MS 10000

/**
 * struct sample - The running sample
 * @pid:	Its process
 * @out:	Its output, through a terminal so that it does not buffer
 */
struct sample {
	pid_t pid;
	FILE *out;
};

static struct sample sample_start(void)
{
	struct sample sample;
	int fd;

	sample.pid = forkpty(&fd, NULL, NULL, NULL);
	if (sample.pid < 0)
		err(1, "forkpty");
	if (!sample.pid) {
		execl(SAMPLE, SAMPLE, NULL);
		err(1, SAMPLE);
	}
	sample.out = fdopen(fd, "r");
	/* Unbuffered, because poll() does not see what was read ahead. */
	setvbuf(sample.out, NULL, _IONBF, 0);
	return sample;
}

/* Read a line, without its end; empty when none comes within WAIT_MS. */
static void read_line(const struct sample *sample, char *line, int size)
{
	struct pollfd ready = { .fd = fileno(sample->out), .events = POLLIN };

	if (poll(&ready, 1, WAIT_MS) != 1 || !fgets(line, size, sample->out))
		*line = 0;
	line[strcspn(line, "\r\n")] = 0;
}

static void expect(const struct sample *sample, const char *wanted)
{
	char line[128];

	read_line(sample, line, sizeof(line));
	if (!tap_ok(!strcmp(line, wanted), "%s", wanted))
		tap_diag("it says: %s", line);
}

static void expect_end(const struct sample *sample)
{
	int status = -1;

	kill(sample->pid, SIGINT);
	expect(sample, "Destroy VM! [0]");
	waitpid(sample->pid, &status, 0);
	tap_eq(status, 0, "it ends well");
	fclose(sample->out);
}

static void run(void)
{
	static const char *const lines[] = {
		"Created VM! [0]",
		"Set up VM memory! [0]",
		"Set up VM BSP registers! [0]",
		"Created IO request client! [0]",
		"Start VM! [0]",
		"Guest VM write PIO[3f8] with size[1]",
		"Guest VM write PIO[3f8] with size[1]",
		"Guest VM read PIO[3fd] with size[1]",
		"Guest VM write PIO[1f0] with size[2]",
		"Guest VM read PIO[1f0] with size[2]",
		"Guest VM write PIO[510] with size[4]",
		"Guest VM read PIO[510] with size[4]",
	};
	struct sample sample = sample_start();

	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect(&sample, lines[i]);
	expect_end(&sample);
}

int main(void)
{
	run();
	tap_diag("once more: what the first run had is free again");
	run();
	tap_eq(pages_pinned(), 0, "no page is pinned");
	return tap_done();
}
