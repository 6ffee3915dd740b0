/* SPDX-License-Identifier: GPL-2.0 */
/* Requests that several groups of checks make, and the data of requests. */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

/* Time that SLOW takes for a request */
#define SLOW_MILLIS 400

/**
 * struct storm - Result of many requests in a row
 * @done:	Requests that were done
 * @interrupts:	Number of signals on the call eventfd
 */
struct storm {
	unsigned int done;
	unsigned int interrupts;
};

void fill(uint32_t offset, uint32_t bytes, unsigned int seed);
bool same(uint32_t a, uint32_t b, uint32_t bytes);
bool round_trip(uint64_t sector, uint32_t offset, uint32_t to, uint32_t bytes,
		unsigned int seed);
int ranges(uint32_t type, uint64_t sector, uint32_t count, uint32_t flags,
	   unsigned int number);
bool reads_zeroes(uint64_t sector, uint32_t bytes);
void flood(uint32_t bytes);
void begin_slow_reads(void);
void ring_if_asked(void);
struct storm storm(unsigned int depth, unsigned int count);
bool poll_for_long(void);

#endif /* REQUESTS_H */
