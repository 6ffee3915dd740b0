// SPDX-License-Identifier: GPL-2.0
/*
 * As many User VMs as the hypervisor can have, all at the same time. Each must
 * get the answers of its own device model and have its doorbells counted. A
 * device model that never answers must not delay the others. At the end all VMs
 * are closed at the same time.
 *
 * Arguments: a physical CPU for each User VM.
 */
#include <pthread.h>

#include "acrn_hypercall.h"
#include "clock.h"
#include "raw_guest.h"
#include "tap.h"

#define VMS_MAX	  16
#define ROUNDS	  100
#define SAMPLES	  400
#define TURNS	  8
#define BELL_PORT 0x1000
#define DATA_PORT 0x90

/**
 * struct vm - A User VM and the thread that is its device model
 * @guest:	The VM
 * @thread:	Its device model
 * @number:	Index in vms
 * @bell:	Eventfd of its doorbell
 * @wrong:	Answers that did not reach the VM as they were given
 */
struct vm {
	struct guest guest;
	pthread_t thread;
	int number;
	int bell;
	int wrong;
};

static struct vm vms[VMS_MAX];
static int cpus[VMS_MAX];
static int count;

static void vm_create(struct vm *vm, int number)
{
	/* Only one VM polls, because each such VM keeps a processor busy. */
	uint64_t flags = number == 1 ? ACRN_VM_FLAG_IO_COMPLETION_POLLING : 0;

	vm->number = number;
	vm->guest = guest_create(cpus[number], flags);
	vm->bell = raw_eventfd();
	if (raw_ioeventfd(&vm->guest.vm, vm->bell, ACRN_IOEVENTFD_FLAG_PIO,
			  BELL_PORT, 2, 0))
		err(1, "IOEVENTFD");
	create_client(&vm->guest);
	start(&vm->guest);
}

/* Run @function in a thread for each VM from number @from on; wait for all. */
static void in_parallel(int from, void *(*function)(void *))
{
	for (int i = from; i < count; i++)
		if (pthread_create(&vms[i].thread, NULL, function, &vms[i]))
			errx(1, "pthread_create");
	for (int i = from; i < count; i++)
		pthread_join(vms[i].thread, NULL);
}

static void *work(void *arg)
{
	struct vm *vm = arg;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t answer = vm->number << 16 | i;

		write_port(&vm->guest, 2, BELL_PORT, i);
		vm->wrong += vm->guest.requests != 0;
		vm->wrong +=
			read_port(&vm->guest, 4, DATA_PORT, answer) != answer;
	}
	return NULL;
}

static void test_all(int from, const char *how)
{
	int wrong = 0, bells = 0;

	in_parallel(from, work);
	for (int i = from; i < count; i++) {
		wrong += vms[i].wrong;
		bells += raw_events(vms[i].bell) == ROUNDS;
	}
	tap_eq(wrong, 0, "%s: every answer arrives where it belongs", how);
	tap_eq(bells, count - from, "%s: every doorbell is counted", how);
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Measure in ns how long @number requests of @vm take to be answered. */
static void time_answers(struct vm *vm, uint64_t *samples, int number)
{
	for (int i = 0; i < number; i++) {
		uint64_t start = now_ns();

		vm->wrong +=
			read_port(&vm->guest, 4, DATA_PORT, i) != (uint32_t)i;
		samples[i] = now_ns() - start;
	}
}

static uint64_t median_us(uint64_t *samples)
{
	qsort(samples, SAMPLES, sizeof(samples[0]), compare);
	return samples[SAMPLES / 2] / 1000;
}

static void vm_end(struct vm *vm)
{
	guest_close(&vm->guest);
	close(vm->bell);
}

/*
 * Measure the answers of the first VM by turns alone and beside the last VM,
 * which waits for an answer that it never gets. The times are only printed.
 */
static void time_beside_mute(void)
{
	static uint64_t alone[SAMPLES], beside[SAMPLES];
	struct vm *mute = &vms[count - 1];

	for (int i = 0; i < SAMPLES; i += SAMPLES / TURNS) {
		time_answers(&vms[0], alone + i, SAMPLES / TURNS);
		vm_create(mute, count - 1);
		wait_request(&mute->guest);
		time_answers(&vms[0], beside + i, SAMPLES / TURNS);
		vm_end(mute);
	}
	tap_eq(vms[0].wrong, 0, "right answers beside a mute device model");
	tap_diag("median answer: %llu us alone, %llu us beside a mute one",
		 (unsigned long long)median_us(alone),
		 (unsigned long long)median_us(beside));
}

/* All VMs work but the first, whose device model does not answer. */
static void test_mute(void)
{
	wait_request(&vms[0].guest);
	test_all(1, "beside a mute device model");
}

static void *vm_close(void *arg)
{
	vm_end(arg);
	return NULL;
}

int main(int argc, char **argv)
{
	long pinned = pages_pinned();

	count = argc - 1;
	if (count < 3 || count > VMS_MAX)
		errx(1, "usage: many_vms CPU... (3 to %d)", VMS_MAX);
	for (int i = 0; i < count; i++)
		cpus[i] = atoi(argv[i + 1]);
	vm_create(&vms[0], 0);
	time_beside_mute();
	for (int i = 1; i < count; i++)
		vm_create(&vms[i], i);
	tap_ok(true, "%d User VMs run", count);
	test_all(0, "all at once");
	test_mute();
	in_parallel(0, vm_close);
	tap_eq(pages_pinned() - pinned, 0, "no page is pinned at the end");
	return tap_done();
}
