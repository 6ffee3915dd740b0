// SPDX-License-Identifier: GPL-2.0
/*
 * The life of User VMs: ended and reset in the order of acrn-dm's calls
 * (devicemodel/core/main.c), or by killing the device model at any point, with
 * requests outstanding, doorbells ringing and interrupts on their way. If the
 * HSM let any of these wake a vCPU while its VM is paused, the hypervisor would
 * go down.
 *
 * Arguments: number of device models to kill, then the physical CPUs of the
 * User VMs. Runs on ACRN too, where it skips what needs tests/hypervisor.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "acrn_hypercall.h"
#include "clock.h"
#include "fixture.h"
#include "irq_guest.h"
#include "raw_event.h"
#include "raw_guest.h"
#include "schedule.h"
#include "tap.h"
#include "tap_group.h"

#define CPUS_MAX  16
#define BELL_PORT 0x1000
/* Logical destination: vCPUs in x2APIC mode whose APIC ids are below 8 */
#define MSI_ADDRESS 0xfeeff004ULL
#define MSI_DATA    0x41
#define AP_ADDR	    0x4000
#define TURNS_ADDR  0x8000
#define HALT	    1
#define PM1A_PORT   0x404
#define PM1A_S5	    0x3400

/* Run the checks of @function in a process of their own. */
#define group(function) tap_group(#function, function)

static int cpus[CPUS_MAX];
static int nr_cpus;
static int kills;

/*
 * Code of each vCPU in a User VM whose device model is killed: read a port,
 * halt if bit 0 of the answer is set, ring the doorbell, and begin again. The
 * first vCPU starts the others. An answer of all ones is that of an HSM whose
 * device model has gone, and makes the vCPU execute CPUID, which exits, for
 * ever. So a vCPU that gets such an answer before its VM is paused runs until
 * then. A vCPU that is woken after its VM was paused runs on as well, but ACRN
 * does not give it the answer (dm_emulate_io_complete() in its dm/io_req.c). It
 * is seen by the word at TURNS_ADDR, to which a vCPU adds one after each read
 * and each time before CPUID.
 */
extern const char bsp_code[], bsp_code_end[], ap_code[], ap_code_end[];
asm(".pushsection .rodata\n"
    "bsp_code:\n"
    ".code32\n"
    "	apic_on\n"
    "	apic_start_others 4\n" /* at AP_ADDR */
    "1:	mov $0x80, %edx\n"
    "	in (%dx), %eax\n"
    "	incl 0x8000\n" /* TURNS_ADDR */
    "	cmp $-1, %eax\n"
    "	je 3f\n"
    "	test $1, %al\n"
    "	jz 2f\n"
    "	hlt\n"
    "2:	mov $0x1000, %edx\n"
    "	mov $1, %eax\n"
    "	out %ax, (%dx)\n"
    "	jmp 1b\n"
    "3:	incl 0x8000\n"
    "	cpuid\n"
    "	jmp 3b\n"
    "bsp_code_end:\n"
    "ap_code:\n"
    ".code16\n"
    "1:	mov $0x80, %dx\n"
    "	inl (%dx), %eax\n"
    "	incl 0x8000\n"
    "	cmp $-1, %eax\n"
    "	je 3f\n"
    "	test $1, %al\n"
    "	jz 2f\n"
    "	hlt\n"
    "2:	mov $0x1000, %dx\n"
    "	mov $1, %ax\n"
    "	outw %ax, (%dx)\n"
    "	jmp 1b\n"
    "3:	incl 0x8000\n"
    "	cpuid\n"
    "	jmp 3b\n"
    ".code64\n"
    "ap_code_end:\n"
    ".popsection\n");

static void must(int ret, const char *what)
{
	if (ret)
		err(1, "%s", what);
}

/* Assign a doorbell and an irqfd. */
static void connect_eventfds(const struct raw_vm *vm, int bell, int irq)
{
	must(raw_ioeventfd(vm, bell, ACRN_IOEVENTFD_FLAG_PIO, BELL_PORT, 2, 0),
	     "IOEVENTFD");
	must(raw_irqfd(vm, irq, 0, MSI_ADDRESS, MSI_DATA), "IRQFD");
}

/* Start a User VM with one vCPU and a client. */
static struct guest guest_start_on(int cpu, uint64_t flags)
{
	struct guest guest = guest_create(cpu, flags);

	create_client(&guest);
	start(&guest);
	return guest;
}

static struct guest guest_start(uint64_t flags)
{
	return guest_start_on(cpus[0], flags);
}

/* Start a User VM with one vCPU, which runs bsp_code, and a client. */
static struct guest asker_start(uint64_t flags)
{
	struct guest guest = guest_create(cpus[0], flags);

	memcpy(guest.ram + CODE_ADDR, bsp_code, bsp_code_end - bsp_code);
	create_client(&guest);
	start(&guest);
	return guest;
}

/*
 * Whether a new VM works after one has ended. It runs on another CPU than the
 * former one. ACRN has a VMCS for each VM id and vCPU, so a vCPU of the former
 * VM that still ran would use the VMCS of the new VM's vCPU, and both would
 * fail.
 */
static bool next_vm_works(void)
{
	struct guest guest = guest_start_on(cpus[1], 0);
	bool works = read_port(&guest, 4, 0x90, 0x5a5a) == 0x5a5a;

	guest_close(&guest);
	return works;
}

/* The counter of bsp_code and ap_code */
static uint32_t turns(const struct guest *guest)
{
	return *(volatile uint32_t *)(guest->ram + TURNS_ADDR);
}

/* acrn-dm's exit: PAUSE_VM, DESTROY_IOREQ_CLIENT, PAUSE_VM again, DESTROY_VM */
static void exit_order(uint64_t flags, bool outstanding, const char *name)
{
	struct guest guest = asker_start(flags);
	int bell = raw_eventfd(), irq = raw_eventfd(), fd = guest.vm.fd;
	uint32_t before;

	connect_eventfds(&guest.vm, bell, irq);
	wait_request(&guest);
	if (!outstanding)
		finish(&guest, ONES);
	tap_success(ioctl(fd, ACRN_IOCTL_PAUSE_VM), "%s: PAUSE_VM", name);
	before = turns(&guest);
	raw_signal(irq);
	destroy_client(&guest);
	tap_errno(raw_notify(fd, 0), EINVAL, "%s: an answer that comes late",
		  name);
	tap_success(raw_irqfd(&guest.vm, irq, ACRN_IRQFD_FLAG_DEASSIGN,
			      MSI_ADDRESS, MSI_DATA),
		    "%s: IRQFD, deassigned", name);
	usleep(20000);
	tap_eq(turns(&guest), before, "%s: the vCPU does not run", name);
	tap_success(ioctl(fd, ACRN_IOCTL_PAUSE_VM), "%s: PAUSE_VM again", name);
	tap_success(ioctl(fd, ACRN_IOCTL_DESTROY_VM), "%s: DESTROY_VM", name);
	close(bell);
	close(irq);
	guest_close(&guest);
	tap_ok(next_vm_works(), "%s: the next VM works", name);
}

static void test_exit_order(void)
{
	const uint64_t polling = ACRN_VM_FLAG_IO_COMPLETION_POLLING;

	exit_order(0, true, "exit with a request outstanding");
	exit_order(0, false, "exit");
	exit_order(polling, true, "polling, exit with a request outstanding");
	exit_order(polling, false, "polling, exit");
}

/* Whether one write rings the doorbell once and one event injects one MSI. */
static bool serves(struct guest *guest, int bell, int irq)
{
	unsigned long msis = raw_stat(&guest->vm, "msis");

	raw_events(bell);
	write_port(guest, 2, BELL_PORT, 1);
	raw_signal(irq);
	return raw_events(bell) == 1 &&
	       raw_stat(&guest->vm, "msis") == msis + 1;
}

/*
 * The calls of acrn-dm's vm_suspend_resume() and vm_system_reset(): PAUSE_VM,
 * CLEAR_VM_IOREQ, RESET_VM, START_VM. Meanwhile the vCPU waits for the answer
 * to a request, as it does in acrn-dm for the one that caused the reset, and
 * interrupts are signalled between the calls.
 */
static void suspend(uint64_t flags, bool clear, const char *name)
{
	struct guest guest = guest_start(flags);
	int bell = raw_eventfd(), irq = raw_eventfd(), fd = guest.vm.fd;
	int wrong = 0;

	connect_eventfds(&guest.vm, bell, irq);
	for (int i = 0; i < 5; i++) {
		wait_request(&guest);
		must(ioctl(fd, ACRN_IOCTL_PAUSE_VM), "PAUSE_VM");
		raw_signal(irq);
		must(raw_inject_msi(fd, MSI_ADDRESS, MSI_DATA), "INJECT_MSI");
		if (clear)
			must(ioctl(fd, ACRN_IOCTL_CLEAR_VM_IOREQ), "CLEAR");
		raw_signal(irq);
		must(ioctl(fd, ACRN_IOCTL_RESET_VM), "RESET_VM");
		start(&guest);
		wrong += read_port(&guest, 4, 0x90, 0x1234 + i) != 0x1234U + i;
		wrong += !serves(&guest, bell, irq);
	}
	tap_eq(wrong, 0, "%s: the User VM runs each time", name);
	close(bell);
	close(irq);
	guest_close(&guest);
}

static void test_suspend(void)
{
	const uint64_t polling = ACRN_VM_FLAG_IO_COMPLETION_POLLING;

	suspend(0, true, "suspend");
	suspend(0, false, "reset without CLEAR_VM_IOREQ");
	suspend(polling, true, "polling, suspend");
	suspend(polling, false, "polling, reset without CLEAR_VM_IOREQ");
}

/* Code of a User VM: read a port, count the answers, for ever. */
extern const char ask_code[], ask_code_end[];
asm(".pushsection .rodata\n"
    "ask_code:\n"
    ".code32\n"
    "	mov $0x80, %edx\n"
    "1:	in (%dx), %eax\n"
    "	incl 0x8000\n"
    "	jmp 1b\n"
    ".code64\n"
    "ask_code_end:\n"
    ".popsection\n");

static void wait_state(const struct guest *guest, uint32_t state)
{
	for (int i = 0; i < 5000 && slot(guest)->processed != state; i++)
		usleep(1000);
}

/* CLEAR_VM_IOREQ of a request whose upcall has not arrived yet. */
static void test_flush(void)
{
	struct guest guest;

	if (fixture_skip("registers", "CLEAR_VM_IOREQ ahead of the upcall"))
		return;
	guest = guest_create(cpus[0], 0);
	memcpy(guest.ram + CODE_ADDR, ask_code, ask_code_end - ask_code);
	create_client(&guest);
	hv_write_msr(HV_MSR_HOLD_UPCALLS, 1);
	start(&guest);
	wait_state(&guest, ACRN_IOREQ_STATE_PENDING);
	must(ioctl(guest.vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ), "CLEAR_VM_IOREQ");
	for (int i = 0; i < 1000 && !guest.box->port; i++)
		usleep(1000);
	tap_eq(guest.box->port, 1,
	       "CLEAR_VM_IOREQ completes what has no upcall yet");
	hv_write_msr(HV_MSR_HOLD_UPCALLS, 0);
	wait_request(&guest);
	finish(&guest, ONES);
	wait_request(&guest);
	tap_eq(guest.box->port, 2, "and what comes later is as ever");
	guest_close(&guest);
}

/* An interrupt for a halted vCPU in a paused VM must not wake it. */
static void test_halted(void)
{
	struct guest guest = guest_create(cpus[0], 0);
	int bell = raw_eventfd(), irq = raw_eventfd();

	memcpy(guest.ram + CODE_ADDR, bsp_code, bsp_code_end - bsp_code);
	create_client(&guest);
	connect_eventfds(&guest.vm, bell, irq);
	start(&guest);
	wait_request(&guest);
	finish(&guest, HALT);
	usleep(20000);
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_PAUSE_VM),
		    "PAUSE_VM of a VM that has halted");
	raw_signal(irq);
	must(raw_inject_msi(guest.vm.fd, MSI_ADDRESS, MSI_DATA), "INJECT_MSI");
	usleep(20000);
	tap_eq(turns(&guest), 1, "interrupted, the vCPU still halts");
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_DESTROY_VM),
		    "interrupted, it is destroyed");
	close(bell);
	close(irq);
	guest_close(&guest);
	tap_ok(next_vm_works(), "interrupted: the next VM works");
}

/* The hypervisor does not pause a running RTVM: it must go on working. */
static void test_rtvm(void)
{
	struct guest guest;
	int bell = raw_eventfd();

	if (fixture_skip("RTVM", "a running RTVM"))
		return;
	guest = guest_start(ACRN_VM_FLAG_RT |
			    ACRN_VM_FLAG_IO_COMPLETION_POLLING);
	must(raw_ioeventfd(&guest.vm, bell, ACRN_IOEVENTFD_FLAG_PIO, BELL_PORT,
			   2, 0),
	     "IOEVENTFD");
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_PAUSE_VM),
		    "RTVM: PAUSE_VM does nothing");
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_RESET_VM), EPERM,
		  "RTVM: RESET_VM is refused");
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_DESTROY_VM), EPERM,
		  "RTVM: DESTROY_VM is refused");
	tap_eq(read_port(&guest, 4, 0x90, 0x77), 0x77,
	       "RTVM: its device model answers after that");
	write_port(&guest, 2, BELL_PORT, 1);
	tap_eq(raw_events(bell), 1, "RTVM: its doorbell rings");
	write_port(&guest, 2, PM1A_PORT, PM1A_S5);
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_DESTROY_VM),
		    "RTVM: DESTROY_VM when it wants to power off");
	close(bell);
	guest_close(&guest);
	tap_ok(next_vm_works(), "RTVM: the next VM works");
}

static uint64_t all_cpus(void)
{
	uint64_t mask = 0;

	for (int i = 0; i < nr_cpus; i++)
		mask |= 1ULL << cpus[i];
	return mask;
}

static void *keep_signalling(void *arg)
{
	const int *irq = arg;

	for (;;) {
		raw_signal(*irq);
		usleep(30);
	}
	return NULL;
}

/*
 * A device model holds this semaphore from START_VM until its first vCPU has
 * started the others, and its parent to kill it. So no VM is paused in between,
 * which would stop ACRN whatever the HSM does: Documentation/known-faults.md.
 * NULL on the fixture, where device models are killed at that time too.
 */
static sem_t *starting;

static void share_starting(void)
{
	starting = mmap(NULL, sizeof(*starting), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (starting == MAP_FAILED)
		err(1, "mmap");
}

/*
 * Wait until the first vCPU reads the port, which it does after starting all.
 */
static void await_all_started(const struct raw_vm *vm)
{
	const struct acrn_io_request *slot = &vm->slots->req_slot[0];

	while (__atomic_load_n(&slot->processed, __ATOMIC_ACQUIRE) !=
	       ACRN_IOREQ_STATE_PROCESSING)
		ioctl(vm->fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT);
}

static void start_all(const struct raw_vm *vm)
{
	if (starting)
		sem_wait(starting);
	must(ioctl(vm->fd, ACRN_IOCTL_START_VM), "START_VM");
	if (starting) {
		await_all_started(vm);
		sem_post(starting);
	}
}

/* Answer requests, except those of the first @keep vCPUs. */
static void answer(const struct raw_vm *vm, int keep, unsigned int *seed)
{
	for (int i = keep; i < nr_cpus; i++) {
		struct acrn_io_request *slot = &vm->slots->req_slot[i];

		if (__atomic_load_n(&slot->processed, __ATOMIC_ACQUIRE) !=
			    ACRN_IOREQ_STATE_PROCESSING ||
		    slot->kernel_handled)
			continue;
		slot->reqs.pio_request.value = rand_r(seed) % 32 ? 0 : HALT;
		raw_notify(vm->fd, i);
	}
}

/* A device model that does everything at once until it is killed. */
static void run_device_model(unsigned int number)
{
	uint64_t flags =
		number % 4 == 3 ? ACRN_VM_FLAG_IO_COMPLETION_POLLING : 0;
	struct raw_vm vm = raw_vm_create_on(all_cpus(), flags);
	int bell = raw_eventfd(), irq = raw_eventfd();
	int keep = number % (nr_cpus + 1);
	char *ram = raw_pages(RAM_SIZE);
	pthread_t thread;

	memcpy(ram + CODE_ADDR, bsp_code, bsp_code_end - bsp_code);
	memcpy(ram + AP_ADDR, ap_code, ap_code_end - ap_code);
	must(raw_set_memory(vm.fd, ram, RAM_SIZE), "SET_MEMSEG");
	must(ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT), "client");
	connect_eventfds(&vm, bell, irq);
	must(set_ring(&vm, new_ring()), "SETUP_VM_EVENT_RING");
	must(set_fd(&vm, raw_eventfd()), "SETUP_VM_EVENT_FD");
	must(pthread_create(&thread, NULL, keep_signalling, &irq), "thread");
	must(raw_set_registers(vm.fd, CODE_ADDR, RAM_SIZE), "SET_VCPU_REGS");
	start_all(&vm);
	for (;;) {
		ioctl(vm.fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT);
		answer(&vm, keep, &number);
		sched_yield();
	}
}

/* Start a device model and kill it after @us. False if it ended by itself. */
static bool kill_device_model(unsigned int number, unsigned int us)
{
	pid_t pid;
	int status;

	if (starting)
		must(sem_init(starting, 1, 1), "sem_init");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		run_device_model(number);
		_exit(1);
	}
	usleep(us);
	if (starting)
		must(sem_wait(starting), "sem_wait");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* A random life: half of them are long enough for all vCPUs to run. */
static unsigned int life_us(unsigned int *seed)
{
	return rand_r(seed) % (rand_r(seed) % 2 ? 60000 : 5000);
}

static void test_kills(void)
{
	long pinned = pages_pinned();
	int died = 0, broken = 0;
	unsigned int seed = 1;

	if (!hv_is_fixture())
		share_starting();
	for (int i = 0; i < kills; i++) {
		died += !kill_device_model(i, life_us(&seed));
		broken += !next_vm_works();
	}
	tap_eq(died, 0, "%d device models live until they are killed", kills);
	tap_eq(broken, 0, "the next VM works each time");
	tap_eq(pages_pinned() - pinned, 0, "no page stays pinned");
}

/* Start a real-time task that never sleeps on CPU 0, where upcalls arrive. */
static pid_t start_hog(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin_to(0, 0);
	set_fifo(0, 50);
	for (;;)
		asm volatile("");
}

static void write_setting(const char *path, const char *value)
{
	FILE *file = fopen(path, "w");

	if (!file || fputs(value, file) < 0 || fclose(file))
		err(1, "%s", path);
}

/*
 * Make each call that waits for an upcall or ends a VM. Returns how many of
 * them failed.
 */
static int live_beside_hog(void)
{
	struct guest guest = guest_start(0);
	int bell = raw_eventfd(), irq = raw_eventfd(), fd = guest.vm.fd;
	int wrong = 0;

	connect_eventfds(&guest.vm, bell, irq);
	wait_request(&guest);
	wrong += !!ioctl(fd, ACRN_IOCTL_CLEAR_VM_IOREQ);
	wrong += read_port(&guest, 4, 0x90, 1) != 1;
	wait_request(&guest);
	wrong += !!ioctl(fd, ACRN_IOCTL_PAUSE_VM);
	wrong += !!ioctl(fd, ACRN_IOCTL_CLEAR_VM_IOREQ);
	wrong += !!ioctl(fd, ACRN_IOCTL_RESET_VM);
	start(&guest);
	wrong += read_port(&guest, 4, 0x90, 2) != 2;
	wrong += !!ioctl(fd, ACRN_IOCTL_DESTROY_VM);
	guest_close(&guest);
	guest = guest_start(0);
	wait_request(&guest);
	guest_close(&guest);
	return wrong;
}

static void test_realtime_task(void)
{
	static const char runtime[] = "/proc/sys/kernel/sched_rt_runtime_us";
	char before[32];
	pid_t hog, pid;
	int pidfd;

	snprintf(before, sizeof(before), "%lld", raw_number(runtime));
	pin_to(0, 1);
	write_setting(runtime, "-1");
	hog = start_hog();
	usleep(50000);
	pid = fork();
	if (!pid)
		_exit(live_beside_hog());
	pidfd = pidfd_open(pid, 0);
	tap_ok(tap_ends(pidfd, tap_group_seconds() / 3),
	       "a VM's life beside a real-time task that never sleeps");
	kill(hog, SIGKILL);
	waitpid(hog, NULL, 0);
	write_setting(runtime, before);
	if (waitpid(pid, &pidfd, 0) == pid)
		tap_eq(WEXITSTATUS(pidfd), 0, "nothing of it fails");
}

/* Whether DESTROY_VM succeeds within a second. */
static bool destroy_at_once(struct raw_vm *vm)
{
	uint64_t begin = now_ns();

	return !ioctl(vm->fd, ACRN_IOCTL_DESTROY_VM) &&
	       now_ns() - begin < 1000000000;
}

#define MODPROBE_SECONDS 3

/*
 * A doorbell makes the HSM load the data plane by a modprobe that takes
 * MODPROBE_SECONDS: this program itself. Other calls must not wait for it.
 */
static void test_slow_modprobe(void)
{
	static const char setting[] = "/proc/sys/kernel/modprobe";
	char self[128] = { 0 };
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	uint64_t begin = now_ns();
	pid_t pid;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		err(1, "/proc/self/exe");
	must(system("rmmod acrn_vhost 2> /dev/null; exit 0"), "rmmod");
	write_setting(setting, self);
	pid = fork();
	if (!pid)
		_exit(raw_ioeventfd(&vm, raw_eventfd(), ACRN_IOEVENTFD_FLAG_PIO,
				    BELL_PORT, 2, 0)
			      ? errno
			      : 0);
	usleep(300000);
	tap_ok(destroy_at_once(&vm),
	       "DESTROY_VM does not wait for a modprobe that is under way");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_ok(now_ns() - begin < MODPROBE_SECONDS * 1000000000ULL,
	       "nor does a device model that is killed");
	sleep(MODPROBE_SECONDS);
	write_setting(setting, "/sbin/modprobe");
	raw_vm_close(&vm);
}

int main(int argc, char **argv)
{
	/* Run as modprobe by the kernel, see test_slow_modprobe() */
	if (argc > 1 && !strcmp(argv[1], "-q")) {
		sleep(MODPROBE_SECONDS);
		return 1;
	}
	if (argc < 4 || argc > 2 + CPUS_MAX)
		errx(1, "usage: life_cycle KILLS CPU CPU...");
	kills = atoi(argv[1]);
	for (nr_cpus = 0; nr_cpus < argc - 2; nr_cpus++)
		cpus[nr_cpus] = atoi(argv[2 + nr_cpus]);

	tap_share_counts();
	group(test_exit_order);
	group(test_suspend);
	group(test_flush);
	group(test_halted);
	group(test_rtvm);
	group(test_kills);
	group(test_realtime_task);
	group(test_slow_modprobe);
	return tap_done();
}
