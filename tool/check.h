/* SPDX-License-Identifier: GPL-2.0 */
/* The command check. */
#ifndef TOOL_CHECK_H
#define TOOL_CHECK_H

#include <stdio.h>

#include "facts.h"

unsigned int check_facts(const struct facts *facts, FILE *to);
int check_main(int argc, char **argv);

#endif /* TOOL_CHECK_H */
