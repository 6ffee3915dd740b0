// SPDX-License-Identifier: GPL-2.0
/* Messages to the user, on stderr. */
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "process/log.h"

/* A guest gets this many lines in that many seconds. */
#define GUEST_LINES   10
#define GUEST_SECONDS 5

static void print(const char *fmt, va_list ap)
{
	flockfile(stderr);
	fputs("vhost-dm: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}

/* Something that the user has to know or change. */
void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print(fmt, ap);
	va_end(ap);
}

static bool may_print(void)
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

/* Something that the guest did and can do again: limited in rate. */
void log_guest(const char *fmt, ...)
{
	va_list ap;

	if (!may_print())
		return;
	va_start(ap, fmt);
	print(fmt, ap);
	va_end(ap);
}
