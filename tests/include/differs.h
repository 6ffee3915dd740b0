/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks whose result differs between our HSM and the in-tree one. Each names
 * the entry of Documentation/differences.md that describes the difference, and
 * has two expectations: the first for our HSM, the second for the in-tree one.
 * So both are checked against the entry. `make check` refuses names without an
 * entry.
 */
#ifndef DIFFERS_H
#define DIFFERS_H

#include "raw_vm.h"
#include "tap.h"

/* Prefix for the name of such a check on the in-tree HSM */
static inline const char *differs_tag(const char *difference)
{
	static char tag[64];

	if (!raw_hsm_is_in_tree())
		return "";
	snprintf(tag, sizeof(tag), "differs: %s: ", difference);
	return tag;
}

/* A call fails with an errno, or succeeds if that is 0. */
#define differs_errno(difference, call, ours, in_tree, fmt, ...)               \
	do {                                                                   \
		int e_ = (call) < 0 ? errno : 0;                               \
		int w_ = raw_hsm_is_in_tree() ? (in_tree) : (ours);            \
		if (!tap_ok(e_ == w_, "%s" fmt, differs_tag(difference),       \
			    ##__VA_ARGS__))                                    \
			tap_diag("got: %s, want: %s", strerror(e_),            \
				 strerror(w_));                                \
	} while (0)

/* A number has a value. */
#define differs_eq(difference, got, ours, in_tree, fmt, ...)                   \
	tap_eq(got, raw_hsm_is_in_tree() ? (in_tree) : (ours), "%s" fmt,       \
	       differs_tag(difference), ##__VA_ARGS__)

/*
 * Skip the check @name on the in-tree HSM, where it must not be tried for the
 * reason @why. Returns true there.
 */
static inline bool differs_skip(const char *difference, const char *why,
				const char *name)
{
	char text[160];

	if (!raw_hsm_is_in_tree())
		return false;
	snprintf(text, sizeof(text), "differs: %s, %s", difference, why);
	tap_skip(text, "%s", name);
	return true;
}

#endif /* DIFFERS_H */
