/* SPDX-License-Identifier: GPL-2.0 */
/* Samples as people read them. */
#ifndef TOOL_TABLE_H
#define TOOL_TABLE_H

#include <stdbool.h>

#include "sample.h"

void table_vms(const struct sample *now, const struct sample *before);
void table_disks(const struct sample *now, const struct sample *before);
void table_doorbells(const struct sample *now, const struct sample *before);
void table_list(const struct sample *now);

#endif /* TOOL_TABLE_H */
