// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a file, as fsx makes them: reads and writes through the
 * page cache, past it and by a mapping, changes of the size, holes and zeroed
 * ranges. What is read is compared with what the file should have.
 *
 *	file_io FILE COPY SECONDS SEED
 *
 * At the end COPY is written with what FILE should have, to be compared when
 * its file system has been mounted anew. It belongs on another file system.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <linux/falloc.h>

#define BLOCK	  4096
#define MAX_SIZE  (4U << 20)
#define MAX_BYTES (256U << 10)
#define LOG_LINES 32

/* The file, through the page cache and past it */
static int cached, direct;

/* What the file should have; zeroes behind its end */
static uint8_t *model;
static size_t file_size;

/* Memory for reads and direct writes */
static uint8_t *buffer;

/* The last operations, for the message about one that went wrong */
static char last[LOG_LINES][80];
static unsigned long operations;

static void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(last[operations++ % LOG_LINES], sizeof(last[0]), format,
		  args);
	va_end(args);
}

static void fail(const char *what, size_t offset)
{
	unsigned long i = operations > LOG_LINES ? operations - LOG_LINES : 0;

	printf("file_io: %s at %#zx of %#zx: %s\n", what, offset, file_size,
	       strerror(errno));
	for (; i < operations; i++)
		printf("%lu: %s\n", i, last[i % LOG_LINES]);
	exit(1);
}

static size_t below(size_t limit)
{
	return ((size_t)rand() << 16 ^ rand()) % limit;
}

/* Small lengths as often as large ones */
static size_t random_length(void)
{
	return 1 + below(MAX_BYTES >> below(18));
}

/* Compare what was read at @offset with the model. */
static void compare(const uint8_t *data, size_t offset, size_t bytes)
{
	size_t i;

	if (!memcmp(data, model + offset, bytes))
		return;
	for (i = 0; data[i] == model[offset + i]; i++)
		;
	errno = 0;
	printf("file_io: %#x instead of %#x\n", data[i], model[offset + i]);
	fail("wrong data", offset + i);
}

static size_t up_to_end(size_t offset, size_t bytes)
{
	if (offset >= file_size)
		return 0;
	return bytes < file_size - offset ? bytes : file_size - offset;
}

static void read_at(int fd, size_t offset, size_t bytes)
{
	size_t want = up_to_end(offset, bytes);

	note("%s %#zx + %#zx", fd == direct ? "read directly" : "read", offset,
	     bytes);
	if (pread(fd, buffer, bytes, offset) != (ssize_t)want)
		fail("a short read", offset);
	compare(buffer, offset, want);
}

/* Put new data into the model. */
static void change(size_t offset, size_t bytes)
{
	uint8_t seed = rand();
	size_t i;

	for (i = 0; i < bytes; i++)
		model[offset + i] = seed + i * 7 + (i >> 9);
	if (offset + bytes > file_size)
		file_size = offset + bytes;
}

static void write_at(int fd, size_t offset, size_t bytes)
{
	note("%s %#zx + %#zx", fd == direct ? "write directly" : "write",
	     offset, bytes);
	change(offset, bytes);
	memcpy(buffer, model + offset, bytes);
	if (pwrite(fd, buffer, bytes, offset) != (ssize_t)bytes)
		fail("a short write", offset);
}

/* Read or write by a mapping, which has no effect on the file's size. */
static void map_at(bool write, size_t offset, size_t bytes)
{
	size_t start = offset & ~(size_t)(BLOCK - 1);
	uint8_t *map;

	bytes = up_to_end(offset, bytes);
	note("%s %#zx + %#zx", write ? "write mapped" : "read mapped", offset,
	     bytes);
	if (!bytes)
		return;
	map = mmap(NULL, offset - start + bytes, PROT_READ | PROT_WRITE,
		   MAP_SHARED, cached, start);
	if (map == MAP_FAILED)
		fail("no mapping", offset);
	compare(map + offset - start, offset, bytes);
	if (write) {
		change(offset, bytes);
		memcpy(map + offset - start, model + offset, bytes);
	}
	munmap(map, offset - start + bytes);
}

static void resize(size_t size)
{
	note("truncate %#zx", size);
	if (ftruncate(cached, size))
		fail("truncating", size);
	if (size < file_size)
		memset(model + size, 0, file_size - size);
	file_size = size;
}

static void punch(int mode, size_t offset, size_t bytes)
{
	note("fallocate %d %#zx + %#zx", mode, offset, bytes);
	if (fallocate(cached, mode, offset, bytes))
		fail("fallocate", offset);
	if (mode)
		memset(model + offset, 0, bytes);
	else if (offset + bytes > file_size)
		file_size = offset + bytes;
}

/* Write the file to the disk, and read it from there the next time. */
static void forget_cached(void)
{
	note("sync, drop the page cache");
	if (fsync(cached) || posix_fadvise(cached, 0, 0, POSIX_FADV_DONTNEED))
		fail("fsync", 0);
}

static void operate(void)
{
	size_t bytes = random_length(), offset = below(MAX_SIZE - bytes);
	size_t block = offset & ~(size_t)(BLOCK - 1);
	size_t blocks = (bytes + BLOCK - 1) & ~(size_t)(BLOCK - 1);

	if (block + blocks > MAX_SIZE)
		block = MAX_SIZE - blocks;
	switch (below(12)) {
	case 0:
	case 1:
		write_at(cached, offset, bytes);
		break;
	case 2:
	case 3:
		write_at(direct, block, blocks);
		break;
	case 4:
		map_at(true, offset, bytes);
		break;
	case 5:
		map_at(false, offset, bytes);
		break;
	case 6:
		read_at(cached, offset, bytes);
		break;
	case 7:
		read_at(direct, block, blocks);
		break;
	case 8:
		resize(offset);
		break;
	case 9:
		punch(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset,
		      bytes);
		break;
	case 10:
		punch(below(2) ? FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE : 0,
		      offset, bytes);
		break;
	default:
		forget_cached();
	}
}

static int open_file(const char *path, int flags)
{
	int fd = open(path, flags | O_CREAT | O_RDWR, 0600);

	if (fd < 0)
		fail(path, 0);
	return fd;
}

static void write_copy(const char *path)
{
	int fd = open_file(path, O_TRUNC);

	if (write(fd, model, file_size) != (ssize_t)file_size || close(fd))
		fail(path, 0);
}

int main(int argc, char **argv)
{
	time_t end;

	if (argc != 5) {
		fprintf(stderr, "usage: file_io FILE COPY SECONDS SEED\n");
		return 2;
	}
	cached = open_file(argv[1], O_TRUNC);
	direct = open_file(argv[1], O_DIRECT);
	model = calloc(1, MAX_SIZE);
	if (!model ||
	    posix_memalign((void **)&buffer, BLOCK, MAX_BYTES + BLOCK))
		fail("no memory", 0);
	srand(atoi(argv[4]));
	end = time(NULL) + atoi(argv[3]);
	while (time(NULL) < end)
		operate();
	forget_cached();
	read_at(cached, 0, up_to_end(0, MAX_BYTES));
	write_copy(argv[2]);
	printf("%lu operations\n", operations);
	return 0;
}
