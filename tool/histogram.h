/* SPDX-License-Identifier: GPL-2.0 */
#ifndef TOOL_HISTOGRAM_H
#define TOOL_HISTOGRAM_H

#include <stdint.h>

#include "sample.h"

struct histogram histogram_since(const struct histogram *now,
				 const struct histogram *before);
uint64_t histogram_percentile(const struct histogram *histogram,
			      unsigned int percent);

#endif /* TOOL_HISTOGRAM_H */
