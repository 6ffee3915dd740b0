// SPDX-License-Identifier: GPL-2.0
/*
 * Who is charged for what vhost_blk does for a process: the cgroup of that
 * process, also for what the worker leaves to other threads. Needs a kernel
 * with the controllers io and memory, as those of distributions.
 *
 *	blk_charge prepare
 *		make a disk, a file on another one and a cgroup
 *	blk_charge reads|zeroes|file|memory
 *		make requests in that cgroup, and check what it is charged for
 *	blk_charge throttled
 *		limit the cgroup's writes, and check that requests take as long
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <linux/fs.h>

#include "clock.h"
#include "raw_blk.h"

#define FILES	   "/dev/files"
#define MOUNT	   "/run/mnt"
#define FILE_PATH  MOUNT "/file"
#define CGROUPS	   "/run/cgroup"
#define CGROUP	   CGROUPS "/dm"
#define MIB	   (1U << 20)
#define ODD_OFFSET (DATA + 3)

/* Buffers of a request that keep 16 KiB of the kernel's memory */
#define PIECES	   1000
#define KEPT_BYTES 16384

/* A limit, and requests that take two seconds with it */
#define BYTES_PER_SECOND (2 * MIB)
#define LIMITED_BYTES	 (4 * MIB)
#define LEAST_MILLIS	 1500
#define NS_PER_MS	 1000000

static bool prepare(void)
{
	return mount_configfs() && make_disk("fast", "") &&
	       make_disk("files", "") &&
	       !system("mke2fs " FILES " > /dev/null && mkdir -p " MOUNT
		       " " CGROUPS " && mount -t ext4 " FILES " " MOUNT " && "
		       "dd if=/dev/zero of=" FILE_PATH
		       " bs=1M count=32 && sync && "
		       "mount -t cgroup2 cgroup2 " CGROUPS " && "
		       "echo '+io +memory' > " CGROUPS
		       "/cgroup.subtree_control && mkdir " CGROUP);
}

/* Enter the cgroup, before the device is opened and has a worker. */
static bool enter(const char *disk)
{
	FILE *procs = fopen(CGROUP "/cgroup.procs", "w");
	bool entered = procs && fprintf(procs, "%d\n", getpid()) > 0;

	if (procs && fclose(procs))
		return false;
	raw_blk_init();
	return entered && raw_blk_open() && set_up(FLUSH_BIT | V1_BIT) &&
	       !set_disk(disk, O_RDWR);
}

/* The number behind @name in the line of a file that begins with @line. */
static unsigned long long find_number(const char *path, const char *line,
				      const char *name)
{
	FILE *file = fopen(path, "r");
	char text[256], *found;
	unsigned long long number = 0;

	while (file && fgets(text, sizeof(text), file)) {
		found = strstr(text, name);
		if (!strncmp(text, line, strlen(line)) && found)
			number = strtoull(found + strlen(name), NULL, 10);
	}
	if (file)
		fclose(file);
	return number;
}

/* Bytes of @disk that the cgroup is charged for; @what: "rbytes=", "wbytes=" */
static unsigned long long charged(const char *disk, const char *what)
{
	struct stat st = { 0 };
	char device[32];

	stat(disk, &st);
	snprintf(device, sizeof(device), "%u:%u ", major(st.st_rdev),
		 minor(st.st_rdev));
	return find_number(CGROUP "/io.stat", device, what);
}

static unsigned long long kernel_memory(void)
{
	return find_number(CGROUP "/memory.stat", "kernel ", "kernel ");
}

/* Print both numbers. Returns whether the first is as large as the second. */
static bool is_enough(unsigned long long got, unsigned long long want)
{
	printf("%llu, want %llu\n", got, want);
	return got >= want;
}

static bool zero(uint32_t bytes)
{
	*(struct virtio_blk_discard_write_zeroes *)(mem + DATA) =
		(struct virtio_blk_discard_write_zeroes){ .num_sectors =
								  bytes / 512 };
	return !request(VIRTIO_BLK_T_WRITE_ZEROES, 0, DATA,
			sizeof(struct virtio_blk_discard_write_zeroes));
}

/* Data at an odd address goes to a file by way of a workqueue. */
static bool write_slowly(uint32_t bytes)
{
	return !request(VIRTIO_BLK_T_OUT, 0, ODD_OFFSET, bytes);
}

static bool reads(void)
{
	return enter(FAST) && !request(VIRTIO_BLK_T_IN, 0, DATA, 4 * MIB) &&
	       is_enough(charged(FAST, "rbytes="), 4 * MIB);
}

static bool zeroes(void)
{
	return enter(FAST) && zero(4 * MIB) &&
	       is_enough(charged(FAST, "wbytes="), 4 * MIB);
}

static bool file(void)
{
	return enter(FILE_PATH) && write_slowly(4 * MIB) &&
	       is_enough(charged(FILES, "wbytes="), 4 * MIB);
}

/* Make as many writes of many pieces as the ring has room for. */
static void write_pieces(void)
{
	struct vring_desc *table = (void *)(mem + DATA);
	unsigned int i;

	header(VIRTIO_BLK_T_OUT, 0);
	table[0] =
		(struct vring_desc){ GPA + HEADER, 16, VRING_DESC_F_NEXT, 0 };
	for (i = 1; i <= PIECES; i++)
		table[i] = (struct vring_desc){ GPA + DATA + MIB, 512,
						VRING_DESC_F_NEXT, 0 };
	table[i] =
		(struct vring_desc){ GPA + STATUS, 1, VRING_DESC_F_WRITE, 0 };
	begin();
	add(GPA + DATA, (PIECES + 2) * sizeof(*table), VRING_DESC_F_INDIRECT);
	for (i = 0; i < RING; i++)
		ring(0);
}

/*
 * Each request in flight keeps the addresses of its buffers. So many are in
 * flight because the file system is frozen.
 */
static bool memory(void)
{
	int dir = open(MOUNT, O_RDONLY);
	unsigned long long before;
	unsigned int tries;
	bool enough;

	if (!enter(FILE_PATH) || ioctl(dir, FIFREEZE, 0))
		return false;
	before = kernel_memory();
	write_pieces();
	enough = false;
	for (tries = 0; tries < 20 && !enough; tries++) {
		usleep(100000);
		enough = is_enough(kernel_memory() - before, RING * KEPT_BYTES);
	}
	if (ioctl(dir, FITHAW, 0))
		return false;
	while (count_used() < RING && wait_event(call, 10000))
		;
	return enough && count_used() == RING && !mem[STATUS];
}

static bool limit(const char *disk)
{
	struct stat st;
	FILE *max = fopen(CGROUP "/io.max", "w");
	bool ok = max && !stat(disk, &st) &&
		  fprintf(max, "%u:%u wbps=%u\n", major(st.st_rdev),
			  minor(st.st_rdev), BYTES_PER_SECOND) > 0;

	return max && !fclose(max) && ok;
}

/* Make a request without and with a limit. Returns whether that one waits. */
static bool is_limited(const char *disk, bool (*make)(uint32_t bytes))
{
	uint64_t start = now_ns();

	if (!make(LIMITED_BYTES))
		return false;
	printf("%llu ms, ", (unsigned long long)(now_ns() - start) / NS_PER_MS);
	if (!limit(disk))
		return false;
	start = now_ns();
	return make(LIMITED_BYTES) &&
	       is_enough((now_ns() - start) / NS_PER_MS, LEAST_MILLIS);
}

static bool throttled(void)
{
	return enter(FAST) && is_limited(FAST, zero) && !unset_disk() &&
	       !set_disk(FILE_PATH, O_RDWR) && is_limited(FILES, write_slowly);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		bool (*run)(void);
	} commands[] = { { "prepare", prepare }, { "reads", reads },
			 { "zeroes", zeroes },	 { "file", file },
			 { "memory", memory },	 { "throttled", throttled } };
	unsigned int i;

	for (i = 0; argc == 2 && i < sizeof(commands) / sizeof(commands[0]);
	     i++)
		if (!strcmp(argv[1], commands[i].name))
			return !commands[i].run();
	fprintf(stderr, "blk_charge: see its source for how to use it\n");
	return 2;
}
