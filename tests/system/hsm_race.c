// SPDX-License-Identifier: GPL-2.0
/*
 * Two tests that the in-tree HSM does not survive: threads make every call they
 * can on a VM that is created and destroyed all the time; and a device model
 * scribbles on its I/O request page and answers requests that do not exist,
 * beside a second VM that must not notice.
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

/* A device model that scribbles on its I/O request page */
struct scribbler {
	struct guest guest;
	pthread_t threads[2];
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

static void test_scribbler(uint64_t flags, const char *how)
{
	struct scribbler mad = { .guest = guest_create(cpus[1], flags) };
	struct guest guest = guest_create(cpus[0], flags);
	int wrong = 0;

	start(&mad.guest);
	create_client(&guest);
	start(&guest);
	pthread_create(&mad.threads[0], NULL, scribble, &mad);
	pthread_create(&mad.threads[1], NULL, answer_wildly, &mad);
	for (uint32_t i = 0; i < 500; i++)
		wrong += read_port(&guest, 4, 0x90, i) != i ||
			 !saw_port(&guest, ACRN_IOREQ_DIR_READ, 0x90, 4);
	tap_eq(wrong, 0, "%s: right answers beside a mad device model", how);
	mad.stop = true;
	pthread_join(mad.threads[0], NULL);
	pthread_join(mad.threads[1], NULL);
	guest_close(&mad.guest);
	tap_eq(read_port(&guest, 4, 0x90, 1), 1, "%s: also when it has ended",
	       how);
	guest_close(&guest);
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
	raw_use_async("off");
	test_scribbler(0, "hypercall");
	test_scribbler(ACRN_VM_FLAG_IO_COMPLETION_POLLING, "polling");
	tap_eq(pages_pinned() - pinned, 0, "no page is pinned at the end");
	return tap_done();
}
