// SPDX-License-Identifier: GPL-2.0
/*
 * A User VM that does nothing but notify, on the real hypervisor: what each
 * notification takes, and what it costs the Service VM.
 *
 * Variants: "in-tree", "ours" and "ours-thread" as in bench.sh, "floor", a data
 * plane that only completes, and "exit", a CPUID in place of the write, which
 * the hypervisor deals with alone.
 *
 * Once acrn_exits.ko is loaded VM exits are counted and nothing else is
 * measured.
 */
#include <sys/sysinfo.h>

#include "acrn_hypercall.h"
#include "costs.h"
#include "timing_guest.h"
#include "variant.h"

/* The kernel tells the time of idle CPUs in units of 10 ms, 2 us of a ring. */
#define TIMED 5000

static void pin(pthread_t thread, unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	errno = pthread_setaffinity_np(thread, sizeof(set), &set);
	if (errno)
		err(1, "CPU %u", cpu);
}

/**
 * struct reader - A thread that takes what the doorbell signals
 * @thread:	The thread, on the Service VM's last CPU
 * @efd:	What it reads
 * @events:	What it has read
 */
struct reader {
	pthread_t thread;
	int efd;
	volatile uint64_t events;
};

static void *read_events(void *data)
{
	struct reader *reader = data;
	uint64_t count;

	while (read(reader->efd, &count, sizeof(count)) == sizeof(count))
		reader->events += count;
	err(1, "eventfd");
}

static void reader_start(struct reader *reader)
{
	errno = pthread_create(&reader->thread, NULL, read_events, reader);
	if (errno)
		err(1, "thread");
	pin(reader->thread, get_nprocs() - 1);
	/* Let it begin to wait */
	usleep(100000);
}

static void reader_stop(struct reader *reader)
{
	usleep(100000);
	pthread_cancel(reader->thread);
	pthread_join(reader->thread, NULL);
}

static unsigned int rings(void)
{
	return counts_exits() ? COUNTED : TIMED;
}

/* Ring; the device model answers @requests. Prints what it took. */
static void measure(struct guest *guest, const char *what,
		    unsigned int requests)
{
	const struct timing_parameters parameters = {
		.address = BELL_PORT,
		.value = BELL_VALUE,
		.count = rings(),
	};
	struct spent spent = { .what = what,
			       .unit = "per ring",
			       .count = rings() };
	const struct timing_sample *timed;

	spent.from = read_costs();
	timed = timing_run_answered(guest,
				    is_variant("exit") ? TIME_CPUID : TIME_OUT2,
				    &parameters, requests);
	spent.to = read_costs();
	if (!counts_exits())
		value(what, "a ring", "us",
		      tsc_to_ns(timed[rings() - 1].end - timed[0].start) / 1e3 /
			      rings());
	print_spent(variant, &spent);
}

static void measure_signals(int cpu, const char *what, bool reads)
{
	struct guest guest = timing_guest_create(cpu, 0);
	struct reader reader = { .efd = eventfd(0, EFD_CLOEXEC) };

	if (!is_variant("exit") &&
	    raw_ioeventfd(&guest.vm, reader.efd,
			  ACRN_IOEVENTFD_FLAG_PIO |
				  ACRN_IOEVENTFD_FLAG_DATAMATCH,
			  BELL_PORT, 2, BELL_VALUE))
		err(1, "IOEVENTFD");
	if (reads)
		reader_start(&reader);
	measure(&guest, what, 0);
	if (reads)
		reader_stop(&reader);
	else if (signals() && read(reader.efd, (uint64_t *)&reader.events,
				   sizeof(reader.events)) < 0)
		err(1, "eventfd");
	if (signals() && reader.events != rings())
		errx(1, "%s: %llu of %u events", what,
		     (unsigned long long)reader.events, rings());
	guest_end(&guest);
	close(reader.efd);
}

static void measure_user_space(int cpu, const char *what)
{
	struct guest guest = timing_guest_create(cpu, 0);

	measure(&guest, what, rings());
	guest_end(&guest);
}

int main(int argc, char **argv)
{
	int cpu;

	if (argc != 3)
		errx(2, "usage: bench-rings VARIANT CPU");
	variant = argv[1];
	cpu = atoi(argv[2]);
	/* Upcalls come to the first CPU */
	pin(pthread_self(), get_nprocs() - 1);
	measure_signals(cpu, "nobody reads", false);
	if (!signals())
		return 0;
	measure_signals(cpu, "a thread reads", true);
	if (!is_variant("ours-thread"))
		measure_user_space(cpu, "user space answers");
	return 0;
}
