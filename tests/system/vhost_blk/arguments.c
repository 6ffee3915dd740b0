// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments of the ioctls: what is refused, and what is not, before the device
 * has an owner, a ring and a disk, and while it is in use.
 */
#include "raw_blk.h"
#include "tap.h"
#include "vhost_blk_checks.h"

/* What can be done before there are an owner and a ring. */
static void before_set_up(void)
{
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
	tap_success(ioctl(vhost, VHOST_BLK_SET_SERIAL, SERIAL),
		    "set the serial number");
	tap_success(ioctl(vhost, VHOST_SET_OWNER), "set the owner");
	tap_errno(set_disk(FAST, O_RDWR), EFAULT,
		  "attach a disk without a ring");
	tap_success(ioctl(vhost, VHOST_RESET_OWNER), "reset the owner");
}

static void refused_disks(void)
{
	struct vhost_vring_file other = { .index = 1, .fd = 0 };

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
}

static void attached_disk(void)
{
	chain(VIRTIO_BLK_T_IN, 0, DATA, 4096);
	ring(0);
	tap_ok(!is_used(100), "a request waits for a disk");
	tap_success(set_disk(FAST, O_RDWR), "attach a disk");
	tap_ok(is_used(5000) && !mem[STATUS], "the request is done then");
	tap_errno(set_disk("/dev/null", O_RDWR), EINVAL,
		  "attach /dev/null in its place");
	tap_eq(request(VIRTIO_BLK_T_OUT, 0, DATA, 4096), 0,
	       "the disk is still there");
}

/* What can be changed while a disk is attached, and what cannot. */
static void in_use(void)
{
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

void arguments(void)
{
	before_set_up();
	refused_disks();
	attached_disk();
	in_use();
}
