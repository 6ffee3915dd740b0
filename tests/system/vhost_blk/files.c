// SPDX-License-Identifier: GPL-2.0
/*
 * A file on a file system: requests while the file system is frozen, a file
 * that is detached during a write, the flags with which the file is written,
 * and O_APPEND, which must not redirect writes.
 */
#include <pthread.h>
#include <sys/stat.h>
#include <linux/fs.h>

#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "trace.h"
#include "vhost_blk_checks.h"

/*
 * A file on a file system that takes direct I/O. Busybox' mke2fs makes one
 * without extents, and thus without zeroing of ranges: a bit of the superblock
 * gives new files extents.
 */
bool make_file(void)
{
	return make_disk("fs", "") &&
	       !system("mke2fs -b 4096 /dev/fs > /dev/null && mkdir -p /mnt && "
		       "printf '\\102' | dd of=/dev/fs bs=1 seek=1120 && "
		       "mount -t ext4 /dev/fs /mnt && "
		       "dd if=/dev/zero of=" FS_FILE " bs=1M count=32 && sync");
}

bool remove_file(void)
{
	return !system("umount /mnt") && remove_disk("fs");
}

/* The worker serves other requests while a write waits for the file system. */
void frozen(void)
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

static void *detach(void *unused)
{
	unset_disk();
	return unused;
}

/*
 * Detach the file when a write of @bytes from an odd address has been taken
 * from the ring, and waits for the file system. Returns the status of the
 * write.
 */
static int detached_write(uint32_t bytes)
{
	int dir = open("/mnt", O_RDONLY);
	pthread_t thread;

	if (!start_over(FLUSH_BIT | V1_BIT, FS_FILE, O_RDWR) ||
	    ioctl(dir, FIFREEZE, 0))
		return -1;
	chain(VIRTIO_BLK_T_OUT, 0, DATA + 1, bytes);
	ring(0);
	is_used(100);
	pthread_create(&thread, NULL, detach, NULL);
	usleep(100000);
	ioctl(dir, FITHAW, 0);
	pthread_join(thread, NULL);
	close(dir);
	return mem[STATUS];
}

/* A device that stops does not wait until much has been copied. */
void detached_copying(void)
{
	tap_eq(detached_write(65536), 0,
	       "a write from an odd address is done when a file is detached");
	tap_eq(detached_write(4 << 20), VIRTIO_BLK_S_IOERR,
	       "one of 4 MiB is given up");
}

/*
 * A write to a file has the kernel's flag for writes, without which overlayfs
 * does not end it properly.
 */
void traced_write(void)
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

/* O_APPEND, set on the file while it is attached, must not redirect writes. */
void appended(void)
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
