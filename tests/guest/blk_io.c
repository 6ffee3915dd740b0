// SPDX-License-Identifier: GPL-2.0
/*
 * Direct I/O to a disk of the User VM, with checks of the data:
 *
 *	verify DISK SECONDS THREADS BYTES
 *		make random reads and writes of up to BYTES, check each sector
 *	fill DISK OFFSET BYTES SEED
 *		write a pattern
 *	expect DISK OFFSET BYTES SEED
 *		check that the pattern is there; SEED 0 means zeroes
 *	ranges DISK OFFSET
 *		in a MiB with a pattern, zero a part and discard another
 *	zero DISK OFFSET BYTES
 *		zero a part
 *	refused DISK
 *		check that writing fails
 *	log DISK GENERATION FLUSH
 *		LOG_WRITERS threads write numbered blocks for ever; print the
 *		number of the last block of each that was acknowledged; with
 *		FLUSH 1, each block is flushed before
 *	checklog DISK GENERATION NUMBER...
 *		check that all blocks of each thread up to NUMBER are there
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <linux/fs.h>

#define SECTOR	  512
#define WORDS	  (SECTOR / sizeof(uint64_t))
#define MAX_BYTES (1U << 20)
#define REGION	  (8U << 20)
#define BLOCK	  4096
#define LOG_SLOTS 256

/* Number of threads that write the log */
#define LOG_WRITERS 4

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

/* Fill a sector with words that depend on its number and on the seed. */
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

/* Number of transfers that each thread makes even on the slowest machine */
#define OPERATIONS_MIN 20

/**
 * struct verifier - A thread that uses a part of the disk alone
 * @fd:		Disk
 * @base:	First sector of its part
 * @random:	State of rand_r()
 * @end:	Time at which to stop, if OPERATIONS_MIN transfers were made
 * @max_bytes:	Largest transfer
 * @step:	Sectors in a block of the disk
 * @operations:	Number of transfers
 * @seeds:	Seed last written to each sector; 0: none yet
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

	while (v->operations < OPERATIONS_MIN || time(NULL) < v->end) {
		/*
		 * Small transfers as often as large ones, and at odd offsets.
		 */
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
	return 0;
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

/*
 * Discarded sectors read as zeroes on the disks of these tests; other disks
 * need not do that.
 */
static int ranges(int fd, uint64_t offset)
{
	const uint64_t seed = 7, zeroed = 0x40000, discarded = 0x80000;
	const uint64_t size = 0x10000;

	if (fill(fd, offset, MAX_BYTES, seed) ||
	    expect(fd, offset, MAX_BYTES, seed))
		return 1;
	range(fd, BLKZEROOUT, offset + zeroed, size);
	range(fd, BLKDISCARD, offset + discarded, size);
	return expect(fd, offset, zeroed, seed) ||
	       expect(fd, offset + zeroed, size, 0) ||
	       expect(fd, offset + zeroed + size, discarded - zeroed - size,
		      seed) ||
	       expect(fd, offset + discarded, size, 0) ||
	       expect(fd, offset + discarded + size,
		      MAX_BYTES - discarded - size, seed);
}

static int refused(const char *path)
{
	int fd = open(path, O_RDWR | O_DIRECT);
	void *data = buffer(BLOCK);

	memset(data, 0, BLOCK);
	return fd >= 0 && pwrite(fd, data, BLOCK, 0) >= 0;
}

/**
 * struct log_writer - A thread that writes numbered blocks
 * @thread:	Thread
 * @fd:		Disk
 * @index:	Index of the writer
 * @generation:	Upper half of each word, which tells the blocks from older ones
 * @flush:	Flush each block before it counts as acknowledged
 * @acked:	Number of the last block that was acknowledged
 */
struct log_writer {
	pthread_t thread;
	int fd;
	unsigned int index;
	uint64_t generation;
	int flush;
	atomic_uint acked;
};

/* Each thread has slots of its own, which it uses over and over. */
static off_t log_offset(unsigned int writer, uint64_t number)
{
	return (writer * LOG_SLOTS + number % LOG_SLOTS) * BLOCK;
}

static void *log_thread(void *opaque)
{
	struct log_writer *writer = opaque;
	uint64_t *data = buffer(BLOCK);
	unsigned int i, number;

	for (number = 1;; number++) {
		for (i = 0; i < BLOCK / sizeof(*data); i++)
			data[i] = writer->generation << 32 | number;
		if (pwrite(writer->fd, data, BLOCK,
			   log_offset(writer->index, number)) != BLOCK)
			die("log");
		if (writer->flush && fdatasync(writer->fd))
			die("flush");
		writer->acked = number;
	}
	return NULL;
}

static void log_for_ever(int fd, uint64_t generation, int flush)
{
	struct log_writer *w = calloc(LOG_WRITERS, sizeof(*w));
	unsigned int i;

	for (i = 0; w && i < LOG_WRITERS; i++) {
		w[i].fd = fd;
		w[i].index = i;
		w[i].generation = generation;
		w[i].flush = flush;
		if (pthread_create(&w[i].thread, NULL, log_thread, &w[i]))
			die("thread");
	}
	for (;;) {
		printf("acked");
		for (i = 0; i < LOG_WRITERS; i++)
			printf(" %u", w[i].acked);
		printf(".\n");
		fflush(stdout);
		/* Let a slow console finish with its interrupts. */
		tcdrain(STDOUT_FILENO);
		usleep(20000);
	}
}

/*
 * Check that each word is that of block @number, which was acknowledged, or of
 * a later block in the same slot, which was not.
 */
static int check_block(const uint64_t *data, uint64_t generation,
		       unsigned int number)
{
	unsigned int i;

	for (i = 0; i < BLOCK / sizeof(*data); i++) {
		if (data[i] >> 32 == generation &&
		    (uint32_t)data[i] >= number &&
		    (uint32_t)data[i] % LOG_SLOTS == number % LOG_SLOTS)
			continue;
		printf("block %u has %#llx in word %u\n", number,
		       (unsigned long long)data[i], i);
		return 1;
	}
	return 0;
}

static int check_log(int fd, unsigned int writer, uint64_t generation,
		     unsigned int last)
{
	uint64_t *data = buffer(BLOCK);
	unsigned int number;

	for (number = last; number && number + LOG_SLOTS > last; number--) {
		if (pread(fd, data, BLOCK, log_offset(writer, number)) != BLOCK)
			die("log");
		if (check_block(data, generation, number))
			return 1;
	}
	free(data);
	return 0;
}

static uint64_t number(char **argv, int index)
{
	return strtoull(argv[index], NULL, 0);
}

static int check_logs(int fd, uint64_t generation, char **numbers)
{
	unsigned int i;

	for (i = 0; i < LOG_WRITERS; i++)
		if (check_log(fd, i, generation, number(numbers, i)))
			return 1;
	return 0;
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
	if (!strcmp(what, "ranges") && argc == 4)
		return ranges(open_disk(disk, O_RDWR), number(argv, 3));
	if (!strcmp(what, "zero") && argc == 5)
		return range(open_disk(disk, O_RDWR), BLKZEROOUT,
			     number(argv, 3), number(argv, 4));
	if (!strcmp(what, "refused"))
		return refused(disk);
	if (!strcmp(what, "log") && argc == 5)
		log_for_ever(open_disk(disk, O_RDWR), number(argv, 3),
			     number(argv, 4));
	if (!strcmp(what, "checklog") && argc == 4 + LOG_WRITERS)
		return check_logs(open_disk(disk, O_RDONLY), number(argv, 3),
				  argv + 4);
	fprintf(stderr, "blk_io: see its source for how to use it\n");
	return 2;
}
