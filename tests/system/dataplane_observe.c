// SPDX-License-Identifier: GPL-2.0
/*
 * What can be seen and set from outside: the module parameter "dispatch", also
 * while doorbells ring, and all that Documentation/counters.md and tracing.md
 * describe, against counts that are known.
 *
 * Arguments: physical CPU of the User VM.
 */
#include <pthread.h>

#include "acrn_hypercall.h"
#include "fixture.h"
#include "raw_async.h"
#include "raw_guest.h"
#include "tap.h"
#include "trace.h"

#define DISPATCH "/sys/module/acrn_vhost/parameters/dispatch"
#define DEBUG	 "/sys/kernel/debug/acrn_hsm/"
#define SYSFS	 "/sys/class/misc/acrn_hsm/"
#define MEASURE	 DEBUG "measure_latency"

#define BELL_PORT  0x1000
#define BELL_VALUE 1
#define BELL_ADDR  0xc0000000U
#define MSI_VECTOR 0x41

#define RINGS	      50
#define RINGS_CHANGED 1000
#define SIGNALS	      7
#define TEXT_SIZE     4096

static struct guest guest;
static int bell, memory_bell, irqfd;

/* 0, or the errno of writing @text to a file. */
static int set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		err(1, "%s", path);
	if (write(fd, text, strlen(text)) < 0)
		ret = errno;
	close(fd);
	return ret;
}

/* What is in a file, until the next call. */
static const char *get(const char *path)
{
	static char text[TEXT_SIZE];
	FILE *file = fopen(path, "r");

	if (!file)
		err(1, "%s", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static const char *get_of_vm(const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), DEBUG "vm%u/%s", guest.vm.vmid, file);
	return get(path);
}

/* Returns how many accesses reached the device model. */
static int ring(unsigned int count)
{
	int requests = 0;

	while (count--) {
		write_port(&guest, 2, BELL_PORT, BELL_VALUE);
		requests += guest.requests;
	}
	return requests;
}

/* How many doorbells the histogram has; all ones if it is none. */
static unsigned long measured(void)
{
	const char *text = get_of_vm("latency");
	unsigned long long from, count, sum = 0;
	unsigned int bucket = 0;
	int len;

	for (; sscanf(text, "%llu %llu\n%n", &from, &count, &len) == 2;
	     text += len) {
		if (from != 1ULL << bucket++)
			return -1;
		sum += count;
	}
	return bucket == 32 && !*text ? sum : -1UL;
}

/*
 * Ring in a mode; where were the doorbells signalled? A machine that is busy
 * can take so long for an upcall that the User VM has used up its share.
 */
static void test_mode(const char *mode)
{
	unsigned long left = raw_stat(&guest.vm, "requests_overload");
	unsigned long upcall = raw_stat(&guest.vm, "doorbells");
	unsigned long thread = raw_stat(&guest.vm, "doorbells_deferred");
	unsigned long timed = measured();
	bool irq = !strcmp(mode, "irq");

	tap_eq(set(DISPATCH, mode), 0, "dispatch=%s", mode);
	tap_ok(!strncmp(get(DISPATCH), mode, strlen(mode)),
	       "%s is what the parameter says", mode);
	set(MEASURE, "1");
	tap_eq(ring(RINGS), 0, "%s: no doorbell reaches the device model",
	       mode);
	tap_eq(raw_events(bell), RINGS, "%s: every ring is counted", mode);
	upcall = raw_stat(&guest.vm, "doorbells") - upcall;
	thread = raw_stat(&guest.vm, "doorbells_deferred") - thread;
	left = raw_stat(&guest.vm, "requests_overload") - left;
	tap_eq(upcall + thread, RINGS, "%s: each is signalled once", mode);
	if (irq)
		tap_ok(thread <= left, "irq: in the upcall (%lu, %lu, %lu)",
		       upcall, thread, left);
	else
		tap_eq(upcall, 0, "thread: by the thread");
	tap_eq(measured() - timed, RINGS, "%s: each is timed", mode);
	set(MEASURE, "0");
}

static void *change_mode(void *arg)
{
	const volatile bool *stop = arg;

	while (!*stop) {
		set(DISPATCH, "thread");
		set(DISPATCH, "irq");
	}
	return NULL;
}

static void test_change(void)
{
	unsigned long before = raw_stat(&guest.vm, "doorbells") +
			       raw_stat(&guest.vm, "doorbells_deferred");
	volatile bool stop = false;
	pthread_t thread;

	if (pthread_create(&thread, NULL, change_mode, (void *)&stop))
		errx(1, "pthread_create");
	tap_eq(ring(RINGS_CHANGED), 0,
	       "dispatch changes all the time: none to the device model");
	stop = true;
	pthread_join(thread, NULL);
	tap_eq(raw_events(bell), RINGS_CHANGED, "... every ring is counted");
	tap_eq(raw_stat(&guest.vm, "doorbells") +
		       raw_stat(&guest.vm, "doorbells_deferred") - before,
	       RINGS_CHANGED, "... once");
}

static void test_dispatch(void)
{
	bool rt = raw_is_preempt_rt();
	const char *mode = rt ? "thread" : "irq";

	tap_ok(!strncmp(get(DISPATCH), mode, strlen(mode)),
	       "dispatch is %s by itself", mode);
	tap_eq(set(DISPATCH, "sometimes"), EINVAL, "dispatch=sometimes");
	tap_ok(!strncmp(get(DISPATCH), mode, strlen(mode)),
	       "what is refused changes nothing");
	test_mode("thread");
	if (rt) {
		tap_eq(set(DISPATCH, "irq"), EOPNOTSUPP,
		       "dispatch=irq on PREEMPT_RT");
		return;
	}
	test_mode("irq");
	test_change();
	set(DISPATCH, mode);
}

/* What the VM is, in sysfs, where everybody may look. */
static void test_identity(void)
{
	struct stat file;
	char path[96];

	tap_eq(raw_stat(&guest.vm, "pid"), getpid(), "sysfs: whose VM it is");
	tap_eq(raw_stat(&guest.vm, "vcpus"), 1, "sysfs: its vCPUs");
	snprintf(path, sizeof(path), SYSFS "vm%u/state", guest.vm.vmid);
	tap_ok(!strcmp(get(path), "running\n"), "sysfs: it runs");
	snprintf(path, sizeof(path), SYSFS "vm%u/msis", guest.vm.vmid);
	tap_ok(!stat(path, &file) && (file.st_mode & 0777) == 0444,
	       "sysfs: everybody may read");
}

/* Nothing of the VM is left. */
static void test_gone(void)
{
	char path[96];

	snprintf(path, sizeof(path), SYSFS "vm%u", guest.vm.vmid);
	tap_ok(!access(path, F_OK), "sysfs: the VM has a directory");
	guest_close(&guest);
	tap_ok(access(path, F_OK), "sysfs: the VM is gone, and its directory");
}

/* @text has a line that is @line. */
static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);
	const char *at = text;

	while ((at = strstr(at, line))) {
		if ((at == text || at[-1] == '\n') && at[len] == '\n')
			return true;
		at++;
	}
	return false;
}

static unsigned int lines(const char *text)
{
	unsigned int count = 0;

	while ((text = strchr(text, '\n'))) {
		count++;
		text++;
	}
	return count;
}

/* The first bell has rung, the second never. */
static void test_doorbells(unsigned int rings)
{
	const char *text = get_of_vm("doorbells");
	char line[64];

	snprintf(line, sizeof(line), "pio 0x1000 2 0x1 rings=%u async=no",
		 rings);
	tap_ok(has_line(text, line), "doorbells: %s", line);
	tap_ok(has_line(text, "mmio 0xc0000000 4 any rings=0 async=no"),
	       "doorbells: one in memory, without data");
	tap_eq(lines(text), 2, "doorbells: no more");
}

static void test_irqfds(void)
{
	unsigned long before = raw_stat(&guest.vm, "msis");
	char line[64];

	snprintf(line, sizeof(line), "%#llx 0x41 injected=%u failed=0\n",
		 (unsigned long long)guest.vm.msi, SIGNALS);
	for (unsigned int i = 0; i < SIGNALS; i++)
		raw_signal(irqfd);
	tap_ok(!strcmp(get_of_vm("irqfds"), line),
	       "irqfds: one, and how often it was injected");
	tap_eq(raw_stat(&guest.vm, "msis") - before, SIGNALS, "stats: MSIs");
	tap_eq(raw_stat(&guest.vm, "msis_failed"), 0, "stats: none failed");
}

/* One of them does not get through. */
static void test_irqfd_fails(void)
{
	char line[64];

	if (fixture_skip("faults", "irqfds: how often it failed"))
		return;
	snprintf(line, sizeof(line), "%#llx 0x41 injected=%u failed=1\n",
		 (unsigned long long)guest.vm.msi, SIGNALS + 1);
	hv_fault(ACRN_HC_INJECT_MSI, 1, 1, EXFULL);
	raw_signal(irqfd);
	raw_signal(irqfd);
	tap_ok(!strcmp(get_of_vm("irqfds"), line),
	       "irqfds: how often it failed");
	tap_eq(raw_stat(&guest.vm, "msis_failed"), 1, "stats: one failed");
}

static void test_latency(void)
{
	tap_ok(!strcmp(get(MEASURE), "0\n"), "latency: not measured by itself");
	tap_eq(measured(), 0, "latency: 32 lines, nothing there");
	tap_eq(set(MEASURE, "2"), EINVAL, "measure_latency: 2");
	tap_eq(set(MEASURE, "1"), 0, "measure_latency: 1");
	ring(RINGS);
	/* The User VM's questions for a command come in between */
	tap_ok(measured() == RINGS, "latency: as many as have rung");
	tap_eq(set(MEASURE, "0"), 0, "measure_latency: 0");
	ring(RINGS);
	tap_eq(measured(), RINGS, "latency: no more of them");
}

/**
 * struct events - What the trace has
 * @upcalls:	acrn_upcall
 * @doorbells:	acrn_doorbell, exactly as our doorbell rings
 * @deferred:	acrn_defer of a doorbell
 * @completed:	acrn_complete
 * @msis:	acrn_msi, exactly as our irqfd injects
 * @others:	acrn_doorbell and acrn_msi of other kinds
 * @bell:	What @doorbells are
 * @msi:	What @msis are
 */
struct events {
	unsigned int upcalls;
	unsigned int doorbells;
	unsigned int deferred;
	unsigned int completed;
	unsigned int msis;
	unsigned int others;
	char bell[96];
	char msi[96];
};

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static void see(uint64_t time, const char *what, void *context)
{
	struct events *events = context;

	(void)time;
	if (begins(what, events->bell))
		events->doorbells++;
	else if (begins(what, events->msi))
		events->msis++;
	else if (begins(what, "acrn_doorbell:") || begins(what, "acrn_msi:"))
		events->others++;
	else if (begins(what, "acrn_upcall: since="))
		events->upcalls++;
	else if (begins(what, "acrn_complete:"))
		events->completed++;
	else if (begins(what, "acrn_defer:") && strstr(what, "write"))
		events->deferred++;
}

static void test_trace(void)
{
	unsigned long left = raw_stat(&guest.vm, "requests_overload");
	struct events events = { 0 };
	bool rt = raw_is_preempt_rt();

	snprintf(
		events.bell, sizeof(events.bell),
		"acrn_doorbell: vm=%u vcpu=0 write pio address=0x1000 size=2 value=0x1\n",
		guest.vm.vmid);
	snprintf(events.msi, sizeof(events.msi),
		 "acrn_msi: vm=%u addr=%#llx data=0x41 ret=0\n", guest.vm.vmid,
		 (unsigned long long)guest.vm.msi);
	trace_init();
	trace_set("events/acrn_hsm/enable", "1");
	trace_on(true);
	ring(RINGS);
	for (unsigned int i = 0; i < SIGNALS; i++)
		raw_signal(irqfd);
	trace_on(false);
	trace_read(see, &events);
	trace_exit();
	tap_eq(events.doorbells, RINGS, "trace: doorbells, field by field");
	tap_eq(events.msis, SIGNALS, "trace: MSIs, field by field");
	tap_eq(events.others, 0, "trace: nothing else of the kind");
	if (rt)
		tap_eq(events.deferred, RINGS, "trace: doorbells deferred");
	else
		tap_ok(events.deferred <=
			       raw_stat(&guest.vm, "requests_overload") - left,
		       "trace: %u doorbells deferred", events.deferred);
	/* The last question for a command waits for its answer */
	tap_ok(events.upcalls >= 2 * RINGS, "trace: the upcalls (%u)",
	       events.upcalls);
	tap_eq(events.completed, 2 * RINGS, "trace: the completions");
}

static void set_up(int cpu)
{
	/* Only a doorbell that is an I/O request has a latency. */
	raw_use_async("off");
	guest = guest_create(cpu, 0);
	bell = raw_eventfd();
	memory_bell = raw_eventfd();
	irqfd = raw_eventfd();
	if (raw_ioeventfd(&guest.vm, bell,
			  ACRN_IOEVENTFD_FLAG_PIO |
				  ACRN_IOEVENTFD_FLAG_DATAMATCH,
			  BELL_PORT, 2, BELL_VALUE) ||
	    raw_ioeventfd(&guest.vm, memory_bell, 0, BELL_ADDR, 4, 0))
		err(1, "IOEVENTFD");
	if (raw_irqfd(&guest.vm, irqfd, 0, guest.vm.msi, MSI_VECTOR))
		err(1, "IRQFD");
	create_client(&guest);
	start(&guest);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: dataplane_observe CPU");
	set_up(atoi(argv[1]));
	ring(RINGS);
	raw_events(bell);
	test_identity();
	test_doorbells(RINGS);
	test_irqfds();
	test_irqfd_fails();
	test_latency();
	test_trace();
	raw_events(bell);
	test_dispatch();
	test_gone();
	return tap_done();
}
