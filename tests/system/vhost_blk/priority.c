// SPDX-License-Identifier: GPL-2.0
/*
 * The I/O priority of requests, which is that of the process that attached the
 * disk.
 */
#include <sys/syscall.h>

#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "tasks.h"
#include "vhost_blk_checks.h"

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
void priority(void)
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
