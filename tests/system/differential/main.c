// SPDX-License-Identifier: GPL-2.0
/*
 * Usage: differential SEED COUNT CPU CPU	run the sequences 0 to COUNT - 1
 *	  differential SEED COUNT NUMBER CPU CPU	run one of them, in
 *detail differential SEED COUNT		list the calls of all of them
 *
 * Prints a line for each sequence: "result NUMBER", then for each call, and
 *last for the closing of all files: its errno or 0; after "=" a value that it
 * returned; after "@" the request that waits for an answer; and after each ":"
 *a hypercall, as id, VM, result and digest of the arguments.
 * tests/harness/differential.py compares the lines of two HSMs.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "calls.h"

static struct sequence sequence;

static void run(uint64_t seed, uint64_t number, bool verbose)
{
	generate(&sequence, seed, number);
	printf("result %llu", (unsigned long long)number);
	execute(&sequence, verbose);
}

static void list(uint64_t seed, uint64_t count)
{
	for (uint64_t number = 0; number < count; number++) {
		generate(&sequence, seed, number);
		for (unsigned int i = 0; i < sequence.n; i++) {
			printf("%llu ", (unsigned long long)number);
			print_call(&sequence.calls[i]);
		}
	}
}

int main(int argc, char **argv)
{
	static char buffer[1 << 16];
	uint64_t seed, count;

	if (argc != 3 && argc != 5 && argc != 6)
		errx(1, "usage: differential SEED COUNT [[NUMBER] CPU CPU]");
	seed = strtoull(argv[1], NULL, 0);
	count = strtoull(argv[2], NULL, 0);
	/* Write whole lines: on ACRN other programs write to the same pipe. */
	setvbuf(stdout, buffer, _IOLBF, sizeof(buffer));
	if (argc == 3) {
		list(seed, count);
		return 0;
	}
	execute_init(atoi(argv[argc - 2]));
	if (argc == 6)
		run(seed, strtoull(argv[3], NULL, 0), true);
	else
		for (uint64_t number = 0; number < count; number++)
			run(seed, number, false);
	return 0;
}
