// SPDX-License-Identifier: GPL-2.0
/*
 * Two tests that the in-tree HSM does not survive: threads make every call they
 * can on a VM that is created and destroyed all the time; and a device model
 * scribbles on its I/O request page and its rings, unmaps the latter, and
 * answers requests that do not exist, beside a second VM that must not notice.
 *
 * Arguments: physical CPUs of two User VMs.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "acrn_hypercall.h"
#include "fixture.h"
#include "raw_async.h"
#include "raw_event.h"
#include "raw_guest.h"
#include "tap.h"

#define PAGE	    4096UL
#define MSI_ADDRESS 0xfee00000ULL

static int cpus[2];

#define THREADS	   5
#define ITERATIONS 200

struct race {
	int fd;
	void *slots;
	char *pages;
	struct event_ring *ring;
	unsigned long raised;
	atomic_bool stop;
};

static void *racer(void *arg)
{
	struct acrn_vcpu_regs regs = { 0 };
	struct race *race = arg;
	struct raw_vm vm = { .fd = race->fd };
	int efd = raw_eventfd();
	uint64_t state;

	while (!race->stop) {
		state = ACRN_PMCMD_GET_PX_CNT;
		ioctl(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, &state);
		ioctl(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, race->pages);
		raw_set_ram(vm.fd, 0, race->pages, 8 * PAGE);
		ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
		ioctl(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, race->pages);
		raw_ioeventfd(&vm, efd, ACRN_IOEVENTFD_FLAG_PIO, 0x1000, 2, 0);
		raw_ioeventfd(&vm, efd, ACRN_IOEVENTFD_FLAG_PIO, 0x1000, 4, 0);
		raw_ioeventfd(&vm, efd, 0, 0x1000, 4, 0);
		raw_irqfd(&vm, efd, 0, MSI_ADDRESS, 0x41);
		ioctl(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &regs);
		raw_inject_msi(vm.fd, MSI_ADDRESS, 0x41);
		set_ring(&vm, race->ring);
		set_fd(&vm, efd);
		raw_signal(efd);
		ioctl(vm.fd, ACRN_IOCTL_SET_IRQLINE, 4UL);
		raw_notify(vm.fd, 0);
		ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM);
		ioctl(vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ);
		ioctl(vm.fd, ACRN_IOCTL_RESET_VM);
		raw_unset_ram(vm.fd, 0, 8 * PAGE);
		raw_ioeventfd(&vm, efd, ACRN_IOEVENTFD_FLAG_DEASSIGN, 0x1000, 4,
			      0);
		ioctl(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT);
	}
	close(efd);
	return NULL;
}

/*
 * Thread that attaches again and again. It sleeps in there until a racer
 * destroys the client or the VM ends.
 */
static void *attacher(void *arg)
{
	struct race *race = arg;

	while (!race->stop)
		ioctl(race->fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT);
	return NULL;
}

/* Thread that raises events of the VM with id 1, whenever there is one. */
static void *raise_events(void *arg)
{
	const uint64_t vmid = 1, event = ACRN_HV_EVENT_RTC_CHANGED;
	struct race *race = arg;
	int msr = hv_open_msr();

	while (!race->stop && hv_is_fixture())
		if (pwrite(msr, &vmid, sizeof(vmid), HV_MSR_CALL_ARG0) > 0 &&
		    pwrite(msr, &event, sizeof(event), HV_MSR_EVENT) > 0)
			race->raised++;
	close(msr);
	return NULL;
}

static void test_race(void)
{
	struct race race = { .fd = raw_open(),
			     .slots = raw_pages(PAGE),
			     .pages = raw_pages(8 * PAGE),
			     .ring = new_ring() };
	int created = 0, destroyed = 0;
	void *(*const run[])(void *) = { attacher, raise_events, racer, racer,
					 racer };
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run[i], &race))
			errx(1, "pthread_create");
	for (int i = 0; i < ITERATIONS; i++) {
		created += !raw_create(race.fd, cpus[i & 1], race.slots);
		usleep(i % 7 * 300);
		destroyed += !ioctl(race.fd, ACRN_IOCTL_DESTROY_VM);
	}
	race.stop = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	tap_eq(created, ITERATIONS, "all VMs created while threads race");
	tap_eq(destroyed, ITERATIONS, "all VMs destroyed while threads race");
	fixture_ok(race.raised, "which had events");
	close(race.fd);
	munmap(race.slots, PAGE);
	munmap(race.pages, 8 * PAGE);
	munmap(race.ring, PAGE);
}

/* Whether the device model has seen one request since, this port access. */
static bool saw_port(const struct guest *guest, int direction, uint32_t port,
		     uint64_t size)
{
	const struct acrn_pio_request *pio = &guest->seen.reqs.pio_request;

	return guest->requests == 1 &&
	       guest->seen.type == ACRN_IOREQ_TYPE_PORTIO &&
	       pio->direction == (uint32_t)direction && pio->address == port &&
	       pio->size == size;
}

/*
 * The code of a User VM that rings a doorbell until it is told to end, and
 * counts. Now and then it reads a port, and may wait for the answer for ever.
 */
extern const char ringing_code[], ringing_code_end[];
asm(".pushsection .rodata\n"
    "ringing_code:\n"
    ".code32\n"
    "	mov $0x8000, %ebx\n"
    "	mov $0x1000, %edx\n"
    "again:\n"
    "	out %ax, (%dx)\n"
    "	incl (%ebx)\n"
    "	testl $0x3ff, (%ebx)\n"
    "	jne no_read\n"
    "	in $0x80, %al\n"
    "no_read:\n"
    "	cmpl $0, 4(%ebx)\n"
    "	je again\n"
    "	movl $2, 4(%ebx)\n"
    "halt:\n"
    "	hlt\n"
    "	jmp halt\n"
    ".code64\n"
    "ringing_code_end:\n"
    ".popsection\n");

#define BELL_PORT 0x1000

/**
 * struct rings - What that User VM has at BOX_ADDR
 * @count:	Number of times that it has rung
 * @end:	1 tells it to end, 2 is its answer
 */
struct rings {
	uint32_t count;
	uint32_t end;
};

/**
 * struct scribbler - A device model that scribbles on all that it can map
 * @guest:	Its User VM, which rings
 * @bell:	Eventfd of the doorbell
 * @threads:	Those that scribble
 * @stop:	They are to end
 */
struct scribbler {
	struct guest guest;
	int bell;
	pthread_t threads[3];
	atomic_bool stop;
};

static void *scribble(void *arg)
{
	struct scribbler *mad = arg;
	volatile uint32_t *words = (void *)mad->guest.vm.slots;
	/* Words of type, completion_polling, direction, address, size,
	 * processed */
	static const int fields[] = { 0, 1, 16, 18, 20, 34 };
	unsigned int seed = 1, r, field;

	while (!mad->stop) {
		r = rand_r(&seed);
		field = fields[r % 6];
		words[field] =
			field == 18 ? 0xcf8 + (r >> 8) % 8 : (r >> 8) % 5;
		if (r % 16 == 0)
			usleep(50);
	}
	return NULL;
}

/*
 * Thread that sets up rings for doorbells and events, as acrn-dm does, and then
 * changes their headers and unmaps them.
 */
static void *scribble_on_rings(void *arg)
{
	struct scribbler *mad = arg;
	struct event_ring *rings[2];
	unsigned int seed = 2;

	while (!mad->stop) {
		rings[0] = new_ring();
		rings[1] = new_ring();
		ioctl(mad->guest.vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, rings[0]);
		set_ring(&mad->guest.vm, rings[1]);
		for (int i = 0; i < 2; i++) {
			rings[i]->header.head = rand_r(&seed);
			rings[i]->header.tail = rand_r(&seed);
			rings[i]->header.size = rand_r(&seed);
			rings[i]->header.ele_size = rand_r(&seed);
		}
		usleep(100);
		munmap(rings[0], PAGE);
		munmap(rings[1], PAGE);
	}
	return NULL;
}

static void *answer_wildly(void *arg)
{
	struct scribbler *mad = arg;
	int fd = mad->guest.vm.fd;

	for (unsigned int i = 0; !mad->stop; i++) {
		ioctl(fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
		raw_notify(fd, i % 3);
		if (i % 64 == 0)
			ioctl(fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT);
		if (i % 1024 == 0)
			ioctl(fd, ACRN_IOCTL_CLEAR_VM_IOREQ);
		if (i % 16 == 0)
			usleep(100);
	}
	return NULL;
}

/* Assign an asynchronous doorbell at BELL_PORT. Returns its eventfd. */
static int assign_bell(const struct guest *guest)
{
	int bell = raw_eventfd();

	if (raw_ioeventfd(&guest->vm, bell, ACRN_IOEVENTFD_FLAG_PIO, BELL_PORT,
			  2, 0) ||
	    raw_async_doorbells(&guest->vm) != 1)
		errx(1, "no asynchronous doorbell");
	return bell;
}

static void scribbler_start(struct scribbler *mad, uint64_t flags)
{
	void *(*const run[])(void *) = { scribble, scribble_on_rings,
					 answer_wildly };

	*mad = (struct scribbler){ .guest = guest_create(cpus[1], flags) };
	memcpy(mad->guest.ram + CODE_ADDR, ringing_code,
	       ringing_code_end - ringing_code);
	mad->bell = assign_bell(&mad->guest);
	start(&mad->guest);
	for (int i = 0; i < 3; i++)
		if (pthread_create(&mad->threads[i], NULL, run[i], mad))
			errx(1, "pthread_create");
}

/*
 * End the ringing, and wait until the eventfd has counted all rings, 5 s at
 * most. After 2 s without an answer the User VM is taken to wait for its device
 * model. Returns whether all were counted, and none twice.
 */
static bool all_rings_counted(struct scribbler *mad)
{
	volatile struct rings *rings = (void *)mad->guest.box;
	bool ended = false;
	uint64_t seen = 0;

	rings->end = 1;
	for (int ms = 0; ms < 5000 && !(ended && seen == rings->count); ms++) {
		usleep(1000);
		ended = rings->end == 2 || ms > 2000;
		seen += raw_events(mad->bell);
	}
	tap_diag("%llu rings of %u", (unsigned long long)seen, rings->count);
	return seen && seen == rings->count;
}

static void scribbler_end(struct scribbler *mad)
{
	mad->stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(mad->threads[i], NULL);
	guest_close(&mad->guest);
	close(mad->bell);
}

static void test_scribbler(uint64_t flags, const char *how)
{
	struct guest guest = guest_create(cpus[0], flags);
	int bell = assign_bell(&guest), wrong = 0;
	struct scribbler mad;

	create_client(&guest);
	start(&guest);
	scribbler_start(&mad, flags);
	for (uint32_t i = 0; i < 500; i++) {
		wrong += read_port(&guest, 4, 0x90, i) != i ||
			 !saw_port(&guest, ACRN_IOREQ_DIR_READ, 0x90, 4);
		write_port(&guest, 2, BELL_PORT, i);
	}
	tap_eq(wrong, 0, "%s: right answers beside a mad device model", how);
	tap_eq(raw_events(bell), 500, "%s: and all rings are counted", how);
	tap_ok(all_rings_counted(&mad),
	       "%s: also those of the mad device model's own User VM", how);
	scribbler_end(&mad);
	tap_eq(read_port(&guest, 4, 0x90, 1), 1, "%s: also when it has ended",
	       how);
	guest_close(&guest);
	close(bell);
}

int main(int argc, char **argv)
{
	long pinned = pages_pinned();

	if (argc != 3)
		errx(1, "usage: hsm_race CPU CPU");
	cpus[0] = atoi(argv[1]);
	cpus[1] = atoi(argv[2]);

	raw_use_async("auto");
	test_race();
	test_scribbler(0, "hypercall");
	test_scribbler(ACRN_VM_FLAG_IO_COMPLETION_POLLING, "polling");
	tap_eq(pages_pinned() - pinned, 0, "no page is pinned at the end");
	return tap_done();
}
