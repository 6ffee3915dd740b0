/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checks of what the in-tree HSM does otherwise. Each names the entry of
 * Documentation/differences.md that says so, and holds that entry against the
 * in-tree HSM as well: the first expectation is for ours, the second for the
 * in-tree one. `make check` looks for names without an entry.
 */
#ifndef DIFFERS_H
#define DIFFERS_H

#include "raw_vm.h"
#include "tap.h"

/* What the name of such a check begins with on the in-tree HSM. */
static inline const char *differs_tag(const char *difference)
{
	static char tag[64];

	if (!raw_hsm_is_in_tree())
		return "";
	snprintf(tag, sizeof(tag), "differs: %s: ", difference);
	return tag;
}

/* The errno of a call; 0: it succeeds. */
#define differs_errno(difference, call, ours, in_tree, fmt, ...)               \
	do {                                                                   \
		int e_ = (call) < 0 ? errno : 0;                               \
		int w_ = raw_hsm_is_in_tree() ? (in_tree) : (ours);            \
		if (!tap_ok(e_ == w_, "%s" fmt, differs_tag(difference),       \
			    ##__VA_ARGS__))                                    \
			tap_diag("got: %s, want: %s", strerror(e_),            \
				 strerror(w_));                                \
	} while (0)

/* A number. */
#define differs_eq(difference, got, ours, in_tree, fmt, ...)                   \
	tap_eq(got, raw_hsm_is_in_tree() ? (in_tree) : (ours), "%s" fmt,       \
	       differs_tag(difference), ##__VA_ARGS__)

/*
 * What must not be tried on the in-tree HSM, for the reason @why. True there,
 * and the check is skipped.
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
