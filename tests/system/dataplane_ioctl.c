// SPDX-License-Identifier: GPL-2.0
/*
 * ACRN_IOCTL_IOEVENTFD and ACRN_IOCTL_IRQFD: which arguments they refuse and
 * with which errno, and that doorbells and irqfds are released in whatever
 * order eventfds, VMs and the module go, with several threads at work too. The
 * User VMs of this test never run.
 *
 * Arguments: physical CPUs of two User VMs.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "differs.h"
#include "fixture.h"
#include "hv_trace.h"
#include "raw_vm.h"
#include "tap.h"

#define PIO	  ACRN_IOEVENTFD_FLAG_PIO
#define DATAMATCH ACRN_IOEVENTFD_FLAG_DATAMATCH
#define DEASSIGN  ACRN_IOEVENTFD_FLAG_DEASSIGN
/* ACRN_IOEVENTFD_FLAG_ASYNCIO of acrn-dm's own header */
#define ASYNCIO 0x8

/* Limits of ioeventfd/ioeventfd.c and irqfd/irqfd.c */
#define DOORBELLS_MAX 4096
#define IRQFDS_MAX    1024

#define MSI_DATA 0x41ULL

#define LOADERS	    4
#define LOADS	    5
#define KILLS	    40
#define KILL_US	    20000
#define THREADS	    4
#define FDS	    8
#define ITERATIONS  500
#define COUNTERS    "/sys/kernel/debug/acrn_vhost/"
#define MODULE_REFS "/sys/module/acrn_vhost/refcnt"

static int cpus[2];

static void test_ioeventfd_arguments(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int efd = raw_eventfd();
	int null = open("/dev/null", O_RDWR);
	struct acrn_ioeventfd reserved = {
		.fd = efd, .addr = 0x1000, .len = 2, .reserved = 1
	};

	tap_errno(raw_ioeventfd(&vm, -1, PIO, 0x1000, 2, 0), EBADF,
		  "ioeventfd: descriptor -1");
	tap_errno(raw_ioeventfd(&vm, 1000, PIO, 0x1000, 2, 0), EBADF,
		  "ioeventfd: descriptor that is not open");
	tap_errno(raw_ioeventfd(&vm, null, PIO, 0x1000, 2, 0), EINVAL,
		  "ioeventfd: not an eventfd");
	tap_errno(raw_ioeventfd(&vm, null, PIO | DEASSIGN, 0x1000, 2, 0),
		  EINVAL, "ioeventfd: not an eventfd, to deassign");
	tap_errno(raw_ioeventfd(&vm, efd, PIO, 0x1000, 0, 0), EINVAL,
		  "ioeventfd: length 0");
	tap_errno(raw_ioeventfd(&vm, efd, PIO, 0x1000, 3, 0), EINVAL,
		  "ioeventfd: length 3");
	tap_errno(raw_ioeventfd(&vm, efd, 0, 0x1000, 16, 0), EINVAL,
		  "ioeventfd: length 16");
	tap_errno(raw_ioeventfd(&vm, efd, 0, ~0ULL, 2, 0), EINVAL,
		  "ioeventfd: range that wraps");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_IOEVENTFD, &reserved), EINVAL,
		  "ioeventfd: reserved field not zero");
	differs_errno("ioeventfd-never",
		      raw_ioeventfd(&vm, efd, PIO, 0x1100, 8, 0), EINVAL, 0,
		      "ioeventfd: port of 8 bytes");
	differs_errno("ioeventfd-never",
		      raw_ioeventfd(&vm, efd, PIO, 0x10000, 2, 0), EINVAL, 0,
		      "ioeventfd: port that there is not");
	differs_errno(
		"ioeventfd-never",
		raw_ioeventfd(&vm, efd, PIO | DATAMATCH, 0x1200, 2, 0x10000),
		EINVAL, 0, "ioeventfd: data that is too wide");
	differs_errno("ioeventfd-flags",
		      raw_ioeventfd(&vm, efd, PIO | 0x10, 0x1300, 2, 0), EINVAL,
		      0, "ioeventfd: unknown flag");
	tap_success(raw_ioeventfd(&vm, efd, PIO | ASYNCIO, 0x1400, 2, 0),
		    "ioeventfd: acrn-dm's flag, ignored");
	tap_success(
		raw_ioeventfd(&vm, efd, PIO | ASYNCIO | DEASSIGN, 0x1400, 2, 0),
		"ioeventfd: to deassign as well");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_IOEVENTFD, 8), EFAULT,
		  "ioeventfd: bad pointer");

	close(null);
	close(efd);
	raw_vm_close(&vm);
}

static void test_ioeventfd_rules(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int a = raw_eventfd(), b = raw_eventfd();
	int c = raw_eventfd(), d = raw_eventfd();

	tap_success(raw_ioeventfd(&vm, a, PIO, 0x1000, 2, 0),
		    "ioeventfd: assigned");
	tap_errno(raw_ioeventfd(&vm, a, PIO, 0x1000, 2, 0), EEXIST,
		  "ioeventfd: twice the same");
	differs_errno("ioeventfd-conflict",
		      raw_ioeventfd(&vm, c, PIO, 0x1000, 2, 0), EEXIST, 0,
		      "ioeventfd: twice, another eventfd");
	differs_errno("ioeventfd-conflict",
		      raw_ioeventfd(&vm, d, PIO | DATAMATCH, 0x1000, 2, 5),
		      EEXIST, 0, "ioeventfd: matched data beside any data");
	differs_errno("ioeventfd-conflict",
		      raw_ioeventfd(&vm, a, PIO, 0x1000, 1, 0), 0, EEXIST,
		      "ioeventfd: another length with the same eventfd");
	tap_success(raw_ioeventfd(&vm, b, PIO, 0x1000, 4, 0),
		    "ioeventfd: another length beside it");
	tap_success(raw_ioeventfd(&vm, b, 0, 0x1000, 2, 0),
		    "ioeventfd: memory at the same address");

	tap_success(raw_ioeventfd(&vm, a, PIO | DATAMATCH, 0x2000, 2, 0),
		    "ioeventfd: queue 0");
	tap_success(raw_ioeventfd(&vm, b, PIO | DATAMATCH, 0x2000, 2, 1),
		    "ioeventfd: queue 1 at the same port");
	tap_success(raw_ioeventfd(&vm, a, PIO | DATAMATCH, 0x2000, 2, 2),
		    "ioeventfd: queue 2 with the eventfd of queue 0");
	tap_errno(raw_ioeventfd(&vm, b, PIO | DATAMATCH, 0x2000, 2, 1), EEXIST,
		  "ioeventfd: queue 1 twice");
	tap_errno(raw_ioeventfd(&vm, b, PIO, 0x2000, 2, 0), EEXIST,
		  "ioeventfd: any data beside matched data");

	close(a);
	close(b);
	close(c);
	close(d);
	raw_vm_close(&vm);
}

static void test_ioeventfd_deassign(void)
{
	static const char name[] = "ioeventfd-deassign";
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	const uint32_t flags = PIO | DATAMATCH, gone = flags | DEASSIGN;
	int a = raw_eventfd(), b = raw_eventfd();

	differs_errno(name, raw_ioeventfd(&vm, a, gone, 0x1000, 2, 1), ENOENT,
		      0, "deassign: nothing there");
	tap_success(raw_ioeventfd(&vm, a, flags, 0x1000, 2, 1),
		    "deassign: first, one is assigned");
	differs_errno(name, raw_ioeventfd(&vm, b, gone, 0x1000, 2, 1), ENOENT,
		      0, "deassign: another eventfd");
	differs_errno(name, raw_ioeventfd(&vm, a, gone, 0x1000, 2, 2), ENOENT,
		      0, "deassign: other data");
	differs_errno(name, raw_ioeventfd(&vm, a, gone, 0x1002, 2, 1), ENOENT,
		      0, "deassign: another address");
	differs_errno(name, raw_ioeventfd(&vm, a, gone, 0x1000, 4, 1), ENOENT,
		      0, "deassign: another length");
	differs_errno(name, raw_ioeventfd(&vm, a, gone & ~PIO, 0x1000, 2, 1),
		      ENOENT, 0, "deassign: memory instead of port");
	differs_errno(name,
		      raw_ioeventfd(&vm, a, gone & ~DATAMATCH, 0x1000, 2, 1),
		      ENOENT, 0, "deassign: any data instead of matched");
	tap_success(raw_ioeventfd(&vm, a, gone, 0x1000, 2, 1),
		    "deassign: the right one");
	differs_errno(name, raw_ioeventfd(&vm, a, gone, 0x1000, 2, 1), ENOENT,
		      0, "deassign: the right one twice");
	tap_success(raw_ioeventfd(&vm, b, flags, 0x1000, 2, 1),
		    "deassign: what was deassigned can be assigned");
	close(b);
	tap_errno(raw_ioeventfd(&vm, b, gone, 0x1000, 2, 1), EBADF,
		  "deassign: the eventfd was closed before");

	close(a);
	raw_vm_close(&vm);
}

static void test_ioeventfd_limit(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int efd = raw_eventfd(), failed = 0;

	for (int i = 0; i < DOORBELLS_MAX; i++)
		failed += raw_ioeventfd(&vm, efd, 0, 0x1000 + i, 2, 0) != 0;
	tap_eq(failed, 0, "ioeventfd: %d of them", DOORBELLS_MAX);
	differs_errno("ioeventfd-limit",
		      raw_ioeventfd(&vm, efd, 0, 0x100000, 2, 0), ENOSPC, 0,
		      "ioeventfd: one more than the limit");
	tap_success(raw_ioeventfd(&vm, efd, DEASSIGN, 0x1234, 2, 0),
		    "ioeventfd: one of them deassigned");
	tap_success(raw_ioeventfd(&vm, efd, 0, 0x100008, 2, 0),
		    "ioeventfd: now one more");
	close(efd);
	raw_vm_close(&vm);
}

/* An irqfd that the in-tree HSM accepts and ours refuses with EINVAL. */
static void expect_irqfd(const struct raw_vm *vm, uint32_t flags, uint64_t addr,
			 uint64_t data, const char *difference,
			 const char *name)
{
	int efd = raw_eventfd();

	differs_errno(difference, raw_irqfd(vm, efd, flags, addr, data), EINVAL,
		      0, "irqfd: %s", name);
	close(efd);
}

static void test_irqfd_arguments(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int null = open("/dev/null", O_RDWR);

	tap_errno(raw_irqfd(&vm, -1, 0, vm.msi, MSI_DATA), EBADF,
		  "irqfd: descriptor -1");
	tap_errno(raw_irqfd(&vm, 1000, 0, vm.msi, MSI_DATA), EBADF,
		  "irqfd: descriptor that is not open");
	tap_errno(raw_irqfd(&vm, null, 0, vm.msi, MSI_DATA), EINVAL,
		  "irqfd: not an eventfd");
	tap_errno(raw_irqfd(&vm, null, ACRN_IRQFD_FLAG_DEASSIGN, 0, 0), EINVAL,
		  "irqfd: not an eventfd, to deassign");
	expect_irqfd(&vm, 2, vm.msi, MSI_DATA, "irqfd-flags", "unknown flag");
	expect_irqfd(&vm, 0, 0, 0, "irqfd-msi", "MSI that was never written");
	expect_irqfd(&vm, 0, 0xfef00000, MSI_DATA, "irqfd-msi",
		     "address outside of the window");
	expect_irqfd(&vm, 0, vm.msi, 0x0f, "irqfd-msi",
		     "vector of an exception");
	expect_irqfd(&vm, 0, vm.msi, 0x541, "irqfd-msi", "INIT");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_IRQFD, 8), EFAULT,
		  "irqfd: bad pointer");

	close(null);
	raw_vm_close(&vm);
}

static void test_irqfd_rules(void)
{
	const uint32_t gone = ACRN_IRQFD_FLAG_DEASSIGN;
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int a = raw_eventfd(), b = raw_eventfd();

	differs_errno("irqfd-deassign",
		      raw_irqfd(&vm, a, gone, vm.msi, MSI_DATA), ENOENT, 0,
		      "irqfd: deassigned, but nothing there");
	tap_success(raw_irqfd(&vm, a, 0, vm.msi, MSI_DATA), "irqfd: assigned");
	tap_errno(raw_irqfd(&vm, a, 0, vm.msi, MSI_DATA), EBUSY,
		  "irqfd: twice the same");
	tap_errno(raw_irqfd(&vm, a, 0, vm.msi, MSI_DATA + 1), EBUSY,
		  "irqfd: twice with another MSI");
	tap_success(raw_irqfd(&vm, b, 0, vm.msi, MSI_DATA),
		    "irqfd: the same MSI for another eventfd");
	tap_success(raw_irqfd(&vm, a, gone, 0, 0),
		    "irqfd: deassigned, whatever the MSI");
	differs_errno("irqfd-deassign",
		      raw_irqfd(&vm, a, gone, vm.msi, MSI_DATA), ENOENT, 0,
		      "irqfd: deassigned twice");
	tap_success(raw_irqfd(&vm, a, 0, vm.msi, MSI_DATA + 1),
		    "irqfd: assigned again");
	close(b);
	tap_errno(raw_irqfd(&vm, b, gone, vm.msi, MSI_DATA), EBADF,
		  "irqfd: deassigned, but the eventfd was closed before");

	close(a);
	raw_vm_close(&vm);
}

/*
 * Each event injects one MSI for every irqfd on the eventfd, and is consumed.
 * The hypervisor's trace counts the MSIs.
 */
static void test_irqfd_events(void)
{
	const uint32_t gone = ACRN_IRQFD_FLAG_DEASSIGN;
	const uint32_t msi = ACRN_HC_INJECT_MSI;
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct raw_vm other = raw_vm_create(cpus[1], 0);
	struct trace trace = trace_start();
	int efd = raw_eventfd();

	raw_signal(efd);
	raw_signal(efd);
	raw_irqfd(&vm, efd, 0, vm.msi, MSI_DATA);
	fixture_eq(trace_calls(&trace, msi), 1,
		   "irqfd: pending events inject once when it is assigned");
	differs_eq("irqfd-count", raw_events(efd), 0, 2,
		   "irqfd: pending events afterwards");

	for (int i = 0; i < 5; i++)
		raw_signal(efd);
	fixture_eq(trace_calls(&trace, msi), 5, "irqfd: each event injects");
	raw_irqfd(&other, efd, 0, other.msi, MSI_DATA);
	if (!fixture_skip("registers", "irqfd: assigned once more, MSIs for "
				       "events of before"))
		differs_eq(
			"irqfd-count", trace_calls(&trace, msi), 0, 1,
			"irqfd: assigned once more, MSIs for events of before");
	differs_eq("irqfd-count", raw_events(efd), 0, 5,
		   "irqfd: events afterwards");
	raw_signal(efd);
	fixture_eq(trace_calls(&trace, msi), 2,
		   "irqfd: one eventfd injects into two VMs");

	raw_irqfd(&vm, efd, gone, 0, 0);
	raw_signal(efd);
	fixture_eq(trace_calls(&trace, msi), 1,
		   "irqfd: after deassignment from one, into the other");
	raw_vm_close(&other);
	raw_events(efd);
	raw_signal(efd);
	fixture_eq(trace_calls(&trace, msi), 0,
		   "irqfd: nothing injects when the VM is closed");
	tap_eq(raw_events(efd), 1,
	       "irqfd: the event stays when the VM is closed");
	trace_stop(&trace);
	close(efd);
	raw_vm_close(&vm);
}

/* The number by which the kernel knows a new eventfd, the lowest that is free.
 */
static int next_eventfd(void)
{
	char path[64], line[64];
	int efd = raw_eventfd(), id = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", efd);
	file = fopen(path, "r");
	if (!file)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file))
		sscanf(line, "eventfd-id: %d", &id);
	fclose(file);
	close(efd);
	return id;
}

/* Each way in which an irqfd can end gives its eventfd back. */
static void test_irqfd_references(void)
{
	struct raw_vm vm;
	int before, efd;

	if (raw_hsm_is_in_tree()) {
		tap_skip("the in-tree HSM does it later",
			 "irqfd: no eventfd is kept");
		return;
	}
	before = next_eventfd();
	vm = raw_vm_create(cpus[0], 0);
	efd = raw_eventfd();
	raw_irqfd(&vm, efd, 0, vm.msi, MSI_DATA);
	raw_irqfd(&vm, efd, 0, vm.msi, MSI_DATA);
	raw_irqfd(&vm, efd, ACRN_IRQFD_FLAG_DEASSIGN, 0, 0);
	raw_irqfd(&vm, efd, ACRN_IRQFD_FLAG_DEASSIGN, 0, 0);
	close(efd);
	tap_eq(next_eventfd(), before,
	       "irqfd: deassigned, it does not keep the eventfd");
	efd = raw_eventfd();
	raw_irqfd(&vm, efd, 0, vm.msi, MSI_DATA);
	close(efd);
	raw_vm_close(&vm);
	tap_eq(next_eventfd(), before,
	       "irqfd: closed, it does not keep the eventfd beyond the VM");
}

/*
 * Assign as many irqfds as are allowed, each on an eventfd of its own. Returns
 * how many assignments failed.
 */
static int fill_irqfds(const struct raw_vm *vm, int *fds)
{
	int failed = 0;

	for (int i = 0; i < IRQFDS_MAX; i++) {
		fds[i] = raw_eventfd();
		failed += raw_irqfd(vm, fds[i], 0, vm->msi, MSI_DATA) != 0;
	}
	return failed;
}

static void test_irqfd_limit(void)
{
	struct rlimit files = { .rlim_cur = 4096, .rlim_max = 4096 };
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int fds[IRQFDS_MAX], efd = raw_eventfd();

	if (setrlimit(RLIMIT_NOFILE, &files))
		err(1, "RLIMIT_NOFILE");
	tap_eq(fill_irqfds(&vm, fds), 0, "irqfd: %d of them", IRQFDS_MAX);
	differs_errno("irqfd-limit", raw_irqfd(&vm, efd, 0, vm.msi, MSI_DATA),
		      ENOSPC, 0, "irqfd: one more than the limit");
	for (int i = 0; i < IRQFDS_MAX; i++)
		close(fds[i]);
	tap_eq(fill_irqfds(&vm, fds), 0,
	       "irqfd: the same again, closing the eventfds released them");

	/* An eventfd with two descriptors outlives the closing of one. */
	close(efd);
	efd = dup(fds[0]);
	close(fds[0]);
	tap_success(raw_irqfd(&vm, efd, ACRN_IRQFD_FLAG_DEASSIGN, 0, 0),
		    "irqfd: stays while one descriptor is left");

	for (int i = 1; i < IRQFDS_MAX; i++)
		close(fds[i]);
	close(efd);
	raw_vm_close(&vm);
}

static void test_closing_order(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int first = raw_eventfd(), second = raw_eventfd();

	for (int i = 0; i < 2; i++) {
		int efd = i ? second : first;

		raw_ioeventfd(&vm, efd, PIO, 0x1000 + 2 * i, 2, 0);
		raw_irqfd(&vm, efd, 0, vm.msi, MSI_DATA);
	}
	close(first);
	tap_success(raw_destroy(vm.fd),
		    "VM destroyed between the closing of two eventfds");
	raw_signal(second);
	tap_eq(raw_events(second), 1, "the event of the other one stays");
	tap_errno(raw_irqfd(&vm, second, 0, vm.msi, MSI_DATA), EINVAL,
		  "irqfd of a VM that was destroyed");
	tap_errno(raw_ioeventfd(&vm, second, PIO, 0x1000, 2, 0), EINVAL,
		  "ioeventfd of a VM that was destroyed");
	close(second);
	raw_vm_close(&vm);
}

/**
 * struct crowd - State that the threads of a test share
 * @vm:		User VM
 * @fds:	Descriptors of eventfds, which the signaller replaces while
 *workers use them
 * @stop:	The workers have ended, and the signaller is to end
 * @bad:	Calls of the workers that failed with an unexpected errno
 */
struct crowd {
	struct raw_vm *vm;
	int fds[FDS];
	bool stop;
	int bad;
};

static int pick(unsigned int *seed)
{
	return rand_r(seed) % FDS;
}

/*
 * Whether the call succeeded, or failed as it may if another thread was first.
 */
static bool is_fair(int ret)
{
	return !ret || errno == EEXIST || errno == EBUSY || errno == ENOENT ||
	       errno == EBADF;
}

/* Assigns and deassigns at random eventfds and ports that other workers use. */
static void *worker(void *arg)
{
	struct crowd *crowd = arg;
	unsigned int seed = (uintptr_t)&seed >> 12;
	int bad = 0;

	for (int i = 0; i < ITERATIONS; i++) {
		int efd = crowd->fds[pick(&seed)];
		uint64_t port = 0x1000 + 2 * pick(&seed);

		bad += !is_fair(
			raw_irqfd(crowd->vm, efd, 0, crowd->vm->msi, MSI_DATA));
		bad += !is_fair(raw_ioeventfd(crowd->vm, efd, PIO, port, 2, 0));
		efd = crowd->fds[pick(&seed)];
		bad += !is_fair(raw_irqfd(crowd->vm, efd,
					  ACRN_IRQFD_FLAG_DEASSIGN, 0, 0));
		bad += !is_fair(raw_ioeventfd(crowd->vm, efd, PIO | DEASSIGN,
					      port, 2, 0));
	}
	__atomic_fetch_add(&crowd->bad, bad, __ATOMIC_SEQ_CST);
	return NULL;
}

/*
 * Signals all eventfds, and closes one of them each time: the descriptor
 * becomes that of a new eventfd.
 */
static void *signaller(void *arg)
{
	struct crowd *crowd = arg;
	unsigned int seed = 1;

	while (!__atomic_load_n(&crowd->stop, __ATOMIC_SEQ_CST)) {
		int fresh, old = crowd->fds[pick(&seed)];

		for (int i = 0; i < FDS; i++)
			raw_signal(crowd->fds[i]);
		fresh = raw_eventfd();
		dup3(fresh, old, O_CLOEXEC);
		close(fresh);
	}
	return NULL;
}

static void run_crowd(struct crowd *crowd, struct raw_vm *vm)
{
	pthread_t workers[THREADS], signals;

	*crowd = (struct crowd){ .vm = vm };
	for (int i = 0; i < FDS; i++)
		crowd->fds[i] = raw_eventfd();
	pthread_create(&signals, NULL, signaller, crowd);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&workers[i], NULL, worker, crowd);
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i], NULL);
	__atomic_store_n(&crowd->stop, true, __ATOMIC_SEQ_CST);
	pthread_join(signals, NULL);
}

static void test_threads(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct crowd crowd;
	int bad = 0;

	run_crowd(&crowd, &vm);
	tap_eq(crowd.bad, 0, "%d threads assign and deassign", THREADS);

	/* Whatever the workers left: each irqfd can be removed and assigned. */
	for (int i = 0; i < FDS; i++) {
		bad += !is_fair(raw_irqfd(&vm, crowd.fds[i],
					  ACRN_IRQFD_FLAG_DEASSIGN, 0, 0));
		bad += raw_irqfd(&vm, crowd.fds[i], 0, vm.msi, MSI_DATA) != 0;
	}
	tap_eq(bad, 0, "each irqfd is in order after that");
	raw_vm_close(&vm);
	for (int i = 0; i < FDS; i++) {
		raw_events(crowd.fds[i]);
		raw_signal(crowd.fds[i]);
		bad += raw_events(crowd.fds[i]) != 1;
		close(crowd.fds[i]);
	}
	tap_eq(bad, 0, "no irqfd is left when the VM is closed");
}

/*
 * Destroys the VM while threads assign, deassign and signal. NULL: it worked.
 */
static void *destroyer(void *arg)
{
	struct raw_vm *vm = arg;

	usleep(20000);
	return ioctl(vm->fd, ACRN_IOCTL_DESTROY_VM) ? vm : NULL;
}

static void test_destroy_under_load(void)
{
	const int rounds = 10;
	void *failed;
	int bad = 0;

	if (differs_skip("destroy-races", "memory is used after it was freed",
			 "VM destroyed under load"))
		return;
	for (int i = 0; i < rounds; i++) {
		struct raw_vm vm = raw_vm_create(cpus[0], 0);
		struct crowd crowd;
		pthread_t thread;

		pthread_create(&thread, NULL, destroyer, &vm);
		run_crowd(&crowd, &vm);
		pthread_join(thread, &failed);
		bad += failed != NULL;
		bad += raw_irqfd(&vm, crowd.fds[0], 0, vm.msi, MSI_DATA) !=
			       -1 ||
		       errno != EINVAL;
		for (int fd = 0; fd < FDS; fd++)
			close(crowd.fds[fd]);
		raw_vm_close(&vm);
	}
	tap_eq(bad, 0, "VM destroyed under load, %d times", rounds);
}

static int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK);
}

/* The module's use count is that of the VMs with a doorbell or an irqfd. */
static void test_module(void)
{
	struct raw_vm vm, idle;
	int efd = raw_eventfd();

	if (raw_hsm_is_in_tree()) {
		tap_skip("the in-tree HSM has none",
			 "module of the data plane");
		goto out;
	}
	tap_eq(raw_number(MODULE_REFS), 0, "module: not in use without a VM");
	idle = raw_vm_create(cpus[1], 0);
	tap_eq(raw_number(MODULE_REFS), 0,
	       "module: not in use by a VM without eventfds");
	vm = raw_vm_create(cpus[0], 0);
	raw_ioeventfd(&vm, efd, PIO, 0x1000, 2, 0);
	raw_irqfd(&vm, efd, 0, vm.msi, MSI_DATA);
	tap_ok(raw_number(MODULE_REFS) > 0, "module: in use by a VM with some");
	tap_errno(unload("acrn_vhost"), EWOULDBLOCK,
		  "module: does not unload meanwhile");
	raw_vm_close(&vm);
	tap_eq(raw_number(MODULE_REFS), 0, "module: released with the VM");
	tap_success(unload("acrn_vhost"), "module: unloads");
	raw_signal(efd);
	tap_eq(raw_events(efd), 1, "module: nothing of it is left behind");
	tap_success(raw_irqfd(&idle, efd, 0, idle.msi, MSI_DATA),
		    "module: comes back when it is needed");
	tap_ok(raw_number(MODULE_REFS) > 0, "module: and is in use");
	raw_vm_close(&idle);
	tap_success(unload("acrn_vhost"), "module: unloads again");
out:
	close(efd);
}

/**
 * struct loader - A device model that assigns the first doorbell of its VM
 * @vm:		The VM
 * @ready:	Barrier for all device models to begin at once
 * @failed:	Assigning the doorbell failed
 */
struct loader {
	struct raw_vm vm;
	pthread_barrier_t *ready;
	bool failed;
};

static void *load_module(void *arg)
{
	struct loader *loader = arg;
	int efd = raw_eventfd();

	pthread_barrier_wait(loader->ready);
	loader->failed = raw_ioeventfd(&loader->vm, efd, PIO, 0x1000, 2, 0);
	close(efd);
	return NULL;
}

/*
 * Several device models assign a doorbell at the same time while the module is
 * not loaded. Returns how many of them failed.
 */
static int load_at_once(void)
{
	struct loader loaders[LOADERS];
	pthread_t threads[LOADERS];
	pthread_barrier_t ready;
	int failed = 0;

	pthread_barrier_init(&ready, NULL, LOADERS);
	for (int i = 0; i < LOADERS; i++) {
		loaders[i] = (struct loader){
			.vm = raw_vm_create(cpus[i % 2], 0),
			.ready = &ready,
		};
		pthread_create(&threads[i], NULL, load_module, &loaders[i]);
	}
	for (int i = 0; i < LOADERS; i++) {
		pthread_join(threads[i], NULL);
		failed += loaders[i].failed;
	}
	for (int i = 0; i < LOADERS; i++)
		raw_vm_close(&loaders[i].vm);
	pthread_barrier_destroy(&ready);
	return failed;
}

/*
 * A device model is killed while it waits for the module to be loaded. Returns
 * 1 if another one, which assigns a doorbell then, fails.
 */
static int load_after_kill(void)
{
	struct raw_vm vm = raw_vm_create(cpus[1], 0);
	int efd = raw_eventfd(), failed;
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		vm = raw_vm_create(cpus[0], 0);
		raw_ioeventfd(&vm, efd, PIO, 0x1000, 2, 0);
		pause();
	}
	usleep(random() % KILL_US);
	kill(pid, SIGKILL);
	failed = raw_ioeventfd(&vm, efd, PIO, 0x1000, 2, 0) != 0;
	waitpid(pid, NULL, 0);
	raw_vm_close(&vm);
	close(efd);
	return failed;
}

static void test_loading(void)
{
	int failed = 0, loaded = 0;

	if (raw_hsm_is_in_tree())
		return;
	for (int i = 0; i < LOADS; i++) {
		failed += load_at_once();
		loaded += !unload("acrn_vhost");
	}
	tap_eq(failed, 0, "module: found by %d VMs that ask at once", LOADERS);
	tap_eq(loaded, LOADS, "module: loaded for them each time");

	failed = 0;
	for (int i = 0; i < KILLS; i++) {
		failed += load_after_kill();
		unload("acrn_vhost");
	}
	tap_eq(failed, 0, "module: found when who asked first is killed");
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: dataplane_ioctl CPU CPU");
	cpus[0] = atoi(argv[1]);
	cpus[1] = atoi(argv[2]);

	test_ioeventfd_arguments();
	test_ioeventfd_rules();
	test_ioeventfd_deassign();
	test_ioeventfd_limit();
	test_irqfd_arguments();
	test_irqfd_rules();
	test_irqfd_events();
	test_irqfd_references();
	test_irqfd_limit();
	test_closing_order();
	test_threads();
	test_destroy_under_load();
	test_module();
	test_loading();
	return tap_done();
}
