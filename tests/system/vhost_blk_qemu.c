// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the calls to /dev/vhost-blk that QEMU makes for the device
 * vhost-blk-pci, which Virtuozzo posted to qemu-devel in October 2022 (RFC v2),
 * in the same order. QEMU's vhost core (hw/virtio/vhost.c) makes most of these
 * calls, the device makes the others.
 *
 * The device has one more queue than the driver uses. As the driver does not
 * set up that queue's rings, QEMU does not either, but it does give it
 * eventfds.
 */
#include "raw_blk.h"
#include "tap.h"
#include "tap_group.h"

#define QUEUES	      3
#define DRIVER_QUEUES 2
#define QUEUE_SIZE    0x6000
#define SLOW_MILLIS   400

#define group(function) tap_group(#function, function)

/*
 * Features that the driver accepts if the device offers them. vhost-blk does
 * not offer GEOMETRY, so that one is never sent to it.
 */
#define DRIVER_FEATURES                                                        \
	(FLUSH_BIT | V1_BIT | 1ULL << VIRTIO_BLK_F_SEG_MAX |                   \
	 1ULL << VIRTIO_BLK_F_SIZE_MAX | 1ULL << VIRTIO_BLK_F_BLK_SIZE |       \
	 1ULL << VIRTIO_BLK_F_TOPOLOGY | 1ULL << VIRTIO_BLK_F_GEOMETRY |       \
	 1ULL << VIRTIO_BLK_F_MQ | 1ULL << VIRTIO_RING_F_INDIRECT_DESC)

/* Features without which QEMU cannot use the device, or not migrate it */
#define NEEDED_FEATURES                                                        \
	(FLUSH_BIT | V1_BIT | RO_BIT | LOG_BIT | 1ULL << VIRTIO_BLK_F_MQ |     \
	 1ULL << VIRTIO_RING_F_INDIRECT_DESC |                                 \
	 1ULL << VIRTIO_RING_F_EVENT_IDX)

/**
 * struct backend - Settings with which QEMU starts the device
 * @disk:	Path of its drive
 * @flags:	Flags with which the drive is opened
 * @features:	Features that the driver accepts besides DRIVER_FEATURES
 * @threads:	Property num-threads of the device
 */
struct backend {
	const char *disk;
	int flags;
	uint64_t features;
	int threads;
};

static const struct backend usual = { FAST, O_RDWR | O_DIRECT, 0, 1 };

/* Name of the step that QEMU takes, for the names of checks */
static const char *step;

static int kicks[QUEUES], calls[QUEUES], masked[QUEUES], errors[QUEUES];
static uint64_t offered, accepted;
static uint64_t dirty[(GPA + MEM_SIZE) / 4096 / 64 + 1];

#define sent(request, argument)                                                \
	tap_success(ioctl(vhost, request, argument), "%s: " #request, step)

#define sent_fd(request, queue, eventfd)                                       \
	do {                                                                   \
		struct vhost_vring_file file_ = { queue, eventfd };            \
		tap_success(ioctl(vhost, request, &file_),                     \
			    "%s: " #request " of queue %u", step, queue);      \
	} while (0)

#define sent_number(request, queue, number)                                    \
	do {                                                                   \
		struct vhost_vring_state state_ = { queue, number };           \
		tap_success(ioctl(vhost, request, &state_),                    \
			    "%s: " #request " of queue %u", step, queue);      \
	} while (0)

static void send_address(unsigned int queue, bool log)
{
	uintptr_t user = (uintptr_t)mem + queue * QUEUE_SIZE;
	struct vhost_vring_addr address = {
		.index = queue,
		.flags = log ? 1 << VHOST_VRING_F_LOG : 0,
		.desc_user_addr = user,
		.avail_user_addr = user + AVAIL,
		.used_user_addr = user + USED,
		.log_guest_addr = GPA + queue * QUEUE_SIZE + USED,
	};

	tap_success(ioctl(vhost, VHOST_SET_VRING_ADDR, &address),
		    "%s: VHOST_SET_VRING_ADDR of queue %u", step, queue);
}

/* Send guest memory, in several regions as that of a PC. */
static void send_memory(void)
{
	const struct vhost_memory_region regions[] = {
		region(GPA, mem, DATA),
		region(GPA + DATA, mem + DATA, MEM_SIZE - DATA)
	};

	tap_success(set_regions(regions, 2), "%s: VHOST_SET_MEM_TABLE", step);
}

/*
 * Send features. QEMU also asks for backend features, which are those of an
 * IOTLB; an error means that there are none.
 */
static void send_features(uint64_t more)
{
	uint64_t features = accepted | more, backend_features = 0;

	sent(VHOST_SET_FEATURES, &features);
	tap_ok(ioctl(vhost, VHOST_GET_BACKEND_FEATURES, &backend_features) < 0,
	       "%s: VHOST_GET_BACKEND_FEATURES has none", step);
}

/* QEMU creates the device. Its vhost_dev_init() is the owner until a reset. */
static void realize(void)
{
	unsigned int i;

	step = "realize";
	tap_ok(raw_blk_open(), "%s: open", step);
	sent(VHOST_GET_FEATURES, &offered);
	tap_eq(offered & NEEDED_FEATURES, NEEDED_FEATURES,
	       "%s: what it has to have", step);
	sent(VHOST_SET_OWNER, NULL);
	sent(VHOST_GET_FEATURES, &offered);
	for (i = 0; i < QUEUES; i++) {
		masked[i] = eventfd(0, EFD_NONBLOCK);
		errors[i] = eventfd(0, EFD_NONBLOCK);
		sent_fd(VHOST_SET_VRING_CALL, i, masked[i]);
		sent_fd(VHOST_SET_VRING_ERR, i, errors[i]);
	}
}

/*
 * Both the machine and the driver reset the device before it is first started.
 */
static void first_resets(void)
{
	step = "reset";
	sent(VHOST_RESET_OWNER, NULL);
	tap_errno(ioctl(vhost, VHOST_RESET_OWNER, NULL), EPERM,
		  "%s: VHOST_RESET_OWNER once more", step);
}

/* Make the transport's eventfds, which are new at each start of the device. */
static void set_notifiers(void)
{
	unsigned int i;

	for (i = 0; i < QUEUES; i++) {
		kicks[i] = eventfd(0, EFD_NONBLOCK);
		calls[i] = eventfd(0, EFD_NONBLOCK);
	}
}

static void start_queue(unsigned int queue)
{
	sent_number(VHOST_SET_VRING_NUM, queue, RING);
	sent_number(VHOST_SET_VRING_BASE, queue, 0);
	send_address(queue, false);
	sent_fd(VHOST_SET_VRING_KICK, queue, kicks[queue]);
	/* QEMU does this if the driver gave the queue no vector. */
	if (queue == DRIVER_QUEUES - 1)
		sent_fd(VHOST_SET_VRING_CALL, queue, -1);
}

static void send_backend(const struct backend *backend)
{
	struct vhost_vring_file file = {
		.fd = open(backend->disk, backend->flags),
	};

	sent(VHOST_BLK_SET_BACKEND, &file);
	close(file.fd);
}

/* Start the device, as QEMU does when the driver sets DRIVER_OK. */
static void start(const struct backend *backend)
{
	int threads = backend->threads;
	unsigned int i;

	step = "start";
	memset(mem, 0, DATA);
	accepted = (DRIVER_FEATURES | backend->features) & offered;
	sent(VHOST_SET_OWNER, NULL);
	if (threads != 1)
		sent(VHOST_SET_NWORKERS, &threads);
	set_notifiers();
	send_features(0);
	send_memory();
	for (i = 0; i < DRIVER_QUEUES; i++)
		start_queue(i);
	send_backend(backend);
	for (i = 0; i < QUEUES; i++)
		sent_fd(VHOST_SET_VRING_CALL, i, calls[i]);
	for (i = 0; i < QUEUES; i++)
		eventfd_write(kicks[i], 1);
}

/*
 * Stop the device: get the rings' positions, with requests possibly in flight.
 */
static void stop(void)
{
	unsigned int i;

	step = "stop";
	for (i = 0; i < QUEUES; i++) {
		close(kicks[i]);
		close(calls[i]);
	}
	for (i = 0; i < DRIVER_QUEUES; i++)
		sent_number(VHOST_GET_VRING_BASE, i, 0);
}

/* The driver resets the device: QEMU stops it first. */
static void reset(void)
{
	stop();
	step = "reset";
	sent(VHOST_RESET_OWNER, NULL);
}

/* QEMU removes the device: it closes it without a reset. */
static void unrealize(void)
{
	unsigned int i;

	close(vhost);
	for (i = 0; i < QUEUES; i++) {
		close(masked[i]);
		close(errors[i]);
	}
}

/* Let the functions of raw_blk.h use the rings of this queue, which is new. */
static void use_queue(unsigned int queue)
{
	kick = kicks[queue];
	call = calls[queue];
	rings = queue * QUEUE_SIZE;
	avail_idx = 0;
	used_idx = 0;
}

static void reads_and_writes(void)
{
	memset(mem + DATA, 0x5a, 4096);
	memset(mem + DATA + 4096, 0, 8192);
	use_queue(0);
	tap_eq(request(VIRTIO_BLK_T_OUT, 16, DATA, 4096), 0, "a write");
	tap_eq(request(VIRTIO_BLK_T_FLUSH, 0, 0, 0), 0, "a flush");
	tap_eq(request(VIRTIO_BLK_T_IN, 16, DATA + 4096, 4096), 0, "a read");
	tap_eq(request(VIRTIO_BLK_T_GET_ID, 0, DATA + 12288,
		       VIRTIO_BLK_ID_BYTES),
	       0, "the serial number, which this QEMU does not set");
	use_queue(1);
	tap_eq(request(VIRTIO_BLK_T_IN, 16, DATA + 8192, 4096), 0,
	       "a read through the second queue");
	tap_ok(!memcmp(mem + DATA, mem + DATA + 4096, 4096) &&
		       !memcmp(mem + DATA, mem + DATA + 8192, 4096),
	       "both are what was written");
}

static void numbers(void)
{
	tap_eq(VHOST_BLK_SET_BACKEND, 0x4008afff, "VHOST_BLK_SET_BACKEND");
	tap_eq(VHOST_BLK_SET_SERIAL, 0x4014affe, "VHOST_BLK_SET_SERIAL");
	tap_eq(VHOST_SET_NWORKERS, 0x4004af1f, "VHOST_SET_NWORKERS");
}

static void runs(void)
{
	realize();
	first_resets();
	start(&usual);
	reads_and_writes();
	reset();
	start(&usual);
	reads_and_writes();
	reset();
	unrealize();
}

/* A drive on a file; OpenVZ's module takes block devices only */
static void runs_on_file(void)
{
	const struct backend file = { SMALL_FILE, O_RDWR, 0, 1 };

	realize();
	first_resets();
	start(&file);
	reads_and_writes();
	unrealize();
}

static void runs_read_only(void)
{
	const struct backend backend = { FAST, O_RDONLY, RO_BIT, 1 };

	realize();
	first_resets();
	start(&backend);
	use_queue(0);
	tap_eq(request(VIRTIO_BLK_T_IN, 16, DATA, 4096), 0, "a read");
	tap_eq(request(VIRTIO_BLK_T_OUT, 16, DATA, 4096), VIRTIO_BLK_S_IOERR,
	       "no write");
	unrealize();
}

/* The property num-threads: QEMU gives up if the device refuses it. */
static void asks_for_threads(void)
{
	static const int too_few[] = { 0, -1 };
	struct backend backend = usual;
	int threads = 4;
	unsigned int i;

	backend.threads = threads;
	realize();
	for (i = 0; i < 2; i++)
		tap_errno(ioctl(vhost, VHOST_SET_NWORKERS, &too_few[i]), EINVAL,
			  "VHOST_SET_NWORKERS of %d", too_few[i]);
	tap_errno(ioctl(vhost, VHOST_SET_NWORKERS, NULL), EFAULT,
		  "VHOST_SET_NWORKERS of nothing");
	first_resets();
	tap_errno(ioctl(vhost, VHOST_SET_NWORKERS, &threads), EPERM,
		  "VHOST_SET_NWORKERS without an owner");
	start(&backend);
	reads_and_writes();
	reset();
	backend.threads = 1000;
	start(&backend);
	reads_and_writes();
	unrealize();
}

/* Memory is plugged in while the device runs. */
static void gets_memory(void)
{
	realize();
	first_resets();
	start(&usual);
	step = "hotplug";
	send_memory();
	reads_and_writes();
	unrealize();
}

static bool is_dirty(uint32_t offset)
{
	uint64_t page = (GPA + offset) / 4096;

	return dirty[page / 64] >> page % 64 & 1;
}

/* QEMU aborts when one of these fails. */
static void log_pages(bool on)
{
	unsigned int i;

	send_features(on ? LOG_BIT : 0);
	for (i = 0; i < DRIVER_QUEUES; i++)
		send_address(i, on);
}

static void migrates(void)
{
	uint64_t base = (uintptr_t)dirty;

	realize();
	first_resets();
	start(&usual);
	step = "migration begins";
	sent(VHOST_SET_LOG_BASE, &base);
	log_pages(true);
	use_queue(1);
	tap_eq(request(VIRTIO_BLK_T_IN, 16, DATA, 4096), 0, "a read");
	tap_ok(is_dirty(DATA) && is_dirty(QUEUE_SIZE + USED),
	       "data and used ring are in the log");
	step = "migration ends";
	log_pages(false);
	memset(dirty, 0, sizeof(dirty));
	tap_eq(request(VIRTIO_BLK_T_IN, 16, DATA, 4096), 0, "a read");
	tap_ok(!is_dirty(DATA) && !is_dirty(QUEUE_SIZE + USED),
	       "nothing is in the log");
	unrealize();
}

static bool is_taken(void)
{
	struct vhost_vring_state base = { .index = 0 };
	unsigned int i;

	for (i = 0; i < 1000 && !base.num; i++) {
		usleep(5000);
		ioctl(vhost, VHOST_GET_VRING_BASE, &base);
	}
	return base.num == 1;
}

/* This QEMU never takes its disk away; the reset has to wait for requests. */
static void resets_in_flight(void)
{
	const struct backend slow = { SLOW, O_RDWR | O_DIRECT, 0, 1 };

	realize();
	first_resets();
	start(&slow);
	use_queue(0);
	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	add_in(DATA, 4096);
	add_in(STATUS, 1);
	ring(0);
	tap_ok(is_taken(), "a request is in flight");
	reset();
	tap_eq(mem[STATUS], VIRTIO_BLK_S_OK, "it has ended");
	memset(mem, NO_STATUS, DATA + 4096);
	usleep(SLOW_MILLIS * 1500);
	tap_ok(mem[STATUS] == NO_STATUS && mem[DATA] == NO_STATUS,
	       "nothing is written to guest memory any more");
	start(&usual);
	reads_and_writes();
	unrealize();
}

int main(void)
{
	raw_blk_init();
	tap_ok(mount_configfs() && make_disk("fast", "") &&
		       make_disk("slow",
				 "irqmode=2 completion_nsec=400000000 ") &&
		       !system("truncate -s 64M " SMALL_FILE),
	       "the disks are made");
	group(numbers);
	group(runs);
	group(runs_on_file);
	group(runs_read_only);
	group(asks_for_threads);
	group(gets_memory);
	group(migrates);
	group(resets_in_flight);
	tap_ok(guards_are_intact(), "only guest memory was written to");
	tap_ok(remove_disk("fast") && remove_disk("slow") && unmount_configfs(),
	       "nothing is in use");
	return tap_done();
}
