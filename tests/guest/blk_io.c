// SPDX-License-Identifier: GPL-2.0
/*
 * I/O to a disk of the User VM, past its page cache, that knows what has to be
 * read back.
 *
 *	verify DISK SECONDS THREADS BYTES	random reads and writes of up to
 *						BYTES, each sector checked
 *	fill DISK OFFSET BYTES SEED		write a pattern
 *	expect DISK OFFSET BYTES SEED		it is there; SEED 0 means zeroes
 *	zero DISK OFFSET BYTES			write zeroes, by that command
 *	discard DISK OFFSET BYTES		discard
 *	refused DISK				writing fails
 *	log DISK				write numbered blocks for ever,
 *and say which are acknowledged checklog DISK NUMBER			all up
 *to NUMBER are there
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <linux/fs.h>

#define SECTOR	  512
#define WORDS	  (SECTOR / sizeof(uint64_t))
#define MAX_BYTES (1U << 20)
#define REGION	  (8U << 20)
#define BLOCK	  4096
#define LOG_SLOTS 512

static void die(const char *what)
{
	fprintf(stderr, "blk_io: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_disk(const char *path, int flags)
{
	int fd = open(path, flags | O_DIRECT);

	if (fd < 0)
		die(path);
	return fd;
}

static void *buffer(size_t bytes)
{
	void *p;

	if (posix_memalign(&p, BLOCK, bytes))
		die("no memory");
	return p;
}

/* Each word of a sector tells where and when it was written. */
static void fill_sector(uint64_t *words, uint64_t sector, uint64_t seed)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		words[i] = seed ? seed * 0x9e3779b97f4a7c15 + sector * WORDS + i
				: 0;
}

static int sector_is(const uint64_t *words, uint64_t sector, uint64_t seed)
{
	uint64_t want[WORDS];

	fill_sector(want, sector, seed);
	return !memcmp(words, want, SECTOR);
}

/**
 * struct verifier - A thread with a part of the disk to itself
 * @fd:		Disk
 * @base:	First sector of its part
 * @random:	State of rand_r()
 * @end:	When to stop
 * @max_bytes:	Largest transfer
 * @step:	Sectors in a block of the disk
 * @operations:	Number of transfers
 * @seeds:	What was written last to each sector, 0 for nothing yet
 */
struct verifier {
	pthread_t thread;
	int fd;
	uint64_t base;
	unsigned int random;
	time_t end;
	unsigned int max_bytes;
	unsigned int step;
	unsigned long operations;
	uint64_t seeds[REGION / SECTOR];
};

static void verify_write(struct verifier *v, uint64_t *data, unsigned int first,
			 unsigned int count)
{
	uint64_t seed = ++v->operations << 8 | 1;
	unsigned int i;

	for (i = 0; i < count; i++) {
		v->seeds[first + i] = seed;
		fill_sector(data + i * WORDS, v->base + first + i, seed);
	}
	if (pwrite(v->fd, data, count * SECTOR, (v->base + first) * SECTOR) !=
	    count * SECTOR)
		die("write");
}

static void verify_read(struct verifier *v, uint64_t *data, unsigned int first,
			unsigned int count)
{
	unsigned int i;

	v->operations++;
	if (pread(v->fd, data, count * SECTOR, (v->base + first) * SECTOR) !=
	    count * SECTOR)
		die("read");
	for (i = 0; i < count; i++) {
		if (!v->seeds[first + i])
			continue;
		if (sector_is(data + i * WORDS, v->base + first + i,
			      v->seeds[first + i]))
			continue;
		fprintf(stderr, "blk_io: sector %llu is not what was written\n",
			(unsigned long long)(v->base + first + i));
		exit(1);
	}
}

static void *verify_thread(void *opaque)
{
	struct verifier *v = opaque;
	uint64_t *data = buffer(MAX_BYTES + BLOCK);

	while (time(NULL) < v->end) {
		/* Small transfers as often as large ones, and in odd places. */
		unsigned int count =
			1 + rand_r(&v->random) %
				    ((v->max_bytes >> rand_r(&v->random) % 10) /
					     SECTOR +
				     1);
		unsigned int first, shift = rand_r(&v->random) % 8;

		if (count > v->max_bytes / SECTOR)
			count = v->max_bytes / SECTOR;
		count = (count + v->step - 1) / v->step * v->step;
		first = rand_r(&v->random) % (REGION / SECTOR - count + 1);
		first -= first % v->step;
		if (rand_r(&v->random) & 1)
			verify_write(v, data + shift * WORDS, first, count);
		else
			verify_read(v, data + shift * WORDS, first, count);
		if (rand_r(&v->random) % 64 == 0 && fsync(v->fd))
			die("fsync");
	}
	return NULL;
}

static int verify(int fd, unsigned int seconds, unsigned int threads,
		  unsigned int max_bytes)
{
	struct verifier *v = calloc(threads, sizeof(*v));
	unsigned long operations = 0;
	int block_size;
	unsigned int i;

	if (ioctl(fd, BLKSSZGET, &block_size))
		die("block size");
	if (!v || !max_bytes || max_bytes > MAX_BYTES)
		die("verify");
	for (i = 0; i < threads; i++) {
		v[i].fd = fd;
		v[i].base = (uint64_t)i * (REGION / SECTOR);
		v[i].random = i + 1;
		v[i].end = time(NULL) + seconds;
		v[i].max_bytes = max_bytes;
		v[i].step = block_size / SECTOR;
		if (pthread_create(&v[i].thread, NULL, verify_thread, &v[i]))
			die("thread");
	}
	for (i = 0; i < threads; i++) {
		pthread_join(v[i].thread, NULL);
		operations += v[i].operations;
	}
	printf("%lu operations\n", operations);
	return operations ? 0 : 1;
}

static int fill(int fd, uint64_t offset, uint64_t bytes, uint64_t seed)
{
	uint64_t *data = buffer(MAX_BYTES);
	uint64_t i;

	if (bytes > MAX_BYTES)
		die("too much");
	for (i = 0; i < bytes / SECTOR; i++)
		fill_sector(data + i * WORDS, offset / SECTOR + i, seed);
	return pwrite(fd, data, bytes, offset) != (ssize_t)bytes || fsync(fd);
}

static int expect(int fd, uint64_t offset, uint64_t bytes, uint64_t seed)
{
	uint64_t *data = buffer(MAX_BYTES);
	uint64_t i;

	if (bytes > MAX_BYTES ||
	    pread(fd, data, bytes, offset) != (ssize_t)bytes)
		die("read");
	for (i = 0; i < bytes / SECTOR; i++) {
		if (sector_is(data + i * WORDS, offset / SECTOR + i, seed))
			continue;
		printf("sector %llu differs\n",
		       (unsigned long long)(offset / SECTOR + i));
		return 1;
	}
	return 0;
}

static int range(int fd, unsigned long request, uint64_t offset, uint64_t bytes)
{
	uint64_t extent[] = { offset, bytes };

	if (ioctl(fd, request, extent))
		die("range");
	return 0;
}

static int refused(const char *path)
{
	int fd = open(path, O_RDWR | O_DIRECT);
	void *data = buffer(BLOCK);

	memset(data, 0, BLOCK);
	return fd >= 0 && pwrite(fd, data, BLOCK, 0) >= 0;
}

static void log_for_ever(int fd)
{
	uint64_t *data = buffer(BLOCK);
	uint64_t number;
	unsigned int i;

	for (number = 1;; number++) {
		for (i = 0; i < BLOCK / sizeof(*data); i++)
			data[i] = number;
		if (pwrite(fd, data, BLOCK, number % LOG_SLOTS * BLOCK) !=
		    BLOCK)
			die("log");
		if (number % 8 == 0)
			printf("acked %llu.\n", (unsigned long long)number);
		fflush(stdout);
	}
}

/* A slot has its newest number up to @last, or one that came after. */
static int check_log(int fd, uint64_t last)
{
	uint64_t *data = buffer(BLOCK);
	uint64_t number;
	unsigned int i;

	for (number = last; number && number + LOG_SLOTS > last; number--) {
		if (pread(fd, data, BLOCK, number % LOG_SLOTS * BLOCK) != BLOCK)
			die("log");
		for (i = 0; i < BLOCK / sizeof(*data); i++) {
			if (data[i] >= number &&
			    data[i] % LOG_SLOTS == number % LOG_SLOTS)
				continue;
			printf("block %llu has %llu\n",
			       (unsigned long long)number,
			       (unsigned long long)data[i]);
			return 1;
		}
	}
	return 0;
}

static uint64_t number(char **argv, int index)
{
	return strtoull(argv[index], NULL, 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";
	const char *disk = argc > 2 ? argv[2] : "";

	if (!strcmp(what, "verify") && argc == 6)
		return verify(open_disk(disk, O_RDWR), number(argv, 3),
			      number(argv, 4), number(argv, 5));
	if (!strcmp(what, "fill") && argc == 6)
		return fill(open_disk(disk, O_RDWR), number(argv, 3),
			    number(argv, 4), number(argv, 5));
	if (!strcmp(what, "expect") && argc == 6)
		return expect(open_disk(disk, O_RDONLY), number(argv, 3),
			      number(argv, 4), number(argv, 5));
	if (!strcmp(what, "zero") && argc == 5)
		return range(open_disk(disk, O_RDWR), BLKZEROOUT,
			     number(argv, 3), number(argv, 4));
	if (!strcmp(what, "discard") && argc == 5)
		return range(open_disk(disk, O_RDWR), BLKDISCARD,
			     number(argv, 3), number(argv, 4));
	if (!strcmp(what, "refused"))
		return refused(disk);
	if (!strcmp(what, "log"))
		log_for_ever(open_disk(disk, O_RDWR));
	if (!strcmp(what, "checklog") && argc == 4)
		return check_log(open_disk(disk, O_RDONLY), number(argv, 3));
	fprintf(stderr, "blk_io: see its source for how to use it\n");
	return 2;
}
