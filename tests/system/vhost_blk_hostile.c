// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile guest: it makes random requests, corrupts some of them, and a
 * thread changes rings and descriptors while the worker reads them. The device
 * may write to nothing but guest memory, and must serve a well-behaved guest
 * afterwards.
 *
 * Arguments: number of requests that the device is to see, seed.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "raw_blk.h"
#include "tap.h"

#define BATCH	      16
#define CHAIN	      (RING / BATCH)
#define TABLES	      0x10000
#define TABLE_SIZE    0x1000
#define TABLE_ENTRIES (TABLE_SIZE / sizeof(struct vring_desc))
#define HEADERS	      0x40000
#define STATUSES      0x41000
#define WAIT_MICROS   20000

#define FEATURES                                                               \
	(FLUSH_BIT | V1_BIT | 1ULL << VIRTIO_RING_F_INDIRECT_DESC |            \
	 1ULL << VIRTIO_RING_F_EVENT_IDX)

static uint64_t dirty[(GPA + MEM_SIZE) / 4096 / 64 + 1];
static atomic_bool racing, ended;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint64_t seed;

static unsigned int below(unsigned int limit)
{
	return next_random(&seed) % limit;
}

/* True once in @n calls, at random. */
static bool once_in(unsigned int n)
{
	return !below(n);
}

#define PICK(table) (table)[below(sizeof(table) / sizeof((table)[0]))]

static uint64_t odd_address(void)
{
	const uint64_t odd[] = { 0,
				 GPA - 1,
				 GPA,
				 GPA + MEM_SIZE - 1,
				 GPA + MEM_SIZE,
				 GPA + MEM_SIZE - 512,
				 UINT64_MAX,
				 UINT64_MAX - 4095,
				 1ULL << 63,
				 (uintptr_t)mem,
				 0xffff888000000000,
				 next_random(&seed) };

	return PICK(odd);
}

static uint32_t odd_length(void)
{
	const uint32_t odd[] = { 0,	     1,
				 15,	     16,
				 17,	     511,
				 513,	     4095,
				 1 << 20,    0x7fffffff,
				 0x80000000, UINT32_MAX,
				 MEM_SIZE,   below(1 << 16) };

	return PICK(odd);
}

static uint64_t odd_sector(void)
{
	const uint64_t odd[] = { SECTORS - 1,	   SECTORS,
				 SECTORS + 1,	   UINT64_MAX,
				 UINT64_MAX / 512, UINT64_MAX / 512 + 1,
				 1ULL << 63,	   next_random(&seed) };

	return PICK(odd);
}

static void random_header(unsigned int i, uint32_t type)
{
	struct virtio_blk_outhdr *h = (void *)(mem + HEADERS + i * sizeof(*h));

	*h = (struct virtio_blk_outhdr){
		.type = once_in(50) ? next_random(&seed) : type,
		.sector = once_in(10) ? odd_sector() : below(SECTORS),
	};
}

/* A random address in the data area, aligned to sectors three times of four. */
static uint64_t data_address(uint32_t length)
{
	uint64_t offset = DATA + below(MEM_SIZE - DATA - length);

	if (!once_in(4))
		offset &= ~511ULL;
	return GPA + offset;
}

/*
 * Fill in random descriptors for data, or for the ranges of a discard. Returns
 * how many.
 */
static unsigned int random_data(struct vring_desc *d, unsigned int room,
				uint32_t type)
{
	unsigned int i, count = below(room + 1);
	uint32_t length;

	for (i = 0; i < count; i++) {
		length = once_in(8) ? below(1 << 17) : 512 * (1 + below(16));
		if (type == VIRTIO_BLK_T_DISCARD ||
		    type == VIRTIO_BLK_T_WRITE_ZEROES)
			length = 16 * below(4);
		d[i] = (struct vring_desc){
			.addr = data_address(length),
			.len = length,
			.flags = type == VIRTIO_BLK_T_IN ||
						 type == VIRTIO_BLK_T_GET_ID
					 ? VRING_DESC_F_WRITE
					 : 0,
		};
	}
	return count;
}

/* Corrupt one field of a descriptor. */
static void corrupt(struct vring_desc *d)
{
	const uint16_t flags[] = { VRING_DESC_F_NEXT, VRING_DESC_F_WRITE,
				   VRING_DESC_F_INDIRECT,
				   VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT,
				   0xffff };

	switch (below(5)) {
	case 0:
		d->addr = odd_address();
		break;
	case 1:
		d->len = odd_length();
		break;
	case 2:
		d->flags ^= PICK(flags);
		break;
	case 3:
		d->next = next_random(&seed);
		break;
	default:
		d->next = below(RING);
		d->flags |= VRING_DESC_F_NEXT;
	}
}

/*
 * Make a request of up to @room descriptors, the first of which has the number
 * @base in its table. Returns how many.
 */
static unsigned int random_chain(struct vring_desc *d, unsigned int room,
				 unsigned int base, unsigned int i)
{
	const uint32_t types[] = {
		VIRTIO_BLK_T_IN,      VIRTIO_BLK_T_IN,
		VIRTIO_BLK_T_OUT,     VIRTIO_BLK_T_OUT,
		VIRTIO_BLK_T_FLUSH,   VIRTIO_BLK_T_GET_ID,
		VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_WRITE_ZEROES
	};
	uint32_t type = PICK(types);
	unsigned int count, k;

	random_header(i, type);
	d[0] = (struct vring_desc){
		.addr = GPA + HEADERS + i * sizeof(struct virtio_blk_outhdr),
		.len = sizeof(struct virtio_blk_outhdr),
	};
	count = 1 + random_data(d + 1, room - 2, type);
	d[count++] = (struct vring_desc){ .addr = GPA + STATUSES + i,
					  .len = 1,
					  .flags = VRING_DESC_F_WRITE };
	for (k = 0; k + 1 < count; k++) {
		d[k].flags |= VRING_DESC_F_NEXT;
		d[k].next = base + k + 1;
	}
	if (once_in(16))
		corrupt(&d[below(count)]);
	return count;
}

/* Make request @i of a batch. Returns the index of its head, mostly. */
static unsigned int random_request(unsigned int i)
{
	unsigned int head = i * CHAIN, count;
	uint64_t table = TABLES + i * TABLE_SIZE;

	if (once_in(3)) {
		count = random_chain((void *)(mem + table),
				     once_in(10) ? TABLE_ENTRIES : 8, 0, i);
		desc()[head] = (struct vring_desc){
			.addr = GPA + table,
			.len = count * sizeof(struct vring_desc),
			.flags = VRING_DESC_F_INDIRECT,
		};
		if (once_in(32))
			corrupt(&desc()[head]);
	} else {
		random_chain(&desc()[head], CHAIN, head, i);
	}
	return once_in(200) ? next_random(&seed) & 0xffff : head;
}

/* Thread that changes descriptors, tables, headers and the available ring. */
static void *racer(void *opaque)
{
	uint64_t state = 0x9e3779b97f4a7c15;
	uint64_t random;

	(void)opaque;
	while (!ended) {
		if (!racing) {
			usleep(200);
			continue;
		}
		random = next_random(&state);
		switch (random & 3) {
		case 0:
			memcpy(mem + (random >> 8) % (RING * 16 - 8), &random,
			       1 + (random >> 4) % 8);
			break;
		case 1:
			mem[TABLES + (random >> 8) % (BATCH * TABLE_SIZE)] ^=
				random >> 48;
			break;
		case 2:
			mem[HEADERS + (random >> 8) % 0x200] = random >> 48;
			break;
		default:
			mem[AVAIL + (random >> 8) % 0x200] ^= 1
							      << (random >> 61);
		}
		sched_yield();
	}
	return NULL;
}

/* Restart the queue with a random disk and random features. */
static bool attach(void)
{
	static const char *const disks[] = { FAST, FAST, FAST, SMALL_FILE };
	uint64_t features = FEATURES;

	if (once_in(8))
		features |= LOG_BIT;
	if (once_in(8))
		features &= ~FLUSH_BIT;
	if (unset_disk() || set_features(features) ||
	    vring_state(VHOST_SET_VRING_BASE, 0) ||
	    vring_state(VHOST_SET_VRING_BUSYLOOP_TIMEOUT, once_in(4) ? 50 : 0))
		return false;
	memset(mem + AVAIL, 0, 0x2000);
	avail_idx = 0;
	used_idx = 0;
	return !set_disk(PICK(disks), once_in(8) ? O_RDONLY : O_RDWR);
}

/*
 * Returns true when the batch is done, false if the queue stopped or is stuck.
 */
static bool wait_for_batch(void)
{
	unsigned int micros;
	eventfd_t ignored;

	for (micros = 0; micros < WAIT_MICROS; micros += 50) {
		if (count_used() == BATCH)
			return true;
		if (!eventfd_read(err_fd, &ignored))
			return false;
		usleep(50);
	}
	return false;
}

/*
 * Run a batch of requests. Returns how many were done; *@well: the queue still
 * works.
 */
static unsigned int run_batch(bool *well)
{
	unsigned int i, done;

	for (i = 0; i < BATCH; i++)
		avail()->ring[avail_idx++ % RING] = random_request(i);
	if (once_in(50))
		avail_idx += next_random(&seed);
	racing = once_in(2);
	__atomic_store_n(&avail()->idx, avail_idx, __ATOMIC_RELEASE);
	eventfd_write(kick, 1);
	*well = wait_for_batch();
	racing = false;
	done = count_used();
	used_idx += done;
	return done <= BATCH ? done : 0;
}

static void harm(unsigned long count)
{
	unsigned long done = 0, stopped = 0;
	bool attached = attach();
	bool well;

	/* The device has seen those that are done, and each that stopped it. */
	while (attached && done + stopped < count) {
		done += run_batch(&well);
		if (well)
			continue;
		stopped++;
		attached = attach();
	}
	tap_ok(attached, "it is attached each time");
	tap_ok(done + stopped >= count, "%lu requests", done + stopped);
	tap_ok(stopped > count / 64, "%lu of them stopped the queue", stopped);
}

static bool is_served(void)
{
	memset(mem + DATA, 0xa5, 4096);
	memset(mem + DATA + 4096, 0, 4096);
	return start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
	       !request(VIRTIO_BLK_T_OUT, 8, DATA, 4096) &&
	       !request(VIRTIO_BLK_T_IN, 8, DATA + 4096, 4096) &&
	       !memcmp(mem + DATA, mem + DATA + 4096, 4096);
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 10000;
	uint64_t base = (uintptr_t)dirty;
	pthread_t thread;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	raw_blk_init();
	tap_ok(mount_configfs() && make_disk("fast", "") &&
		       !system("truncate -s 64M " SMALL_FILE),
	       "the disks are made");
	tap_ok(raw_blk_open() && set_up(FEATURES) &&
		       !ioctl(vhost, VHOST_SET_LOG_BASE, &base),
	       "the device is set up");
	pthread_create(&thread, NULL, racer, NULL);
	harm(count);
	ended = true;
	pthread_join(thread, NULL);
	tap_ok(guards_are_intact(), "only guest memory was written to");
	tap_ok(is_served(), "a well-behaved guest is served");
	close(vhost);
	tap_ok(remove_disk("fast") && unmount_configfs(), "nothing is in use");
	return tap_done();
}
