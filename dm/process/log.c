// SPDX-License-Identifier: GPL-2.0
/*
 * Messages on stderr. Any thread: the lock of stderr keeps lines whole, and a
 * lock of its own guards the limit for the guest's messages.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "process/log.h"

/*
 * A guest can cause as many messages as it likes; so many lines are printed in
 * so many seconds.
 */
#define GUEST_LINES   10
#define GUEST_SECONDS 5

static void print_line(const char *fmt, va_list ap)
{
	flockfile(stderr);
	fputs("vhost-dm: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

/* Print something that the user has to know or to change. */
void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_line(fmt, ap);
	va_end(ap);
}

/* Whether one more message about the guest is within the limit. Any thread. */
static bool guest_may_print(void)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct timespec start;
	static unsigned int lines;
	struct timespec now;
	bool may;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pthread_mutex_lock(&lock);
	if (!lines || now.tv_sec - start.tv_sec >= GUEST_SECONDS) {
		start = now;
		lines = 0;
	}
	may = lines < GUEST_LINES;
	lines += may;
	pthread_mutex_unlock(&lock);
	return may;
}

/* Print something that the guest did and can repeat; limited in rate. */
void log_guest(const char *fmt, ...)
{
	va_list ap;

	if (!guest_may_print())
		return;
	va_start(ap, fmt);
	print_line(fmt, ap);
	va_end(ap);
}
