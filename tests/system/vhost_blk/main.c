// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vhost-blk by raw ioctls: requests whose buffers are cut in odd ways,
 * requests that no driver makes, disks that are attached and detached while
 * requests are in flight, and power cuts. The device must still work at the
 * end.
 *
 * Argument: number of power cuts.
 */
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/fs.h>
#include <linux/loop.h>

#include "clock.h"
#include "number.h"
#include "raw_blk.h"
#include "tap.h"
#include "tasks.h"
#include "trace.h"
#include "vhost_blk_checks.h"
#include "vmstat.h"

#define LARGE	    "/dev/loop0"
#define LARGE_FILE  "/run/large"
#define HUGE_FILE   "/run/huge"
#define CACHED	    "/dev/cached"
#define NARROW	    "/dev/narrow"
#define FS_FILE	    "/mnt/file"
#define FS_LOOP	    "/dev/loop2"
#define FS_MEMORY   "/mnt/memory"
#define MEMORY_SIZE (2U << 20)
#define FS_BLOCK    4096
#define SLOW_MILLIS 400
#define HUGE_GPA    (1ULL << 32)
#define HUGE_SIZE   (1ULL << 32)
#define LOG_BIT	    (1ULL << VHOST_F_LOG_ALL)
#define POLL_PARAM  "/sys/module/vhost_blk/parameters/poll"
#define COUNTERS    "/sys/kernel/debug/vhost_blk/"

static unsigned int power_cut_count;

static void fill(uint32_t offset, uint32_t bytes, unsigned int seed)
{
	uint32_t i;

	for (i = 0; i < bytes; i++)
		mem[offset + i] = (i * 7 + i / 251 + seed) | 1;
}

static bool same(uint32_t a, uint32_t b, uint32_t bytes)
{
	return !memcmp(mem + a, mem + b, bytes);
}

/* Write @bytes at @offset, read them to @to, and compare. */
static bool round_trip(uint64_t sector, uint32_t offset, uint32_t to,
		       uint32_t bytes, unsigned int seed)
{
	fill(offset, bytes, seed);
	memset(mem + to, 0, bytes);
	return request(VIRTIO_BLK_T_OUT, sector, offset, bytes) == 0 &&
	       request(VIRTIO_BLK_T_IN, sector, to, bytes) == 0 &&
	       same(offset, to, bytes);
}

static void transfers(const char *disk)
{
	static const uint32_t sizes[] = { 512,	 1024,	  4096,	  65536,
					  69632, 1048576, 5242880 };
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		tap_ok(round_trip(16 * i, DATA, DATA + 0x800000, sizes[i], i),
		       "%s: %u bytes there and back", disk, sizes[i]);
	tap_ok(round_trip(5, DATA + 512, DATA + 0x800200, 8192, 1),
	       "%s: from the middle of a page", disk);
	tap_ok(round_trip(5, DATA + 3, DATA + 0x800005, 8192, 2),
	       "%s: from odd addresses", disk);
	tap_ok(round_trip(5, DATA + 1, DATA + 0x800001, 300 * 512, 3),
	       "%s: a lot from odd addresses", disk);
	tap_ok(round_trip(SECTORS - 8, DATA, DATA + 0x800000, 4096, 4),
	       "%s: the end of the disk", disk);
	tap_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0), 0, "%s: flush", disk);
	tap_eq(request(VIRTIO_BLK_T_IN, 0, DATA, 0), 0,
	       "%s: a read of no bytes", disk);
}

/*
 * Make a request whose header, data and status are in buffers of @piece bytes,
 * with the status right behind the data.
 */
static bool in_pieces(uint32_t piece)
{
	const uint32_t in = DATA + 0x1000, bytes = 512 + 1;
	uint32_t done, n;

	fill(DATA, 512, piece);
	if (request(VIRTIO_BLK_T_OUT, 9, DATA, 512))
		return false;
	header(VIRTIO_BLK_T_IN, 9);
	memset(mem + in, 0xee, bytes);
	begin();
	for (done = 0; done < 16; done += n) {
		n = 16 - done < piece ? 16 - done : piece;
		add_out(HEADER + done, n);
	}
	for (done = 0; done < bytes; done += n) {
		n = bytes - done < piece ? bytes - done : piece;
		add_in(in + done, n);
	}
	go();
	return same(DATA, in, 512) && mem[in + 512] == 0;
}

static void cuts(void)
{
	static const uint32_t pieces[] = { 12, 13, 16, 256, 512, 513 };
	unsigned int i;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		tap_ok(in_pieces(pieces[i]),
		       "data and status in pieces of %u bytes", pieces[i]);

	/* The header right in front of the data, in one buffer with it. */
	fill(DATA + 16, 1024, 77);
	header(VIRTIO_BLK_T_OUT, 30);
	memcpy(mem + DATA, mem + HEADER, 16);
	begin();
	add_out(DATA, 16 + 1024);
	add_in(STATUS, 1);
	tap_eq(go(), 0, "header and data in one buffer");
	tap_ok(!request(VIRTIO_BLK_T_IN, 30, DATA + 0x1000, 1024) &&
		       same(DATA + 16, DATA + 0x1000, 1024),
	       "header and data in one buffer: the data is read back");

	header(VIRTIO_BLK_T_IN, 30);
	begin();
	add(GPA + TABLE, 3 * sizeof(struct vring_desc), VRING_DESC_F_INDIRECT);
	memcpy(mem + TABLE,
	       (struct vring_desc[]){
		       { GPA + HEADER, 16, VRING_DESC_F_NEXT, 1 },
		       { GPA + DATA + 0x2000, 1024,
			 VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 2 },
		       { GPA + STATUS, 1, VRING_DESC_F_WRITE, 0 } },
	       3 * sizeof(struct vring_desc));
	tap_eq(go(), 0, "a read with an indirect table");
	tap_ok(same(DATA + 16, DATA + 0x2000, 1024),
	       "a read with an indirect table has the data");
}

static int ranges(uint32_t type, uint64_t sector, uint32_t count,
		  uint32_t flags, unsigned int number)
{
	struct virtio_blk_discard_write_zeroes *r = (void *)(mem + DATA);
	unsigned int i;

	for (i = 0; i < number; i++)
		r[i] = (struct virtio_blk_discard_write_zeroes){
			.sector = sector, .num_sectors = count, .flags = flags
		};
	return request(type, 0, DATA, number * sizeof(*r));
}

static bool reads_zeroes(uint64_t sector, uint32_t bytes)
{
	uint32_t i;

	memset(mem + DATA, 0xee, bytes);
	if (request(VIRTIO_BLK_T_IN, sector, DATA, bytes))
		return false;
	for (i = 0; i < bytes; i++)
		if (mem[DATA + i])
			return false;
	return true;
}

/* Zero sectors 64 and 80 by one request. */
static int two_ranges(void)
{
	struct virtio_blk_discard_write_zeroes *r = (void *)(mem + DATA);

	r[0] = (struct virtio_blk_discard_write_zeroes){ 64, 1, 1 };
	r[1] = (struct virtio_blk_discard_write_zeroes){ 80, 1, 1 };
	return request(VIRTIO_BLK_T_WRITE_ZEROES, 0, DATA, 2 * sizeof(*r));
}

/* Zero across a multiple of 8 MiB: a block device is zeroed in such pieces. */
static bool zero_in_pieces(void)
{
	const uint64_t sector = (8 << 11) - 8;

	return round_trip(sector, DATA, DATA + 0x800000, 8192, 6) &&
	       !ranges(VIRTIO_BLK_T_WRITE_ZEROES, sector, 16, 1, 1) &&
	       reads_zeroes(sector, 8192);
}

static void discard_and_zero(const char *disk)
{
	const uint32_t discard = VIRTIO_BLK_T_DISCARD;
	const uint32_t zeroes = VIRTIO_BLK_T_WRITE_ZEROES;

	round_trip(0, DATA, DATA + 0x800000, 65536, 1);
	tap_eq(ranges(zeroes, 8, 8, 1, 1), 0, "%s: zero and unmap", disk);
	tap_ok(reads_zeroes(8, 4096), "%s: what was zeroed reads as zeroes",
	       disk);
	tap_eq(ranges(discard, 24, 8, 0, 1), 0, "%s: discard", disk);
	tap_ok(reads_zeroes(24, 4096), "%s: what was discarded reads as zeroes",
	       disk);
	tap_eq(ranges(discard, 0, 8, 0, 16), 0, "%s: 16 ranges", disk);
	tap_eq(two_ranges(), 0, "%s: two ranges that are apart", disk);
	tap_ok(reads_zeroes(64, 512) && reads_zeroes(80, 512),
	       "%s: both ranges read as zeroes", disk);
	tap_ok(!request(VIRTIO_BLK_T_IN, 65, DATA + 0x800000, 512) &&
		       mem[DATA + 0x800000],
	       "%s: the sector between them does not", disk);
	tap_ok(zero_in_pieces(), "%s: two pieces are zeroed", disk);
	tap_eq(ranges(discard, 0, 8, 0, 17), VIRTIO_BLK_S_IOERR,
	       "%s: 17 ranges", disk);
	tap_eq(ranges(discard, 0, 0, 0, 1), VIRTIO_BLK_S_IOERR,
	       "%s: an empty range", disk);
	tap_eq(ranges(discard, SECTORS, 8, 0, 1), VIRTIO_BLK_S_IOERR,
	       "%s: a range behind the end", disk);
	tap_eq(ranges(discard, 0, 8, 1, 1), VIRTIO_BLK_S_UNSUPP,
	       "%s: discard with unmap", disk);
	tap_eq(ranges(zeroes, 0, 8, 2, 1), VIRTIO_BLK_S_UNSUPP,
	       "%s: an unknown flag", disk);
	tap_eq(request(discard, 0, DATA, 0), VIRTIO_BLK_S_IOERR, "%s: no range",
	       disk);
	tap_eq(request(discard, 0, DATA, 15), VIRTIO_BLK_S_IOERR,
	       "%s: part of a range", disk);
}

/*
 * The limit of a request, 64 MiB, is as much as the other disks hold, so this
 * needs a larger one.
 */
static void too_large(void)
{
	unsigned int i;

	tap_ok(!system("truncate -s 128M " HUGE_FILE) &&
		       start_over(FLUSH_BIT | V1_BIT, HUGE_FILE, O_RDONLY),
	       "a large file");
	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	for (i = 0; i < 33; i++)
		add_in(DATA, 2 << 20);
	add_in(STATUS, 1);
	tap_eq(go(), VIRTIO_BLK_S_IOERR, "a read of more than 64 MiB");
	begin();
	add_out(HEADER, 16);
	for (i = 0; i < 32; i++)
		add_in(DATA, 2 << 20);
	add_in(STATUS, 1);
	tap_eq(go(), 0, "a read of 64 MiB");
	tap_eq(used_length(), (64 << 20) + 1,
	       "a read of 64 MiB returns all of it");
}

static void wrong_requests(void)
{
	const uint32_t in = VIRTIO_BLK_T_IN, out = VIRTIO_BLK_T_OUT;

	tap_eq(request(in, SECTORS, DATA, 512), VIRTIO_BLK_S_IOERR,
	       "read behind the end");
	tap_eq(request(in, SECTORS - 1, DATA, 1024), VIRTIO_BLK_S_IOERR,
	       "read beyond the end");
	tap_eq(request(out, SECTORS - 1, DATA, 1024), VIRTIO_BLK_S_IOERR,
	       "write beyond the end");
	tap_eq(request(in, UINT64_MAX, DATA, 512), VIRTIO_BLK_S_IOERR,
	       "a sector that overflows");
	tap_eq(request(in, UINT64_MAX / 512 + 1, DATA, 512), VIRTIO_BLK_S_IOERR,
	       "an offset that overflows");
	tap_eq(request(in, 0, DATA, 511), VIRTIO_BLK_S_IOERR,
	       "read of a part of a sector");
	tap_eq(request(2, 0, DATA, 512), VIRTIO_BLK_S_UNSUPP, "a SCSI command");
	tap_eq(request(0x7fffffff, 0, 0, 0), VIRTIO_BLK_S_UNSUPP,
	       "an unknown command");
	tap_eq(request(VIRTIO_BLK_T_SECURE_ERASE, 0, DATA, 16),
	       VIRTIO_BLK_S_UNSUPP, "secure erase");
	tap_eq(request(VIRTIO_BLK_T_GET_ID, 0, DATA, 20), 0, "serial number");
	tap_ok(!memcmp(mem + DATA, "raw-ioctls\0\0\0\0\0\0\0\0\0\0", 20),
	       "the serial number is the one that was set");
	tap_eq(request(VIRTIO_BLK_T_GET_ID, 0, DATA, 5), 0,
	       "five bytes of the serial number");
	fill(DATA, 4096, 5);
	fill(DATA + 4096, 4096, 5);
	chain(VIRTIO_BLK_T_GET_ID, 0, DATA, 4096);
	tap_ok(!go() && used_length() == VIRTIO_BLK_ID_BYTES + 1 &&
		       same(DATA + VIRTIO_BLK_ID_BYTES,
			    DATA + 4096 + VIRTIO_BLK_ID_BYTES,
			    4096 - VIRTIO_BLK_ID_BYTES),
	       "a large buffer gets the serial number and nothing else");
}

/* Check that the queue reports an error and stops, and that a restart works. */
static void is_broken(const char *what)
{
	ring(0);
	tap_ok(wait_event(err_fd, 5000), "%s: the error eventfd is signalled",
	       what);
	ring(0);
	tap_ok(!is_used(100), "%s: no request is handled any more", what);
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       !request(VIRTIO_BLK_T_IN, 0, DATA, 512),
	       "%s: the device works after a restart", what);
}

static void corrupt_rings(void)
{
	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	is_broken("no status");

	begin();
	add_out(HEADER, 15);
	add_in(STATUS, 1);
	is_broken("a header cut short");

	begin();
	add_in(STATUS, 1);
	is_broken("no header");

	begin();
	add_out(HEADER, 16);
	add_in(STATUS, 0);
	is_broken("an empty status");

	begin();
	add_out(HEADER, 16);
	add(GPA + MEM_SIZE - 512, 1024, VRING_DESC_F_WRITE);
	add_in(STATUS, 1);
	is_broken("data that ends behind memory");

	begin();
	add_out(HEADER, 16);
	add(UINT64_MAX - 511, 1024, VRING_DESC_F_WRITE);
	add_in(STATUS, 1);
	is_broken("an address that overflows");

	begin();
	add_out(HEADER, 16);
	add_in(STATUS, 1);
	desc()[1].flags |= VRING_DESC_F_NEXT;
	desc()[1].next = 1;
	is_broken("a loop");

	begin();
	add_out(HEADER, 16);
	add_in(DATA, 512);
	add_out(HEADER, 16);
	is_broken("a readable descriptor behind a writable one");

	avail()->idx += RING + 1;
	avail_idx += RING + 1;
	is_broken("more entries than the ring has");
}

/* Make sectors 100 to 107 of the fast disk fail, or work again. */
static bool bad_sectors(bool bad)
{
	return !system(bad ? "echo +100-107 > "
			     "/sys/kernel/config/nullb/fast/badblocks"
			   : "echo -100-107 > "
			     "/sys/kernel/config/nullb/fast/badblocks");
}

static void disk_errors(void)
{
	const uint32_t in = VIRTIO_BLK_T_IN, out = VIRTIO_BLK_T_OUT;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       bad_sectors(true),
	       "a disk with bad sectors");
	tap_eq(request(in, 96, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "bad sectors: a read fails");
	tap_eq(request(out, 96, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "bad sectors: a write fails");
	tap_eq(request(in, 100, DATA + 3, 512), VIRTIO_BLK_S_IOERR,
	       "bad sectors: a read to an odd address fails");
	tap_eq(request(in, 0, DATA, 4 << 20), VIRTIO_BLK_S_IOERR,
	       "bad sectors: a large read that has them fails");
	tap_eq(request(in, 92, DATA, 4096), 0,
	       "bad sectors: a read beside them works");
	tap_ok(bad_sectors(false) && !request(in, 96, DATA, 4096),
	       "sectors that are good again are read");
}

/* Set the I/O priority class of this process; 0 is none. */
static bool set_ioprio(unsigned int class)
{
	return !syscall(SYS_ioprio_set, 1, 0, class ? class << 13 | 4 : 0);
}

static bool last_error_has(const char *what)
{
	char command[128];

	snprintf(command, sizeof(command),
		 "dmesg | grep 'I/O error, dev fast' | tail -n 1 | grep '%s'",
		 what);
	return !system(command);
}

/* Number of threads of the kernel's workqueues with real-time I/O priority */
static unsigned int count_real_time(void)
{
	DIR *proc = opendir("/proc");
	unsigned int count = 0;
	int pid;

	if (!proc)
		return 0;
	while ((pid = next_task(proc, "kworker/")))
		count += syscall(SYS_ioprio_get, 1, pid) >> 13 == 1;
	closedir(proc);
	return count;
}

/*
 * Find out requests' I/O priority from the kernel's message about a failed one.
 */
static void priority(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       bad_sectors(true) &&
		       request(VIRTIO_BLK_T_IN, 96, DATA, 4096) &&
		       last_error_has("prio class 2"),
	       "requests of a usual process have the usual priority");
	tap_ok(set_ioprio(1) && start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR),
	       "a process gets real-time priority");
	tap_ok(request(VIRTIO_BLK_T_IN, 96, DATA, 4096) &&
		       last_error_has("READ.*prio class 1"),
	       "its requests have real-time priority");
	tap_ok(ranges(VIRTIO_BLK_T_WRITE_ZEROES, 96, 8, 0, 1) &&
		       last_error_has("WRITE.*prio class 1"),
	       "so do those that the worker leaves to other threads");
	tap_eq(count_real_time(), 0, "those threads do not keep it");
	tap_ok(set_ioprio(0) && bad_sectors(false),
	       "the process gets the usual priority back");
}

static bool set_read_only(bool on)
{
	int value = on, fd = open(FAST, O_RDONLY);
	bool ok = !ioctl(fd, BLKROSET, &value);

	close(fd);
	return ok;
}

static void read_only(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDONLY),
	       "a disk that is open for reading");
	tap_eq(request(VIRTIO_BLK_T_IN, 0, DATA, 4096), 0,
	       "a disk that is open for reading is read");
	tap_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "a disk that is open for reading is not written");
	tap_eq(ranges(VIRTIO_BLK_T_DISCARD, 0, 8, 0, 1), VIRTIO_BLK_S_IOERR,
	       "a disk that is open for reading is not discarded");
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       set_read_only(true),
	       "a disk that becomes read-only");
	tap_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "a disk that became read-only is not written");
	tap_ok(set_read_only(false) &&
		       !request(VIRTIO_BLK_T_OUT, 0, DATA, 4096),
	       "a disk that is writable again is written");
	tap_ok(start_over(FLUSH_BIT | V1_BIT | RO_BIT, FAST, O_RDWR),
	       "a disk that the driver took as read-only");
	tap_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "a disk that the driver took as read-only is not written");
}

static void arguments(void)
{
	struct vhost_vring_file other = { .index = 1, .fd = 0 };
	uint64_t features;

	tap_errno(set_disk(FAST, O_RDWR), EPERM,
		  "attach a disk without an owner");
	tap_errno(ioctl(vhost, VHOST_RESET_OWNER), EPERM,
		  "reset the owner when there is none");
	tap_success(ioctl(vhost, VHOST_GET_FEATURES, &features),
		    "get the features");
	tap_ok((features & (V1_BIT | FLUSH_BIT | RO_BIT)) ==
		       (V1_BIT | FLUSH_BIT | RO_BIT),
	       "the required features are offered");
	tap_errno(set_features(1ULL << VIRTIO_F_ACCESS_PLATFORM), EOPNOTSUPP,
		  "set a feature that is not offered");
	tap_success(ioctl(vhost, VHOST_BLK_SET_SERIAL,
			  "raw-ioctls\0\0\0\0\0\0\0\0\0\0"),
		    "set the serial number");
	tap_success(ioctl(vhost, VHOST_SET_OWNER), "set the owner");
	tap_errno(set_disk(FAST, O_RDWR), EFAULT,
		  "attach a disk without a ring");
	tap_success(ioctl(vhost, VHOST_RESET_OWNER), "reset the owner");
	tap_ok(set_up(FLUSH_BIT | V1_BIT), "set up");
	tap_errno(set_disk("/dev/null", O_RDWR), EINVAL, "attach /dev/null");
	tap_errno(set_disk("/run", O_RDONLY), EINVAL, "attach a directory");
	tap_errno(set_disk(FAST, O_WRONLY), EBADF,
		  "attach a disk that is open for writing only");
	tap_errno(set_disk(SMALL_FILE, O_RDWR | O_APPEND), EINVAL,
		  "attach a file that is open with O_APPEND");
	tap_errno(vring_file(VHOST_BLK_SET_BACKEND, 999), EBADF,
		  "attach a descriptor that is not open");
	tap_errno(ioctl(vhost, VHOST_BLK_SET_BACKEND, &other), EINVAL,
		  "attach a disk to queue 1");
	tap_errno(ioctl(vhost, VHOST_BLK_SET_BACKEND, NULL), EFAULT,
		  "attach without an argument");
	tap_success(unset_disk(), "detach what is not attached");
	chain(VIRTIO_BLK_T_IN, 0, DATA, 4096);
	ring(0);
	tap_ok(!is_used(100), "a request waits for a disk");
	tap_success(set_disk(FAST, O_RDWR), "attach a disk");
	tap_ok(is_used(5000) && !mem[STATUS], "the request is done then");
	tap_errno(set_disk("/dev/null", O_RDWR), EINVAL,
		  "attach /dev/null in its place");
	tap_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 4096), 0,
	       "the disk is still there");
	tap_errno(set_features(V1_BIT | FLUSH_BIT | RO_BIT), EBUSY,
		  "change RO while a disk is attached");
	tap_success(set_features(V1_BIT), "the driver turns the cache off");
	tap_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 4096), 0,
	       "a write without a cache");
	tap_success(set_features(V1_BIT | FLUSH_BIT),
		    "the driver turns the cache on");
	tap_errno(ioctl(vhost, VHOST_BLK_SET_SERIAL, mem), EBUSY,
		  "set the serial number of a disk in use");
	tap_errno(vring_state(VHOST_SET_VRING_NUM, RING), EBUSY,
		  "set another size of a ring in use");
}

/* Requests pass by the page cache of a block device, which is emptied before.
 */
static void page_cache(void)
{
	int fd = open(FAST, O_RDWR);

	fill(DATA, 4096, 3);
	tap_ok(pwrite(fd, mem + DATA, 4096, 0) == 4096 && !unset_disk() &&
		       !set_disk(FAST, O_RDWR),
	       "a disk is attached whose page cache is dirty");
	tap_ok(!request(VIRTIO_BLK_T_IN, 0, DATA + 4096, 4096) &&
		       same(DATA, DATA + 4096, 4096),
	       "page cache: what it held is read from the disk");
	fill(DATA, 4096, 4);
	tap_ok(!request(VIRTIO_BLK_T_OUT, 0, DATA, 4096) &&
		       pread(fd, mem + DATA + 4096, 4096, 0) == 4096 &&
		       same(DATA, DATA + 4096, 4096),
	       "page cache: it holds nothing from before a write");
	close(fd);
}

/*
 * Make one request at the end of a large ring, which lies where the data is in
 * other tests.
 */
static bool large_ring(unsigned int size)
{
	const uint32_t avail_offset = DATA + 0x100000;
	const uint32_t used_offset = DATA + 0x200000;
	struct vring_desc *d = (void *)(mem + DATA);
	uint16_t *available = (void *)(mem + avail_offset);
	struct vhost_vring_addr addr = {
		.desc_user_addr = (uintptr_t)d,
		.avail_user_addr = (uintptr_t)available,
		.used_user_addr = (uintptr_t)mem + used_offset,
	};

	if (ioctl(vhost, VHOST_RESET_OWNER) || !set_up(FLUSH_BIT | V1_BIT) ||
	    vring_state(VHOST_SET_VRING_NUM, size) ||
	    vring_state(VHOST_SET_VRING_BASE, size - 1) ||
	    ioctl(vhost, VHOST_SET_VRING_ADDR, &addr))
		return false;
	memset(mem + DATA, 0, 0x300000);
	header(VIRTIO_BLK_T_IN, 0);
	d[size - 1] = (struct vring_desc){ GPA + HEADER, 16, VRING_DESC_F_NEXT,
					   size - 2 };
	d[size - 2] =
		(struct vring_desc){ GPA + STATUS, 1, VRING_DESC_F_WRITE, 0 };
	available[2 + size - 1] = size - 1;
	available[1] = size;
	memcpy(mem + used_offset + 2, &(uint16_t){ size - 1 }, 2);
	if (set_disk(FAST, O_RDWR))
		return false;
	eventfd_write(kick, 1);
	return wait_event(call, 5000) && !mem[STATUS];
}

/* Make as many reads of @bytes as the ring has room for, without waiting. */
static void flood(uint32_t bytes)
{
	unsigned int i;

	chain(VIRTIO_BLK_T_IN, 0, DATA, bytes);
	for (i = 0; i < RING; i++)
		ring(0);
}

static void in_flight(void)
{
	struct vhost_vring_state base = { 0 };

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR),
	       "a slow disk is attached");
	flood(4096);
	usleep(SLOW_MILLIS * 1000 / 4);
	tap_success(unset_disk(), "detached with requests in flight");
	ioctl(vhost, VHOST_GET_VRING_BASE, &base);
	tap_ok(count_used() == base.num,
	       "what was taken from the ring is completed: %u of %u",
	       count_used(), base.num);
	usleep(SLOW_MILLIS * 2000);
	tap_ok(count_used() == base.num, "no request is completed after that");

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR),
	       "a slow disk is attached again");
	flood(4096);
	usleep(SLOW_MILLIS * 1000 / 4);
	tap_success(set_disk(FAST, O_RDWR), "another disk in the middle");
	for (int tries = 0; tries < 100 && count_used() != RING; tries++)
		usleep(SLOW_MILLIS * 1000);
	tap_eq(count_used(), RING,
	       "all requests are completed, by one disk or the other");

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR),
	       "a slow disk is attached again");
	flood(4096);
	usleep(SLOW_MILLIS * 1000 / 4);
	tap_success(ioctl(vhost, VHOST_RESET_OWNER),
		    "owner reset with requests in flight");

	tap_ok(set_up(FLUSH_BIT | V1_BIT) && !set_disk(SLOW, O_RDWR),
	       "a slow disk is attached again");
	flood(4096);
	usleep(SLOW_MILLIS * 1000 / 4);
	close(vhost);
	tap_ok(true, "closed with requests in flight");
	raw_blk_open();
	tap_success(ioctl(vhost, VHOST_BLK_SET_SERIAL,
			  "raw-ioctls\0\0\0\0\0\0\0\0\0\0"),
		    "the device is opened again");
}

/*
 * Attaching a disk fails because of the second queue. The first queue must not
 * have started a request by then.
 */
static void half_attached(void)
{
	struct vhost_vring_state ring = { .index = 1, .num = RING };
	struct vhost_vring_addr nowhere = { .index = 1,
					    .desc_user_addr = 0x10000,
					    .avail_user_addr = 0x20000,
					    .used_user_addr = 0x30000 };

	tap_ok(!ioctl(vhost, VHOST_RESET_OWNER) && set_up(FLUSH_BIT | V1_BIT) &&
		       !ioctl(vhost, VHOST_SET_VRING_NUM, &ring) &&
		       !ioctl(vhost, VHOST_SET_VRING_ADDR, &nowhere),
	       "a second queue whose ring is not there");
	flood(4096);
	tap_errno(set_disk(SLOW, O_RDWR), EFAULT, "attaching a disk fails");
	ring.index = 0;
	tap_ok(!ioctl(vhost, VHOST_GET_VRING_BASE, &ring) && !ring.num,
	       "the first queue has taken no request: %u", ring.num);
	tap_success(ioctl(vhost, VHOST_RESET_OWNER), "reset the owner");
}

/* The vhost core reads and writes rings without a look at their addresses. */
static void rings_in_kernel(void)
{
	static const char *const names[] = { "descriptors", "available ring",
					     "used ring" };
	const uint64_t kernel = 0xffff888000000000;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		const struct vhost_vring_addr addr = {
			.desc_user_addr = i == 0 ? kernel : (uintptr_t)mem,
			.avail_user_addr =
				i == 1 ? kernel : (uintptr_t)mem + AVAIL,
			.used_user_addr =
				i == 2 ? kernel : (uintptr_t)mem + USED,
		};

		tap_ok(!ioctl(vhost, VHOST_RESET_OWNER) &&
			       set_up(FLUSH_BIT | V1_BIT) &&
			       !ioctl(vhost, VHOST_SET_VRING_ADDR, &addr),
		       "%s at a kernel address", names[i]);
		tap_errno(set_disk(FAST, O_RDWR), EFAULT,
			  "%s at a kernel address: no disk is attached",
			  names[i]);
	}
	tap_success(ioctl(vhost, VHOST_RESET_OWNER), "reset the owner");
}

/**
 * struct bios - bios in the trace
 * @count:	Number of bios
 * @next:	Sector behind the last bio
 * @in_order:	Each bio began where the one before it ended
 */
struct bios {
	unsigned int count;
	unsigned long long next;
	bool in_order;
};

/* block_bio_queue: MAJOR,MINOR FLAGS SECTOR + SECTORS [TASK] */
static void see_bio(uint64_t time, const char *what, void *context)
{
	unsigned long long sector;
	struct bios *bios = context;
	unsigned int sectors;

	(void)time;
	if (sscanf(what, "block_bio_queue: %*s R %llu + %u", &sector,
		   &sectors) != 2)
		return;
	bios->in_order &= sector == bios->next;
	bios->next = sector + sectors;
	bios->count++;
}

/* A large read is split into bios in ascending order, as hard disks need it. */
static void parts_in_order(void)
{
	struct bios bios = { .in_order = true };

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR),
	       "a disk is attached");
	trace_set("trace", "\n");
	trace_set("events/block/block_bio_queue/enable", "1");
	trace_on(true);
	tap_eq(request(VIRTIO_BLK_T_IN, 0, DATA, 1 << 20), 0, "a large read");
	trace_on(false);
	trace_set("events/block/block_bio_queue/enable", "0");
	trace_read(see_bio, &bios);
	tap_ok(bios.count > 1 && bios.next == 1 << 11,
	       "the large read is made of several bios: %u", bios.count);
	tap_ok(bios.in_order, "the bios are in order");
}

/*
 * A disk that takes one request at a time, for 20 ms each. The first request
 * must be completed at once, not when the last one has been submitted.
 */
static void narrow_disk(void)
{
	tap_ok(make_disk("narrow", "irqmode=2 completion_nsec=20000000 "
				   "hw_queue_depth=1 ") &&
		       start_over(FLUSH_BIT | V1_BIT, NARROW, O_RDWR),
	       "a disk that takes one request at a time");
	flood(4096);
	tap_ok(is_used(500), "the first of %u requests is completed at once",
	       RING);
	for (; used_idx < RING && is_used(5000);)
		;
	tap_eq(used_idx, RING,
	       "all requests are completed, one after the other");
	tap_eq(mem[STATUS], 0, "the last request succeeds");
	tap_ok(round_trip(8, DATA, DATA + 0x800000, 2 << 20, 7),
	       "more data than it takes at once, there and back");
	tap_ok(!unset_disk() && remove_disk("narrow"), "the disk is released");
}

/*
 * The owner is reset while the disk is being zeroed, which takes four seconds.
 * The zeroing must stop early, before it gets to the end of the disk.
 */
static void long_zeroing(void)
{
	tap_ok(make_disk("narrow", "mbps=16 ") &&
		       start_over(FLUSH_BIT | V1_BIT, NARROW, O_RDWR) &&
		       round_trip(SECTORS - 8, DATA, DATA + 0x800000, 4096, 1),
	       "a disk that takes 16 MB a second");
	*(struct virtio_blk_discard_write_zeroes *)(mem + DATA + 0x1000) =
		(struct virtio_blk_discard_write_zeroes){ .num_sectors =
								  SECTORS };
	chain(VIRTIO_BLK_T_WRITE_ZEROES, 0, DATA + 0x1000, 16);
	ring(0);
	tap_ok(!is_used(300), "zeroing the whole disk takes its time");
	tap_ok(start_over(FLUSH_BIT | V1_BIT, NARROW, O_RDWR) &&
		       !request(VIRTIO_BLK_T_IN, SECTORS - 8, DATA + 0x800000,
				4096) &&
		       same(DATA, DATA + 0x800000, 4096),
	       "a reset does not wait for the end of zeroing");
	tap_ok(reads_zeroes(0, 4096), "the beginning of the disk was zeroed");
	tap_ok(!unset_disk() && remove_disk("narrow"), "the disk is released");
}

/*
 * A file on a file system that takes direct I/O. Busybox' mke2fs makes one
 * without extents, and thus without zeroing of ranges: a bit of the superblock
 * gives new files extents.
 */
static bool make_file(void)
{
	return make_disk("fs", "") &&
	       !system("mke2fs -b 4096 /dev/fs > /dev/null && mkdir -p /mnt && "
		       "printf '\\102' | dd of=/dev/fs bs=1 seek=1120 && "
		       "mount -t ext4 /dev/fs /mnt && "
		       "dd if=/dev/zero of=" FS_FILE " bs=1M count=32 && sync");
}

static bool remove_file(void)
{
	return !system("umount /mnt") && remove_disk("fs");
}

/* The worker serves other requests while a write waits for the file system. */
static void frozen(void)
{
	int dir = open("/mnt", O_RDONLY);

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR) &&
		       round_trip(0, DATA, DATA + 0x800000, 65536, 1),
	       "a file on a file system is attached");
	tap_success(ioctl(dir, FIFREEZE, 0), "the file system is frozen");
	chain(VIRTIO_BLK_T_OUT, 0, DATA, 4096);
	ring(0);
	tap_ok(!is_used(300), "frozen: a write waits");
	ring_beside(VIRTIO_BLK_T_IN, 4096);
	tap_ok(is_used(2000), "frozen: a read does not");
	tap_success(ioctl(dir, FITHAW, 0), "the file system is thawed");
	tap_ok(is_used(5000) && !mem[STATUS], "the write is done");
	close(dir);
	tap_success(unset_disk(), "the file is released");
}

/* Whether the beginning of the file is in the page cache. */
static bool is_cached(void)
{
	int fd = open(FS_FILE, O_RDONLY);
	void *map = mmap(NULL, 65536, PROT_READ, MAP_SHARED, fd, 0);
	unsigned char pages[16] = { 0 };

	mincore(map, 65536, pages);
	munmap(map, 65536);
	close(fd);
	return memchr(pages, 1, sizeof(pages));
}

/*
 * Buffered I/O beside direct I/O to the same file can lose data, so unaligned
 * requests must not use the page cache either.
 */
static void unaligned_file(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR) &&
		       round_trip(0, DATA, DATA + 0x800000, 65536, 1),
	       "a file is attached");
	tap_ok(!is_cached(), "a file: it is not in the page cache");
	tap_ok(round_trip(5, DATA + 3, DATA + 0x800005, 8192, 2),
	       "a file: from odd addresses");
	tap_ok(round_trip(5, DATA + 1, DATA + 0x800001, 300 * 512, 3),
	       "a file: a lot from odd addresses");
	tap_ok(!is_cached(), "a file: it still is not in the page cache");
	tap_success(unset_disk(), "the file is released");
}

/* Requests that are not for whole blocks, of a disk that has blocks of 4 KiB */
static void parts_of_blocks(const char *disk)
{
	tap_eq(request(VIRTIO_BLK_T_OUT, 1, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "4 KiB blocks, %s: no write that begins within a block", disk);
	tap_eq(request(VIRTIO_BLK_T_OUT, 8, DATA, 512), VIRTIO_BLK_S_IOERR,
	       "4 KiB blocks, %s: no write of a part of a block", disk);
	tap_eq(request(VIRTIO_BLK_T_IN, 0, DATA, 4608), VIRTIO_BLK_S_IOERR,
	       "4 KiB blocks, %s: no read of a part of a block", disk);
}

/* A file on a file system whose disk has blocks of 4 KiB. */
static void large_block_file(void)
{
	tap_ok(!unset_disk() &&
		       !system("mke2fs -b 4096 " LARGE " > /dev/null && "
			       "mkdir -p /mnt && mount -t ext4 " LARGE
			       " /mnt && "
			       "truncate -s 4M " FS_FILE),
	       "4 KiB blocks: a file system is made");
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR) &&
		       round_trip(0, DATA, DATA + 0x800000, 65536, 1),
	       "4 KiB blocks: a file on it");
	tap_ok(round_trip(8, DATA + 3, DATA + 0x800005, 8192, 2),
	       "4 KiB blocks: data from odd addresses");
	parts_of_blocks("a file");
	tap_ok(!is_cached(), "4 KiB blocks: the file is not in the page cache");
	tap_ok(!unset_disk() && !system("umount /mnt"),
	       "4 KiB blocks: the file system is unmounted");
}

/* O_APPEND, set on the file while it is attached, must not redirect writes. */
static void appended(void)
{
	int fd = open(FS_FILE, O_RDWR);
	struct stat before, after;

	tap_ok(set_up(FLUSH_BIT | V1_BIT) && !fstat(fd, &before) &&
		       !vring_file(VHOST_BLK_SET_BACKEND, fd) &&
		       !fcntl(fd, F_SETFL, O_APPEND),
	       "O_APPEND is set on an attached file");
	tap_ok(round_trip(8, DATA, DATA + 0x800000, 65536, 4),
	       "O_APPEND: data is written where it belongs");
	tap_ok(!fstat(fd, &after) && before.st_size == after.st_size,
	       "O_APPEND: the file does not grow");
	tap_ok(!ioctl(vhost, VHOST_RESET_OWNER), "the file is released");
	close(fd);
}

static long blocks_of_file(void)
{
	struct stat file;

	return stat(FS_FILE, &file) ? -1 : file.st_blocks;
}

/* Zeroing gives blocks of the file back only if the driver allows that. */
static void unmapping(const char *disk, const char *what)
{
	const uint32_t zeroes = VIRTIO_BLK_T_WRITE_ZEROES;
	long blocks;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, disk, O_RDWR) &&
		       !request(VIRTIO_BLK_T_OUT, 0, DATA, 65536) &&
		       !request(VIRTIO_BLK_T_FLUSH, 0, 0, 0),
	       "%s is attached", what);
	blocks = blocks_of_file();
	tap_ok(!ranges(zeroes, 0, 128, 0, 1) && blocks_of_file() >= blocks,
	       "%s: what is zeroed stays allocated", what);
	tap_ok(!ranges(zeroes, 0, 128, 1, 1) && blocks_of_file() < blocks,
	       "%s: what may be unmapped does not", what);
	tap_ok(reads_zeroes(0, 65536), "%s: both read as zeroes", what);
	tap_success(unset_disk(), "%s is released", what);
}

static void unmapped(void)
{
	unmapping(FS_FILE, "a file with holes");
	tap_ok(!system("losetup " FS_LOOP " " FS_FILE), "a loop device");
	unmapping(FS_LOOP, "a loop device with holes");
	tap_ok(!system("losetup -d " FS_LOOP), "the loop device is removed");
}

/* Set guest memory plus other memory at HUGE_GPA. */
static int set_more_memory(void *more, uint64_t size)
{
	const struct vhost_memory_region regions[] = {
		region(GPA, mem, MEM_SIZE), region(HUGE_GPA, more, size)
	};

	return set_regions(regions, 2);
}

/* Ring for a read of @bytes to HUGE_GPA. */
static void read_to_more(uint32_t bytes)
{
	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	add(HUGE_GPA, bytes, VRING_DESC_F_WRITE);
	add_in(STATUS, 1);
	ring(0);
}

/* KiB of the page cache that are to be written to disks */
static unsigned int dirty_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned int kib = 0;
	char line[128];

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Dirty: %u kB", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

/*
 * Guest memory in a file whose pages become clean while the disk is writing to
 * them: they must be dirty again when the request is done, or what was read is
 * lost when memory is short.
 */
static void read_into_clean(int fd, void *memory)
{
	unsigned int tries = 5;
	bool late;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR) &&
		       !set_more_memory(memory, MEMORY_SIZE),
	       "guest memory in a file");
	do {
		read_to_more(MEMORY_SIZE);
		usleep(SLOW_MILLIS * 1000 / 4);
		syncfs(fd);
		late = count_used() || dirty_kib() > MEMORY_SIZE / 4096;
		tap_ok(is_used(5000) && !mem[STATUS],
		       "memory in a file: the read succeeds");
	} while (late && --tries);
	tap_ok(!late, "memory in a file: it is written back during a read");
	tap_ok(dirty_kib() > MEMORY_SIZE / 2048,
	       "memory in a file: what was read is dirty");
}

/*
 * A file is truncated after the device has looked at its size: the read waits
 * for guest memory, whose file system is frozen.
 */
static void read_of_shrunk(void *memory)
{
	int dir = open("/mnt", O_RDONLY);

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SMALL_FILE, O_RDWR) &&
		       !set_more_memory(memory, MEMORY_SIZE) &&
		       !ioctl(dir, FIFREEZE, 0),
	       "guest memory that is frozen");
	read_to_more(8192);
	tap_ok(!is_used(100) && !truncate(SMALL_FILE, 4096) &&
		       !ioctl(dir, FITHAW, 0),
	       "a file becomes smaller during a read");
	tap_ok(is_used(5000) && mem[STATUS] == VIRTIO_BLK_S_IOERR,
	       "a read that gets less than it asked for fails");
	tap_ok(!truncate(SMALL_FILE, 64 << 20) && !unset_disk(),
	       "the file has its size again");
	close(dir);
}

/* Wait until @count chains are in a used ring that is not the one in @mem. */
static bool wait_used(const volatile struct vring_used *ring, uint16_t count)
{
	for (unsigned int i = 0; i < 1000 && ring->idx != count; i++)
		usleep(2000);
	return ring->idx == count;
}

/*
 * Have the device ask for doorbells in the page at @pages + 4096, which is one
 * of the file @fd, and do all else in the page before it.
 */
static volatile struct vring_used *split_ring(int fd, uint8_t *pages)
{
	const struct vhost_vring_addr addr = {
		.desc_user_addr = (uintptr_t)mem,
		.avail_user_addr = (uintptr_t)mem + AVAIL,
		.used_user_addr = (uintptr_t)pages + 4096 -
				  offsetof(struct vring_used, ring[RING]),
	};

	mmap(pages + 4096, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
	     fd, 0);
	tap_ok(!ioctl(vhost, VHOST_RESET_OWNER) &&
		       set_up(FLUSH_BIT | V1_BIT |
			      1ULL << VIRTIO_RING_F_EVENT_IDX) &&
		       !ioctl(vhost, VHOST_SET_VRING_ADDR, &addr) &&
		       !set_disk(FAST, O_RDWR),
	       "a used ring that ends in a file");
	return (void *)addr.used_user_addr;
}

/*
 * The driver makes a request while the worker asks for doorbells, which takes
 * until the file system of that page is thawed. It does not ring, as it has not
 * been asked yet. The worker has to look at the ring once more.
 */
static void request_without_doorbell(int fd)
{
	uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile struct vring_used *ring_in_file = split_ring(fd, pages);
	struct vhost_vring_state state = { 0 };

	chain(VIRTIO_BLK_T_GET_ID, 0, DATA, VIRTIO_BLK_ID_BYTES);
	ring(0);
	tap_ok(wait_used(ring_in_file, 1), "a request is done");
	/* The worker has the mutex that this takes until it sleeps. */
	ioctl(vhost, VHOST_GET_VRING_BUSYLOOP_TIMEOUT, &state);
	tap_success(ioctl(fd, FIFREEZE, 0), "the end of the ring is frozen");
	ring(0);
	wait_used(ring_in_file, 2);
	usleep(20000);
	offer(0);
	tap_success(ioctl(fd, FITHAW, 0), "the end of the ring is thawed");
	tap_ok(wait_used(ring_in_file, 3),
	       "a request that the driver could not ring for is done");
	tap_success(unset_disk(), "the disk is released");
	munmap(pages, 8192);
}

static void memory_in_file(void)
{
	int fd = open(FS_MEMORY, O_RDWR | O_CREAT, 0600);
	void *memory;

	if (fd < 0 || write(fd, mem, MEMORY_SIZE) != MEMORY_SIZE || fsync(fd))
		err(1, FS_MEMORY);
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      0);
	read_into_clean(fd, memory);
	tap_success(fsync(fd), "memory in a file: it is written back");
	read_of_shrunk(memory);
	request_without_doorbell(fd);
	munmap(memory, MEMORY_SIZE);
	close(fd);
}

/*
 * A write to a file has the kernel's flag for writes, without which overlayfs
 * does not end it properly.
 */
static void traced_write(void)
{
	if (access(TRACE_DIR "events/iomap/iomap_dio_rw_begin", F_OK)) {
		tap_skip("the kernel does not trace that",
			 "a write is flagged as one");
		return;
	}
	trace_set("trace", "\n");
	trace_set("events/iomap/iomap_dio_rw_begin/enable", "1");
	trace_on(true);
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR) &&
		       round_trip(8, DATA, DATA + 0x800000, 4096, 4),
	       "a write to a file");
	tap_ok(!set_features(V1_BIT) &&
		       !request(VIRTIO_BLK_T_OUT, 8, DATA, 512),
	       "a write to a file without a cache");
	trace_on(false);
	trace_set("events/iomap/iomap_dio_rw_begin/enable", "0");
	tap_ok(!system("grep -q 'flags.*DIRECT|WRITE' " TRACE_DIR "trace"),
	       "a write is flagged as one");
	tap_ok(!system("grep -q 'flags.*DSYNC' " TRACE_DIR "trace"),
	       "a write without a cache is flagged as synchronous");
	tap_success(unset_disk(), "the file is released");
}

/* Make the first block of the file fail, or work again. */
static bool bad_block(bool bad)
{
	int fd = open(FS_FILE, O_RDONLY), block = 0;
	char command[128];

	if (ioctl(fd, FIBMAP, &block) || block <= 0)
		return false;
	close(fd);
	snprintf(command, sizeof(command),
		 "echo %c%u-%u > /sys/kernel/config/nullb/fs/badblocks",
		 bad ? '+' : '-', block * FS_BLOCK / 512,
		 (block + 1) * FS_BLOCK / 512 - 1);
	return !system(command);
}

/* Write a block to the page cache whose writeback to the disk will fail. */
static bool lose_data(void)
{
	int fd = open(FS_FILE, O_WRONLY);
	bool ok = bad_block(true) && pwrite(fd, mem, FS_BLOCK, 0) == FS_BLOCK;

	close(fd);
	return ok;
}

static void lost_data(void)
{
	const uint32_t flush = VIRTIO_BLK_T_FLUSH;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR),
	       "a file is attached");
	tap_eq(request(flush, 0, 0, 0), 0, "a flush");
	tap_ok(lose_data(), "data in the page cache is lost");
	tap_eq(request(flush, 0, 0, 0), VIRTIO_BLK_S_IOERR,
	       "a flush fails after data was lost");
	tap_eq(request(flush, 0, 0, 0), VIRTIO_BLK_S_IOERR,
	       "so does the next flush");
	tap_ok(bad_block(false) &&
		       start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR) &&
		       !request(flush, 0, 0, 0),
	       "a flush works after a restart");
	tap_success(unset_disk(), "the file is released");
}

/* Requests for which the queue has no bios left must wait in the ring. */
static void starvation(void)
{
	unsigned int i;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR),
	       "a fast disk is attached");
	flood(8 << 20);
	for (i = 0; i < RING && is_used(20000); i++)
		;
	tap_eq(i, RING, "%u requests of 8 MiB", RING);
	tap_eq(mem[STATUS], 0, "the last request succeeds");
}

/* Cut the disk's power: it loses the contents of its volatile cache. */
static bool cut_power(void)
{
	return !unset_disk() &&
	       !system("cd /sys/kernel/config/nullb/cached && "
		       "echo 0 > power && echo 1 > power") &&
	       !set_disk(CACHED, O_RDWR);
}

static bool write_block(uint64_t block, unsigned int seed)
{
	fill(DATA, 4096, seed);
	return request(VIRTIO_BLK_T_OUT, block * 8, DATA, 4096) == 0;
}

static bool block_is(uint64_t block, unsigned int seed)
{
	fill(DATA, 4096, seed);
	memset(mem + DATA + 4096, 0, 4096);
	return request(VIRTIO_BLK_T_IN, block * 8, DATA + 4096, 4096) == 0 &&
	       same(DATA, DATA + 4096, 4096);
}

/*
 * Whether a flushed block survives a power cut. Also checks that a block that
 * was not flushed is lost, without which the test would prove nothing.
 */
static bool flushed_survives(unsigned int cut)
{
	const uint64_t block = 2 * cut;

	return write_block(block, cut) &&
	       request(VIRTIO_BLK_T_FLUSH, 0, 0, 0) == 0 &&
	       write_block(block + 1, cut) && block_is(block + 1, cut) &&
	       cut_power() && block_is(block, cut) &&
	       reads_zeroes((block + 1) * 8, 4096);
}

/*
 * Whether a sector that is zeroed without a cache survives a power cut.
 * null_blk writes to its cache only where the disk has no page yet or the cache
 * has one. So that zeroes go to the cache, another sector of their page is
 * written there before the disk gets the page.
 */
static bool zeroed_survives(void)
{
	const uint64_t sector = 1001 * 8;
	int fd = open(CACHED, O_WRONLY | O_DIRECT);
	bool ok;

	fill(DATA, 512, 3);
	ok = pwrite(fd, mem + DATA, 512, sector * 512) == 512;
	close(fd);
	return ok && !request(VIRTIO_BLK_T_OUT, sector + 1, DATA, 512) &&
	       !ranges(VIRTIO_BLK_T_WRITE_ZEROES, sector + 1, 1, 0, 1) &&
	       cut_power() && reads_zeroes(sector + 1, 512);
}

static void power_cuts(void)
{
	unsigned int i;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, CACHED, O_RDWR),
	       "a disk with a volatile cache is attached");
	for (i = 0; i < power_cut_count && flushed_survives(i); i++)
		;
	tap_eq(i, power_cut_count, "what was flushed survives %u power cuts",
	       power_cut_count);
	tap_ok(write_block(199, 1) && !set_features(V1_BIT),
	       "the driver turns the cache off after a write");
	tap_ok(cut_power() && block_is(199, 1),
	       "that write survives a power cut");
	for (i = 0; i < power_cut_count; i++)
		if (!write_block(200 + i, i) || !cut_power() ||
		    !block_is(200 + i, i))
			break;
	tap_eq(i, power_cut_count,
	       "without a cache each write survives, %u power cuts",
	       power_cut_count);
	fill(DATA + 1, 4096, 2);
	tap_ok(!request(VIRTIO_BLK_T_OUT, 1000 * 8, DATA + 1, 4096) &&
		       cut_power() && block_is(1000, 2),
	       "so does one from an odd address");
	tap_ok(zeroed_survives(), "so does what is zeroed");
}

static uint64_t dirty[(GPA + MEM_SIZE) / 4096 / 64 + 1];

static int set_log(void *log)
{
	uint64_t base = (uintptr_t)log;

	return ioctl(vhost, VHOST_SET_LOG_BASE, &base);
}

/* Switch the logging of dirty pages on, including the used ring's, or off. */
static int log_pages(bool on)
{
	struct vhost_vring_addr addr = {
		.flags = on ? 1 << VHOST_VRING_F_LOG : 0,
		.desc_user_addr = (uintptr_t)mem,
		.avail_user_addr = (uintptr_t)mem + AVAIL,
		.used_user_addr = (uintptr_t)mem + USED,
		.log_guest_addr = GPA + USED,
	};

	if (ioctl(vhost, VHOST_SET_VRING_ADDR, &addr))
		return -1;
	return set_features(FLUSH_BIT | V1_BIT | (on ? LOG_BIT : 0));
}

static bool is_dirty(uint32_t offset)
{
	uint64_t page = (GPA + offset) / 4096;

	return dirty[page / 64] >> page % 64 & 1;
}

/* Count the dirty pages in the log and clear it. */
static unsigned int count_dirty(void)
{
	unsigned int i, count = 0;

	for (i = 0; i < sizeof(dirty) / sizeof(dirty[0]); i++)
		count += __builtin_popcountll(dirty[i]);
	memset(dirty, 0, sizeof(dirty));
	return count;
}

/*
 * A request, and what vhost logs after the driver can see that it is done: that
 * the used ring was written to. This happens under the mutex of the queue,
 * which the ioctl takes.
 */
static int logged_request(uint32_t type, uint64_t sector, uint32_t data,
			  uint32_t len)
{
	struct vhost_vring_state state = { 0 };
	int status = request(type, sector, data, len);

	if (ioctl(vhost, VHOST_GET_VRING_BUSYLOOP_TIMEOUT, &state))
		err(1, "VHOST_GET_VRING_BUSYLOOP_TIMEOUT");
	return status;
}

static void dirty_pages(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) && !set_log(dirty),
	       "a log of dirty pages");
	tap_eq(logged_request(VIRTIO_BLK_T_IN, 0, DATA, 8192), 0, "a read");
	tap_eq(count_dirty(), 0, "no page is logged before logging is on");
	tap_ok(!set_log((void *)-4096L), "a log at a kernel address");
	tap_errno(set_features(FLUSH_BIT | V1_BIT | LOG_BIT), EFAULT,
		  "logging to a kernel address is refused");
	tap_ok(!set_log(dirty) && !log_pages(true),
	       "logging is switched on for a disk in use");
	tap_eq(logged_request(VIRTIO_BLK_T_IN, 0, DATA + 2048, 8192), 0,
	       "a read");
	tap_ok(is_dirty(DATA) && is_dirty(DATA + 4096) && is_dirty(DATA + 8192),
	       "the pages that a read filled are dirty");
	tap_ok(is_dirty(STATUS) && is_dirty(USED),
	       "so are status and used ring");
	tap_eq(count_dirty(), 5, "no other page is dirty");
	tap_eq(logged_request(VIRTIO_BLK_T_OUT, 0, DATA, 8192), 0, "a write");
	tap_ok(is_dirty(STATUS) && is_dirty(USED),
	       "the page of the status is dirty");
	tap_eq(count_dirty(), 2, "no other page is dirty");
	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	add_in(DATA, 4096 + 1);
	go();
	tap_ok(!mem[DATA + 4096] && is_dirty(DATA) && is_dirty(DATA + 4096),
	       "the page of a status behind data is dirty");
	count_dirty();
	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	add_in(DATA, 4096);
	add_in(DATA + 8192, 4096);
	add_in(STATUS, 1);
	tap_ok(!go() && is_dirty(DATA) && is_dirty(DATA + 8192) &&
		       !is_dirty(DATA + 4096),
	       "the pages of both of a read's buffers are dirty");
	count_dirty();
	tap_eq(logged_request(VIRTIO_BLK_T_IN, SECTORS, DATA, 4096),
	       VIRTIO_BLK_S_IOERR, "a read that fails");
	tap_ok(is_dirty(STATUS), "the page of the status is dirty");
	count_dirty();
	tap_ok(bad_sectors(true) &&
		       logged_request(VIRTIO_BLK_T_IN, 96, DATA, 4096) ==
			       VIRTIO_BLK_S_IOERR &&
		       bad_sectors(false),
	       "a read of bad sectors fails");
	tap_ok(is_dirty(DATA), "the page that it may have filled is dirty");
	count_dirty();
	tap_success(log_pages(false), "logging is switched off");
	tap_eq(logged_request(VIRTIO_BLK_T_IN, 0, DATA, 8192), 0, "a read");
	tap_eq(count_dirty(), 0, "no page is logged after that");

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR) && !set_log(dirty),
	       "a log for a slow disk");
	flood(4096);
	usleep(SLOW_MILLIS * 1000 / 4);
	tap_success(log_pages(true),
		    "logging is switched on with requests in flight");
	used_idx = __atomic_load_n(&used()->idx, __ATOMIC_ACQUIRE);
	count_dirty();
	usleep(SLOW_MILLIS * 2000);
	tap_ok(!count_used() || is_dirty(DATA),
	       "a request that ends later is logged: %u of %u", count_used(),
	       RING);

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       !set_log((void *)0x1000) && !log_pages(true),
	       "a log that is not mapped");
	chain(VIRTIO_BLK_T_IN, 0, DATA, 512);
	ring(0);
	tap_ok(wait_event(err_fd, 5000),
	       "a log that is not mapped stops the queue");
	count_dirty();
}

static int forget_memory(void)
{
	struct vhost_memory none = { 0 };

	return ioctl(vhost, VHOST_SET_MEM_TABLE, &none);
}

/* Make a read whose buffers add up to 240 GiB; it fails before it uses any. */
static int claim(void)
{
	unsigned int i;

	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	for (i = 0; i < RING - 4; i++)
		add(HUGE_GPA, UINT32_MAX, VRING_DESC_F_WRITE);
	add_in(STATUS, 1);
	return go();
}

/* 4 GiB of guest memory are mapped without any access. */
static void log_of_claims(void)
{
	void *huge = mmap(NULL, HUGE_SIZE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *log = calloc(1, (HUGE_GPA + HUGE_SIZE) / 4096 / 8);
	uint64_t start;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       !set_more_memory(huge, HUGE_SIZE) && !set_log(log) &&
		       !set_features(FLUSH_BIT | V1_BIT | LOG_BIT),
	       "a log of 8 GiB of memory");
	start = now_ms();
	tap_eq(claim(), VIRTIO_BLK_S_IOERR, "a read of 240 GiB fails");
	tap_ok(now_ms() - start < 1000,
	       "the read of 240 GiB takes less than a second");
	tap_ok(!log[HUGE_GPA / 4096 / 8], "what was not written is not logged");
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR),
	       "a restart without the log");
	free(log);
	munmap(huge, HUGE_SIZE);
}

/*
 * The memory table is replaced by an empty one while requests are in flight:
 * they must end first. Without memory, the vhost core accepts any log address,
 * so nothing may be left that could be logged there.
 */
static void memory_changes(void)
{
	unsigned int i;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR) &&
		       !set_log(dirty) &&
		       !set_features(FLUSH_BIT | V1_BIT | LOG_BIT),
	       "a log for a slow disk");
	chain(VIRTIO_BLK_T_IN, 0, DATA, 4096);
	for (i = 0; i < 8; i++)
		ring(0);
	usleep(SLOW_MILLIS * 1000 / 4);
	tap_ok(!count_used() && !forget_memory(),
	       "guest memory is taken away with requests in flight");
	tap_eq(count_used(), 8, "all requests in flight are done by then");
	used_idx += 8;
	tap_ok(!set_log((void *)-4096L),
	       "a log at a kernel address, without memory");
	tap_errno(set_memory(), EFAULT, "memory is refused with that log");
	tap_ok(!set_log(dirty) && !set_memory() &&
		       !request(VIRTIO_BLK_T_IN, 0, DATA, 4096),
	       "requests are served with memory and a log again");
}

/* Give queue 1, which has no disk, one of two workers by turns. */
static bool switch_workers(void)
{
	struct vhost_worker_state workers[2] = { 0 };
	struct vhost_vring_worker queue = { .index = 1 };
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (ioctl(vhost, VHOST_NEW_WORKER, &workers[i]))
			return errno == ENOTTY;
	for (i = 0; i < 500; i++) {
		queue.worker_id = workers[i % 2].worker_id;
		if (ioctl(vhost, VHOST_ATTACH_VRING_WORKER, &queue) ||
		    set_features(FLUSH_BIT | V1_BIT | LOG_BIT) ||
		    set_features(FLUSH_BIT | V1_BIT))
			return false;
	}
	return true;
}

/*
 * Changing a queue's worker while logging is switched on and off. The vhost
 * core warns if work is still queued for the former worker.
 */
static void workers(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) && !set_log(dirty),
	       "a log of dirty pages");
	tap_ok(switch_workers(),
	       "the worker of a queue changes as logging does");
}

/*
 * Make requests without ringing. Returns how many of 50 are done nevertheless.
 * Before each, the worker gets time to enable doorbells, because it looks at
 * the ring once more after that. On a busy machine it may be late for a few.
 */
static unsigned int done_unasked(void)
{
	unsigned int i, count = 0;

	for (i = 0; i < 50; i++) {
		if (request(VIRTIO_BLK_T_IN, 0, DATA, 512))
			return 0;
		usleep(2000);
		offer(0);
		if (is_used(20)) {
			count++;
			continue;
		}
		eventfd_write(kick, 1);
		if (!is_used(5000))
			return 0;
	}
	return count;
}

static void busyloop(void)
{
	unsigned int count;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       !system("echo 0 > " POLL_PARAM),
	       "a disk that is not polled for");
	count = done_unasked();
	tap_ok(count < 5, "%u requests are done without a doorbell", count);
	tap_success(vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 100000),
		    "a busyloop timeout is set");
	count = done_unasked();
	tap_ok(count > 5, "%u requests are done without a doorbell", count);
	tap_success(vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 0),
		    "the busyloop timeout is set to 0");
	count = done_unasked();
	tap_ok(count < 5, "%u requests are done without a doorbell again",
	       count);
	tap_ok(!system("echo 1 > " POLL_PARAM), "polling is on again");
}

/* Read a counter of the only device in sysfs; -1 if there is none. */
static long long counter(const char *name)
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

/**
 * struct storm - Result of many requests in a row
 * @done:	Requests that were done
 * @interrupts:	Number of signals on the call eventfd
 */
struct storm {
	unsigned int done;
	unsigned int interrupts;
};

static void offer_and_ring(void)
{
	offer(0);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(used()->flags & VRING_USED_F_NO_NOTIFY))
		eventfd_write(kick, 1);
}

/* Make @count reads, @depth at a time, sleeping until the device interrupts. */
static struct storm storm(unsigned int depth, unsigned int count)
{
	struct storm storm = { 0 };
	unsigned int offered = 0;
	eventfd_t signalled;

	chain(VIRTIO_BLK_T_IN, 0, DATA, 4096);
	eventfd_read(call, &signalled);
	while (storm.done < count) {
		for (; offered < count && offered - storm.done < depth;
		     offered++)
			offer_and_ring();
		if (poll(&(struct pollfd){ call, POLLIN, 0 }, 1, 5000) != 1)
			break;
		eventfd_read(call, &signalled);
		storm.interrupts += signalled;
		for (; count_used(); used_idx++)
			storm.done++;
	}
	return storm;
}

/* Run on CPU 0 only, or on both CPUs: the worker gets the other one. */
static void stay_on_cpu(bool on)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (!on)
		CPU_SET(1, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* Have the worker poll for many seconds after a request of the queue in use. */
static bool poll_for_long(void)
{
	return !vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, LONG_POLL) &&
	       !request(VIRTIO_BLK_T_IN, 0, DATA, 512) &&
	       !request(VIRTIO_BLK_T_IN, 0, DATA, 512);
}

/* However long the worker polls, an interrupt is not held back for that long.
 */
static void held_interrupts(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) && poll_for_long(),
	       "a disk is polled for");
	tap_eq(storm(1, 300).done, 300,
	       "no interrupt is held back while the driver waits for it");
	tap_success(unset_disk(), "the disk is detached");
}

static void *spin(void *stop)
{
	while (!*(volatile bool *)stop)
		;
	return NULL;
}

/*
 * Somebody else wants the worker's CPU while it polls for a slow disk: it gives
 * it away until the request ends, returns that, and polls no more.
 */
static void wanted_cpu(void)
{
	volatile bool stop = false;
	pthread_t threads[2];
	long long waits;
	uint64_t end;
	int i;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR) && poll_for_long(),
	       "a slow disk is polled for");
	waits = counter("waits");
	for (i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, spin, (void *)&stop);
	ring(0);
	tap_ok(is_used(3000), "other threads want the CPU: a request is done");
	for (end = now_ms() + 2000; now_ms() < end;)
		if (counter("waits") > waits)
			break;
	tap_ok(counter("waits") > waits, "the worker leaves the CPU to them");
	stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	tap_success(unset_disk(), "the disk is detached");
}

/* How often the worker polls while there is a read every 10 ms. */
static long long polls_while_idle(void)
{
	long long polls = counter("polls");

	for (unsigned int i = 0; i < 40; i++) {
		usleep(10000);
		if (request(VIRTIO_BLK_T_IN, 0, DATA, 512))
			break;
	}
	return counter("polls") - polls;
}

static void polling(void)
{
	const unsigned int many = 4000;
	long long found, waits, polls = 20, interrupts;
	struct storm result;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR),
	       "a disk is attached");
	stay_on_cpu(true);
	found = counter("polls_found");
	interrupts = counter("interrupts");
	result = storm(1, 500);
	tap_eq(counter("interrupts") - interrupts, 500,
	       "one request in flight: each interrupt is counted");
	tap_eq(result.done, 500, "one request in flight: all are done");
	tap_eq(result.interrupts, 500,
	       "one request in flight: each has its interrupt");
	waits = counter("waits");
	result = storm(32, many);
	waits = counter("waits") - waits;
	tap_eq(result.done, many, "32 in flight: all are done");
	tap_ok(waits >= 0 && waits < many / 4, "32 in flight: %lld doorbells",
	       waits);
	tap_ok(result.interrupts < many / 4, "32 in flight: %u interrupts",
	       result.interrupts);
	found = counter("polls_found") - found;
	tap_ok(found > 0, "polling has found something %lld times", found);
	result = storm(1, 500);
	tap_eq(result.done, 500, "one in flight again: all are done");
	/* While the host is busy, 10 ms may seem short to the worker. */
	for (unsigned int tries = 0; tries < 5 && polls >= 20; tries++)
		polls = polls_while_idle();
	tap_ok(polls < 20,
	       "a disk that is idle is hardly polled for: %lld times", polls);
	stay_on_cpu(false);
}

static void counters(void)
{
	const char *measure = "echo 1 > " COUNTERS "measure_latency";
	long long reads, writes, errors, flushes, ids, others, started, ended;
	long long discards, zeroes;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SMALL_FILE, O_RDWR) &&
		       has_disk("file"),
	       "counters: the disk is a file");
	tap_ok(!unset_disk() && has_disk("none"), "counters: there is no disk");
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR),
	       "a disk is attached");
	tap_eq(counter("pid"), getpid(), "counters: the pid is ours");
	tap_ok(has_disk(FAST + strlen("/dev/")), "counters: the disk is named");
	reads = counter("reads");
	writes = counter("writes");
	flushes = counter("flushes");
	ids = counter("ids");
	others = counter("others");
	discards = counter("discards");
	zeroes = counter("write_zeroes");
	errors = counter("errors");
	started = count_in(COUNTERS "0/depth", 1);
	ended = count_in(COUNTERS "0/latency", 0);
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
	tap_eq(counter("reads") - reads, 5, "counters: 5 reads");
	tap_eq(counter("writes") - writes, 2, "counters: 2 writes");
	tap_eq(counter("flushes") - flushes, 1, "counters: a flush");
	tap_eq(counter("ids") - ids, 1, "counters: a serial number");
	tap_eq(counter("others") - others, 1, "counters: an unknown request");
	tap_eq(counter("discards") - discards, 3, "counters: 3 discards");
	tap_eq(counter("write_zeroes") - zeroes, 1, "counters: a zeroing");
	tap_eq(counter("errors") - errors, 2, "counters: 2 requests failed");
	tap_eq(count_in(COUNTERS "0/depth", 1) - started, 14,
	       "counters: the depth at each request, which is 1");
	tap_eq(count_in(COUNTERS "0/latency", 0) - ended, 0,
	       "counters: no latency before it is measured");
	tap_ok(!system(measure) && !request(VIRTIO_BLK_T_IN, 0, DATA, 512),
	       "counters: latency is measured");
	tap_eq(count_in(COUNTERS "0/latency", 0) - ended, 1,
	       "counters: the latency of one read");
	tap_ok(!system("echo 0 > " COUNTERS "measure_latency"),
	       "counters: latency is not measured any more");
}

/* Each tracepoint is seen at least once. */
static void traces(void)
{
	const char *const events[] = {
		"vhost_blk_start: device=0 head=0 type=0",
		"vhost_blk_end: device=0 head=0 type=0 "
		"written=4097 error=0",
		"vhost_blk_poll: device=0 found=1",
		"vhost_blk_interrupt: device=0"
	};
	char command[160];

	trace_set("trace", "\n");
	trace_set("events/vhost_blk/enable", "1");
	vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 100000);
	trace_on(true);
	storm(8, 400);
	trace_on(false);
	vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, 0);
	trace_set("events/vhost_blk/enable", "0");
	for (unsigned int i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		snprintf(command, sizeof(command),
			 "grep -q '%s' " TRACE_DIR "trace", events[i]);
		tap_ok(!system(command), "traced: %s", events[i]);
	}
}

static void *switch_disks(void *stop)
{
	while (!*(volatile bool *)stop) {
		set_disk(FAST, O_RDWR);
		unset_disk();
		set_disk(SMALL_FILE, O_RDWR);
		usleep(500);
	}
	return NULL;
}

static void race(void)
{
	volatile bool stop = false;
	pthread_t thread;
	unsigned int i;

	pthread_create(&thread, NULL, switch_disks, (void *)&stop);
	for (i = 0; i < 2000; i++) {
		header(VIRTIO_BLK_T_IN, i % 64);
		if (count_used() == (uint16_t)(avail_idx - used_idx))
			flood(4096);
		used_idx = __atomic_load_n(&used()->idx, __ATOMIC_ACQUIRE);
		usleep(300);
	}
	stop = true;
	pthread_join(thread, NULL);
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       round_trip(0, DATA, DATA + 0x800000, 65536, 9),
	       "a disk works after many have come and gone under load");
}

static bool make_disks(void)
{
	return mount_configfs() && make_disk("fast", "") &&
	       make_disk("slow", "irqmode=2 completion_nsec=400000000 ") &&
	       make_disk("cached", "cache_size=16 ") &&
	       !system("truncate -s 64M " SMALL_FILE " " LARGE_FILE);
}

/*
 * Make a disk with blocks of 4 KiB. It is a loop device, because null_blk needs
 * each buffer to have whole blocks.
 */
static bool make_large_blocks(void)
{
	struct loop_config config = { .block_size = 4096 };
	int loop = open(LARGE, O_RDWR);
	bool ok;

	config.fd = open(LARGE_FILE, O_RDWR);
	ok = !ioctl(loop, LOOP_CONFIGURE, &config);
	close(config.fd);
	close(loop);
	return ok;
}

static bool remove_disks(void)
{
	return remove_disk("fast") && remove_disk("slow") &&
	       remove_disk("cached") && unmount_configfs();
}

int main(int argc, char **argv)
{
	long pinned = pages_pinned();

	power_cut_count = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	raw_blk_init();
	trace_init();
	tap_ok(make_disks() && make_large_blocks(), "the disks are made");
	stuck_begin();
	tap_ok(raw_blk_open(), "the device opens");

	arguments();
	page_cache();
	transfers("block device");
	discard_and_zero("block device");
	cuts();
	wrong_requests();
	corrupt_rings();
	read_only();
	too_large();
	disk_errors();
	priority();
	tap_ok(start_over(FLUSH_BIT | V1_BIT, SMALL_FILE, O_RDWR),
	       "a file is attached");
	transfers("file");
	discard_and_zero("file");
	cuts();
	wrong_requests();
	tap_ok(start_over(V1_BIT, FAST, O_RDWR),
	       "a disk without a cache is attached");
	transfers("written through");
	tap_ok(start_over(FLUSH_BIT | V1_BIT, LARGE, O_RDWR),
	       "a disk with blocks of 4 KiB is attached");
	tap_ok(round_trip(8, DATA + 512, DATA + 0x800200, 65536, 5),
	       "4 KiB blocks: data that is not aligned in memory");
	parts_of_blocks("block device");
	large_block_file();
	power_cuts();
	tap_ok(make_file(), "a file system is made");
	frozen();
	unaligned_file();
	lost_data();
	traced_write();
	unmapped();
	memory_in_file();
	tap_success(ioctl(vhost, VHOST_RESET_OWNER), "reset the owner");
	appended();
	tap_ok(set_up(FLUSH_BIT | V1_BIT), "the device is set up");
	tap_ok(remove_file(), "the file system is removed");
	in_flight();
	tap_ok(set_up(FLUSH_BIT | V1_BIT), "the device is set up");
	parts_in_order();
	half_attached();
	tap_ok(set_up(FLUSH_BIT | V1_BIT), "the device is set up");
	rings_in_kernel();
	tap_ok(set_up(FLUSH_BIT | V1_BIT), "the device is set up");
	narrow_disk();
	busy_disk();
	long_zeroing();
	starvation();
	empty_tables();
	dirty_pages();
	log_of_claims();
	memory_changes();
	workers();
	two_queues();
	busyloop();
	held_interrupts();
	wanted_cpu();
	polling();
	counters();
	traces();
	race();
	tap_ok(large_ring(1024), "a ring of 1024 descriptors");
	tap_ok(large_ring(32768), "a ring of 32768 descriptors");
	tap_ok(guards_are_intact(), "only guest memory was written to");
	close(vhost);
	stuck_end();
	tap_eq(pages_pinned() - pinned, 0, "no page of memory stays pinned");
	tap_ok(remove_disks(), "the disks are removed: nothing is in use");
	return tap_done();
}
