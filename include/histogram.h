/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Histograms whose bucket n counts values from 2^n up to the next bucket. The first
 * bucket also counts 0, and the last one everything beyond.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/seq_file.h>
#include <linux/types.h>

/* Buckets for times in nanoseconds: the last one begins at two seconds. */
#define HISTOGRAM_NS_BUCKETS	32

/**
 * histogram_bucket() - Find the bucket of a value
 * @value:	Value to count
 * @buckets:	Number of buckets
 *
 * Context: Any.
 * Return: the number of the bucket
 */
static inline unsigned int histogram_bucket(u64 value, unsigned int buckets)
{
	return value ? min_t(unsigned int, ilog2(value), buckets - 1) : 0;
}

/**
 * histogram_show() - Print a histogram
 * @seq:	Where to: a line for each bucket, with its lower bound and its count
 * @buckets:	Number of buckets
 * @count:	Returns the count of a bucket; called with @seq->private
 *
 * Context: Process context.
 */
static inline void histogram_show(struct seq_file *seq, unsigned int buckets,
				  u64 (*count)(const void *private,
					       unsigned int bucket))
{
	unsigned int i;

	for (i = 0; i < buckets; i++)
		seq_printf(seq, "%llu %llu\n", 1ULL << i,
			   count(seq->private, i));
}

#endif /* HISTOGRAM_H */
