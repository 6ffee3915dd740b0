// SPDX-License-Identifier: GPL-2.0
/*
 * A disk that takes one request at a time, and is busy with somebody else's.
 * The worker must not wait for it to have room: other requests of the queue
 * have nothing to wait for.
 */
#include <sys/wait.h>

#include "raw_blk.h"
#include "tap.h"
#include "vhost_blk_checks.h"

#define BUSY	    "/dev/busy"
#define READ_MILLIS 1000
#define READ_TEXT   "1000000000"

/* Read from the disk in a process of its own, which takes READ_MILLIS. */
static pid_t start_reader(void)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	fd = open(BUSY, O_RDONLY | O_DIRECT);
	_exit(fd < 0 || pread(fd, mem + DATA, 4096, 0) != 4096);
}

/* Ring for a read of the disk, and for a request that does not need it. */
static void ring_for_both(void)
{
	chain(VIRTIO_BLK_T_IN, 0, DATA + 4096, 4096);
	ring(0);
	ring_beside(VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_ID_BYTES);
}

void busy_disk(void)
{
	int status = -1;
	pid_t reader;

	raw_blk_init();
	tap_ok(make_disk("busy", "irqmode=2 completion_nsec=" READ_TEXT
				 " hw_queue_depth=1 ") &&
		       raw_blk_open() && set_up(FLUSH_BIT | V1_BIT) &&
		       !set_disk(BUSY, O_RDWR),
	       "a disk that takes one request at a time");
	reader = start_reader();
	usleep(READ_MILLIS * 1000 / 4);
	ring_for_both();
	tap_ok(is_used(READ_MILLIS / 4) && used()->ring[0].id == BESIDE,
	       "it is busy: a request that does not need it is done at once");
	tap_ok(is_used(READ_MILLIS * 4) && used()->ring[1].id == 0 &&
		       !mem[STATUS],
	       "it is busy: the read is done in the end");
	waitpid(reader, &status, 0);
	tap_eq(status, 0, "it is busy: so is the other one's");
	close(vhost);
	tap_ok(remove_disk("busy"), "the busy disk is removed");
}
