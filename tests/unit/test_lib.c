// sources: lib/device.c lib/queue.c lib/net.c lib/blk.c lib/vsock.c lib/user.c -Wl,--wrap=open,--wrap=ioctl
// SPDX-License-Identifier: GPL-2.0
/*
 * libacrnvhost. This test stands for the kernel: it wraps open() and ioctl().
 */
#include <fcntl.h>
#include <stdint.h>
#include <linux/vhost.h>
#include <acrnvhost.h>
#include <vhost_blk.h>

#include "tap.h"
#include "vhost_worker.h"

#define HSM	 1000
#define FEATURES 0

static uint8_t rings[3][4096];
static const struct acrnvhost_queue queue = {
	.size = 8, .desc = rings[0], .avail = rings[1], .used = rings[2]
};
static const struct acrnvhost_doorbell doorbell = { .addr = 0x1000, .len = 2 };
static const struct acrnvhost_queue with_doorbell = { .size = 8,
						      .desc = rings[0],
						      .avail = rings[1],
						      .used = rings[2],
						      .doorbell = &doorbell };
static const struct acrnvhost_region ram = { .size = sizeof(rings),
					     .va = rings };

/* State of the vhost device: owner, queues with a ring, ioctl that fails */
static bool owned;
static unsigned int served;
static unsigned long failing;
static int fails_with = EBUSY;

/* Number of doorbells that are assigned */
static unsigned int doorbells;

int __real_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	(void)path;
	return __real_open("/dev/null", flags);
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	if (request == failing || (request == VHOST_SET_OWNER && owned)) {
		errno = fails_with;
		return -1;
	}
	if (request == VHOST_SET_OWNER || request == VHOST_RESET_OWNER)
		owned = request == VHOST_SET_OWNER;
	if (request == ACRN_IOCTL_IOEVENTFD)
		doorbells += ((struct acrn_ioeventfd *)arg)->flags &
					     ACRN_IOEVENTFD_FLAG_DEASSIGN
				     ? -1
				     : 1;
	if (request == VHOST_SET_VRING_ADDR)
		served |= 1 << *(unsigned int *)arg;
	return 0;
}

static struct acrnvhost *open_blk(void)
{
	struct acrnvhost *dev;

	owned = false;
	failing = 0;
	return acrnvhost_blk_open(&dev, HSM, 0, 2, "") ? NULL : dev;
}

static int start(struct acrnvhost *dev)
{
	served = 0;
	return acrnvhost_start(dev, FEATURES, &ram, 1);
}

/* A start that fails leaves no queue or doorbell for the next start. */
static void failing_start(unsigned long request, const char *name)
{
	struct acrnvhost *dev = open_blk();

	acrnvhost_set_queue(dev, 0, &queue);
	failing = request;
	tap_eq(start(dev), -EBUSY, "%s fails", name);
	failing = 0;
	tap_eq(start(dev), -EINVAL, "%s: no queue is set any more", name);
	acrnvhost_set_queue(dev, 1, &queue);
	tap_eq(start(dev), 0, "%s: another queue starts", name);
	tap_eq(served, 1 << 1, "%s: it alone is served", name);
	acrnvhost_close(dev);
}

static void abandoned(void)
{
	struct acrnvhost *dev = open_blk();

	acrnvhost_set_queue(dev, 0, &queue);
	tap_eq(acrnvhost_stop(dev), 0, "a device that does not run is stopped");
	acrnvhost_set_queue(dev, 1, &queue);
	tap_eq(start(dev), 0, "it starts");
	tap_eq(served, 1 << 1, "without the queue that was set before");
	tap_eq(acrnvhost_stop(dev), 0, "and is stopped");
	tap_eq(start(dev), -EINVAL, "with no queue set");
	acrnvhost_close(dev);
}

/* If RESET_OWNER fails, the device still has its owner. */
static void kept_owner(void)
{
	struct acrnvhost *dev = open_blk();

	acrnvhost_set_queue(dev, 0, &queue);
	tap_eq(start(dev), 0, "a start");
	failing = VHOST_RESET_OWNER;
	tap_eq(acrnvhost_stop(dev), -EBUSY, "the owner stays");
	failing = 0;
	acrnvhost_set_queue(dev, 0, &queue);
	tap_eq(start(dev), 0, "another start");
	tap_eq(acrnvhost_stop(dev), 0, "the owner goes");
	tap_ok(!owned, "and is gone");
	acrnvhost_close(dev);
}

/* As long as the disk may still write to memory, nothing is released. */
static void slow_disk(void)
{
	struct acrnvhost *dev = open_blk();

	acrnvhost_set_queue(dev, 0, &queue);
	tap_eq(start(dev), 0, "a start");
	failing = VHOST_BLK_SET_BACKEND;
	fails_with = ETIMEDOUT;
	tap_eq(acrnvhost_stop(dev), -ETIMEDOUT, "a disk does not answer");
	tap_ok(owned, "the owner stays");
	tap_eq(start(dev), -EBUSY, "the device runs on");
	failing = 0;
	tap_eq(acrnvhost_stop(dev), 0, "it does answer in the end");
	tap_ok(!owned, "and the owner is gone");

	acrnvhost_set_queue(dev, 0, &with_doorbell);
	tap_eq(start(dev), 0, "another start");
	tap_eq(doorbells, 1, "with a doorbell");
	failing = VHOST_BLK_SET_BACKEND;
	acrnvhost_close(dev);
	tap_eq(doorbells, 0, "closed all the same, it takes its doorbell back");
	failing = 0;
	fails_with = EBUSY;
}

/* Queues share a worker when the kernel makes none for each. */
static void shared_worker(int error, const char *why)
{
	struct acrnvhost *dev = open_blk();

	acrnvhost_set_queue(dev, 0, &queue);
	acrnvhost_set_queue(dev, 1, &queue);
	failing = VHOST_NEW_WORKER;
	fails_with = error;
	tap_eq(start(dev), 0, "%s: two queues start", why);
	tap_eq(served, 3, "%s: both are served", why);
	failing = 0;
	fails_with = EBUSY;
	acrnvhost_close(dev);
}

/* Any other error of a worker's ends the start. */
static void failing_worker(unsigned long request, int error, const char *name)
{
	struct acrnvhost *dev = open_blk();

	acrnvhost_set_queue(dev, 0, &queue);
	acrnvhost_set_queue(dev, 1, &queue);
	failing = request;
	fails_with = error;
	tap_eq(start(dev), -error, "%s fails", name);
	failing = 0;
	fails_with = EBUSY;
	acrnvhost_close(dev);
}

static void failing_open(void)
{
	struct acrnvhost *dev = NULL;

	failing = VHOST_BLK_SET_SERIAL;
	tap_eq(acrnvhost_blk_open(&dev, HSM, 0, 1, ""), -EBUSY,
	       "a disk's serial number fails");
	tap_ok(!dev, "there is no device");
	failing = VHOST_VSOCK_SET_GUEST_CID;
	tap_eq(acrnvhost_vsock_open(&dev, HSM, 3), -EBUSY,
	       "a context id fails");
	tap_ok(!dev, "there is no device");
}

int main(void)
{
	failing_open();
	failing_start(VHOST_SET_OWNER, "the owner");
	failing_start(VHOST_SET_FEATURES, "the features");
	failing_start(VHOST_SET_MEM_TABLE, "the memory");
	failing_start(VHOST_SET_VRING_KICK, "a queue");
	failing_start(VHOST_BLK_SET_BACKEND, "the disk");
	shared_worker(ENOTTY, "an old kernel");
	shared_worker(EFAULT, "workers that are kernel threads");
	shared_worker(ENOMEM, "no more threads");
	failing_worker(VHOST_NEW_WORKER, EBUSY, "a worker");
	failing_worker(VHOST_ATTACH_VRING_WORKER, ENOMEM, "attaching a worker");
	abandoned();
	kept_owner();
	slow_disk();
	return tap_done();
}
