// SPDX-License-Identifier: GPL-2.0
/*
 * User VMs that do nothing but ring: all that they ring is counted, and the
 * Service VM's CPU 0, where the upcalls come, still gets work done. So it does
 * when signalling a doorbell takes long, because so many wait for its eventfd.
 *
 * Arguments: a physical CPU for each User VM.
 */
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include "raw_vm.h"
#include "tap.h"

#define VMS_MAX	     8
#define RAM_SIZE     0x200000UL
#define CODE_ADDR    0x4000
#define COUNTER_ADDR 0x8000
#define BELL_PORT    0x1000
#define STORM_MS     2000
#define WAITERS	     50000

/* What a User VM runs: ring, count, ring again. */
extern const char storm_code[], storm_code_end[];
asm(".pushsection .rodata\n"
    ".code32\n"
    "storm_code:\n"
    "	mov $0x1000, %edx\n"
    "ring:\n"
    "	out %ax, (%dx)\n"
    "	incl 0x8000\n"
    "	jmp ring\n"
    ".code64\n"
    "storm_code_end:\n"
    ".popsection\n");

/**
 * struct storm - A User VM that rings
 * @vm:		The VM
 * @ram:	Its memory
 * @bell:	Eventfd of its doorbell
 * @told:	Events so far
 */
struct storm {
	struct raw_vm vm;
	char *ram;
	int bell;
	uint64_t told;
};

static void storm_create(struct storm *storm, int cpu)
{
	storm->vm = raw_vm_create(cpu, 0);
	storm->ram = raw_pages(RAM_SIZE);
	storm->bell = raw_eventfd();
	memcpy(storm->ram + CODE_ADDR, storm_code, storm_code_end - storm_code);
	if (raw_ioeventfd(&storm->vm, storm->bell, ACRN_IOEVENTFD_FLAG_PIO,
			  BELL_PORT, 2, 0) ||
	    raw_set_memory(storm->vm.fd, storm->ram, RAM_SIZE) ||
	    raw_set_registers(storm->vm.fd, CODE_ADDR, RAM_SIZE))
		err(1, "User VM on CPU %d", cpu);
}

static uint32_t rung(const struct storm *storm)
{
	return *(volatile uint32_t *)(storm->ram + COUNTER_ADDR);
}

/* The last may have been counted while the User VM has not got past it. */
static bool all_counted(struct storm *storm)
{
	storm->told += raw_events(storm->bell);
	return storm->told == rung(storm) || storm->told == rung(storm) + 1;
}

/* How far this thread gets, in units of nothing in particular. */
static unsigned long work_for(unsigned int ms)
{
	struct timespec start, now;
	unsigned long work = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (volatile int i = 0; i < 1000; i++)
			;
		work++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 +
			 (now.tv_nsec - start.tv_nsec) / 1000000 <
		 ms);
	return work;
}

static void pin_to_cpu0(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		err(1, "sched_setaffinity");
}

/* Each signal wakes them all. An epoll instance takes a descriptor once. */
static void add_waiters(int efd, int count)
{
	struct rlimit limit = { count + 1000, count + 1000 };
	struct epoll_event event = { .events = EPOLLIN };
	int epoll = epoll_create1(0);

	if (epoll < 0 || setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "%d descriptors", count);
	while (count--)
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, dup(efd), &event))
			err(1, "EPOLL_CTL_ADD");
}

int main(int argc, char **argv)
{
	unsigned long calm, stormy, rings = 0, deferred = 0, overload = 0;
	struct storm storms[VMS_MAX];
	int count = argc - 1, wrong = 0;

	if (count < 1 || count > VMS_MAX)
		errx(1, "usage: dataplane_storm CPU... (up to %d)", VMS_MAX);
	pin_to_cpu0();
	for (int i = 0; i < count; i++)
		storm_create(&storms[i], atoi(argv[i + 1]));
	add_waiters(storms[0].bell, WAITERS);

	calm = work_for(STORM_MS / 4);
	for (int i = 0; i < count; i++)
		if (ioctl(storms[i].vm.fd, ACRN_IOCTL_START_VM))
			err(1, "START_VM");
	stormy = work_for(STORM_MS);
	for (int i = 0; i < count; i++) {
		ioctl(storms[i].vm.fd, ACRN_IOCTL_PAUSE_VM);
		ioctl(storms[i].vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ);
		wrong += !all_counted(&storms[i]);
		rings += rung(&storms[i]);
		deferred += raw_stat(&storms[i].vm, "doorbells_deferred");
		overload += raw_stat(&storms[i].vm, "requests_overload");
	}
	tap_diag("%d User VMs: %lu rings a second, %lu of them left to works",
		 count, rings * 1000 / STORM_MS, deferred * 1000 / STORM_MS);
	tap_diag("CPU 0 gets %lu %% of its work done meanwhile",
		 stormy * 100 / 4 / calm);
	tap_ok(rings > 100, "the User VMs ring");
	tap_ok(stormy > 0, "the Service VM's CPU 0 gets work done");
	tap_ok(deferred > rings / 20, "upcalls leave doorbells to works");
	if (!raw_is_preempt_rt())
		tap_eq(overload, deferred, "as many as had no time");
	tap_eq(wrong, 0, "every ring is counted");
	for (int i = 0; i < count; i++)
		raw_vm_close(&storms[i].vm);
	return tap_done();
}
