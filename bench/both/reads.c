// SPDX-License-Identifier: GPL-2.0
/*
 * Reads a disk past the page cache, where fio is too large.
 *
 *	reads DISK SIZE READERS DEPTH COUNT
 *
 * Each of READERS threads reads COUNT times SIZE bytes in a part of the disk of
 * its own, and keeps DEPTH of these reads on their way.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"

/* Of a disk, what one reader reads again and again */
#define PART_SIZE (16 << 20)

/* From one read to the next, so that the kernel does not make one of both. */
#define STRIDE 7

#define DEPTH_MAX 64

/**
 * struct reader - A thread
 * @thread:	The thread
 * @fd:		The disk
 * @start:	Where its part begins
 * @size:	Bytes of a read
 * @depth:	How many reads are on their way
 * @count:	How many reads there are
 * @begun:	How many have been on their way
 * @context:	Of the kernel, for its reads
 * @reads:	What the kernel gets
 */
struct reader {
	pthread_t thread;
	int fd;
	off_t start;
	size_t size;
	unsigned int depth;
	unsigned int count;
	unsigned int begun;
	aio_context_t context;
	struct iocb reads[DEPTH_MAX];
};

static void begin(struct reader *reader, struct iocb *read)
{
	unsigned int fit = PART_SIZE / reader->size;

	if (reader->begun == reader->count)
		return;
	read->aio_offset =
		reader->start + reader->begun++ * STRIDE % fit * reader->size;
	if (syscall(SYS_io_submit, reader->context, 1, &read) != 1)
		err(1, "read %u", reader->begun);
}

static void begin_first(struct reader *reader)
{
	char *buffer =
		mmap(NULL, reader->depth * reader->size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (buffer == MAP_FAILED)
		err(1, "%u buffers of %zu bytes", reader->depth, reader->size);
	for (unsigned int i = 0; i < reader->depth; i++) {
		reader->reads[i] = (struct iocb){
			.aio_data = i,
			.aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_fildes = reader->fd,
			.aio_buf = (uintptr_t)(buffer + i * reader->size),
			.aio_nbytes = reader->size,
		};
		begin(reader, &reader->reads[i]);
	}
}

static void *read_part(void *data)
{
	struct io_event ended[DEPTH_MAX];
	struct reader *reader = data;
	unsigned int done;
	long n;

	if (syscall(SYS_io_setup, reader->depth, &reader->context))
		err(1, "io_setup");
	begin_first(reader);
	for (done = 0; done < reader->count; done += n) {
		n = syscall(SYS_io_getevents, reader->context, 1, reader->depth,
			    ended, NULL);
		if (n < 1)
			err(1, "io_getevents");
		for (long i = 0; i < n; i++) {
			if (ended[i].res != (long)reader->size)
				errx(1, "a read ended with %lld",
				     (long long)ended[i].res);
			begin(reader, &reader->reads[ended[i].data]);
		}
	}
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
	unsigned int count = argc == 6 ? atoi(argv[3]) : 0;
	unsigned int depth = count ? atoi(argv[4]) : 0;
	struct reader *readers;
	size_t size;
	uint64_t start;
	int fd;

	if (!count || !depth || depth > DEPTH_MAX)
		errx(2, "usage: reads DISK SIZE READERS DEPTH COUNT");
	size = atoi(argv[2]);
	readers = calloc(count, sizeof(*readers));
	fd = open(argv[1], O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (!readers || fd < 0 || !size || size > PART_SIZE)
		err(1, "%s by %s", argv[1], argv[2]);
	for (unsigned int i = 0; i < count; i++)
		readers[i] = (struct reader){ .fd = fd,
					      .start = (off_t)i * PART_SIZE,
					      .size = size,
					      .depth = depth,
					      .count = atoi(argv[5]) };
	start = now_ns();
	run(readers, count);
	printf("{\"seconds\": %.6f, \"reads\": %u}\n", (now_ns() - start) / 1e9,
	       count * readers[0].count);
	return 0;
}
