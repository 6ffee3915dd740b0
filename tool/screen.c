// SPDX-License-Identifier: GPL-2.0
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "screen.h"

#define HOME	    "\033[H"
#define CLEAR_LINE  "\033[K"
#define CLEAR_BELOW "\033[J"

/* Of a terminal that does not know its size, such as a serial line */
#define DEFAULT_ROWS	24
#define DEFAULT_COLUMNS 80

static int signals = -1;
static bool has_keys;
static struct termios before;

/* Have keys arrive one by one, and not appear on the screen. */
static void take_keys(void)
{
	struct termios raw = before;

	if (!has_keys)
		return;
	raw.c_lflag &= ~(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/**
 * screen_begin() - Take the terminal
 *
 * Signals that end the program become events of screen_wait(), so that the
 * terminal is given back.
 *
 * Return: whether standard output is one; otherwise nothing has happened
 */
bool screen_begin(void)
{
	sigset_t set;

	if (!isatty(STDOUT_FILENO))
		return false;
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	has_keys = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &before);
	take_keys();
	return true;
}

/* Give the terminal back; the cursor is below what it shows. */
void screen_end(void)
{
	if (has_keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	close(signals);
}

/**
 * screen_show() - Replace what the screen shows
 * @text:	Lines; what does not fit on the screen is left out
 */
void screen_show(const char *text)
{
	struct winsize size = { 0 };
	int rows, columns;

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	rows = size.ws_row ?: DEFAULT_ROWS;
	columns = size.ws_col ?: DEFAULT_COLUMNS;
	printf(HOME);
	/* The last row is for the cursor. */
	for (int row = 1; row < rows && *text; row++) {
		int len = strcspn(text, "\n");

		printf(CLEAR_LINE "%.*s\r\n", len < columns ? len : columns,
		       text);
		text += len + (text[len] == '\n');
	}
	printf(CLEAR_BELOW);
	fflush(stdout);
}

static enum screen_event take_signal(void)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof(info)) != sizeof(info))
		return SCREEN_QUIT;
	switch (info.ssi_signo) {
	case SIGCONT:
		take_keys();
		return SCREEN_CHANGED;
	case SIGWINCH:
		return SCREEN_CHANGED;
	}
	return SCREEN_QUIT;
}

static bool is_quit_key(void)
{
	char key;

	return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q';
}

/* Seconds of CLOCK_MONOTONIC. */
double screen_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/**
 * screen_wait() - Wait for something to do
 * @until:	Time, by screen_now()
 *
 * Without a screen there is nothing to do before that time.
 *
 * Return: SCREEN_TIME: that time has come; SCREEN_CHANGED: the screen has
 *	   another size or was used by others; SCREEN_QUIT: the user has had
 *	   enough
 */
enum screen_event screen_wait(double until)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = has_keys ? STDIN_FILENO : -1, .events = POLLIN },
	};
	double left;

	while ((left = until - screen_now()) > 0) {
		struct timespec time = {
			.tv_sec = (time_t)left,
			.tv_nsec = (left - (time_t)left) * 1e9,
		};

		if (ppoll(fds, 2, &time, NULL) <= 0)
			continue;
		if (fds[0].revents)
			return take_signal();
		if (fds[1].revents && is_quit_key())
			return SCREEN_QUIT;
	}
	return SCREEN_TIME;
}
