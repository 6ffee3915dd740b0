/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/vhost-blk by raw ioctls: this process is both device model and guest,
 * with one queue, unless the test sets up others. Its memory is guest memory at
 * GPA: rings, a table, a header and a status, then data.
 */
#ifndef RAW_BLK_H
#define RAW_BLK_H

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "vhost_blk.h"

#define GPA	   0x100000ULL
#define MEM_SIZE   (16U << 20)
#define GUARD_SIZE (64U << 10)
#define GUARD_BYTE 0x5a
#define RING	   64
#define AVAIL	   0x1000
#define USED	   0x2000
#define TABLE	   0x3000
#define HEADER	   0x4000
#define STATUS	   0x5000
#define DATA	   0x100000
#define SECTORS	   (64U << 11)
#define NO_STATUS  0xff
#define BESIDE	   8
#define FAST	   "/dev/fast"
#define SLOW	   "/dev/slow"
#define SMALL_FILE "/run/small"
#define FLUSH_BIT  (1ULL << VIRTIO_BLK_F_FLUSH)
#define V1_BIT	   (1ULL << VIRTIO_F_VERSION_1)
#define RO_BIT	   (1ULL << VIRTIO_BLK_F_RO)
#define LOG_BIT	   (1ULL << VHOST_F_LOG_ALL)

/*
 * The device, shared by the files of a program. A process that it forks gets a
 * device of its own by raw_blk_init() and raw_blk_open().
 */
__attribute__((weak)) uint8_t *mem;
/* The queue in use and the offset of its rings, for who has several queues */
__attribute__((weak)) unsigned int queue;
__attribute__((weak)) uint32_t rings;
__attribute__((weak)) int vhost, kick, call, err_fd;
__attribute__((weak)) uint16_t avail_idx, used_idx;
__attribute__((weak)) unsigned int chain_length;

static inline struct vring_desc *desc(void)
{
	return (void *)(mem + rings);
}

static inline struct vring_avail *avail(void)
{
	return (void *)(mem + rings + AVAIL);
}

static inline volatile struct vring_used *used(void)
{
	return (void *)(mem + rings + USED);
}

static inline int vring_file(unsigned long request, int fd)
{
	struct vhost_vring_file file = { .index = queue, .fd = fd };

	return ioctl(vhost, request, &file);
}

static inline int vring_state(unsigned long request, unsigned int num)
{
	struct vhost_vring_state state = { .index = queue, .num = num };

	return ioctl(vhost, request, &state);
}

static inline int set_disk(const char *path, int flags)
{
	int fd = open(path, flags);
	int ret, saved;

	ret = vring_file(VHOST_BLK_SET_BACKEND, fd);
	saved = errno;
	if (fd >= 0)
		close(fd);
	errno = saved;
	return ret;
}

static inline int unset_disk(void)
{
	return vring_file(VHOST_BLK_SET_BACKEND, VHOST_FILE_UNBIND);
}

/* A region of guest memory, which this process has at @at. */
static inline struct vhost_memory_region region(uint64_t gpa, const void *at,
						uint64_t bytes)
{
	return (struct vhost_memory_region){ .guest_phys_addr = gpa,
					     .memory_size = bytes,
					     .userspace_addr = (uintptr_t)at };
}

/* Set guest memory that consists of one or two regions. */
static inline int set_regions(const struct vhost_memory_region *regions,
			      unsigned int count)
{
	struct {
		struct vhost_memory table;
		struct vhost_memory_region regions[2];
	} memory = { .table.nregions = count };

	memcpy(memory.regions, regions, count * sizeof(*regions));
	return ioctl(vhost, VHOST_SET_MEM_TABLE, &memory);
}

static inline int set_memory(void)
{
	const struct vhost_memory_region all = region(GPA, mem, MEM_SIZE);

	return set_regions(&all, 1);
}

static inline int set_features(uint64_t features)
{
	return ioctl(vhost, VHOST_SET_FEATURES, &features);
}

/* Set up the queue in use. */
static inline bool set_up_queue(void)
{
	uintptr_t user = (uintptr_t)mem + rings;
	struct vhost_vring_addr addr = {
		.index = queue,
		.desc_user_addr = user,
		.avail_user_addr = user + AVAIL,
		.used_user_addr = user + USED,
	};
	eventfd_t ignored;

	avail_idx = 0;
	used_idx = 0;
	eventfd_read(kick, &ignored);
	eventfd_read(call, &ignored);
	return !vring_state(VHOST_SET_VRING_NUM, RING) &&
	       !vring_state(VHOST_SET_VRING_BASE, 0) &&
	       !ioctl(vhost, VHOST_SET_VRING_ADDR, &addr) &&
	       !vring_file(VHOST_SET_VRING_CALL, call) &&
	       !vring_file(VHOST_SET_VRING_ERR, err_fd) &&
	       !vring_file(VHOST_SET_VRING_KICK, kick);
}

/* Set up the device, which has no owner, with one queue and no disk. */
static inline bool set_up(uint64_t features)
{
	eventfd_t ignored;

	memset(mem, 0, DATA);
	eventfd_read(err_fd, &ignored);
	return !ioctl(vhost, VHOST_SET_OWNER) && !set_features(features) &&
	       !set_memory() && set_up_queue();
}

/* Reset the device, set it up again and attach a disk. */
static inline bool start_over(uint64_t features, const char *disk, int flags)
{
	return !ioctl(vhost, VHOST_RESET_OWNER) && set_up(features) &&
	       !set_disk(disk, flags);
}

/* Begin a chain of descriptors; add() appends to it, from descriptor 0 on. */
static inline void begin(void)
{
	chain_length = 0;
}

static inline void add(uint64_t gpa, uint32_t len, uint16_t flags)
{
	struct vring_desc *d = &desc()[chain_length];

	if (chain_length)
		d[-1].flags |= VRING_DESC_F_NEXT;
	*d = (struct vring_desc){ .addr = gpa,
				  .len = len,
				  .flags = flags,
				  .next = chain_length + 1 };
	chain_length++;
}

static inline void add_in(uint32_t offset, uint32_t len)
{
	add(GPA + offset, len, VRING_DESC_F_WRITE);
}

static inline void add_out(uint32_t offset, uint32_t len)
{
	add(GPA + offset, len, 0);
}

static inline void header(uint32_t type, uint64_t sector)
{
	struct virtio_blk_outhdr *h = (void *)(mem + HEADER);

	*h = (struct virtio_blk_outhdr){ .type = type, .sector = sector };
	mem[STATUS] = NO_STATUS;
}

/* Make the chain that begins with descriptor @head available. */
static inline void offer(unsigned int head)
{
	avail()->ring[avail_idx++ % RING] = head;
	__atomic_store_n(&avail()->idx, avail_idx, __ATOMIC_RELEASE);
}

static inline void ring(unsigned int head)
{
	offer(head);
	eventfd_write(kick, 1);
}

static inline bool wait_event(int fd, int millis)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	eventfd_t ignored;

	if (poll(&p, 1, millis) != 1)
		return false;
	eventfd_read(fd, &ignored);
	return true;
}

/* Wait for the next used chain; false after @millis without a signal. */
static inline bool is_used(int millis)
{
	while (__atomic_load_n(&used()->idx, __ATOMIC_ACQUIRE) == used_idx)
		if (!wait_event(call, millis))
			return false;
	used_idx++;
	return true;
}

/* Number of used chains that is_used() has not seen yet */
static inline unsigned int count_used(void)
{
	return (uint16_t)(__atomic_load_n(&used()->idx, __ATOMIC_ACQUIRE) -
			  used_idx);
}

/* Bytes that the device says it wrote to the chain that is_used() saw last. */
static inline uint32_t used_length(void)
{
	return used()->ring[(uint16_t)(used_idx - 1) % RING].len;
}

/* Ring for the chain. Returns the request's status, -1 if it is not done. */
static inline int go(void)
{
	ring(0);
	return is_used(10000) ? mem[STATUS] : -1;
}

/* Whether the device writes the data of a request. */
static inline bool gives_data(uint32_t type)
{
	return type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
}

/* Make a chain of two or three descriptors for a request. */
static inline void chain(uint32_t type, uint64_t sector, uint32_t offset,
			 uint32_t bytes)
{
	header(type, sector);
	begin();
	add_out(HEADER, 16);
	if (bytes && gives_data(type))
		add_in(offset, bytes);
	else if (bytes)
		add_out(offset, bytes);
	add_in(STATUS, 1);
}

/*
 * Make another request available beside that of chain(), to whose memory and
 * descriptors it does not come. It begins with descriptor BESIDE.
 */
static inline void offer_beside(uint32_t type, uint32_t bytes)
{
	struct virtio_blk_outhdr *h = (void *)(mem + HEADER + 64);

	*h = (struct virtio_blk_outhdr){ .type = type };
	chain_length = BESIDE;
	add_out(HEADER + 64, 16);
	add_in(DATA + 0x10000, bytes);
	add_in(STATUS + 64, 1);
	offer(BESIDE);
}

/* Ring for the request of offer_beside(). */
static inline void ring_beside(uint32_t type, uint32_t bytes)
{
	offer_beside(type, bytes);
	eventfd_write(kick, 1);
}

/*
 * Make a request of two or three descriptors. Returns its status; -1 if it is
 * not done; -2 if the used ring has the wrong number of bytes written.
 */
static inline int request(uint32_t type, uint64_t sector, uint32_t offset,
			  uint32_t bytes)
{
	uint32_t data = gives_data(type) ? bytes : 0;
	int status;

	chain(type, sector, offset, bytes);
	status = go();
	if (status >= 0 && used_length() != (status ? 0 : data) + 1)
		return -2;
	return status;
}

/* Make guest memory and eventfds. Once in a process, before raw_blk_open(). */
static inline void raw_blk_init(void)
{
	uint8_t *all =
		mmap(NULL, MEM_SIZE + 2 * GUARD_SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	kick = eventfd(0, EFD_NONBLOCK);
	call = eventfd(0, EFD_NONBLOCK);
	err_fd = eventfd(0, EFD_NONBLOCK);
	if (all == MAP_FAILED || kick < 0 || call < 0 || err_fd < 0)
		err(1, "no memory or eventfd");
	mem = all + GUARD_SIZE;
	memset(all, GUARD_BYTE, GUARD_SIZE);
	memset(mem + MEM_SIZE, GUARD_BYTE, GUARD_SIZE);
}

/* Whether nothing was written right before and behind guest memory. */
static inline bool guards_are_intact(void)
{
	unsigned int i;

	for (i = 0; i < GUARD_SIZE; i++)
		if (mem[-1 - (int)i] != GUARD_BYTE ||
		    mem[MEM_SIZE + i] != GUARD_BYTE)
			return false;
	return true;
}

/* Load null_blk and vhost_blk, and mount configfs, in which disks are made. */
static inline bool mount_configfs(void)
{
	return !system("modprobe null_blk nr_devices=0 && "
		       "modprobe vhost_blk && "
		       "mkdir -p /sys/kernel/config && "
		       "mount -t configfs configfs /sys/kernel/config");
}

/*
 * Make a null_blk disk of 64 MiB in memory. @settings has further file=value
 * pairs for its directory in configfs, each followed by a space.
 */
static inline bool make_disk(const char *name, const char *settings)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "mkdir /sys/kernel/config/nullb/%s && "
		 "cd /sys/kernel/config/nullb/%s && "
		 "for s in size=64 memory_backed=1 discard=1 %s power=1; do "
		 "echo ${s#*=} > ${s%%=*} || exit 1; done",
		 name, name, settings);
	return !system(command);
}

static inline bool remove_disk(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "rmdir /sys/kernel/config/nullb/%s",
		 name);
	return !system(command);
}

static inline bool unmount_configfs(void)
{
	return !system("umount /sys/kernel/config && rmmod vhost_blk && "
		       "rmmod null_blk");
}

static inline bool raw_blk_open(void)
{
	vhost = open("/dev/vhost-blk", O_RDWR | O_CLOEXEC);
	return vhost >= 0;
}

#endif /* RAW_BLK_H */
