/* SPDX-License-Identifier: GPL-2.0 */
/* Samples as programs read them. */
#ifndef TOOL_JSON_H
#define TOOL_JSON_H

#include "sample.h"

void json_print(const struct sample *sample);

#endif /* TOOL_JSON_H */
