/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's free memory, to the page. What an action keeps is the difference
 * that it makes here, whatever it allocated and by which allocator.
 *
 * To be included by one source file of a program.
 */
#ifndef FREE_PAGES_H
#define FREE_PAGES_H

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Add up the numbers that follow each @key in @text. */
static inline long free_pages_sum(const char *text, const char *key)
{
	long sum = 0;

	for (text = strstr(text, key); text; text = strstr(text, key)) {
		text += strlen(key);
		sum += strtol(text, NULL, 10);
	}
	return sum;
}

/*
 * Count the pages on the free lists and those that CPUs hold back for
 * themselves, which are not in MemFree of /proc/meminfo.
 */
static inline long free_pages_now(void)
{
	static char text[65536];
	ssize_t size = 0, len;
	int fd;

	/* Counters of CPUs are added to the sum only on demand. */
	fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		err(1, "/proc/sys/vm/stat_refresh");
	close(fd);
	fd = open("/proc/zoneinfo", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "/proc/zoneinfo");
	while ((len = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += len;
	close(fd);
	text[size] = '\0';
	return free_pages_sum(text, "pages free") +
	       free_pages_sum(text, "count:");
}

/* The same when the number does not change any more: some pages are freed late.
 */
static inline long free_pages(void)
{
	long last = -1, now = free_pages_now();

	for (int same = 0; same < 3; last = now) {
		usleep(20000);
		now = free_pages_now();
		same = now == last ? same + 1 : 0;
	}
	return now;
}

#endif /* FREE_PAGES_H */
