// sources: dm/block/blk.c dm/baseline/blk_request.c dm/baseline/blk_sync.c dm/baseline/blk_bounce.c dm/baseline/blk_uring.c dm/baseline/uring_queue.c dm/process/worker.c dm/block/blk_vhost.c dm/block/disk.c dm/virtio/vhost.c dm/virtio/virtio.c dm/virtio/virtio_pci.c dm/virtio/virtio_regs.c dm/virtio/virtqueue.c dm/virtio/buffers.c dm/bus/msix.c dm/bus/pci.c dm/bus/bus.c dm/bus/mem.c dm/process/event.c dm/process/alloc.c dm/process/log.c lib/device.c lib/queue.c lib/user.c lib/blk.c lib/disk.c -l:liburing.a -Wl,--wrap=open,--wrap=ioctl,--wrap=statx,--wrap=io_uring_submit_and_wait,--wrap=fdatasync
// SPDX-License-Identifier: GPL-2.0
/*
 * Disks of the device model, on a file. This test is the driver; it also stands
 * for /dev/vhost-blk, which handles no requests here. Each request has one
 * descriptor with an indirect table, so a queue holds as many requests as it
 * has descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <liburing.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "clock.h"
#include "dm/baseline/blk_sync.h"
#include "dm/baseline/blk_uring.h"
#include "dm/block/blk_vhost.h"
#include "tap.h"

#define SIZE	  VIRTQUEUE_MAX_SIZE
#define PIECE	  4096
#define DESC	  0
#define AVAIL	  0x1000
#define USED	  0x2000
#define TABLES	  0x4000
#define HEADERS	  0x8000
#define STATUS	  0x9000
#define DATA	  0x10000
#define RAM_SIZE  (DATA + SIZE * PIECE)
#define DISK	  (2ULL * ACRNVHOST_BLK_MAX_RANGE * DISK_SECTOR)
#define WAIT_MS	  5000
#define NO_STATUS 0xff

/* Descriptors of a request: header, data, status, and more misaligned data */
#define TABLE_SIZE 4
#define MORE_DATA  3

/* Misaligned data: more than is copied at once, cut at an odd place */
#define ODD_BYTES 0x50000
#define ODD_CUT	  1001

#define BIT(n)	  (1ULL << (n))
#define VERSION_1 BIT(VIRTIO_F_VERSION_1)
#define USUAL                                                                  \
	(VERSION_1 | BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_BLK_F_FLUSH))

static uint8_t ram[RAM_SIZE] __attribute__((aligned(4096)));
static struct vm vm;
static struct virtio_dev *dev;
static char path[] = "/tmp/test_dm_blk.XXXXXX";
static int disk_fd;

void vm_inject_msi(struct vm *v, const struct acrn_msi_entry *msi)
{
	(void)v, (void)msi;
}

void vm_request(struct vm *v, enum vm_request request)
{
	(void)v;
	tap_ok(request != VM_ERROR, "the device works");
}

void vm_add_device(struct vm *v, struct vm_device *device)
{
	v->devices = device;
}

/*
 * /dev/vhost-blk: offers all features; its ioctls succeed unless told to fail.
 */
static int vhost_fd = -1;
static uint64_t vhost_features;
static int vhost_error;
static unsigned int vhost_timeouts;
static unsigned int vhost_queues;

int __real_open(const char *name, int flags, ...);
int __real_ioctl(int fd, unsigned long request, ...);

int __wrap_open(const char *name, int flags, ...)
{
	if (strcmp(name, "/dev/vhost-blk"))
		return __real_open(name, flags);
	vhost_fd = __real_open("/dev/null", O_RDWR);
	return vhost_fd;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	if (fd != vhost_fd)
		return __real_ioctl(fd, request, arg);
	if (request == VHOST_GET_FEATURES)
		*(uint64_t *)arg = UINT64_MAX;
	if (request == VHOST_SET_FEATURES && vhost_error) {
		errno = -vhost_error;
		return -1;
	}
	if (request == VHOST_BLK_SET_BACKEND && vhost_timeouts) {
		vhost_timeouts--;
		errno = ETIMEDOUT;
		return -1;
	}
	if (request == VHOST_SET_FEATURES)
		vhost_features = *(uint64_t *)arg;
	if (request == VHOST_SET_VRING_ADDR)
		vhost_queues |= 1 << *(unsigned int *)arg;
	return 0;
}

/* Number of requests that io_uring is still to complete with uring_error */
static atomic_uint uring_failures;
static int uring_error;

int __real_io_uring_submit_and_wait(struct io_uring *ring, unsigned int count);

int __wrap_io_uring_submit_and_wait(struct io_uring *ring, unsigned int count)
{
	int ret = __real_io_uring_submit_and_wait(ring, count);
	struct io_uring_cqe *cqe;
	unsigned int head;

	io_uring_for_each_cqe(ring, head, cqe)
	{
		if (uring_failures && cqe->user_data < SIZE) {
			cqe->res = uring_error;
			uring_failures--;
		}
	}
	return ret;
}

/* Number of flushes of the disk, and the error that they are to return */
static unsigned int flushes;
static int flush_error;

int __real_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	flushes++;
	if (!flush_error)
		return __real_fdatasync(fd);
	errno = -flush_error;
	return -1;
}

static struct vring_avail *avail(void)
{
	return (void *)(ram + AVAIL);
}

static uint16_t used_idx(void)
{
	struct vring_used *used = (void *)(ram + USED);

	return __atomic_load_n(&used->idx, __ATOMIC_ACQUIRE);
}

static uint8_t status_of(unsigned int i)
{
	return __atomic_load_n(&ram[STATUS + i], __ATOMIC_ACQUIRE);
}

static uint8_t *data_of(unsigned int i)
{
	return ram + DATA + i * PIECE;
}

/* Make request @i. It is not available yet. */
static void make(unsigned int i, uint32_t type, uint64_t sector, uint32_t bytes)
{
	struct virtio_blk_outhdr *header =
		(void *)(ram + HEADERS + i * sizeof(*header));
	uint64_t at = TABLES + i * TABLE_SIZE * sizeof(struct vring_desc);
	struct vring_desc *table = (void *)(ram + at);
	struct vring_desc *desc = (void *)(ram + DESC);
	bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;

	*header = (struct virtio_blk_outhdr){ .type = type, .sector = sector };
	table[0] = (struct vring_desc){ (uint8_t *)header - ram,
					sizeof(*header), VRING_DESC_F_NEXT, 1 };
	table[1] = (struct vring_desc){ DATA + i * PIECE, bytes,
					VRING_DESC_F_NEXT |
						(in ? VRING_DESC_F_WRITE : 0),
					2 };
	table[2] = (struct vring_desc){ STATUS + i, 1, VRING_DESC_F_WRITE, 0 };
	desc[i] = (struct vring_desc){ at, TABLE_SIZE * sizeof(*table),
				       VRING_DESC_F_INDIRECT, 0 };
	ram[STATUS + i] = NO_STATUS;
}

/* Move the data of request @i by one byte and cut it in two. */
static void misalign(unsigned int i)
{
	uint64_t at = TABLES + i * TABLE_SIZE * sizeof(struct vring_desc);
	struct vring_desc *table = (void *)(ram + at);

	table[MORE_DATA] = table[1];
	table[MORE_DATA].addr += 1 + ODD_CUT;
	table[MORE_DATA].len -= ODD_CUT;
	table[1].addr += 1;
	table[1].len = ODD_CUT;
	table[1].next = MORE_DATA;
}

/* Make request @i for @count ranges to discard or to zero. */
static void make_ranges(unsigned int i, uint32_t type, unsigned int count,
			uint32_t sectors)
{
	struct virtio_blk_discard_write_zeroes *range = (void *)data_of(i);
	unsigned int n;

	make(i, type, 0, count * sizeof(*range));
	for (n = 0; n < count; n++)
		range[n] = (struct virtio_blk_discard_write_zeroes){
			.sector = n * sectors,
			.num_sectors = sectors,
		};
}

static void offer(unsigned int i)
{
	avail()->ring[avail()->idx % SIZE] = i;
	__atomic_store_n(&avail()->idx, avail()->idx + 1, __ATOMIC_RELEASE);
}

static bool wait_used(uint16_t count)
{
	unsigned int ms;

	for (ms = 0; ms < WAIT_MS && used_idx() != count; ms++)
		poll(NULL, 0, 1);
	return used_idx() == count;
}

/* Offer request @i, ring, and wait for it. Returns its status. */
static uint8_t do_made(unsigned int i)
{
	uint16_t count = used_idx() + 1;

	offer(i);
	virtio_notify(dev, 0);
	wait_used(count);
	return status_of(i);
}

static uint8_t do_request(uint32_t type, uint64_t sector, uint32_t bytes)
{
	make(0, type, sector, bytes);
	return do_made(0);
}

/*
 * The event source of vhost's eventfd for a corrupt queue, or NULL. It is the
 * second in the list, behind the timer, which was added last.
 */
static struct event_source *error_source(void)
{
	return vm.events.first->next;
}

/* Do what the main loop does when that eventfd is signalled. */
static void handle_error(void)
{
	if (error_source())
		error_source()->ready(error_source()->opaque);
}

static bool is_broken(void)
{
	handle_error();
	return dev->needs_reset;
}

static void negotiate(uint64_t features)
{
	virtio_set_status(dev, 0);
	memset(ram, 0, sizeof(ram));
	virtio_accept(dev, 0, features);
	virtio_accept(dev, 1, features >> 32);
	virtio_set_status(dev, VIRTIO_CONFIG_S_FEATURES_OK);
}

static void set_queue(unsigned int index, uint64_t desc)
{
	dev->queues[index].config =
		(struct virtqueue_config){ SIZE, desc, AVAIL, USED };
	virtio_enable_queue(dev, index);
}

static void driver_ok(void)
{
	virtio_set_status(dev, VIRTIO_CONFIG_S_FEATURES_OK |
				       VIRTIO_CONFIG_S_DRIVER_OK);
}

static void start(uint64_t features)
{
	negotiate(features);
	set_queue(0, DESC);
	driver_ok();
}

static void transfers(const char *name)
{
	uint8_t there[PIECE];

	start(USUAL);
	tap_ok(dev->running, "%s: the device runs", name);
	memset(data_of(0), 0x5a, PIECE);
	tap_eq(do_request(VIRTIO_BLK_T_OUT, 8, PIECE), VIRTIO_BLK_S_OK,
	       "%s: a write", name);
	tap_eq(pread(disk_fd, there, PIECE, PIECE), PIECE,
	       "%s: the file is read", name);
	tap_ok(!memcmp(there, data_of(0), PIECE),
	       "%s: the file has what was written", name);
	memset(data_of(0), 0, PIECE);
	tap_eq(do_request(VIRTIO_BLK_T_IN, 8, PIECE), VIRTIO_BLK_S_OK,
	       "%s: a read", name);
	tap_ok(!memcmp(there, data_of(0), PIECE), "%s: the read gives it back",
	       name);
	tap_eq(do_request(VIRTIO_BLK_T_IN, DISK / DISK_SECTOR, PIECE),
	       VIRTIO_BLK_S_IOERR, "%s: a read behind the end", name);
	tap_eq(do_request(77, 0, 0), VIRTIO_BLK_S_UNSUPP,
	       "%s: an unknown request", name);
}

static uint8_t do_ranges(uint32_t type, unsigned int count, uint32_t sectors)
{
	make_ranges(0, type, count, sectors);
	return do_made(0);
}

static void ranges(const char *name)
{
	start(USUAL);
	tap_eq(do_ranges(VIRTIO_BLK_T_DISCARD, 1, ACRNVHOST_BLK_MAX_RANGE),
	       VIRTIO_BLK_S_OK, "%s: the largest discard", name);
	tap_eq(do_ranges(VIRTIO_BLK_T_DISCARD, 1, ACRNVHOST_BLK_MAX_RANGE + 1),
	       VIRTIO_BLK_S_IOERR, "%s: a larger one", name);
	tap_eq(do_ranges(VIRTIO_BLK_T_WRITE_ZEROES, 1,
			 ACRNVHOST_BLK_MAX_RANGE + 1),
	       VIRTIO_BLK_S_IOERR, "%s: too much to zero", name);
}

/* Fill the queue with requests before the device sees the first. */
static void full_ring(const char *name)
{
	unsigned int i, good = 0;

	start(USUAL);
	for (i = 0; i < SIZE; i++) {
		make(i, VIRTIO_BLK_T_IN, i * (PIECE / DISK_SECTOR), PIECE);
		offer(i);
	}
	virtio_notify(dev, 0);
	tap_ok(wait_used(SIZE), "%s: a full ring is served", name);
	for (i = 0; i < SIZE; i++)
		good += status_of(i) == VIRTIO_BLK_S_OK;
	tap_eq(good, SIZE, "%s: all requests of a full ring succeed", name);
	tap_ok(!is_broken(), "%s: a full ring is not corrupt", name);
}

static void try_again(int error, unsigned int times, uint8_t status)
{
	static const uint32_t types[] = { VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT,
					  VIRTIO_BLK_T_FLUSH };
	unsigned int i;

	start(USUAL);
	uring_error = error;
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		uring_failures = times;
		tap_eq(do_request(types[i], 0, PIECE), status,
		       "io_uring: a request of type %u, %u times %s", types[i],
		       times, strerror(-error));
	}
	uring_failures = 0;
}

/* Alignment of direct I/O that statx() is to return; 0: that of the disk */
static unsigned int dio_align;

int __real_statx(int dir, const char *name, int flags, unsigned int mask,
		 struct statx *st);

int __wrap_statx(int dir, const char *name, int flags, unsigned int mask,
		 struct statx *st)
{
	int ret = __real_statx(dir, name, flags, mask, st);

	if (dio_align) {
		st->stx_mask |= STATX_DIOALIGN;
		st->stx_dio_offset_align = dio_align;
	}
	return ret;
}

static bool takes_direct(void)
{
	struct statx st;

	return !statx(disk_fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &st) &&
	       st.stx_dio_offset_align;
}

/* Whether any of the disk's first @bytes are in the page cache. */
static bool cached(size_t bytes)
{
	unsigned char pages[ODD_BYTES / 4096];
	bool found = false;
	unsigned int i;
	void *map;

	map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, disk_fd, 0);
	mincore(map, bytes, pages);
	munmap(map, bytes);
	for (i = 0; i < bytes / 4096; i++)
		found |= pages[i] & 1;
	return found;
}

/* Data that is misaligned in memory must not go through the page cache. */
static void misaligned(void)
{
	static uint8_t there[ODD_BYTES];
	uint8_t *data = data_of(0) + 1;
	unsigned int i;

	start(USUAL);
	for (i = 0; i < ODD_BYTES; i++)
		data[i] = i * 7 / 5;
	posix_fadvise(disk_fd, 0, 0, POSIX_FADV_DONTNEED);
	make(0, VIRTIO_BLK_T_OUT, 0, ODD_BYTES);
	misalign(0);
	tap_eq(do_made(0), VIRTIO_BLK_S_OK, "io_uring: a misaligned write");
	if (takes_direct())
		tap_ok(!cached(ODD_BYTES),
		       "io_uring: a misaligned write goes past the page cache");
	else
		tap_skip(
			"no direct I/O in /tmp",
			"io_uring: a misaligned write goes past the page cache");
	tap_eq(pread(disk_fd, there, ODD_BYTES, 0), ODD_BYTES,
	       "io_uring: the file is read");
	tap_ok(!memcmp(there, data, ODD_BYTES),
	       "io_uring: the file has what was written");

	memset(data, 0, ODD_BYTES);
	make(0, VIRTIO_BLK_T_IN, 0, ODD_BYTES);
	misalign(0);
	tap_eq(do_made(0), VIRTIO_BLK_S_OK, "io_uring: a misaligned read");
	tap_ok(!memcmp(there, data, ODD_BYTES),
	       "io_uring: the misaligned read gives it back");
}

/* The disk's blocks are as large as direct I/O needs; parts are refused. */
static void large_blocks(void)
{
	const struct virtio_blk_config *config = dev->config;

	tap_eq(config->blk_size, dio_align,
	       "the block size is that of direct I/O");
	tap_eq(config->capacity % (dio_align / DISK_SECTOR), 0,
	       "the disk has whole blocks");
	start(USUAL);
	posix_fadvise(disk_fd, 0, 0, POSIX_FADV_DONTNEED);
	tap_eq(do_request(VIRTIO_BLK_T_OUT, 0, PIECE), VIRTIO_BLK_S_OK,
	       "io_uring: a write of a block");
	if (takes_direct())
		tap_ok(!cached(PIECE),
		       "io_uring: a write of a block goes past the page cache");
	else
		tap_skip(
			"no direct I/O in /tmp",
			"io_uring: a write of a block goes past the page cache");
	tap_eq(do_request(VIRTIO_BLK_T_OUT, 0, DISK_SECTOR), VIRTIO_BLK_S_IOERR,
	       "io_uring: a write of a part of a block is refused");
}

/* Thread of a driver that never lets the ring run empty, until told to stop. */
static void *keep_busy(void *opaque)
{
	atomic_bool *go_on = opaque;
	unsigned int n;

	for (n = 0; *go_on; n++) {
		unsigned int i = n % SIZE;

		/* Wait until the request in this descriptor is done. */
		while (n >= SIZE && status_of(i) == NO_STATUS && *go_on)
			;
		ram[STATUS + i] = NO_STATUS;
		offer(i);
		if (i == SIZE - 1)
			virtio_notify(dev, 0);
	}
	return NULL;
}

static void endless(const char *name)
{
	atomic_bool go_on = true;
	pthread_t driver;
	uint64_t before;
	unsigned int i;

	/* Slow requests keep the driver ahead of the device. */
	start(USUAL & ~BIT(VIRTIO_BLK_F_FLUSH));
	for (i = 0; i < SIZE; i++)
		make_ranges(i, VIRTIO_BLK_T_WRITE_ZEROES, VHOST_BLK_MAX_RANGES,
			    8);
	pthread_create(&driver, NULL, keep_busy, &go_on);
	poll(NULL, 0, 200);
	before = now_ns();
	virtio_set_status(dev, 0);
	tap_ok(now_ns() - before < WAIT_MS * 1000000ULL,
	       "%s: stopped in the middle of requests", name);
	go_on = false;
	pthread_join(driver, NULL);
}

static bool reads_write_back(void)
{
	const struct virtio_blk_config *config = dev->config;

	return config->wce;
}

/* Whether the backend may complete writes before they are flushed. */
static bool is_write_back(const char *name)
{
	bool write_back = blk_of(dev)->write_back;

	if (blk_of(dev)->backend == &blk_vhost_backend)
		tap_eq(!!(vhost_features & BIT(VIRTIO_BLK_F_FLUSH)), write_back,
		       "%s: the kernel knows", name);
	return write_back;
}

static void set_cache(uint8_t value)
{
	dev->ops->config_written(dev, offsetof(struct virtio_blk_config, wce),
				 1, value);
}

static void cache(const char *name)
{
	const uint64_t choice = BIT(VIRTIO_BLK_F_CONFIG_WCE);
	const uint64_t flush = BIT(VIRTIO_BLK_F_FLUSH);

	start(USUAL & ~flush);
	tap_ok(!is_write_back(name), "%s: without FLUSH there is no cache",
	       name);
	start(USUAL);
	tap_ok(is_write_back(name), "%s: with FLUSH there is a cache", name);

	negotiate((USUAL & ~flush) | choice);
	tap_ok(!reads_write_back(),
	       "%s: CONFIG_WCE without FLUSH reads as no cache", name);
	start((USUAL & ~flush) | choice);
	tap_ok(!is_write_back(name),
	       "%s: CONFIG_WCE without FLUSH has no cache", name);

	negotiate(USUAL | choice);
	tap_ok(reads_write_back(), "%s: CONFIG_WCE with FLUSH reads as a cache",
	       name);
	start(USUAL | choice);
	tap_ok(is_write_back(name), "%s: CONFIG_WCE with FLUSH has a cache",
	       name);
	set_cache(0);
	tap_ok(!reads_write_back() && !is_write_back(name),
	       "%s: the driver turns the cache off", name);
	start(USUAL | choice);
	tap_ok(!reads_write_back() && !is_write_back(name),
	       "%s: the cache stays off at the next start", name);
	set_cache(1);
	tap_ok(reads_write_back() && is_write_back(name),
	       "%s: the driver turns the cache on again", name);
	virtio_set_status(dev, 0);
}

/* Turning the cache off flushes the disk; if that fails, the cache stays on. */
static void cache_off(const char *name)
{
	start(USUAL | BIT(VIRTIO_BLK_F_CONFIG_WCE));
	flushes = 0;
	set_cache(0);
	tap_ok(flushes || blk_of(dev)->backend == &blk_vhost_backend,
	       "%s: turning the cache off flushes the disk", name);
	set_cache(1);
	flush_error = -EIO;
	vhost_error = -EIO;
	set_cache(0);
	tap_ok(reads_write_back() && is_write_back(name),
	       "%s: if the flush fails, the cache stays on", name);
	flush_error = 0;
	vhost_error = 0;
	start(USUAL | BIT(VIRTIO_BLK_F_CONFIG_WCE));
	tap_ok(reads_write_back() && is_write_back(name),
	       "%s: the cache is still on at the next start", name);
	virtio_set_status(dev, 0);
}

/* A write that is completed after the cache was turned off is flushed. */
static void late_write(const char *name)
{
	start(USUAL);
	flushes = 0;
	tap_eq(blk_written(blk_of(dev), false), 0, "%s: a write", name);
	tap_eq(flushes, 0, "%s: a write with a cache is not flushed", name);
	blk_of(dev)->write_back = false;
	tap_eq(blk_written(blk_of(dev), false), 0,
	       "%s: a write that ends after the cache was turned off", name);
	tap_eq(flushes, 1, "%s: that write is flushed", name);
	flushes = 0;
	tap_eq(do_request(VIRTIO_BLK_T_OUT, 0, PIECE), VIRTIO_BLK_S_OK,
	       "%s: a write that begins after that", name);
	tap_eq(flushes, 0, "%s: is not flushed in addition", name);
}

/*
 * The kernel reports lost data by one failing flush. The device must fail each
 * later flush too.
 */
static void lost_data(const char *name)
{
	start(USUAL);
	flush_error = -EIO;
	uring_error = -EIO;
	uring_failures = 1;
	tap_eq(do_request(VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_IOERR,
	       "%s: a flush that fails", name);
	flush_error = 0;
	uring_failures = 0;
	tap_eq(do_request(VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_IOERR,
	       "%s: each later flush fails", name);
	start(USUAL);
	tap_eq(do_request(VIRTIO_BLK_T_FLUSH, 0, 0), VIRTIO_BLK_S_OK,
	       "%s: a flush works after a restart", name);
}

/* A set-up that fails at its second queue leaves nothing behind. */
static void abandoned(void)
{
	negotiate(USUAL);
	set_queue(0, DESC);
	set_queue(1, RAM_SIZE);
	driver_ok();
	tap_ok(dev->needs_reset && !dev->running,
	       "vhost: a set-up with a wrong second queue fails");
	negotiate(USUAL);
	set_queue(1, DESC);
	vhost_queues = 0;
	driver_ok();
	tap_ok(dev->running, "vhost: a set-up of the second queue alone");
	tap_eq(vhost_queues, 1 << 1, "vhost: only the second queue is served");
	virtio_set_status(dev, 0);
}

/* A corrupt queue, which the driver may reset before the main loop sees it. */
static void late_error(void)
{
	start(USUAL);
	handle_error();
	tap_ok(!dev->needs_reset, "vhost: no error, nothing to reset");
	eventfd_write(error_source()->fd, 1);
	handle_error();
	tap_ok(dev->needs_reset, "vhost: a corrupt queue");
	virtio_set_status(dev, 0);
	tap_ok(!dev->needs_reset, "vhost: a reset clears the need for one");

	start(USUAL);
	eventfd_write(error_source()->fd, 1);
	virtio_set_status(dev, 0);
	handle_error();
	tap_eq(virtio_status(dev), 0,
	       "vhost: a reset drops an error that was not handled yet");
}

/* A reset waits until the disk has answered. */
static void slow_disk(void)
{
	start(USUAL);
	vhost_timeouts = 3;
	virtio_set_status(dev, 0);
	tap_eq(vhost_timeouts, 0, "vhost: a reset waits for a slow disk");
}

static bool create(const struct blk_backend *backend, const char *name)
{
	static struct blk_options options;

	options = (struct blk_options){ .queues = 2 };
	strcpy(options.path, path);
	if (!tap_ok(!blk_create(&vm, &options, backend), "%s: created", name))
		return false;
	dev = &((struct blk *)vm.devices)->pci.virtio;
	return true;
}

static void destroy(void)
{
	vm.devices->destroy(vm.devices);
}

static void test_vhost(void)
{
	if (!create(&blk_vhost_backend, "vhost"))
		return;
	cache("vhost");
	cache_off("vhost");
	abandoned();
	late_error();
	slow_disk();
	destroy();
}

static void test_uring_requests(const char *name)
{
	if (!create(&blk_uring_backend, name))
		return;
	transfers(name);
	ranges(name);
	full_ring(name);
	endless(name);
	cache(name);
	cache_off(name);
	late_write(name);
	lost_data(name);
	destroy();
}

static void test_uring(void)
{
	test_uring_requests("io_uring");
	if (!create(&blk_uring_backend, "io_uring"))
		return;
	misaligned();
	try_again(-EAGAIN, 3, VIRTIO_BLK_S_OK);
	try_again(-EINTR, 3, VIRTIO_BLK_S_OK);
	try_again(-EAGAIN, UINT32_MAX, VIRTIO_BLK_S_IOERR);
	try_again(-EIO, 1, VIRTIO_BLK_S_IOERR);
	destroy();

	dio_align = PIECE;
	if (!tap_ok(!ftruncate(disk_fd, DISK - DISK_SECTOR),
		    "a disk of 4 KiB blocks, the last one in part") ||
	    !create(&blk_uring_backend, "io_uring"))
		return;
	large_blocks();
	destroy();
}

static bool io_uring_works(void)
{
	struct io_uring ring;

	if (io_uring_queue_init(1, &ring, 0))
		return false;
	io_uring_queue_exit(&ring);
	return true;
}

int main(void)
{
	/* End the test even if a thread does not stop. */
	alarm(60);
	disk_fd = mkstemp(path);
	if (!tap_ok(disk_fd >= 0 && !ftruncate(disk_fd, DISK), "a disk"))
		return tap_done();
	pci_bus_init(&vm.pci, &vm.mmio);
	mem_layout(&vm.mem, RAM_SIZE, ram);
	event_loop_init(&vm.events);

	test_vhost();
	if (io_uring_works())
		test_uring();
	else
		tap_skip("the kernel has no io_uring", "io_uring");

	event_loop_deinit(&vm.events);
	close(disk_fd);
	unlink(path);
	return tap_done();
}
