// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator can set and see: the module parameters "dispatch",
 * which also changes while doorbells ring, and "client_poll_us"; the priority
 * of the VM's thread; and the counters, histograms and tracepoints of
 * Documentation/counters.md and tracing.md, which are compared with the number
 * of doorbells and MSIs that this test causes.
 *
 * Arguments: physical CPU of the User VM.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "acrn_hypercall.h"
#include "clock.h"
#include "fixture.h"
#include "raw_async.h"
#include "raw_guest.h"
#include "schedule.h"
#include "tap.h"
#include "trace.h"

#define DISPATCH "/sys/module/acrn_vhost/parameters/dispatch"
#define DEBUG	 "/sys/kernel/debug/acrn_hsm/"
#define SYSFS	 "/sys/class/misc/acrn_hsm/"
#define MEASURE	 DEBUG "measure_latency"
#define POLL_US	 "/sys/module/acrn_hsm/parameters/client_poll_us"
#define ALL_MSIS "/sys/kernel/debug/acrn_vhost/msis_injected"

#define BELL_PORT  0x1000
#define BELL_VALUE 1
#define BELL_ADDR  0xc0000000U
#define MSI_VECTOR 0x41

#define RINGS	      50
#define RINGS_CHANGED 1000
#define SIGNALS	      7
#define ANSWERS	      100
#define POLL_TRIES    5
#define ANSWERED_PORT 0x90
#define TEXT_SIZE     4096

#define HOG_PRIORITY 50
#define STARVED_MS   300
#define PATIENCE_MS  10000

static struct guest guest;
static int bell, memory_bell, irqfd;

/* Write @text to a file. Returns 0 or the errno. */
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

/* Read a file. The result is valid until the next call. */
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

/*
 * Ring the doorbell. Returns how many of the writes reached the device model.
 */
static int ring(unsigned int count)
{
	int requests = 0;

	while (count--) {
		write_port(&guest, 2, BELL_PORT, BELL_VALUE);
		requests += guest.requests;
	}
	return requests;
}

/* Sum of the latency histogram; all ones if the file has another format. */
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
 * Ring with dispatch=@mode and see whether the upcall or the thread signals the
 * doorbells. In mode "irq" the thread may signal some: on a busy machine an
 * upcall can take so long that the User VM's share of upcall time is used up,
 * and "requests_overload" counts what is left to the thread for that reason.
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
	tap_eq(raw_events(bell), RINGS_CHANGED,
	       "dispatch changes all the time: every ring is counted");
	tap_eq(raw_stat(&guest.vm, "doorbells") +
		       raw_stat(&guest.vm, "doorbells_deferred") - before,
	       RINGS_CHANGED,
	       "dispatch changes all the time: each ring is signalled once");
}

static void test_dispatch(void)
{
	bool rt = raw_is_preempt_rt();
	const char *mode = rt ? "thread" : "irq";

	tap_ok(!strncmp(get(DISPATCH), mode, strlen(mode)),
	       "dispatch is %s by itself", mode);
	tap_eq(set(DISPATCH, "sometimes"), EINVAL, "dispatch=sometimes");
	tap_ok(!strncmp(get(DISPATCH), mode, strlen(mode)),
	       "a mode that is refused changes nothing");
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

/*
 * Answer ANSWERS reads of a port as fast as possible. Returns for how many
 * requests this device model polled; there are two for each read.
 */
static unsigned long answer(void)
{
	unsigned long polled = raw_stat(&guest.vm, "requests_polled");

	for (unsigned int i = 0; i < ANSWERS; i++)
		read_port(&guest, 1, ANSWERED_PORT, i);
	return raw_stat(&guest.vm, "requests_polled") - polled;
}

/* Another task wants the CPU that this one is pinned to, and never sleeps. */
static void test_poll_beside_task(void)
{
	unsigned long polled;
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	while (!pid)
		asm volatile("");
	polled = answer();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/*
	 * It may have begun to poll when the other task was not there yet, or a
	 * request may have come in the instant in which the HSM found that the
	 * other task wants the CPU.
	 */
	tap_ok(polled <= ANSWERS / 4,
	       "client_poll_us: it does not poll if another task wants the CPU (%lu)",
	       polled);
}

/* The device model polls for requests, and only when it may. */
static void test_poll(void)
{
	const char *usual = "200";
	unsigned int try;
	unsigned long polled;

	tap_eq(raw_number(POLL_US), atoi(usual), "client_poll_us: %s", usual);
	tap_eq(set(POLL_US, "10001"), EINVAL, "client_poll_us: 10001");
	pin_to(0, 0);
	set(POLL_US, "0");
	tap_eq(answer(), 0, "client_poll_us: with 0 it does not poll");
	/*
	 * On the fixture, the host may be so busy that most requests come more
	 * than 10 ms after an answer, and are rightly not polled for.
	 */
	set(POLL_US, "10000");
	for (try = 0, polled = 0; try < POLL_TRIES && polled < ANSWERS / 2;
	     try++)
		polled = answer();
	if (raw_is_preempt_rt())
		tap_skip("PREEMPT_RT", "client_poll_us: it polls");
	else
		tap_ok(polled >= ANSWERS / 2, "client_poll_us: it polls (%lu)",
		       polled);
	test_poll_beside_task();
	set(POLL_US, usual);
}

/**
 * struct hog - A real-time task that does not sleep, on CPU 0
 * @ms:		How long it runs at most
 * @runs:	It has begun
 * @stop:	It is to end
 * @done:	It has ended
 */
struct hog {
	unsigned int ms;
	volatile bool runs;
	volatile bool stop;
	volatile bool done;
};

static void *occupy_cpu(void *arg)
{
	struct hog *hog = arg;
	uint64_t end;

	pin_to(0, 0);
	set_fifo(0, HOG_PRIORITY);
	end = now_ns() + hog->ms * 1000000ULL;
	hog->runs = true;
	while (!hog->stop && now_ns() < end)
		;
	hog->done = true;
	return NULL;
}

/* Ring @count times. Returns how many microseconds a ring takes. */
static unsigned long time_rings(unsigned int count)
{
	uint64_t start = now_ns();

	ring(count);
	return (now_ns() - start) / 1000 / count;
}

/*
 * Ring @count times while a task of HOG_PRIORITY occupies CPU 0 for up to @ms.
 * Returns whether the doorbells came before the task ended.
 */
static bool rings_beside_hog(unsigned int count, unsigned int ms)
{
	struct hog hog = { .ms = ms };
	unsigned long us;
	pthread_t thread;
	bool before;

	if (pthread_create(&thread, NULL, occupy_cpu, &hog))
		errx(1, "pthread_create");
	while (!hog.runs)
		usleep(1000);
	us = time_rings(count);
	before = !hog.done;
	hog.stop = true;
	pthread_join(thread, NULL);
	tap_diag("a ring takes %lu us beside a task of priority %d", us,
		 HOG_PRIORITY);
	return before;
}

/*
 * The priority of the VM's thread decides who comes first on its CPU, if the
 * thread signals the doorbells. This program is on the other CPU.
 */
static void test_priority(void)
{
	pid_t task = thread_of(&guest.vm);

	pin_to(0, 1);
	pin_to(task, 0);
	set(DISPATCH, "thread");
	tap_ok(!rings_beside_hog(1, STARVED_MS),
	       "priority: an ordinary thread waits for a real-time task");
	set_fifo(task, HOG_PRIORITY + 10);
	tap_diag("a ring takes %lu us without the task", time_rings(RINGS));
	tap_ok(rings_beside_hog(RINGS, PATIENCE_MS),
	       "priority: a thread of higher priority does not");
	raw_events(bell);
	if (!raw_is_preempt_rt())
		set(DISPATCH, "irq");
}

/* The attributes in sysfs that say which VM it is, readable by everybody. */
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

/* The VM's directory in sysfs goes with the VM. */
static void test_gone(void)
{
	char path[96];

	snprintf(path, sizeof(path), SYSFS "vm%u", guest.vm.vmid);
	tap_ok(!access(path, F_OK), "sysfs: the VM has a directory");
	guest_close(&guest);
	tap_ok(access(path, F_OK), "sysfs: the VM is gone, and its directory");
}

/* Whether one of the lines of @text is @line. */
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

/* The doorbells in debugfs, of which the one at the port has rung. */
static void test_doorbells(unsigned int rings)
{
	const char *text = get_of_vm("doorbells");
	char line[64];

	snprintf(line, sizeof(line), "pio 0x1000 2 0x1 rings=%u async=no",
		 rings);
	tap_ok(has_line(text, line), "doorbells: %s", line);
	tap_ok(has_line(text, "mmio 0xc0000000 4 any rings=0 async=no"),
	       "doorbells: one in memory, without data");
	tap_eq(lines(text), 2, "doorbells: two lines");
}

static void test_irqfds(void)
{
	unsigned long before = raw_stat(&guest.vm, "msis");
	long long all = raw_number(ALL_MSIS);
	char line[64];

	snprintf(line, sizeof(line), "%#llx 0x41 injected=%u failed=0\n",
		 (unsigned long long)guest.vm.msi, SIGNALS);
	for (unsigned int i = 0; i < SIGNALS; i++)
		raw_signal(irqfd);
	tap_ok(!strcmp(get_of_vm("irqfds"), line),
	       "irqfds: one, and how often it was injected");
	tap_eq(raw_stat(&guest.vm, "msis") - before, SIGNALS, "stats: MSIs");
	tap_eq(raw_number(ALL_MSIS) - all, SIGNALS, "stats: MSIs of all VMs");
	tap_eq(raw_stat(&guest.vm, "msis_failed"), 0, "stats: no MSI failed");
}

/* The hypervisor refuses one of two MSIs. */
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
	tap_eq(raw_stat(&guest.vm, "msis_failed"), 1, "stats: one MSI failed");
}

static void test_latency(void)
{
	tap_ok(!strcmp(get(MEASURE), "0\n"), "latency: not measured by itself");
	tap_eq(measured(), 0, "latency: 32 lines, nothing there");
	tap_eq(set(MEASURE, "2"), EINVAL, "measure_latency: 2");
	tap_eq(set(MEASURE, "1"), 0, "measure_latency: 1");
	ring(RINGS);
	/*
	 * The User VM's reads of a command are requests too, but not measured.
	 */
	tap_ok(measured() == RINGS, "latency: as many as have rung");
	tap_eq(set(MEASURE, "0"), 0, "measure_latency: 0");
	ring(RINGS);
	tap_eq(measured(), RINGS, "latency: not measured any more");
}

/**
 * struct events - Number of events in the trace
 * @upcalls:	acrn_upcall
 * @doorbells:	acrn_doorbell with the fields of our doorbell
 * @deferred:	acrn_defer of a write
 * @completed:	acrn_complete
 * @msis:	acrn_msi with the fields of our irqfd
 * @others:	acrn_doorbell and acrn_msi with other fields
 * @bell:	Text of the events counted in @doorbells
 * @msi:	Text of the events counted in @msis
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

/* Called for each line of the trace: count the event. */

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
	/* Each ring comes with a read of a command; the last is unanswered. */
	tap_ok(events.upcalls >= 2 * RINGS, "trace: the upcalls (%u)",
	       events.upcalls);
	tap_eq(events.completed, 2 * RINGS, "trace: the completions");
}

static void set_up(int cpu)
{
	/* Latency is measured only for doorbells that are I/O requests. */
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
	test_poll();
	test_priority();
	test_gone();
	return tap_done();
}
