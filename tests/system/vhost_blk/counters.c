// SPDX-License-Identifier: GPL-2.0
/* The counters and attributes in sysfs, and the histograms in debugfs. */
#include "number.h"
#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

#define COUNTERS "/sys/kernel/debug/vhost_blk/"
#define DEPTH	 COUNTERS "0/depth"
#define LATENCY	 COUNTERS "0/latency"

/* Read a counter of the only device in sysfs; -1 if there is none. */
long long counter(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/misc/vhost-blk/0/%s", name);
	return raw_number(path);
}

/* Whether the attribute "disk" of the device in sysfs is @name. */
static bool has_disk(const char *name)
{
	FILE *file = fopen("/sys/class/misc/vhost-blk/0/disk", "r");
	char text[32] = "";

	if (file) {
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		fclose(file);
	}
	return strlen(text) == strlen(name) + 1 &&
	       !strncmp(text, name, strlen(name));
}

/*
 * What a histogram has counted: in the bucket that begins at @bucket, or in all
 * of them if that is 0.
 */
static long long count_in(const char *path, unsigned int bucket)
{
	FILE *file = fopen(path, "r");
	long long value, sum = 0;
	unsigned int begin;

	while (file && fscanf(file, "%u %lld", &begin, &value) == 2)
		if (!bucket || begin == bucket)
			sum += value;
	if (file)
		fclose(file);
	return sum;
}

static void attributes(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, SMALL_FILE, O_RDWR) &&
		       has_disk("file"),
	       "counters: the disk is a file");
	tap_ok(!unset_disk() && has_disk("none"), "counters: there is no disk");
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR),
	       "a disk is attached");
	tap_eq(counter("pid"), getpid(), "counters: the pid is ours");
	tap_ok(has_disk(FAST + strlen("/dev/")), "counters: the disk is named");
}

/* Make 14 requests of all kinds, one at a time. */
static void make_requests(void)
{
	for (unsigned int i = 0; i < 5; i++)
		request(VIRTIO_BLK_T_IN, 0, DATA, 512);
	request(VIRTIO_BLK_T_OUT, 0, DATA, 512);
	request(VIRTIO_BLK_T_OUT, SECTORS, DATA, 512);
	request(VIRTIO_BLK_T_FLUSH, 0, 0, 0);
	request(VIRTIO_BLK_T_GET_ID, 0, DATA, 20);
	request(0x7fffffff, 0, 0, 0);
	for (unsigned int i = 0; i < 3; i++)
		ranges(VIRTIO_BLK_T_DISCARD, 0, 8, 0, 1);
	ranges(VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 0, 1);
}

/**
 * struct kind - What make_requests() adds to a counter
 * @name:	Name of the counter
 * @count:	How many requests
 * @what:	Name for the check
 */
struct kind {
	const char *name;
	unsigned int count;
	const char *what;
};

static const struct kind kinds[] = {
	{ "reads", 5, "5 reads" },
	{ "writes", 2, "2 writes" },
	{ "flushes", 1, "a flush" },
	{ "ids", 1, "a serial number" },
	{ "others", 1, "an unknown request" },
	{ "discards", 3, "3 discards" },
	{ "write_zeroes", 1, "a zeroing" },
	{ "errors", 2, "2 requests failed" },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void counted_requests(void)
{
	long long depth = count_in(DEPTH, 1), latency = count_in(LATENCY, 0);
	long long before[KINDS];
	unsigned int i;

	for (i = 0; i < KINDS; i++)
		before[i] = counter(kinds[i].name);
	make_requests();
	for (i = 0; i < KINDS; i++)
		tap_eq(counter(kinds[i].name) - before[i], kinds[i].count,
		       "counters: %s", kinds[i].what);
	tap_eq(count_in(DEPTH, 1) - depth, 14,
	       "counters: the depth at each request, which is 1");
	tap_eq(count_in(LATENCY, 0) - latency, 0,
	       "counters: no latency before it is measured");
}

static void measured_latency(void)
{
	const char *measure = "echo 1 > " COUNTERS "measure_latency";
	long long before = count_in(LATENCY, 0);

	tap_ok(!system(measure) && !request(VIRTIO_BLK_T_IN, 0, DATA, 512),
	       "counters: latency is measured");
	tap_eq(count_in(LATENCY, 0) - before, 1,
	       "counters: the latency of one read");
	tap_ok(!system("echo 0 > " COUNTERS "measure_latency"),
	       "counters: latency is not measured any more");
}

void counters(void)
{
	attributes();
	counted_requests();
	measured_latency();
}
