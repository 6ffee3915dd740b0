/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TAP output for tests in C, as kselftest prints it: a line for each check, and
 * the plan at the end. The output of a test that has died has no plan.
 *
 *	int main(void)
 *	{
 *		tap_ok(add(1, 1) == 2, "one and one");
 *		tap_errno(ioctl(fd, FOO, 0), EINVAL, "FOO of nothing");
 *		return tap_done();
 *	}
 */
#ifndef TAP_H
#define TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * struct tap_counts - Numbers of checks so far
 * @run:	Checks that were made or skipped
 * @failed:	Checks that have failed
 */
struct tap_counts {
	int run;
	int failed;
};

/*
 * Shared by the files of a program; tap_group.h has its children share it too.
 */
__attribute__((weak)) struct tap_counts tap_own;
__attribute__((weak)) struct tap_counts *tap_counts = &tap_own;

/* Print a diagnostic line. */
__attribute__((format(printf, 1, 2), unused)) static void
tap_diag(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

/* One check: @pass decides, @fmt names it. Returns @pass. */
__attribute__((format(printf, 2, 3), unused)) static bool
tap_ok(bool pass, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", pass ? "" : "not ", ++tap_counts->run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	tap_counts->failed += !pass;
	return pass;
}

/* A check that cannot be made here, and why. */
__attribute__((format(printf, 2, 3), unused)) static void
tap_skip(const char *why, const char *fmt, ...)
{
	va_list ap;

	printf("ok %d - ", ++tap_counts->run);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(" # SKIP %s\n", why);
	fflush(stdout);
}

/* @got and @want are the same number; shows both when they are not. */
#define tap_eq(got, want, ...)                                                 \
	do {                                                                   \
		unsigned long long g_ = (got), w_ = (want);                    \
		if (!tap_ok(g_ == w_, __VA_ARGS__))                            \
			tap_diag("got %#llx, want %#llx", g_, w_);             \
	} while (0)

/* A call returned 0 or more; shows errno when it did not. */
#define tap_success(call, ...)                                                 \
	do {                                                                   \
		long r_ = (call);                                              \
		int e_ = errno;                                                \
		if (!tap_ok(r_ >= 0, __VA_ARGS__))                             \
			tap_diag("got %ld: %s", r_, strerror(e_));             \
	} while (0)

/* A call returned -1 and set errno to @want. */
#define tap_errno(call, want, ...)                                             \
	do {                                                                   \
		long r_ = (call);                                              \
		int e_ = errno;                                                \
		if (!tap_ok(r_ == -1 && e_ == (want), __VA_ARGS__))            \
			tap_diag("got %ld: %s, want -1: %s", r_,               \
				 r_ == -1 ? strerror(e_) : "no error",         \
				 strerror(want));                              \
	} while (0)

/* Print the plan. Returns the exit status of the test program. */
__attribute__((unused)) static int tap_done(void)
{
	printf("1..%d\n", tap_counts->run);
	fflush(stdout);
	return tap_counts->failed || !tap_counts->run ? EXIT_FAILURE
						      : EXIT_SUCCESS;
}

/* How much longer than usual everything may take, as the harness says. */
static inline int tap_slowness(void)
{
	const char *text = getenv("slowness");
	int times = text ? atoi(text) : 1;

	return times > 0 ? times : 1;
}

#endif /* TAP_H */
