/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks that only the hypervisor of tests/hypervisor, the fixture, can be put
 * to: they read or write its registers, or know its invented devices. On any
 * other machine they are skipped by name.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "raw_hv.h"
#include "tap.h"

/* Skip what needs @what of the fixture where there is no fixture. */
__attribute__((format(printf, 2, 3), unused)) static bool
fixture_skip(const char *what, const char *fmt, ...)
{
	char why[64], name[160];
	va_list ap;

	if (hv_is_fixture())
		return false;
	snprintf(why, sizeof(why), "needs the fixture's %s", what);
	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	tap_skip(why, "%s", name);
	return true;
}

/* tap_ok() and tap_eq() of what the fixture's registers say. */
#define fixture_ok(pass, ...)                                                  \
	do {                                                                   \
		if (!fixture_skip("registers", __VA_ARGS__))                   \
			tap_ok(pass, __VA_ARGS__);                             \
	} while (0)

#define fixture_eq(got, want, ...)                                             \
	do {                                                                   \
		if (!fixture_skip("registers", __VA_ARGS__))                   \
			tap_eq(got, want, __VA_ARGS__);                        \
	} while (0)

#endif /* FIXTURE_H */
