/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks that work on the fixture alone, the hypervisor of tests/hypervisor:
 * they read or write its registers, or need the devices that it emulates. On
 * any other hypervisor they are skipped, and named in the output.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "raw_hv.h"
#include "tap.h"

/*
 * Skip a check that needs @what of the fixture. Returns true if this is not the
 * fixture.
 */
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

/* tap_ok() and tap_eq() for values of the fixture's registers */
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
