// SPDX-License-Identifier: GPL-2.0
/*
 * A storm of doorbells: User VMs do nothing but ring, and nothing reads the
 * eventfds. The Service VM's CPU 0, on which the upcalls arrive, must still get
 * its work done. Everything that the Service VM has to do is on CPU 0, as if
 * there were no other: this program, its children and the VMs' threads. With
 * ordinary and with asynchronous doorbells, rung by one vCPU, by two and by
 * four of them:
 *
 *  - a task that never sleeps gets at least half of CPU 0, timers fire, and
 *    programs can be started;
 *  - the upcall time that the HSM counts for the User VM is within the limit
 *    that the parameter upcall_share sets;
 *  - the User VM rings more often while CPU 0 is otherwise idle;
 *  - the doorbells of another User VM that rings now and then are still
 *    signalled in the upcall;
 *  - all vCPUs ring, and every ring is counted.
 *
 * The same is checked with a device model that forges requests all the time,
 * and with a doorbell that takes long to signal because many wait for its
 * eventfd.
 *
 * Arguments: a physical CPU for each vCPU of the User VMs, NR_CPUS of them.
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "clock.h"
#include "fixture.h"
#include "irq_guest.h"
#include "raw_async.h"
#include "raw_guest.h"
#include "schedule.h"
#include "tap.h"

/* One for each vCPU that rings, and one for the neighbour */
#define NR_CPUS	     5
#define AP_ADDR	     0x5000
#define COUNTER_ADDR 0x8000
#define WORD_ADDR    0x8004
#define RINGING_ADDR 0x8008
#define BELL_PORT    0x1000
#define SHARE	     "/sys/module/acrn_hsm/parameters/upcall_share"

#define STORM_MS 1000
#define RINGS	 20
#define RING_US	 5000
#define PROGRAMS 5
#define WAITERS	 50000
#define TICK_US	 4000
#define TIMER_US 20000
/*
 * A User VM takes at least this upcall time between two pauses: what upcalls
 * may owe, BURST_US in hsm/share.c, divided among three VMs.
 */
#define BURST_US 300
/* Upcall time by which one burst and one full ring can exceed the share. */
#define OVERDRAWN_MS 100

/*
 * Code of each vCPU of a User VM: wait until the word at WORD_ADDR is set,
 * count this vCPU at RINGING_ADDR, then ring the doorbell and count it at
 * COUNTER_ADDR, for ever. The first vCPU starts the others.
 */
extern const char bsp_code[], bsp_code_end[], ap_code[], ap_code_end[];
asm(".pushsection .rodata\n"
    "bsp_code:\n"
    ".code32\n"
    "	apic_on\n"
    "	apic_start_others 5\n" /* at AP_ADDR */
    "	mov $0x1000, %edx\n"
    "1:	cmpl $0, 0x8004\n"
    "	je 1b\n"
    "	lock incl 0x8008\n"
    "2:	out %ax, (%dx)\n"
    "	lock incl 0x8000\n"
    "	jmp 2b\n"
    "bsp_code_end:\n"
    "ap_code:\n"
    ".code16\n"
    "	mov $0x1000, %dx\n"
    "1:	cmpl $0, 0x8004\n"
    "	je 1b\n"
    "	lock incl 0x8008\n"
    "2:	outw %ax, (%dx)\n"
    "	lock incl 0x8000\n"
    "	jmp 2b\n"
    ".code64\n"
    "ap_code_end:\n"
    ".popsection\n");

static int cpus[NR_CPUS];
static bool on_fixture;

/**
 * struct storm - A User VM that does nothing but ring
 * @vm:		The VM
 * @vcpus:	Number of its vCPUs, all of which ring
 * @ram:	Its memory
 * @bell:	Eventfd of its doorbell
 */
struct storm {
	struct raw_vm vm;
	int vcpus;
	char *ram;
	int bell;
};

static uint64_t cpu_mask(int first, int count)
{
	uint64_t mask = 0;

	while (count--)
		mask |= 1ULL << cpus[first + count];
	return mask;
}

static struct storm storm_create(int first, int vcpus, const char *async)
{
	struct storm storm = { .vcpus = vcpus };

	raw_use_async(async);
	storm.vm = raw_vm_create_on(cpu_mask(first, vcpus), 0);
	pin_to(thread_of(&storm.vm), 0);
	storm.ram = raw_pages(RAM_SIZE);
	storm.bell = raw_eventfd();
	memcpy(storm.ram + CODE_ADDR, bsp_code, bsp_code_end - bsp_code);
	memcpy(storm.ram + AP_ADDR, ap_code, ap_code_end - ap_code);
	if (raw_ioeventfd(&storm.vm, storm.bell, ACRN_IOEVENTFD_FLAG_PIO,
			  BELL_PORT, 2, 0) ||
	    raw_set_memory(storm.vm.fd, storm.ram, RAM_SIZE) ||
	    raw_set_registers(storm.vm.fd, CODE_ADDR, RAM_SIZE))
		err(1, "User VM that rings");
	raw_use_async("off");
	return storm;
}

static uint32_t word(const struct storm *storm, unsigned int addr)
{
	return *(volatile uint32_t *)(storm->ram + addr);
}

static uint32_t rung(const struct storm *storm)
{
	return word(storm, COUNTER_ADDR);
}

/*
 * End the VM and compare its rings with the events. There may be one more event
 * for each vCPU that was paused before it counted its last ring.
 */
static void storm_end(struct storm *storm, const char *name)
{
	uint64_t told, rings;

	ioctl(storm->vm.fd, ACRN_IOCTL_PAUSE_VM);
	ioctl(storm->vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ);
	told = raw_events(storm->bell);
	rings = rung(storm);
	tap_eq(word(storm, RINGING_ADDR), storm->vcpus, "%s: all vCPUs ring",
	       name);
	if (!tap_ok(told >= rings && told <= rings + storm->vcpus,
		    "%s: every ring is counted", name))
		tap_diag("%llu rings, told of %llu", (unsigned long long)rings,
			 (unsigned long long)told);
	raw_vm_close(&storm->vm);
	munmap(storm->ram, RAM_SIZE);
	close(storm->bell);
}

/* Work that this thread gets done per ms, in rounds of a loop, over @ms. */
static double work_for(unsigned int ms)
{
	uint64_t start = now_ns(), end;
	unsigned long work = 0;

	do {
		for (volatile int i = 0; i < 1000; i++)
			;
		work++;
		end = now_ns();
	} while (end - start < ms * 1000000ULL);
	return work * 1e6 / (end - start);
}

/**
 * struct timer - A thread that sleeps for TIMER_US again and again
 * @stop:	The thread is to end
 * @fired:	Number of times that it woke
 * @late_us:	Longest time by which it woke too late
 */
struct timer {
	volatile bool stop;
	unsigned int fired;
	unsigned int late_us;
};

static void *sleep_and_wake(void *arg)
{
	struct timer *timer = arg;
	struct timespec nap = { .tv_nsec = TIMER_US * 1000 };
	uint64_t start, us;

	/* FIFO: the timer is measured, not the scheduler. */
	set_fifo(0, 1);
	while (!timer->stop) {
		start = now_ns();
		nanosleep(&nap, NULL);
		us = (now_ns() - start) / 1000 - TIMER_US;
		timer->fired++;
		if (us > timer->late_us)
			timer->late_us = us;
	}
	return NULL;
}

/*
 * Start @storm and check that a task that never sleeps and a timer get CPU 0
 * beside it. The work that the task gets done is compared with what it got done
 * while the vCPUs were running but not yet ringing, because emulated vCPUs take
 * time of the host too. Returns the rings per second.
 */
static double check_cpu(const struct storm *storm, const char *name)
{
	unsigned int least = on_fixture ? 20 : 50;
	struct timer timer = { 0 };
	double calm, percent, ms, rings;
	unsigned long taken, pauses;
	pthread_t thread;
	uint64_t start;

	if (ioctl(storm->vm.fd, ACRN_IOCTL_START_VM))
		err(1, "START_VM");
	calm = work_for(STORM_MS / 4);
	if (pthread_create(&thread, NULL, sleep_and_wake, &timer))
		errx(1, "pthread_create");
	taken = raw_stat(&storm->vm, "upcall_us");
	pauses = raw_stat(&storm->vm, "pauses");
	rings = rung(storm);
	start = now_ns();
	*(volatile uint32_t *)(storm->ram + WORD_ADDR) = 1;
	percent = work_for(STORM_MS) / calm * 100;
	rings = rung(storm) - rings;
	timer.stop = true;
	pthread_join(thread, NULL);
	ms = (now_ns() - start) / 1e6;
	pauses = raw_stat(&storm->vm, "pauses") - pauses;
	taken = raw_stat(&storm->vm, "upcall_us") - taken;

	tap_diag(
		"%s: %.0f rings/s, %.1f %% left, upcalls take %.1f %%, a timer is %u us late",
		name, rings / ms * 1000, percent, taken / ms / 10,
		timer.late_us);
	tap_ok(percent >= least, "%s: CPU 0 gets %.0f %% of its work done",
	       name, percent);
	tap_ok(taken / 1e3 <= ms * raw_number(SHARE) / 100 + OVERDRAWN_MS,
	       "%s: upcalls take no more than their share", name);
	tap_ok(pauses * BURST_US <= taken, "%s: upcalls come in bursts", name);
	tap_ok(timer.fired >= 5, "%s: %u timers fire", name, timer.fired);
	rings = rings / ms * 1000;
	if (on_fixture)
		return rings;
	/* The speed of the fixture and of its clock depends on the host. */
	tap_ok(timer.late_us <= 2 * TICK_US,
	       "%s: a timer is late by two ticks at most", name);
	tap_ok(raw_stat(&storm->vm, "pauses") > 0, "%s: it is paused", name);
	return rings;
}

/* Upcalls may take more than their share of CPU 0 while it is idle. */
static void check_idle(const struct storm *storm, double beside_task,
		       const char *name)
{
	double rings = rung(storm);
	uint64_t start = now_ns();

	usleep(STORM_MS * 1000);
	rings = (rung(storm) - rings) * 1e9 / (now_ns() - start);
	tap_diag("%s: %.0f rings/s while CPU 0 is idle", name, rings);
	/* On the fixture the number of rings depends on the host. */
	if (!on_fixture)
		tap_ok(rings > beside_task,
		       "%s: it rings more often while CPU 0 is idle", name);
}

/* Start programs on CPU 0, one after the other, and wait for each. */
static void check_programs(const char *name)
{
	int status, done = 0;
	pid_t pid;

	for (int i = 0; i < PROGRAMS; i++) {
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			execl("/bin/sh", "sh", "-c", "exit 7", NULL);
			_exit(1);
		}
		waitpid(pid, &status, 0);
		done += WIFEXITED(status) && WEXITSTATUS(status) == 7;
	}
	tap_eq(done, PROGRAMS, "%s: programs start and end", name);
}

/*
 * The doorbells of @guest, which rings now and then beside a storm, are
 * signalled in the upcall. On the fixture half of them are enough: when the
 * host is busy, even few upcalls can take more time than the share of @guest.
 */
static void check_neighbour(struct guest *guest, const char *name)
{
	unsigned long upcall = raw_stat(&guest->vm, "doorbells");
	unsigned long left = raw_stat(&guest->vm, "requests_overload");

	for (int i = 0; i < RINGS; i++) {
		write_port(guest, 2, BELL_PORT, 1);
		usleep(RING_US);
	}
	upcall = raw_stat(&guest->vm, "doorbells") - upcall;
	left = raw_stat(&guest->vm, "requests_overload") - left;
	if (raw_is_preempt_rt())
		tap_skip("PREEMPT_RT", "%s: a neighbour", name);
	else if (on_fixture)
		tap_ok(upcall >= RINGS / 2,
		       "%s: a neighbour rings in the upcall (%lu of %d)", name,
		       upcall, RINGS);
	else
		tap_ok(upcall == RINGS && !left,
		       "%s: a neighbour rings in the upcall (%lu, %lu)", name,
		       upcall, left);
}

static struct guest neighbour_create(int cpu)
{
	struct guest guest = guest_create(cpu, 0);

	if (raw_ioeventfd(&guest.vm, raw_eventfd(), ACRN_IOEVENTFD_FLAG_PIO,
			  BELL_PORT, 2, 0))
		err(1, "IOEVENTFD");
	create_client(&guest);
	start(&guest);
	return guest;
}

/*
 * A User VM storms with @vcpus vCPUs. Beside it another one rings now and then
 * at the end.
 */
static void test_storm(const char *name, int vcpus, const char *async)
{
	struct storm storm = storm_create(0, vcpus, async);
	struct guest neighbour;

	check_idle(&storm, check_cpu(&storm, name), name);
	check_programs(name);
	neighbour = neighbour_create(cpus[vcpus]);
	check_neighbour(&neighbour, name);
	guest_end(&neighbour);
	storm_end(&storm, name);
}

/**
 * struct forger - A device model that forges requests in its ioreq page
 * @vm:		The VM, which does not run
 * @vcpus:	Number of its vCPUs
 * @bell:	Eventfd of its doorbell
 * @stop:	The thread that forges is to end
 */
struct forger {
	struct raw_vm vm;
	int vcpus;
	int bell;
	volatile bool stop;
};

/* Thread that makes every free slot a pending write to the doorbell. */
static void *forge(void *arg)
{
	const struct acrn_pio_request ring = {
		.direction = ACRN_IOREQ_DIR_WRITE,
		.address = BELL_PORT,
		.size = 2,
	};
	struct forger *forger = arg;
	struct acrn_io_request *slot;

	pin_to(0, 1);
	for (int i = 0; !forger->stop; i = (i + 1) % forger->vcpus) {
		slot = &forger->vm.slots->req_slot[i];
		if (__atomic_load_n(&slot->processed, __ATOMIC_ACQUIRE) ==
		    ACRN_IOREQ_STATE_PENDING)
			continue;
		slot->type = ACRN_IOREQ_TYPE_PORTIO;
		slot->reqs.pio_request = ring;
		__atomic_store_n(&slot->processed, ACRN_IOREQ_STATE_PENDING,
				 __ATOMIC_RELEASE);
	}
	return NULL;
}

static struct forger forger_create(int first, int vcpus)
{
	struct forger forger = { .vcpus = vcpus, .bell = raw_eventfd() };

	forger.vm = raw_vm_create_on(cpu_mask(first, vcpus), 0);
	pin_to(thread_of(&forger.vm), 0);
	if (raw_ioeventfd(&forger.vm, forger.bell, ACRN_IOEVENTFD_FLAG_PIO,
			  BELL_PORT, 2, 0))
		err(1, "IOEVENTFD");
	return forger;
}

/*
 * A forger beside a storm, whose upcalls find the forged requests. The time
 * that they take must be counted for the forger's VM.
 */
static void test_forger(const char *name)
{
	struct storm storm = storm_create(0, 1, "off");
	struct guest neighbour = neighbour_create(cpus[1]);
	struct forger forger = forger_create(2, NR_CPUS - 2);
	pthread_t thread;

	if (pthread_create(&thread, NULL, forge, &forger))
		errx(1, "pthread_create");
	check_cpu(&storm, name);
	check_neighbour(&neighbour, name);
	guest_end(&neighbour);
	tap_ok(raw_stat(&forger.vm, "upcall_us") > 0,
	       "%s: what it has upcalls do is its own", name);
	tap_ok(raw_events(forger.bell) > 0, "%s: they are served", name);
	forger.stop = true;
	pthread_join(thread, NULL);
	raw_vm_close(&forger.vm);
	storm_end(&storm, name);
}

/*
 * Add @count waiters to an eventfd, each of which a signal wakes. An epoll
 * instance takes each descriptor once, so every waiter has its own.
 */
static void add_waiters(int efd, int count)
{
	/* For two eventfds */
	struct rlimit limit = { 2 * count + 1000, 2 * count + 1000 };
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0);

	if (epoll < 0 || setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "%d descriptors", count);
	while (count--)
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, dup(efd), &event))
			err(1, "EPOLL_CTL_ADD");
}

/*
 * A doorbell that takes long to signal. An upcall takes at least as long as one
 * signal, so fewer waiters are added in a slow kernel. They stay until this
 * program ends. When the doorbell is asynchronous, an upcall finds many rings
 * of it, and is to signal no more than one.
 */
static void test_waiters(const char *name, const char *async)
{
	struct storm storm;

	if (fixture_skip("speed", "%s", name))
		return;
	storm = storm_create(0, 1, async);
	add_waiters(storm.bell, WAITERS / tap_slowness());
	check_cpu(&storm, name);
	storm_end(&storm, name);
}

int main(int argc, char **argv)
{
	if (argc != 1 + NR_CPUS)
		errx(1, "usage: dataplane_storm CPU CPU... (%d of them)",
		     NR_CPUS);
	for (int i = 0; i < NR_CPUS; i++)
		cpus[i] = atoi(argv[i + 1]);
	on_fixture = hv_is_fixture();
	pin_to(0, 0);
	test_storm("one vCPU", 1, "off");
	test_storm("one vCPU, asynchronous", 1, "auto");
	test_storm("two vCPUs", 2, "off");
	test_storm("two vCPUs, asynchronous", 2, "auto");
	test_storm("four vCPUs", 4, "off");
	test_storm("four vCPUs, asynchronous", 4, "auto");
	test_forger("forged requests");
	test_waiters("many waiters", "off");
	test_waiters("many waiters, asynchronous", "auto");
	return tap_done();
}
