/* SPDX-License-Identifier: GPL-2.0 */
/* Numbers that the kernel shows in files. */
#ifndef NUMBER_H
#define NUMBER_H

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* A number from a file of sysfs or debugfs; -1 when it cannot be read. */
static inline long long raw_number(const char *path)
{
	char text[32] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	return len > 0 ? strtoll(text, NULL, 10) : -1;
}

#endif /* NUMBER_H */
