// SPDX-License-Identifier: GPL-2.0
/*
 * Measures the latency of a doorbell among many, of one VM and of many VMs, and
 * the memory that a doorbell and an irqfd take.
 *
 * Only one User VM runs, or some in turn. The other VMs were created, with
 * their I/O request pages and their part of the doorbells, so that the HSM has
 * as much to look through.
 */
#include <stdbool.h>
#include <sys/resource.h>

#include "acrn_hypercall.h"
#include "free_pages.h"
#include "timing_guest.h"

#define BELL_ADDR 0xc0000000
#define BELL_STEP 4
#define VECTOR	  0x41

#define VMS_MAX 16
/* ACRN has 16 ids, some of which no User VM can have. */
#define VMS_ON_ACRN   8
#define DOORBELLS_MAX 4096
#define IRQFDS_MAX    1024

#define TIMED 2000

/* Samples if each ring is a command of its own, which the Service VM handles */
#define TIMED_SINGLY  500
#define GAP_SINGLY_US 200

/**
 * struct scale - A case
 * @doorbells:	Number of doorbells of all VMs
 * @vms:	Number of VMs
 * @vcpus:	Number of vCPUs of each VM that does not run
 * @ringing:	Number of VMs that ring once each, in turn; 0 if one VM rings
 *		all the time
 * @how:	What the name of the case says about that
 */
struct scale {
	unsigned int doorbells;
	unsigned int vms;
	unsigned int vcpus;
	unsigned int ringing;
	const char *how;
};

static const struct scale cases[] = {
	{ 1, 1, 1, 0, "" },
	{ 64, 1, 1, 0, "" },
	{ 1024, 1, 1, 0, "" },
	{ 4096, 1, 1, 0, "" },
	{ 16, 16, 1, 0, "" },
	{ 256, 16, 1, 0, "" },
	{ 1024, 16, 1, 0, "" },
	{ 4096, 16, 1, 0, "" },
	{ 8, 8, 1, 0, "" },
	{ 4096, 8, 1, 0, "" },
	{ 16, 2, 16, 0, " of 16 vCPUs" },
	{ 16, 4, 16, 0, " of 16 vCPUs" },
	{ 16, 8, 16, 0, " of 16 vCPUs" },
	{ 16, 16, 16, 0, " of 16 vCPUs" },
	{ 1, 1, 1, 1, ", one by one" },
	{ 4096, 16, 1, 2, ", two in turn" },
	{ 4096, 16, 1, 16, ", all in turn" },
};

/* eventfds, one for each doorbell or irqfd */
static int eventfds[DOORBELLS_MAX];

static void open_eventfds(void)
{
	const struct rlimit limit = { DOORBELLS_MAX + 256,
				      DOORBELLS_MAX + 256 };

	if (setrlimit(RLIMIT_NOFILE, &limit))
		err(1, "RLIMIT_NOFILE");
	for (unsigned int i = 0; i < DOORBELLS_MAX; i++)
		eventfds[i] = raw_eventfd();
}

/* Register doorbells @first to @end of @vm, each with its own eventfd. */
static void assign(const struct raw_vm *vm, const int *efds, unsigned int first,
		   unsigned int end)
{
	for (unsigned int i = first; i < end; i++)
		if (raw_ioeventfd(vm, efds[i], 0, BELL_ADDR + i * BELL_STEP, 2,
				  0))
			err(1, "IOEVENTFD number %u", i);
}

/*
 * Ring doorbell @bell of @guest, whose eventfd is @efd, @count times. The times
 * are added to @samples unless that is NULL.
 */
static void ring(struct guest *guest, unsigned int bell, int efd,
		 unsigned int count, unsigned int gap_us,
		 struct samples *samples)
{
	const struct timing_parameters parameters = {
		.address = BELL_ADDR + bell * BELL_STEP,
		.count = count,
		.gap = gap_us * 1e3 / tsc_to_ns(1),
	};
	const struct timing_sample *timed =
		timing_run(guest, TIME_STORE2, &parameters);

	if (samples)
		timing_add(samples, timed, count);
	if (raw_events(efd) != count)
		errx(1, "%u rings are not %u events", count, count);
}

static void measure_ring(struct guest *guest, const char *what,
			 unsigned int bell)
{
	struct samples samples = samples_create(TIMED);

	ring(guest, bell, eventfds[bell], TIMED, gap_us(), &samples);
	row(what, "guest's write", "ns", &samples);
}

/* Measure a doorbell, before each of which @count other VMs ring once. */
static void measure_singly(struct guest *guest, struct guest *others,
			   unsigned int count, const char *what,
			   unsigned int share)
{
	unsigned int timed = count > 1 ? TIMED_SINGLY / count : TIMED_SINGLY;
	struct samples samples = samples_create(timed);
	unsigned int bell = share / 2;

	while (timed--) {
		for (unsigned int i = 0; i < count; i++)
			ring(&others[i], bell, eventfds[(i + 1) * share + bell],
			     1, GAP_SINGLY_US, NULL);
		ring(guest, bell, eventfds[bell], 1, GAP_SINGLY_US, &samples);
	}
	row(what, "guest's write", "ns", &samples);
}

/* Create a VM of a case, which runs or does not. */
static struct guest create_other(int cpu, unsigned int vcpus, bool runs)
{
	uint64_t cpus = ((1ULL << vcpus) - 1) << cpu;

	if (runs)
		return timing_guest_create(cpu, 0);
	return (struct guest){ .vm = raw_vm_create_on(cpus, 0) };
}

static void close_other(struct guest *other)
{
	if (other->ram)
		guest_close(other);
	else
		raw_vm_close(&other->vm);
}

/*
 * Measure the doorbell in the middle of those of the last VM. The first VMs are
 * those that ring in turn with it.
 */
static void measure_latency(int cpu, const struct scale *scale)
{
	unsigned int share = scale->doorbells / scale->vms;
	struct guest others[VMS_MAX], guest;
	char what[64];

	for (unsigned int i = 0; i < scale->vms - 1; i++) {
		others[i] =
			create_other(cpu, scale->vcpus, i + 1 < scale->ringing);
		assign(&others[i].vm, eventfds + (i + 1) * share, 0, share);
	}
	guest = timing_guest_create(cpu, 0);
	assign(&guest.vm, eventfds, 0, share);
	snprintf(what, sizeof(what), "%u in %u VM%s%s", scale->doorbells,
		 scale->vms, scale->vms > 1 ? "s" : "", scale->how);
	if (scale->ringing)
		measure_singly(&guest, others, scale->ringing - 1, what, share);
	else
		measure_ring(&guest, what, share / 2);
	guest_end(&guest);
	for (unsigned int i = 0; i < scale->vms - 1; i++)
		close_other(&others[i]);
}

static void report_bytes(const char *what, long pages, unsigned int count)
{
	struct samples samples = samples_create(1);

	samples_add(&samples, pages * 4096.0 / count);
	row(what, "memory", "bytes", &samples);
}

/* The first doorbell is not counted, as it comes with what a VM needs once. */
static void measure_memory(int cpu)
{
	struct raw_vm vm = raw_vm_create(cpu, 0);
	long before, after;

	assign(&vm, eventfds, 0, 1);
	before = free_pages();
	assign(&vm, eventfds, 1, DOORBELLS_MAX);
	after = free_pages();
	report_bytes("a doorbell", before - after, DOORBELLS_MAX - 1);

	for (unsigned int i = 0; i < IRQFDS_MAX; i++)
		if (raw_irqfd(&vm, eventfds[i], 0, vm.msi, VECTOR))
			err(1, "IRQFD number %u", i);
	report_bytes("an irqfd", after - free_pages(), IRQFDS_MAX);
	raw_vm_close(&vm);
}

/* On ACRN, VMs that ring in turn would wait for a CPU that they share. */
static bool fits(const struct scale *scale, unsigned int cpus)
{
	if (on_acrn() && (scale->vms > VMS_ON_ACRN || scale->ringing))
		return false;
	return scale->vcpus <= cpus;
}

int main(int argc, char **argv)
{
	int cpu;

	if (argc < 3)
		errx(2, "usage: bench-scale VARIANT CPU...");
	cpu = atoi(argv[2]);
	open_eventfds();
	measure_memory(cpu);
	keep_awake();
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (fits(&cases[i], argc - 2))
			measure_latency(cpu, &cases[i]);
	return 0;
}
