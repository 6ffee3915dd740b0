// SPDX-License-Identifier: GPL-2.0
/*
 * Measures a doorbell: how long the vCPU of the User VM waits for its write,
 * how many thread switches there are until the eventfd is signalled, and how
 * long it takes until the vhost worker runs.
 *
 * Variants other than "in-tree" and "ours": "observed", which is ours with all
 * its tracepoints and the latency histogram enabled; "floor", a data plane that
 * completes each write and does nothing else; "exit", an access of the same
 * kind that the hypervisor handles alone; and "in-tree-user", where there is no
 * doorbell and the device model answers the write.
 */
#include <stdbool.h>

#include "acrn_hypercall.h"
#include "costs.h"
#include "timing_guest.h"
#include "trace.h"
#include "variant.h"
#include "vhost.h"

#define BELL_ADDR  0xc0000000
#define QUEUE_ADDR 0x20000

#define TIMED	      4000
#define TIMED_ON_ACRN 2000
#define TRACED	      200

#define WORKER_GAP_US 2000

static unsigned int timed_rings(void)
{
	if (!on_acrn())
		return TIMED;
	return counts_exits() ? COUNTED : TIMED_ON_ACRN;
}

/* Whether to measure when the vhost worker runs. */
static bool has_worker(void)
{
	return signals() && !is_variant("observed") && !counts_exits();
}

/* Whether to count thread switches until the request is complete. */
static bool is_completed(void)
{
	return signals() && !is_variant("observed") &&
	       !is_variant("ours-async") && !counts_exits();
}

static uint32_t us_to_cycles(unsigned int us)
{
	return us * 1e3 / tsc_to_ns(1);
}

/**
 * struct bell - A kind of doorbell
 * @name:	Name of the kind
 * @what:	Command by which the User VM rings it
 * @address:	I/O port or physical address
 * @flags:	Flags of ACRN_IOCTL_IOEVENTFD, as device models set them
 * @exit:	Command that the User VM carries out instead for the variant
 * "exit"
 * @exit_address: I/O port or physical address for that
 */
static const struct bell {
	const char *name;
	int what;
	uint32_t address;
	uint32_t flags;
	int exit;
	uint32_t exit_address;
} bells[] = {
	{ "PIO", TIME_OUT2, BELL_PORT,
	  ACRN_IOEVENTFD_FLAG_PIO | ACRN_IOEVENTFD_FLAG_DATAMATCH, TIME_CPUID,
	  0 },
	{ "MMIO", TIME_STORE2, BELL_ADDR, 0, TIME_STORE4, IOAPIC_ADDR },
};

static void assign(const struct guest *guest, const struct bell *bell, int efd)
{
	if (raw_ioeventfd(&guest->vm, efd, bell->flags, bell->address, 2,
			  BELL_VALUE))
		err(1, "IOEVENTFD");
}

/* Ring @count times. @efd must have counted each ring. */
static const struct timing_sample *ring(struct guest *guest,
					const struct bell *bell, int efd,
					unsigned int count, unsigned int gap_us)
{
	bool exit = is_variant("exit");
	const struct timing_parameters parameters = {
		.address = exit ? bell->exit_address : bell->address,
		.value = exit ? 0 : BELL_VALUE,
		.count = count,
		.gap = us_to_cycles(gap_us),
	};
	const struct timing_sample *timed;
	uint64_t events;

	timed = timing_run_answered(guest, exit ? bell->exit : bell->what,
				    &parameters, is_answered() ? count : 0);
	events = raw_events(efd);
	if (events != (signals() ? count : 0))
		errx(1, "%s: %u rings, %llu events", bell->name, count,
		     (unsigned long long)events);
	return timed;
}

static void measure_latency(struct guest *guest, const struct bell *bell,
			    int efd, const char *what)
{
	struct spent spent = { .what = what,
			       .unit = "per ring",
			       .count = timed_rings() };
	struct samples samples = samples_create(spent.count);
	const struct timing_sample *timed;

	spent.from = read_costs();
	timed = ring(guest, bell, efd, spent.count, gap_us());
	spent.to = read_costs();
	timing_add(&samples, timed, spent.count);
	if (!counts_exits())
		row(what, "guest's write", "ns", &samples);
	if (on_acrn())
		print_spent(variant, &spent);
}

/**
 * struct switches - Thread switches from the upcall to the signal
 * @upcall:	The trace is between an upcall and the signal
 * @count:	Thread switches since that upcall
 * @samples:	Number of thread switches for each doorbell
 */
struct switches {
	bool upcall;
	unsigned int count;
	struct samples samples;
};

static void see_switch(uint64_t time, const char *what, void *context)
{
	struct switches *switches = context;

	(void)time;
	if (!strncmp(what, "sched_switch:", 13)) {
		switches->count++;
	} else if (strstr(what, "acrn_hv_callback")) {
		switches->upcall = true;
		switches->count = 0;
	} else if (strstr(what, "eventfd_signal") && switches->upcall) {
		switches->upcall = false;
		samples_add(&switches->samples, switches->count);
	}
}

/*
 * Count thread switches until the signal. There are as many until completion:
 * both HSMs complete the request right after the signal, in the same context.
 */
static void measure_switches(struct guest *guest, const struct bell *bell,
			     int efd, const char *what)
{
	struct switches switches = { .samples = samples_create(TRACED) };

	trace_init();
	trace_set("set_ftrace_filter",
		  "__sysvec_acrn_hv_callback eventfd_signal*");
	trace_set("current_tracer", "function");
	trace_set("events/sched/sched_switch/enable", "1");
	trace_on(true);
	ring(guest, bell, efd, TRACED, gap_us());
	trace_on(false);
	trace_read(see_switch, &switches);
	if (switches.samples.count != TRACED)
		errx(1, "%u of %u doorbells are in the trace",
		     switches.samples.count, TRACED);
	trace_exit();
	row(what, "thread switches until completion", "switches",
	    &switches.samples);
}

/**
 * struct wakeups - Times from the write of the guest until the vhost worker
 * runs
 * @timed:	Writes of the guest, in order
 * @next:	First write that is not known to have woken the worker
 * @woken:	Write that has woken the worker, which does not run yet; or NULL
 * @samples:	Times in nanoseconds
 */
struct wakeups {
	const struct timing_sample *timed;
	unsigned int next;
	const struct timing_sample *woken;
	struct samples samples;
};

/* The write that has woken the worker is the last one that had begun. */
static void see_waking(struct wakeups *wakeups, uint64_t time)
{
	while (wakeups->next < TRACED &&
	       wakeups->timed[wakeups->next].start <= time)
		wakeups->woken = &wakeups->timed[wakeups->next++];
}

static void see_worker(uint64_t time, const char *what, void *context)
{
	struct wakeups *wakeups = context;

	if (!strncmp(what, "sched_waking:", 13)) {
		see_waking(wakeups, time);
	} else if (wakeups->woken) {
		samples_add(&wakeups->samples,
			    tsc_to_ns(time - wakeups->woken->start));
		wakeups->woken = NULL;
	}
}

/* With too many writes missing, the row would not be about all of them. */
static void report_worker(const char *what, struct samples *samples)
{
	bool enough = samples->count >= TRACED * 95 / 100;

	if (samples->count < TRACED / 2)
		errx(1, "%s: %u of %u doorbells woke the worker", what,
		     samples->count, TRACED);
	if (samples->count < TRACED)
		printf("note: %s, %s: %u of %u doorbells woke the worker%s\n",
		       variant, what, samples->count, TRACED,
		       enough ? "" : ", too few for a row");
	if (enough)
		row(what, "write to vhost worker", "ns", samples);
	else
		free(samples->values);
}

/* Measure the time from the guest's write until a vhost-net worker runs. */
static void measure_worker(struct guest *guest, const struct bell *bell,
			   const char *what)
{
	struct wakeups wakeups = { .samples = samples_create(TRACED) };
	int kick = raw_eventfd();
	struct vhost vhost = vhost_create(guest->ram, RAM_SIZE,
					  guest->ram + QUEUE_ADDR, kick);
	const struct timing_parameters parameters = {
		.address = bell->address,
		.value = BELL_VALUE,
		.count = TRACED,
		.gap = us_to_cycles(WORKER_GAP_US),
	};

	assign(guest, bell, kick);
	trace_init();
	trace_set("events/sched/sched_waking/filter", "comm ~ \"vhost-*\"");
	trace_set("events/sched/sched_waking/enable", "1");
	trace_set("events/sched/sched_switch/filter",
		  "next_comm ~ \"vhost-*\"");
	trace_set("events/sched/sched_switch/enable", "1");
	trace_on(true);
	wakeups.timed = timing_run(guest, bell->what, &parameters);
	trace_on(false);
	trace_read(see_worker, &wakeups);
	trace_set("events/sched/filter", "0");
	trace_exit();
	report_worker(what, &wakeups.samples);
	if (raw_ioeventfd(&guest->vm, kick,
			  bell->flags | ACRN_IOEVENTFD_FLAG_DEASSIGN,
			  bell->address, 2, BELL_VALUE))
		err(1, "IOEVENTFD to deassign");
	vhost_close(&vhost);
	close(kick);
}

static void measure(int cpu, const struct bell *bell, const char *completion,
		    uint64_t flags)
{
	struct guest guest = timing_guest_create(cpu, flags);
	int efd = raw_eventfd();
	char what[64];

	snprintf(what, sizeof(what), "%s, %s", bell->name, completion);
	if (has_worker())
		measure_worker(&guest, bell, what);
	if (!is_variant("exit") && !is_answered())
		assign(&guest, bell, efd);
	measure_latency(&guest, bell, efd, what);
	if (is_completed())
		measure_switches(&guest, bell, efd, what);
	guest_end(&guest);
	close(efd);
}

/*
 * On ACRN a VM polls for completion if the last VM with the same id did. So the
 * first id is for VMs that do not poll, and while one polls, another VM has the
 * first id.
 */
static void measure_polling(int cpu, const struct bell *bell)
{
	struct raw_vm first = raw_vm_create(cpu, 0);

	measure(cpu, bell, "polling", ACRN_VM_FLAG_IO_COMPLETION_POLLING);
	raw_vm_close(&first);
}

int main(int argc, char **argv)
{
	int cpu;

	if (argc != 3)
		errx(2, "usage: bench-doorbell VARIANT CPU");
	variant = argv[1];
	cpu = atoi(argv[2]);
	keep_awake();
	for (int b = 0; b < 2; b++) {
		measure(cpu, &bells[b], "hypercall", 0);
		measure_polling(cpu, &bells[b]);
	}
	return 0;
}
