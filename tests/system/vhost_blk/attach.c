// SPDX-License-Identifier: GPL-2.0
/*
 * Disks that are attached, replaced and detached while requests are in flight,
 * and one that cannot be attached.
 */
#include <pthread.h>

#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

static void detached_in_flight(void)
{
	struct vhost_vring_state base = { 0 };

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR),
	       "a slow disk is attached");
	begin_slow_reads();
	tap_success(unset_disk(), "detached with requests in flight");
	ioctl(vhost, VHOST_GET_VRING_BASE, &base);
	tap_ok(count_used() == base.num,
	       "what was taken from the ring is completed: %u of %u",
	       count_used(), base.num);
	usleep(SLOW_MILLIS * 2000);
	tap_ok(count_used() == base.num, "no request is completed after that");
}

static void replaced_in_flight(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR),
	       "a slow disk is attached again");
	begin_slow_reads();
	tap_success(set_disk(FAST, O_RDWR), "another disk in the middle");
	for (int tries = 0; tries < 100 && count_used() != RING; tries++)
		usleep(SLOW_MILLIS * 1000);
	tap_eq(count_used(), RING,
	       "all requests are completed, by one disk or the other");
}

static void reset_in_flight(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR),
	       "a slow disk is attached again");
	begin_slow_reads();
	tap_success(ioctl(vhost, VHOST_RESET_OWNER),
		    "owner reset with requests in flight");
}

/* The device, which has no owner, is closed and opened again. */
static void closed_in_flight(void)
{
	tap_ok(set_up(FLUSH_BIT | V1_BIT) && !set_disk(SLOW, O_RDWR),
	       "a slow disk is attached again");
	begin_slow_reads();
	close(vhost);
	tap_ok(true, "closed with requests in flight");
	raw_blk_open();
	tap_success(ioctl(vhost, VHOST_BLK_SET_SERIAL, SERIAL),
		    "the device is opened again");
}

void in_flight(void)
{
	detached_in_flight();
	replaced_in_flight();
	reset_in_flight();
	closed_in_flight();
}

/*
 * Attaching a disk fails because of the second queue. The first queue must not
 * have started a request by then.
 */
void half_attached(void)
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

void race(void)
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
