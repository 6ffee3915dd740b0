// SPDX-License-Identifier: GPL-2.0
/*
 * A disk that does not answer for longer than an ioctl waits, which is 60
 * seconds: a loop device on a file system that is frozen. Each ioctl that waits
 * for requests in flight must fail then, and leave the disk attached, as it may
 * still access guest memory.
 *
 * Each ioctl has a process, a device and guest memory of its own. The processes
 * do nothing but wait, and run beside the program's other checks.
 */
#include <sys/wait.h>
#include <linux/fs.h>

#include "clock.h"
#include "number.h"
#include "raw_blk.h"
#include "tap.h"
#include "vhost_blk_checks.h"

#define STUCK		 "/dev/loop1"
#define STUCK_DIR	 "/run/frozen"
#define STUCK_FILE	 STUCK_DIR "/file"
#define IOCTL_SECONDS	 60
#define FIRST_DEVICE_PID "/sys/class/misc/vhost-blk/0/pid"

/* The file system is thawed after this time at the latest. */
#define FROZEN_SECONDS 75

static int attach_other(void)
{
	return set_disk(FAST, O_RDWR);
}

static int reset_owner(void)
{
	return ioctl(vhost, VHOST_RESET_OWNER);
}

static int turn_cache_off(void)
{
	return set_features(V1_BIT);
}

/**
 * struct waiter - An ioctl that waits for the disk
 * @name:	Name for the checks
 * @wait:	Makes the ioctl
 * @pauses:	The ioctl takes the disk away only for as long as it lasts
 */
struct waiter {
	const char *name;
	int (*wait)(void);
	bool pauses;
};

static const struct waiter waiters[] = {
	{ "detaching", unset_disk, false },
	{ "attaching another disk", attach_other, false },
	{ "VHOST_RESET_OWNER", reset_owner, false },
	{ "turning the cache off", turn_cache_off, true },
	{ "VHOST_SET_MEM_TABLE", set_memory, true },
};

#define WAITERS (sizeof(waiters) / sizeof(waiters[0]))

/**
 * struct result - What a process has seen
 * @returned:	The ioctl has returned
 * @error:	errno of the ioctl, 0 if it succeeded
 * @seconds:	How long the ioctl took
 * @attached:	The disk was still attached then, and the request in flight
 * @answered:	The request ended when the disk answered
 * @stopped:	After a detach that failed no request was started
 * @serves:	Another request was done after that
 * @detached:	The disk could be detached after that
 */
struct result {
	volatile bool returned;
	int error;
	unsigned int seconds;
	bool attached;
	bool answered;
	bool stopped;
	bool serves;
	bool detached;
};

/* Shared with the processes */
static struct result *results;

static pid_t processes[WAITERS];

static unsigned int now(void)
{
	return now_ns() / 1000000000;
}

/* A disk in use refuses another serial number. */
static bool has_disk(void)
{
	const uint8_t serial[VIRTIO_BLK_ID_BYTES] = { 0 };

	return ioctl(vhost, VHOST_BLK_SET_SERIAL, serial) < 0 && errno == EBUSY;
}

/* Start a write on a device of our own. Device 0 is that of main.c. */
static bool start_write(void)
{
	raw_blk_init();
	while (raw_number(FIRST_DEVICE_PID) < 0)
		usleep(10000);
	if (!raw_blk_open() || !set_up(FLUSH_BIT | V1_BIT) ||
	    set_disk(STUCK, O_RDWR))
		return false;
	chain(VIRTIO_BLK_T_OUT, 0, DATA, 4096);
	ring(0);
	/* The ioctl must not come before the worker has taken the request. */
	return !is_used(1000);
}

/*
 * Whether a device whose disk is being detached refuses to pause it, as its
 * queues would go on after that, and starts no request.
 */
static bool stays_stopped(void)
{
	bool refused = set_memory() && errno == EBUSY && turn_cache_off() &&
		       errno == EBUSY;

	ring_beside(VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_ID_BYTES);
	return refused && !is_used(1000);
}

static void wait_for_disk(const struct waiter *waiter, struct result *result)
{
	unsigned int start = now();

	if (start_write()) {
		start = now();
		result->error = waiter->wait() ? errno : 0;
	}
	result->seconds = now() - start;
	result->attached = has_disk() && mem[STATUS] == NO_STATUS;
	if (!waiter->pauses)
		result->stopped = stays_stopped();
	result->returned = true;
	result->answered = is_used(FROZEN_SECONDS * 1000) && !mem[STATUS];
	result->serves =
		waiter->pauses && !request(VIRTIO_BLK_T_IN, 0, DATA, 4096);
	result->detached = !unset_disk() && !has_disk();
}

/* Thaw the file system when all ioctls have returned. */
static void thaw(int dir)
{
	unsigned int end = now() + FROZEN_SECONDS;
	unsigned int i;

	for (i = 0; i < WAITERS && now() < end;)
		if (results[i].returned)
			i++;
		else
			usleep(100000);
	ioctl(dir, FITHAW, 0);
}

/* Make the disk. Returns the directory of its file system, which is frozen. */
static int make_stuck(void)
{
	int dir = -1;

	if (make_disk("frozen", "") &&
	    !system("mke2fs /dev/frozen > /dev/null && mkdir " STUCK_DIR " && "
		    "mount -t ext4 /dev/frozen " STUCK_DIR " && "
		    "dd if=/dev/zero of=" STUCK_FILE
		    " bs=1M count=1 && sync && "
		    "losetup " STUCK " " STUCK_FILE))
		dir = open(STUCK_DIR, O_RDONLY);
	if (dir >= 0 && ioctl(dir, FIFREEZE, 0)) {
		close(dir);
		dir = -1;
	}
	return dir;
}

/* Make the disk and start the processes. Device 0 is opened after this. */
void stuck_begin(void)
{
	int dir = make_stuck();
	unsigned int i;

	results = mmap(NULL, WAITERS * sizeof(*results), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	tap_ok(dir >= 0 && results != MAP_FAILED,
	       "a disk that does not answer");
	fflush(stdout);
	for (i = 0; i < WAITERS; i++) {
		processes[i] = fork();
		if (processes[i])
			continue;
		wait_for_disk(&waiters[i], &results[i]);
		_exit(0);
	}
	if (!fork()) {
		thaw(dir);
		_exit(0);
	}
	close(dir);
}

/* Wait for the processes and check what they have seen. */
void stuck_end(void)
{
	const struct result *result;
	const char *name;
	unsigned int i;

	for (i = 0; i < WAITERS; i++) {
		result = &results[i];
		name = waiters[i].name;
		waitpid(processes[i], NULL, 0);
		tap_eq(result->error, ETIMEDOUT,
		       "a disk that does not answer: %s fails", name);
		tap_ok(result->seconds >= IOCTL_SECONDS &&
			       result->seconds < FROZEN_SECONDS,
		       "%s: it waits for %d s: %u", name, IOCTL_SECONDS,
		       result->seconds);
		tap_ok(result->attached, "%s: the disk stays attached", name);
		tap_ok(result->answered,
		       "%s: the request is done when the disk answers", name);
		if (waiters[i].pauses)
			tap_ok(result->serves,
			       "%s: the disk serves other requests then", name);
		else
			tap_ok(result->stopped,
			       "%s: no other request is started", name);
		tap_ok(result->detached, "%s: the disk is detached then", name);
	}
	/* The process that has thawed the file system */
	wait(NULL);
	tap_ok(!system("losetup -d " STUCK " && umount " STUCK_DIR) &&
		       remove_disk("frozen"),
	       "the disk that did not answer is removed");
}
