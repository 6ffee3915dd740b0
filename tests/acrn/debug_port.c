// SPDX-License-Identifier: GPL-2.0
/*
 * Writes standard input to port 0xE9, which Bochs copies to its standard
 * output.
 *
 * Usage: debug_port [PREFIX]
 *
 * Bochs' serial ports lose the interrupt that says that they can take more, so
 * that what a program writes there stays in the kernel. Each line goes out with
 * PREFIX before it, and at once, so that several of these can run side by side.
 */
#include <stdio.h>
#include <string.h>
#include <sys/io.h>

#define DEBUG_PORT 0xe9

static void put(const char *text, size_t length)
{
	outsb(DEBUG_PORT, text, length);
}

int main(int argc, char **argv)
{
	static char line[4096];
	size_t prefix = 0;

	if (argc > 1) {
		prefix = strlen(argv[1]);
		if (prefix >= sizeof(line) / 2)
			return 2;
		memcpy(line, argv[1], prefix);
	}
	if (iopl(3)) {
		perror("debug_port: iopl");
		return 1;
	}
	while (fgets(line + prefix, sizeof(line) - prefix, stdin))
		put(line, prefix + strlen(line + prefix));
	return 0;
}
