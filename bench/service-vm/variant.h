/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The variant under which a program measures, if its User VM rings a doorbell.
 *
 * To be included by one source file of a program.
 */
#ifndef VARIANT_H
#define VARIANT_H

#include <stdbool.h>
#include <string.h>

#define BELL_PORT  0x1000
#define BELL_VALUE 1

static const char *variant;

static inline bool is_variant(const char *name)
{
	return !strcmp(variant, name);
}

/* Whether the device model answers the writes of the User VM. */
static inline bool is_answered(void)
{
	return is_variant("in-tree-user");
}

/* Whether the writes of the User VM signal an eventfd. */
static inline bool signals(void)
{
	return !is_variant("floor") && !is_variant("exit") && !is_answered();
}

#endif /* VARIANT_H */
