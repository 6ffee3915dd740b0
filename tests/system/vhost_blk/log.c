// SPDX-License-Identifier: GPL-2.0
/*
 * The log of dirty pages, and what changes while pages are logged: the memory
 * table and the workers.
 */
#include "clock.h"
#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"
#include "vhost_worker.h"

#define HUGE_SIZE (1ULL << 32)

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

static void log_begins(void)
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
}

static void logged_pages(void)
{
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
}

static void logged_buffers(void)
{
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
}

static void logged_errors(void)
{
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
}

static void log_ends(void)
{
	tap_success(log_pages(false), "logging is switched off");
	tap_eq(logged_request(VIRTIO_BLK_T_IN, 0, DATA, 8192), 0, "a read");
	tap_eq(count_dirty(), 0, "no page is logged after that");
}

static void logged_in_flight(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR) && !set_log(dirty),
	       "a log for a slow disk");
	begin_slow_reads();
	tap_success(log_pages(true),
		    "logging is switched on with requests in flight");
	used_idx = __atomic_load_n(&used()->idx, __ATOMIC_ACQUIRE);
	count_dirty();
	usleep(SLOW_MILLIS * 2000);
	tap_ok(!count_used() || is_dirty(DATA),
	       "a request that ends later is logged: %u of %u", count_used(),
	       RING);
}

static void log_that_is_not_mapped(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       !set_log((void *)0x1000) && !log_pages(true),
	       "a log that is not mapped");
	chain(VIRTIO_BLK_T_IN, 0, DATA, 512);
	ring(0);
	tap_ok(wait_event(err_fd, 5000),
	       "a log that is not mapped stops the queue");
	count_dirty();
}

void dirty_pages(void)
{
	log_begins();
	logged_pages();
	logged_buffers();
	logged_errors();
	log_ends();
	logged_in_flight();
	log_that_is_not_mapped();
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
void log_of_claims(void)
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

static int forget_memory(void)
{
	struct vhost_memory none = { 0 };

	return ioctl(vhost, VHOST_SET_MEM_TABLE, &none);
}

/*
 * The memory table is replaced by an empty one while requests are in flight:
 * they must end first. Without memory, the vhost core accepts any log address,
 * so nothing may be left that could be logged there.
 */
void memory_changes(void)
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
void workers(void)
{
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) && !set_log(dirty),
	       "a log of dirty pages");
	tap_ok(switch_workers(),
	       "the worker of a queue changes as logging does");
}
