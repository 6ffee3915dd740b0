// SPDX-License-Identifier: GPL-2.0
/*
 * Executes COMMAND with a terminal as its standard input. A child copies this
 * program's standard input to that terminal.
 *
 * Usage: on_tty COMMAND...
 *
 * For acrn-dm, which reads a User VM's console input only from a terminal
 * (devicemodel/hw/uart_core.c).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 127;
}

/* The child: ends when COMMAND or the input does. */
static void copy_input(int terminal)
{
	char text[256];
	ssize_t length;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((length = read(STDIN_FILENO, text, sizeof(text))) > 0)
		if (write(terminal, text, length) != length)
			_exit(1);
	_exit(0);
}

int main(int argc, char **argv)
{
	int master, slave;

	if (argc < 2) {
		fprintf(stderr, "usage: on_tty COMMAND...\n");
		return 127;
	}
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) || unlockpt(master))
		return fail("on_tty: no terminal");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave < 0)
		return fail("on_tty: no terminal");

	switch (fork()) {
	case -1:
		return fail("on_tty: fork");
	case 0:
		close(slave);
		copy_input(master);
	}
	dup2(slave, STDIN_FILENO);
	close(slave);
	execvp(argv[1], argv + 1);
	return fail(argv[1]);
}
