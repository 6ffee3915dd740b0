/* SPDX-License-Identifier: GPL-2.0 */
/* Samples as people read them. */
#ifndef TOOL_TABLE_H
#define TOOL_TABLE_H

#include <stdio.h>

#include "sample.h"

void table_vms(FILE *to, const struct sample *now, const struct sample *before);
void table_disks(FILE *to, const struct sample *now,
		 const struct sample *before);
void table_doorbells(FILE *to, const struct sample *now,
		     const struct sample *before);
void table_list(const struct sample *now);

#endif /* TOOL_TABLE_H */
