// SPDX-License-Identifier: GPL-2.0
/*
 * The data plane under everything at once: two User VMs ring doorbells without
 * end, vhost-net works on one of the doorbells, events become MSIs, and four
 * threads assign and deassign doorbells and irqfds, while device models are
 * killed and the modules are reloaded. Some of the User VMs have asynchronous
 * doorbells, the others ordinary ones. Nothing may be lost:
 *
 *  - each write to a doorbell's port that the User VM has got past is either an
 *    event on the eventfd or, if no doorbell was assigned at that time, a
 *    request that the device model has seen;
 *  - each event is one MSI, except that events from before the irqfd was
 *    assigned become one MSI together;
 *  - vhost uses each buffer that the driver has made available.
 *
 * Arguments: pairs of assign and deassign of each kind to do in all, seconds
 * between two reloads of the modules, physical CPUs of the two User VMs.
 */
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <linux/virtio_ring.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "acrn_hypercall.h"
#include "irq_guest.h"
#include "raw_async.h"
#include "raw_vm.h"
#include "tap.h"

#define LANES	     2
#define RACERS	     4
#define PORTS	     (RACERS + 2)
#define KILLS	     5
#define ERRORS_SHOWN 10

/*
 * The User VM's ports: one for each racer, one whose doorbell stays assigned,
 * and one whose doorbell is vhost's.
 */
#define PORT(n)	   (0x1000 + 0x10 * (n))
#define PORT_STAYS RACERS
#define PORT_VHOST (RACERS + 1)

/* The User VM's memory; race_code has some of these numbers too. */
#define RAM_SIZE     0x200000UL
#define CODE_ADDR    0x4000
#define COUNTS_ADDR  0x8000
#define DESC_ADDR    0x10000
#define AVAIL_ADDR   0x11000
#define USED_ADDR    0x12000
#define PACKET_ADDR  0x20000
#define RING_SIZE    256
#define VECTOR_RACE  0x41
#define VECTOR_STAYS 0x42
#define VECTOR_VHOST 0x43

/*
 * Code of the User VM: enable the local APIC, then write to each port in turn
 * and count the write, for ever; before the write to vhost's port, make one
 * more buffer available. The interrupt handler counts and writes EOI.
 */
extern const char race_code[], race_handler[], race_code_end[];
asm(".pushsection .rodata\n"
    ".code32\n"
    "race_code:\n"
    "	apic_on\n"
    "	sti\n"
    "again:\n"
    "	mov $0x1000, %edx\n"
    "	mov $0x8000, %ebx\n"
    "	mov $5, %ecx\n"
    "next:\n"
    "	out %ax, (%dx)\n"
    "	incl (%ebx)\n"
    "	add $0x10, %edx\n"
    "	add $4, %ebx\n"
    "	dec %ecx\n"
    "	jnz next\n"
    "	incw 0x11002\n"
    "	out %ax, (%dx)\n"
    "	incl (%ebx)\n"
    "	jmp again\n"
    "race_handler:\n"
    "	pusha\n"
    "	incl 0x8020\n"
    "	apic_eoi\n"
    "	popa\n"
    "	iret\n"
    ".code64\n"
    "race_code_end:\n"
    ".popsection\n");

/**
 * struct counts - Counters of the User VM, at COUNTS_ADDR
 * @rings:	Writes to each port after which the User VM went on
 * @reserved:	Not used; race_code has @interrupts at 0x8020
 * @interrupts:	Interrupts of all vectors
 */
struct counts {
	volatile uint32_t rings[PORTS];
	uint32_t reserved[2];
	volatile uint32_t interrupts;
};

/**
 * struct lane - A CPU on which one User VM runs after the other
 * @tap:	Name of the tap device to which vhost-net sends
 * @ram:	The User VM's memory, which outlives its device model
 * @bells:	Eventfds of the doorbells. Nothing reads them before the VM has
 *		ended, except vhost that of PORT_VHOST.
 * @seen:	Requests for each port that reached the device model
 * @pairs:	Times that racers have assigned and deassigned a doorbell and an
 *		irqfd, in all VMs
 * @async:	Doorbells of all VMs that came through the hypervisor's ring
 * @errors:	Calls that failed and should not have
 * @sent:	Events that were sent to irqfds of the racers
 * @stays_sent:	Events that were sent to the irqfd that stays assigned
 * @lost:	Events that a racer's irqfd did not consume
 * @msis:	MSIs that the HSM injected for the racers' irqfds and the one
 *that stays; set when the device model ends by itself
 * @unused:	Buffers that vhost did not use
 */
struct lane {
	const char *tap;
	char *ram;
	int bells[PORTS];
	atomic_ulong seen[PORTS];
	atomic_ulong pairs;
	atomic_ulong async;
	atomic_ulong errors;
	atomic_ulong sent;
	atomic_ulong stays_sent;
	atomic_ulong lost;
	unsigned long msis;
	unsigned int unused;
};

/* State of a device model, which is a process of its own. */
static struct raw_vm vm;
static struct lane *lane;
static atomic_bool stop;

static struct counts *guest_counts(const struct lane *of)
{
	return (struct counts *)(of->ram + COUNTS_ADDR);
}

static void *shared_pages(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED)
		err(1, "%zu bytes of shared memory", size);
	return pages;
}

/* Count a call that failed, and show the first ERRORS_SHOWN of them. */
static void expect_at(int result, int line)
{
	if (result && lane->errors++ < ERRORS_SHOWN)
		tap_diag("line %d: %s", line, strerror(errno));
}

#define expect(result) expect_at(result, __LINE__)

/* Fill the User VM's memory before it starts. */
static void write_ram(struct lane *of)
{
	struct vring_desc *desc = (void *)(of->ram + DESC_ADDR);
	uint64_t *idt = (void *)(of->ram + RAW_IDT);
	struct vring_avail *avail = (void *)(of->ram + AVAIL_ADDR);

	memset(of->ram, 0, RAM_SIZE);
	memcpy(of->ram + CODE_ADDR, race_code, race_code_end - race_code);
	for (int v = VECTOR_RACE; v <= VECTOR_VHOST; v++)
		idt[v] = irq_gate(CODE_ADDR + (race_handler - race_code));
	/* Each buffer is the same packet: a header of zeroes and 64 bytes. */
	for (int i = 0; i < RING_SIZE; i++) {
		desc[i] = (struct vring_desc){ .addr = PACKET_ADDR,
					       .len = 12 + 64 };
		avail->ring[i] = i;
	}
}

/*
 * Thread that counts and answers requests, made while no doorbell is assigned.
 */
static void *serve(void *arg)
{
	struct acrn_io_request *slot = &vm.slots->req_slot[0];
	struct acrn_ioreq_notify notify = { .vmid = vm.vmid };
	unsigned int port;

	(void)arg;
	while (!ioctl(vm.fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT)) {
		if (__atomic_load_n(&slot->processed, __ATOMIC_ACQUIRE) !=
			    ACRN_IOREQ_STATE_PROCESSING ||
		    slot->kernel_handled)
			continue;
		port = (slot->reqs.pio_request.address - PORT(0)) / 0x10;
		if (port < PORTS)
			lane->seen[port]++;
		else
			expect(-1);
		expect(ioctl(vm.fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &notify));
	}
	return NULL;
}

static int doorbell(unsigned int port, uint32_t flags)
{
	return raw_ioeventfd(&vm, lane->bells[port],
			     ACRN_IOEVENTFD_FLAG_PIO | flags, PORT(port), 2, 0);
}

/*
 * Assign an irqfd, often with an event pending on it, signal it and deassign
 * it. Each event must have been consumed.
 */
static void race_irqfd(int efd)
{
	bool before = random() % 2;

	if (before)
		raw_signal(efd);
	expect(raw_irqfd(&vm, efd, 0, vm.msi, VECTOR_RACE));
	raw_signal(efd);
	expect(raw_irqfd(&vm, efd, ACRN_IRQFD_FLAG_DEASSIGN, 0, 0));
	lane->sent += before + 1;
	lane->lost += raw_events(efd);
}

/* Thread that assigns and deassigns the doorbell of a port and an irqfd. */
static void *race(void *arg)
{
	unsigned int port = (uintptr_t)arg;
	int efd = raw_eventfd();

	while (!stop) {
		expect(doorbell(port, 0));
		race_irqfd(efd);
		/* Leave the CPU to upcalls, without which the User VM stops. */
		usleep(random() % 200);
		expect(doorbell(port, ACRN_IOEVENTFD_FLAG_DEASSIGN));
		lane->pairs++;
	}
	close(efd);
	return NULL;
}

/* Thread that signals the irqfd that stays assigned, as a vhost worker does. */
static void *signal_stays(void *arg)
{
	int efd = (uintptr_t)arg;

	while (!stop) {
		raw_signal(efd);
		lane->stays_sent++;
		usleep(200);
	}
	return NULL;
}

static int open_tap(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), size = 12;

	if (fd < 0)
		err(1, "/dev/net/tun");
	strcpy(ifr.ifr_name, lane->tap);
	if (ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETVNETHDRSZ, &size))
		err(1, "%s", lane->tap);
	return fd;
}

/* Start vhost-net, which sends the buffers that the User VM makes available. */
static int start_vhost(int call)
{
	struct vhost_vring_state num = { .index = 1, .num = RING_SIZE };
	struct vhost_vring_state base = { .index = 1 };
	struct vhost_vring_addr addr = {
		.index = 1,
		.desc_user_addr = (uintptr_t)lane->ram + DESC_ADDR,
		.avail_user_addr = (uintptr_t)lane->ram + AVAIL_ADDR,
		.used_user_addr = (uintptr_t)lane->ram + USED_ADDR,
	};
	struct vhost_vring_file kick = { .index = 1,
					 .fd = lane->bells[PORT_VHOST] };
	struct vhost_vring_file signal = { .index = 1, .fd = call };
	struct vhost_vring_file tap = { .index = 1, .fd = open_tap() };
	uint64_t features = 1ULL << 32 | 1ULL << 15;
	struct {
		struct vhost_memory head;
		struct vhost_memory_region region;
	} memory = { .head = { .nregions = 1 },
		     .region = { .memory_size = RAM_SIZE,
				 .userspace_addr = (uintptr_t)lane->ram } };
	int fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, VHOST_SET_OWNER) ||
	    ioctl(fd, VHOST_SET_FEATURES, &features) ||
	    ioctl(fd, VHOST_SET_MEM_TABLE, &memory) ||
	    ioctl(fd, VHOST_SET_VRING_NUM, &num) ||
	    ioctl(fd, VHOST_SET_VRING_BASE, &base) ||
	    ioctl(fd, VHOST_SET_VRING_ADDR, &addr) ||
	    ioctl(fd, VHOST_SET_VRING_KICK, &kick) ||
	    ioctl(fd, VHOST_SET_VRING_CALL, &signal) ||
	    ioctl(fd, VHOST_NET_SET_BACKEND, &tap))
		err(1, "vhost-net");
	return fd;
}

/* Number of available buffers that vhost does not use within 2 s. */
static unsigned int unused_buffers(void)
{
	struct vring_avail *avail = (void *)(lane->ram + AVAIL_ADDR);
	volatile struct vring_used *used = (void *)(lane->ram + USED_ADDR);

	for (int ms = 0; ms < 2000 && used->idx != avail->idx; ms++)
		usleep(1000);
	return (uint16_t)(avail->idx - used->idx);
}

/* Number of MSIs that irqfds with @vector have injected, from debugfs. */
static unsigned long injected(unsigned int vector)
{
	unsigned long long addr, data, count;
	unsigned long sum = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/debug/acrn_hsm/vm%u/irqfds",
		 vm.vmid);
	file = fopen(path, "r");
	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%llx %llx injected=%llu", &addr, &data,
			   &count) == 3 &&
		    data == vector)
			sum += count;
	fclose(file);
	return sum;
}

/* A device model that ends after @ms, unless it is killed before. */
static void device_model(int cpu, unsigned int ms)
{
	pthread_t threads[RACERS + 2];
	int stays = raw_eventfd(), call = raw_eventfd();

	srandom(getpid());
	raw_use_async(random() % 4 ? "auto" : "off");
	vm = raw_vm_create(
		cpu, random() % 2 ? ACRN_VM_FLAG_IO_COMPLETION_POLLING : 0);
	expect(raw_set_memory(vm.fd, lane->ram, RAM_SIZE));
	expect(doorbell(PORT_STAYS, 0));
	expect(doorbell(PORT_VHOST, 0));
	expect(raw_irqfd(&vm, stays, 0, vm.msi, VECTOR_STAYS));
	expect(raw_irqfd(&vm, call, 0, vm.msi, VECTOR_VHOST));
	start_vhost(call);
	expect(ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT));
	expect(raw_set_registers(vm.fd, CODE_ADDR, RAM_SIZE));
	expect(ioctl(vm.fd, ACRN_IOCTL_START_VM));

	pthread_create(&threads[0], NULL, serve, NULL);
	pthread_create(&threads[1], NULL, signal_stays,
		       (void *)(uintptr_t)stays);
	for (uintptr_t i = 0; i < RACERS; i++)
		pthread_create(&threads[2 + i], NULL, race, (void *)i);
	usleep(ms * 1000);

	stop = true;
	for (int i = 1; i < RACERS + 2; i++)
		pthread_join(threads[i], NULL);
	expect(ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM));
	lane->unused = unused_buffers();
	lane->async += raw_stat(&vm, "doorbells_ring");
	lane->msis = raw_stat(&vm, "msis") - injected(VECTOR_VHOST);
	expect(injected(VECTOR_STAYS) != lane->stays_sent);
	exit(0);
}

/* The functions from here on run in the supervisor, the parent process. */

static struct lane *lane_create(const char *tap)
{
	struct lane *new = shared_pages(sizeof(*new));

	new->tap = tap;
	new->ram = shared_pages(RAM_SIZE);
	for (int i = 0; i < PORTS; i++)
		new->bells[i] = raw_eventfd();
	return new;
}

/*
 * Clear the counters of the last VM, among them those in its memory, as the
 * next device model may be killed before it does so. @pairs, @errors and @async
 * are sums over all VMs and stay.
 */
static void lane_reset(struct lane *of)
{
	write_ram(of);
	for (int i = 0; i < PORTS; i++) {
		raw_events(of->bells[i]);
		of->seen[i] = 0;
	}
	of->sent = 0;
	of->stays_sent = 0;
	of->lost = 0;
	of->msis = 0;
	of->unused = 0;
}

static pid_t lane_start(struct lane *of, int cpu, unsigned int ms)
{
	pid_t pid;

	lane_reset(of);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		lane = of;
		device_model(cpu, ms);
	}
	return pid;
}

/**
 * struct totals - Number of failures in all rounds
 * @rings:	Writes to a port that were neither an event nor a request
 * @twice:	Events and requests without a write to the port
 * @msis:	Rounds with a different number of MSIs than of events
 * @events:	Events that an irqfd did not consume
 * @buffers:	Buffers that vhost did not use
 * @status:	Device models that did not end as expected, failed reloads
 */
struct totals {
	unsigned long rings, twice, msis, events, buffers, status;
};

/*
 * Compare the writes to each port with its events and requests. There may be
 * one more of the latter: the VM may have ended before it counted its last
 * write.
 */
static void check_rings(struct lane *of, struct totals *totals)
{
	for (int i = 0; i < PORT_VHOST; i++) {
		unsigned long rung = guest_counts(of)->rings[i];
		unsigned long told = raw_events(of->bells[i]) + of->seen[i];

		if (told >= rung && told <= rung + 1)
			continue;
		tap_diag("port %d: %lu rings, told of %lu", i, rung, told);
		if (told < rung)
			totals->rings += rung - told;
		else
			totals->twice += told - rung - 1;
	}
}

static void lane_end(struct lane *of, pid_t pid, bool killed,
		     struct totals *totals)
{
	int status;

	waitpid(pid, &status, 0);
	check_rings(of, totals);
	if (killed) {
		totals->status += !WIFSIGNALED(status);
		return;
	}
	totals->status += !WIFEXITED(status) || WEXITSTATUS(status);
	totals->msis += of->msis != of->sent + of->stays_sent;
	totals->events += of->lost;
	totals->buffers += of->unused;
}

static void reload(struct totals *totals)
{
	totals->status += system("rmmod acrn_vhost && rmmod acrn_hsm && "
				 "modprobe acrn_hsm") != 0;
}

static unsigned long pairs_of(struct lane **lanes)
{
	return lanes[0]->pairs + lanes[1]->pairs;
}

/* One device model runs for @ms, beside others that are killed. */
static void round_of(struct lane **lanes, const int *cpus, unsigned int ms,
		     struct totals *totals)
{
	pid_t first = lane_start(lanes[0], cpus[0], ms);

	for (int i = 0; i < KILLS; i++) {
		pid_t second = lane_start(lanes[1], cpus[1], 10 * ms);

		usleep(50000 + random() % (ms * 1000 / KILLS));
		kill(second, SIGKILL);
		lane_end(lanes[1], second, true, totals);
	}
	lane_end(lanes[0], first, false, totals);
}

int main(int argc, char **argv)
{
	struct lane *lanes[LANES] = { lane_create("tap1"),
				      lane_create("tap2") };
	struct totals totals = { 0 };
	long pinned = pages_pinned();
	unsigned long wanted;
	unsigned int ms;
	int cpus[LANES];

	if (argc != 5)
		errx(1, "usage: dataplane_race PAIRS SECONDS CPU CPU");
	wanted = atol(argv[1]);
	ms = 1000 * atoi(argv[2]);
	cpus[0] = atoi(argv[3]);
	cpus[1] = atoi(argv[4]);
	srandom(1);
	if (system("for tap in tap1 tap2; do tunctl -t $tap > /dev/null && "
		   "ip link set $tap up || exit 1; done"))
		errx(1, "no tap devices");

	do {
		round_of(lanes, cpus, ms, &totals);
		reload(&totals);
	} while (pairs_of(lanes) < wanted);

	tap_diag("%lu pairs", pairs_of(lanes));
	tap_ok(guest_counts(lanes[0])->interrupts > 0, "MSIs arrive");
	tap_ok(guest_counts(lanes[0])->rings[PORT_VHOST] > 0, "vhost is rung");
	tap_diag("%lu rings by the hypervisor's ring", lanes[0]->async);
	tap_eq(totals.rings, 0, "no ring is lost");
	tap_eq(totals.twice, 0, "no ring is counted twice");
	tap_eq(totals.msis, 0, "as many MSIs as events");
	tap_eq(totals.events, 0, "each event is taken");
	tap_eq(totals.buffers, 0, "vhost uses every buffer");
	tap_eq(totals.status, 0, "device models end, modules reload");
	tap_eq(lanes[0]->errors + lanes[1]->errors, 0, "no call fails");
	tap_eq(pages_pinned() - pinned, 0, "no page is pinned at the end");
	return tap_done();
}
