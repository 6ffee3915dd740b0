// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory of other kinds. Memory and a ring in a file: pages become clean
 * while the device writes to them, and the device has to wait for them while
 * the file system is frozen. Memory without pages, as that of devices.
 */
#include <stddef.h>
#include <linux/fs.h>

#include "raw_blk.h"
#include "requests.h"
#include "tap.h"
#include "vhost_blk_checks.h"

#define FS_MEMORY   "/mnt/memory"
#define MEMORY_SIZE (2U << 20)

/* The firmware, which a process can map, but not as pages */
#define ROM	 0xf0000
#define ROM_SIZE 0x10000

/* Set guest memory plus other memory at HUGE_GPA. */
int set_more_memory(void *more, uint64_t size)
{
	const struct vhost_memory_region regions[] = {
		region(GPA, mem, MEM_SIZE), region(HUGE_GPA, more, size)
	};

	return set_regions(regions, 2);
}

/* Ring for a read of @bytes to HUGE_GPA. */
static void read_to_more(uint32_t bytes)
{
	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	add(HUGE_GPA, bytes, VRING_DESC_F_WRITE);
	add_in(STATUS, 1);
	ring(0);
}

/* KiB of the page cache that are to be written to disks */
static unsigned int dirty_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	unsigned int kib = 0;
	char line[128];

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Dirty: %u kB", &kib) == 1)
			break;
	fclose(file);
	return kib;
}

/*
 * Guest memory in a file whose pages become clean while the disk is writing to
 * them: they must be dirty again when the request is done, or what was read is
 * lost when memory is short.
 */
static void read_into_clean(int fd, void *memory)
{
	unsigned int tries = 5;
	bool late;

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SLOW, O_RDWR) &&
		       !set_more_memory(memory, MEMORY_SIZE),
	       "guest memory in a file");
	do {
		read_to_more(MEMORY_SIZE);
		usleep(SLOW_MILLIS * 1000 / 4);
		syncfs(fd);
		late = count_used() || dirty_kib() > MEMORY_SIZE / 4096;
		tap_ok(is_used(5000) && !mem[STATUS],
		       "memory in a file: the read succeeds");
	} while (late && --tries);
	tap_ok(!late, "memory in a file: it is written back during a read");
	tap_ok(dirty_kib() > MEMORY_SIZE / 2048,
	       "memory in a file: what was read is dirty");
}

/*
 * A file is truncated after the device has looked at its size: the read waits
 * for guest memory, whose file system is frozen.
 */
static void read_of_shrunk(void *memory)
{
	int dir = open("/mnt", O_RDONLY);

	tap_ok(start_over(FLUSH_BIT | V1_BIT, SMALL_FILE, O_RDWR) &&
		       !set_more_memory(memory, MEMORY_SIZE) &&
		       !ioctl(dir, FIFREEZE, 0),
	       "guest memory that is frozen");
	read_to_more(8192);
	tap_ok(!is_used(100) && !truncate(SMALL_FILE, 4096) &&
		       !ioctl(dir, FITHAW, 0),
	       "a file becomes smaller during a read");
	tap_ok(is_used(5000) && mem[STATUS] == VIRTIO_BLK_S_IOERR,
	       "a read that gets less than it asked for fails");
	tap_ok(!truncate(SMALL_FILE, 64 << 20) && !unset_disk(),
	       "the file has its size again");
	close(dir);
}

/* Wait until @count chains are in a used ring that is not the one in @mem. */
static bool wait_used(const volatile struct vring_used *ring, uint16_t count)
{
	for (unsigned int i = 0; i < 1000 && ring->idx != count; i++)
		usleep(2000);
	return ring->idx == count;
}

/*
 * Have the device ask for doorbells in the page at @pages + 4096, which is one
 * of the file @fd, and do all else in the page before it.
 */
static volatile struct vring_used *split_ring(int fd, uint8_t *pages)
{
	const struct vhost_vring_addr addr = {
		.desc_user_addr = (uintptr_t)mem,
		.avail_user_addr = (uintptr_t)mem + AVAIL,
		.used_user_addr = (uintptr_t)pages + 4096 -
				  offsetof(struct vring_used, ring[RING]),
	};

	mmap(pages + 4096, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
	     fd, 0);
	tap_ok(!ioctl(vhost, VHOST_RESET_OWNER) &&
		       set_up(FLUSH_BIT | V1_BIT |
			      1ULL << VIRTIO_RING_F_EVENT_IDX) &&
		       !ioctl(vhost, VHOST_SET_VRING_ADDR, &addr) &&
		       !set_disk(FAST, O_RDWR),
	       "a used ring that ends in a file");
	return (void *)addr.used_user_addr;
}

/*
 * The driver makes a request while the worker asks for doorbells, which takes
 * until the file system of that page is thawed. It does not ring, as it has not
 * been asked yet. The worker has to look at the ring once more.
 */
static void request_without_doorbell(int fd)
{
	uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile struct vring_used *ring_in_file = split_ring(fd, pages);
	struct vhost_vring_state state = { 0 };

	chain(VIRTIO_BLK_T_GET_ID, 0, DATA, VIRTIO_BLK_ID_BYTES);
	ring(0);
	tap_ok(wait_used(ring_in_file, 1), "a request is done");
	/* The worker has the mutex that this takes until it sleeps. */
	ioctl(vhost, VHOST_GET_VRING_BUSYLOOP_TIMEOUT, &state);
	tap_success(ioctl(fd, FIFREEZE, 0), "the end of the ring is frozen");
	ring(0);
	wait_used(ring_in_file, 2);
	usleep(20000);
	offer(0);
	tap_success(ioctl(fd, FITHAW, 0), "the end of the ring is thawed");
	tap_ok(wait_used(ring_in_file, 3),
	       "a request that the driver could not ring for is done");
	tap_success(unset_disk(), "the disk is released");
	munmap(pages, 8192);
}

void memory_in_file(void)
{
	int fd = open(FS_MEMORY, O_RDWR | O_CREAT, 0600);
	void *memory;

	if (fd < 0 || write(fd, mem, MEMORY_SIZE) != MEMORY_SIZE || fsync(fd))
		err(1, FS_MEMORY);
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		      0);
	read_into_clean(fd, memory);
	tap_success(fsync(fd), "memory in a file: it is written back");
	read_of_shrunk(memory);
	request_without_doorbell(fd);
	munmap(memory, MEMORY_SIZE);
	close(fd);
}

/* Write 4096 bytes at DATA and 8192 bytes of other memory to the disk. */
static int write_from_both(void)
{
	header(VIRTIO_BLK_T_OUT, 0);
	begin();
	add_out(HEADER, 16);
	add_out(DATA, 4096);
	add(HUGE_GPA, 8192, 0);
	add_in(STATUS, 1);
	return go();
}

/* The kernel cannot pin memory without pages for the disk. */
void memory_without_pages(const char *disk)
{
	int fd = open("/dev/mem", O_RDONLY);
	uint8_t *rom = mmap(NULL, ROM_SIZE, PROT_READ, MAP_SHARED, fd, ROM);

	close(fd);
	tap_ok(rom != MAP_FAILED &&
		       start_over(FLUSH_BIT | V1_BIT, disk, O_RDWR) &&
		       !set_more_memory(rom, ROM_SIZE),
	       "%s: guest memory without pages", disk);
	fill(DATA, 4096, 8);
	tap_eq(write_from_both(), 0, "%s: it is written to the disk", disk);
	tap_ok(!request(VIRTIO_BLK_T_IN, 0, DATA + 4096, 12288) &&
		       same(DATA, DATA + 4096, 4096) &&
		       !memcmp(mem + DATA + 8192, rom, 8192),
	       "%s: and read back", disk);
	munmap(rom, ROM_SIZE);
	tap_eq(write_from_both(), VIRTIO_BLK_S_IOERR,
	       "%s: memory that is not mapped is an error", disk);
	tap_success(unset_disk(), "%s: the disk is released", disk);
}
