// SPDX-License-Identifier: GPL-2.0
#include "histogram.h"

/* What has been counted since @before, or all if that is NULL. */
struct histogram histogram_since(const struct histogram *now,
				 const struct histogram *before)
{
	struct histogram since = *now;

	for (int i = 0; before && i < LATENCY_BUCKETS; i++)
		since.counts[i] -= before->counts[i];
	return since;
}

/**
 * histogram_percentile() - Find a percentile
 * @histogram:	Counts
 * @percent:	Which one
 *
 * Return: a power of 2 of nanoseconds; at least @percent of what was counted
 *	   took
 * less than that. 0 when nothing was counted
 */
uint64_t histogram_percentile(const struct histogram *histogram,
			      unsigned int percent)
{
	uint64_t total = 0, sum = 0;
	int i;

	for (i = 0; i < LATENCY_BUCKETS; i++)
		total += histogram->counts[i];
	if (!histogram->known || !total)
		return 0;
	for (i = 0; i < LATENCY_BUCKETS; i++) {
		sum += histogram->counts[i];
		if (sum * 100 >= total * percent)
			break;
	}
	return 2ULL << i;
}
