// SPDX-License-Identifier: GPL-2.0
/*
 * Reads a disk past the page cache, where fio is too large.
 *
 *	reads DISK SIZE READERS COUNT
 *
 * Each of READERS threads reads COUNT times SIZE bytes, one after the other, in
 * a part of the disk of its own.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"

/* Of a disk, what one reader reads again and again */
#define PART_SIZE (16 << 20)

/**
 * struct reader - A thread
 * @thread:	The thread
 * @fd:		The disk
 * @start:	Where its part begins
 * @size:	Bytes of a read
 * @count:	How many reads
 */
struct reader {
	pthread_t thread;
	int fd;
	off_t start;
	size_t size;
	unsigned int count;
};

static void *read_part(void *data)
{
	const struct reader *reader = data;
	unsigned int fit = PART_SIZE / reader->size;
	void *buffer = mmap(NULL, reader->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (buffer == MAP_FAILED)
		err(1, "%zu bytes of memory", reader->size);
	for (unsigned int i = 0; i < reader->count; i++)
		if (pread(reader->fd, buffer, reader->size,
			  reader->start + i % fit * reader->size) !=
		    (ssize_t)reader->size)
			err(1, "read %u", i);
	munmap(buffer, reader->size);
	return NULL;
}

static void run(struct reader *readers, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		errno = pthread_create(&readers[i].thread, NULL, read_part,
				       &readers[i]);
		if (errno)
			err(1, "thread");
	}
	for (unsigned int i = 0; i < count; i++)
		pthread_join(readers[i].thread, NULL);
}

int main(int argc, char **argv)
{
	unsigned int count = argc == 5 ? atoi(argv[3]) : 0;
	struct reader *readers;
	size_t size;
	uint64_t start;
	int fd;

	if (!count)
		errx(2, "usage: reads DISK SIZE READERS COUNT");
	size = atoi(argv[2]);
	readers = calloc(count, sizeof(*readers));
	fd = open(argv[1], O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (!readers || fd < 0 || !size || size > PART_SIZE)
		err(1, "%s by %s", argv[1], argv[2]);
	for (unsigned int i = 0; i < count; i++)
		readers[i] = (struct reader){ .fd = fd,
					      .start = (off_t)i * PART_SIZE,
					      .size = size,
					      .count = atoi(argv[4]) };
	start = now_ns();
	run(readers, count);
	printf("{\"seconds\": %.6f, \"reads\": %u}\n", (now_ns() - start) / 1e9,
	       count * readers[0].count);
	return 0;
}
