// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <sys/wait.h>

#include "conformance.h"
#include "hv_trace.h"
#include "raw_guest.h"

/* An errno that an HSM never returns of its own */
#define FAULT_ERRNO EXFULL

static void test_without_vm(void)
{
	static const struct {
		unsigned long cmd;
		const char *name;
	} ioctls[] = {
		{ ACRN_IOCTL_DESTROY_VM, "DESTROY_VM" },
		{ ACRN_IOCTL_START_VM, "START_VM" },
		{ ACRN_IOCTL_PAUSE_VM, "PAUSE_VM" },
		{ ACRN_IOCTL_RESET_VM, "RESET_VM" },
		{ ACRN_IOCTL_SET_VCPU_REGS, "SET_VCPU_REGS" },
		{ ACRN_IOCTL_INJECT_MSI, "INJECT_MSI" },
		{ ACRN_IOCTL_SET_IRQLINE, "SET_IRQLINE" },
		{ ACRN_IOCTL_NOTIFY_REQUEST_FINISH, "NOTIFY_REQUEST_FINISH" },
		{ ACRN_IOCTL_CREATE_IOREQ_CLIENT, "CREATE_IOREQ_CLIENT" },
		{ ACRN_IOCTL_ATTACH_IOREQ_CLIENT, "ATTACH_IOREQ_CLIENT" },
		{ ACRN_IOCTL_DESTROY_IOREQ_CLIENT, "DESTROY_IOREQ_CLIENT" },
		{ ACRN_IOCTL_CLEAR_VM_IOREQ, "CLEAR_VM_IOREQ" },
		{ ACRN_IOCTL_SET_MEMSEG, "SET_MEMSEG" },
		{ ACRN_IOCTL_UNSET_MEMSEG, "UNSET_MEMSEG" },
		{ ACRN_IOCTL_VM_INTR_MONITOR, "VM_INTR_MONITOR" },
		{ ACRN_IOCTL_SET_PTDEV_INTR, "SET_PTDEV_INTR" },
		{ ACRN_IOCTL_RESET_PTDEV_INTR, "RESET_PTDEV_INTR" },
		{ ACRN_IOCTL_ASSIGN_PCIDEV, "ASSIGN_PCIDEV" },
		{ ACRN_IOCTL_DEASSIGN_PCIDEV, "DEASSIGN_PCIDEV" },
		{ ACRN_IOCTL_ASSIGN_MMIODEV, "ASSIGN_MMIODEV" },
		{ ACRN_IOCTL_DEASSIGN_MMIODEV, "DEASSIGN_MMIODEV" },
		{ ACRN_IOCTL_CREATE_VDEV, "CREATE_VDEV" },
		{ ACRN_IOCTL_DESTROY_VDEV, "DESTROY_VDEV" },
		{ ACRN_IOCTL_PM_GET_CPU_STATE, "PM_GET_CPU_STATE" },
		{ ACRN_IOCTL_IOEVENTFD, "IOEVENTFD" },
		{ ACRN_IOCTL_IRQFD, "IRQFD" },
	};
	uint64_t zero[64] = { 0 };
	int fd = raw_open();

	for (size_t i = 0; i < sizeof(ioctls) / sizeof(ioctls[0]); i++) {
		tap_errno(ioctl(fd, ioctls[i].cmd, zero), EINVAL, "%s of no VM",
			  ioctls[i].name);
		tap_errno(ioctl(fd, ioctls[i].cmd, NULL), EINVAL,
			  "%s of no VM, no argument", ioctls[i].name);
	}
	close(fd);
}

static void test_unknown(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int fd = raw_open();

	tap_errno(ioctl(vm.fd, _IO(ACRN_IOCTL_TYPE, 0)), ENOTTY, "command 0");
	tap_errno(ioctl(vm.fd, _IO(ACRN_IOCTL_TYPE, 0x14)), ENOTTY,
		  "a number that there is not");
	tap_errno(ioctl(vm.fd, _IO(ACRN_IOCTL_TYPE, 0xff)), ENOTTY,
		  "the last number");
	tap_errno(ioctl(vm.fd, _IO('x', 0x12)), ENOTTY, "another type");
	tap_errno(ioctl(vm.fd, _IOW(ACRN_IOCTL_TYPE, 0x12, int)), ENOTTY,
		  "START_VM with an argument");
	tap_errno(ioctl(vm.fd, _IOW(ACRN_IOCTL_TYPE, 0x41, int)), ENOTTY,
		  "SET_MEMSEG of another size");
	differs_errno("ioctl-unknown", ioctl(fd, _IO(ACRN_IOCTL_TYPE, 0x14)),
		      ENOTTY, EINVAL, "a number that there is not, of no VM");
	close(fd);
	raw_vm_close(&vm);
}

/* Check the errno of CREATE_VM with the I/O request page @slots. */
static void expect_create(const void *slots, const char *difference, int ours,
			  int in_tree, const char *name)
{
	int fd = raw_open();

	differs_errno(difference, raw_create(fd, cpus[0], slots), ours, in_tree,
		      "CREATE_VM: %s", name);
	raw_close(fd);
	if (raw_hsm_is_in_tree())
		hv_reap(0);
}

static void test_create_arguments(void)
{
	struct acrn_vm_creation reserved0 = { .reserved0 = 1 },
				reserved1 = { .reserved1 = 1 };
	char *pages = raw_pages(2 * PAGE), *read_only = raw_pages(PAGE);
	int fd = raw_open();

	munmap(pages + PAGE, PAGE);
	mprotect(read_only, PAGE, PROT_READ);
	tap_errno(ioctl(fd, ACRN_IOCTL_CREATE_VM, &reserved0), EINVAL,
		  "CREATE_VM: first reserved field");
	tap_errno(ioctl(fd, ACRN_IOCTL_CREATE_VM, &reserved1), EINVAL,
		  "CREATE_VM: second reserved field");
	tap_errno(ioctl(fd, ACRN_IOCTL_CREATE_VM, NULL), EFAULT,
		  "CREATE_VM: no argument");
	if (!fixture_skip("CPUs, which it does not share",
			  "CREATE_VM: on a CPU of the Service VM"))
		differs_errno("create-errno", raw_create(fd, 0, pages), EPERM,
			      EINVAL, "CREATE_VM: on a CPU of the Service VM");
	tap_errno(ioctl(fd, ACRN_IOCTL_PAUSE_VM), EINVAL,
		  "after that there is no VM");
	close(fd);
	expect_create(pages + 64, "ioreq-page-aligned", EINVAL, 0,
		      "I/O request page not aligned");
	expect_create(pages + PAGE, "create-errno", EFAULT, EINVAL,
		      "I/O request page not mapped");
	expect_create(read_only, "create-errno", EFAULT, EINVAL,
		      "I/O request page not writable");
	expect_create(NULL, "create-errno", EFAULT, EINVAL,
		      "no I/O request page");
	expect_create((void *)-PAGE, "create-errno", EFAULT, EINVAL,
		      "I/O request page at the kernel's last address");
	munmap(pages, PAGE);
	munmap(read_only, PAGE);
}

static void test_create_refused(void)
{
	void *slots = raw_pages(PAGE);

	if (fixture_skip("registers", "CREATE_VM: the hypervisor refuses"))
		return;
	hv_fault(ACRN_HC_CREATE_VM, 1, 1, FAULT_ERRNO);
	expect_create(slots, "create-errno", FAULT_ERRNO, EINVAL,
		      "the hypervisor refuses");
	hv_fault(ACRN_HC_SET_IOREQ_BUFFER, 1, 1, FAULT_ERRNO);
	expect_create(slots, "create-errno", FAULT_ERRNO, EINVAL,
		      "the hypervisor refuses the page");
	munmap(slots, PAGE);
}

static int create_named(int fd, int cpu, const char *name)
{
	struct acrn_vm_creation args = { .vcpu_num = 1,
					 .ioreq_buf =
						 (uintptr_t)raw_pages(PAGE),
					 .cpu_affinity = 1ULL << cpu };

	memcpy(&args.uuid, name, strlen(name));
	return ioctl(fd, ACRN_IOCTL_CREATE_VM, &args);
}

/*
 * The hypervisor refuses the name of an existing VM, and that VM then loses its
 * name: its entry looks free, so the next VM with a new name fails too.
 */
static void test_names(void)
{
	int first = raw_open(), second = raw_open(), third = raw_open();

	tap_success(create_named(first, cpus[0], "first"),
		    "CREATE_VM with a name");
	tap_success(create_named(second, cpus[1], "second"),
		    "CREATE_VM with another one");
	differs_errno("create-errno", create_named(third, cpus[0], "first"),
		      EPERM, EINVAL, "CREATE_VM with the name of another VM");
	raw_close(third);
	third = raw_open();
	differs_errno("create-errno", create_named(third, cpus[0], "third"),
		      EPERM, EINVAL, "CREATE_VM with a new name, after that");
	raw_close(third);
	raw_close(first);
	third = raw_open();
	tap_success(create_named(third, cpus[0], "third"),
		    "CREATE_VM when the VM of that name has ended");
	raw_close(third);
	raw_close(second);
}

/*
 * On the in-tree HSM the hypervisor would spin for ever, on a lock of no CPU.
 */
static void test_create_no_cpu(void)
{
	int fd;

	if (differs_skip("create-no-cpu", "the hypervisor would be down",
			 "CREATE_VM on a CPU that is not there"))
		return;
	fd = raw_open();
	tap_errno(create_named(fd, 63, "none"), EINVAL,
		  "CREATE_VM on a CPU that is not there");
	tap_success(create_named(fd, cpus[0], "none"),
		    "CREATE_VM on one that is, after that");
	raw_close(fd);
}

/*
 * CREATE_VM cannot return the VM's id, when the VM has already been created. It
 * must be destroyed again.
 */
static void test_create_unreported(void)
{
	struct acrn_vm_creation *args = raw_pages(PAGE);
	void *slots = raw_pages(PAGE);
	long pinned = pages_pinned();
	int fd = raw_open();

	args->ioreq_buf = (uintptr_t)slots;
	args->cpu_affinity = 1ULL << cpus[0];
	mprotect(args, PAGE, PROT_READ);
	tap_errno(ioctl(fd, ACRN_IOCTL_CREATE_VM, args), EFAULT,
		  "CREATE_VM: argument that cannot be written to");
	differs_errno("destroy-running", ioctl(fd, ACRN_IOCTL_PAUSE_VM), EINVAL,
		      0, "after that there is no VM either");
	raw_close(fd);
	tap_eq(pages_pinned() - pinned, 0, "and no page is pinned");
	munmap(slots, PAGE);
	munmap(args, PAGE);
}

static void test_create(void)
{
	void *slots = raw_pages(PAGE);
	long pinned = pages_pinned();
	int fd = raw_open();

	tap_success(raw_create(fd, cpus[0], slots), "CREATE_VM");
	tap_eq(pages_pinned() - pinned, 1, "the I/O request page is pinned");
	if (!differs_skip("create-twice", "the list of VMs is left corrupt",
			  "CREATE_VM twice"))
		tap_errno(raw_create(fd, cpus[1], slots), EEXIST,
			  "CREATE_VM twice");
	tap_success(raw_destroy(fd), "DESTROY_VM");
	tap_errno(ioctl(fd, ACRN_IOCTL_DESTROY_VM), EINVAL, "DESTROY_VM twice");
	tap_errno(ioctl(fd, ACRN_IOCTL_PAUSE_VM), EINVAL,
		  "PAUSE_VM after DESTROY_VM");
	tap_eq(pages_pinned() - pinned, 0, "DESTROY_VM unpins all pages");
	if (!differs_skip("create-again", "the list of VMs is left corrupt",
			  "CREATE_VM after DESTROY_VM"))
		tap_success(raw_create(fd, cpus[0], slots),
			    "CREATE_VM after DESTROY_VM");
	close(fd);
	tap_eq(pages_pinned() - pinned, 0, "close unpins all pages");
	munmap(slots, PAGE);
}

static void test_states(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);

	tap_errno(ioctl(vm.fd, ACRN_IOCTL_RESET_VM), EPERM,
		  "RESET_VM before it was paused");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM), "PAUSE_VM");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM), "PAUSE_VM twice");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_START_VM), EPERM,
		  "START_VM of a paused VM");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_RESET_VM), "RESET_VM");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_RESET_VM), EPERM, "RESET_VM twice");
	raw_vm_close(&vm);
}

static void test_no_vcpu(void)
{
	struct acrn_vm_creation args = { .vcpu_num = 1 };
	void *page = raw_pages(PAGE);
	int fd = raw_open();

	args.ioreq_buf = (uintptr_t)page;
	tap_ok(!ioctl(fd, ACRN_IOCTL_CREATE_VM, &args) && !args.vcpu_num,
	       "CREATE_VM without a vCPU");
	if (!differs_skip("start-no-vcpu", "the hypervisor would be down",
			  "START_VM without a vCPU"))
		tap_errno(ioctl(fd, ACRN_IOCTL_START_VM), EINVAL,
			  "START_VM without a vCPU");
	raw_close(fd);
	munmap(page, PAGE);
}

static void expect_regs(int fd, const struct acrn_vcpu_regs *regs,
			const char *name)
{
	tap_errno(ioctl(fd, ACRN_IOCTL_SET_VCPU_REGS, regs), EINVAL,
		  "SET_VCPU_REGS: %s", name);
}

static void test_vcpu_regs(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct acrn_vcpu_regs regs = { .vcpu_id = 1 };
	struct trace trace = trace_start();

	differs_errno("vcpu-regs",
		      ioctl(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &regs), EINVAL,
		      EPERM, "SET_VCPU_REGS: vCPU 1 of 1");
	regs.vcpu_id = 0xffff;
	differs_errno("vcpu-regs",
		      ioctl(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &regs), EINVAL,
		      EPERM, "SET_VCPU_REGS: vCPU 65535");
	if (!fixture_skip("registers",
			  "SET_VCPU_REGS: no such vCPU, hypercalls"))
		differs_eq("vcpu-regs",
			   trace_calls(&trace, ACRN_HC_SET_VCPU_REGS), 0, 2,
			   "SET_VCPU_REGS: no such vCPU, hypercalls");

	regs = (struct acrn_vcpu_regs){ .reserved = { 0, 0, 1 } };
	expect_regs(vm.fd, &regs, "first reserved field");
	regs = (struct acrn_vcpu_regs){ .vcpu_regs.gdt.reserved[2] = 1 };
	expect_regs(vm.fd, &regs, "reserved field of the GDT");
	regs = (struct acrn_vcpu_regs){ .vcpu_regs.idt.reserved[0] = 1 };
	expect_regs(vm.fd, &regs, "reserved field of the IDT");
	regs = (struct acrn_vcpu_regs){ .vcpu_regs.reserved_64[3] = 1 };
	expect_regs(vm.fd, &regs, "reserved field of 64 bits");
	regs = (struct acrn_vcpu_regs){ .vcpu_regs.reserved_32[2] = 1 };
	expect_regs(vm.fd, &regs, "reserved field of 32 bits");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, NULL), EFAULT,
		  "SET_VCPU_REGS: no argument");
	fixture_eq(trace_calls(&trace, ACRN_HC_SET_VCPU_REGS), 0,
		   "SET_VCPU_REGS: none of these is passed on");

	regs = raw_registers(0x1000, 0x1000);
	regs.vcpu_regs.cr0 = 0;
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &regs), EPERM,
		  "SET_VCPU_REGS: CR0 of 0");
	regs = raw_registers(0x1000, 0x1000);
	regs.vcpu_regs.cr4 = 1ULL << 13;
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &regs), EPERM,
		  "SET_VCPU_REGS: CR4 with VMX");
	tap_success(raw_set_registers(vm.fd, 0x1000, 0x1000), "SET_VCPU_REGS");
	ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM);
	tap_success(raw_set_registers(vm.fd, 0x1000, 0x1000),
		    "SET_VCPU_REGS of a paused VM");
	trace_stop(&trace);
	raw_vm_close(&vm);
}

static void test_destroy_running(void)
{
	struct guest guest = guest_create(cpus[0], 0);
	struct trace trace = trace_start();
	struct hv_trace_entry calls[32];
	unsigned int n, paused = 0;

	create_client(&guest);
	start(&guest);
	wait_request(&guest);
	trace_take(&trace, calls, 32);
	differs_errno("destroy-running",
		      ioctl(guest.vm.fd, ACRN_IOCTL_DESTROY_VM), 0, EPERM,
		      "DESTROY_VM of a VM that runs");
	n = trace_take(&trace, calls, 32);
	for (unsigned int i = 0; i < n; i++)
		paused += calls[i].id == (ACRN_HC_PAUSE_VM & 0xff);
	fixture_ok(n && calls[n - 1].id == (ACRN_HC_DESTROY_VM & 0xff),
		   "the hypervisor is to destroy it");
	if (!fixture_skip("registers", "it was paused before, hypercalls"))
		differs_eq("destroy-running", paused, 1, 0,
			   "it was paused before, hypercalls");
	trace_stop(&trace);
	guest_close(&guest);
}

static void test_destroy_fails(void)
{
	long pinned = pages_pinned();
	struct raw_vm vm;

	if (fixture_skip("registers", "DESTROY_VM fails"))
		return;
	vm = raw_vm_create(cpus[0], 0);
	hv_fault(ACRN_HC_DESTROY_VM, 1, 1, FAULT_ERRNO);
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_DESTROY_VM), FAULT_ERRNO,
		  "DESTROY_VM fails");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM), "PAUSE_VM afterwards");
	tap_success(raw_destroy(vm.fd), "DESTROY_VM again");
	tap_eq(pages_pinned() - pinned, 0, "then no page is pinned");
	raw_vm_close(&vm);
	if (differs_skip("destroy-fails", "a freed VM stays in the list of VMs",
			 "close when the hypervisor does not destroy the VM"))
		return;
	vm = raw_vm_create(cpus[0], 0);
	hv_fault(ACRN_HC_DESTROY_VM, 1, 1, FAULT_ERRNO);
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, 0,
	       "close when the hypervisor does not destroy the VM");
}

/* Number of new hypercalls in the trace that can wake a vCPU. */
static unsigned int wakeups(struct trace *trace)
{
	const struct hv_trace_entry *entry;
	unsigned int calls = 0;

	while ((entry = trace_next(trace)))
		calls += entry->id == (ACRN_HC_NOTIFY_REQUEST_FINISH & 0xff) ||
			 entry->id == (ACRN_HC_INJECT_MSI & 0xff) ||
			 entry->id == (ACRN_HC_SET_IRQLINE & 0xff);
	return calls;
}

/*
 * On ACRN a vCPU that is woken in a paused VM runs, and ACRN goes down when the
 * VM is destroyed. So the HSM must make no hypercall that wakes one.
 */
static void test_send_paused(void)
{
	int irq = raw_eventfd(), fd;
	struct guest guest;
	struct trace trace;

	if (raw_hsm_is_in_tree() &&
	    fixture_skip("patience", "what wakes vCPUs while paused"))
		return;
	guest = guest_create(cpus[0], 0);
	fd = guest.vm.fd;
	create_client(&guest);
	raw_irqfd(&guest.vm, irq, 0, MSI_ADDRESS, 0x41);
	start(&guest);
	wait_request(&guest);
	tap_success(ioctl(fd, ACRN_IOCTL_PAUSE_VM),
		    "PAUSE_VM with a request outstanding");
	trace = trace_start();
	finish(&guest, ONES);
	tap_success(raw_inject_msi(fd, MSI_ADDRESS, 0x41),
		    "INJECT_MSI while paused");
	tap_success(ioctl(fd, ACRN_IOCTL_SET_IRQLINE, 4UL),
		    "SET_IRQLINE while paused");
	raw_signal(irq);
	destroy_client(&guest);
	if (!fixture_skip("registers",
			  "hypercalls that wake vCPUs while paused"))
		differs_eq("send-paused", wakeups(&trace), 0, 4,
			   "hypercalls that wake vCPUs while paused");
	trace_stop(&trace);

	tap_success(ioctl(fd, ACRN_IOCTL_RESET_VM), "RESET_VM after it");
	create_client(&guest);
	start(&guest);
	tap_eq(read_port(&guest, 4, 0x90, 0x77), 0x77, "the VM runs again");
	close(irq);
	guest_close(&guest);
}

static void *attach(void *arg)
{
	ioctl(*(int *)arg, ACRN_IOCTL_ATTACH_IOREQ_CLIENT);
	return NULL;
}

/* A process that gives the VM memory and exits while a thread is attached. */
static int end_while_attached(int fd)
{
	void *pages = raw_pages(4 * PAGE);
	pthread_t thread;

	if (pthread_create(&thread, NULL, attach, &fd))
		return 1;
	usleep(50000);
	return raw_set_ram(fd, 0, pages, 4 * PAGE) ||
	       ioctl(fd, ACRN_IOCTL_PAUSE_VM);
}

/* A VM belongs to the open file, not to a process. */
static void test_fork(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	long pinned;
	int status;
	pid_t pid;

	ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
	pid = fork();
	if (!pid)
		_exit(end_while_attached(vm.fd));
	waitpid(pid, &status, 0);
	tap_ok(WIFEXITED(status) && !WEXITSTATUS(status),
	       "a child gives the VM memory and ends while attached");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM),
		    "the VM is there when the child has ended");

	pid = fork();
	if (!pid) {
		usleep(100000);
		_exit(ioctl(vm.fd, ACRN_IOCTL_DESTROY_VM));
	}
	pinned = pages_pinned();
	close(vm.fd);
	waitpid(pid, &status, 0);
	tap_ok(WIFEXITED(status) && !WEXITSTATUS(status),
	       "a child destroys the VM that its parent has closed");
	tap_eq(pages_pinned() - pinned, -5, "and all pages are unpinned");
	munmap(vm.slots, PAGE);
}

static void test_close_order(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(PAGE);
	int copy = dup(vm.fd), efd = raw_eventfd();

	raw_set_ram(vm.fd, 0, pages, PAGE);
	raw_ioeventfd(&vm, efd, ACRN_IOEVENTFD_FLAG_PIO, 0x1000, 2, 0);
	raw_irqfd(&vm, efd, 0, MSI_ADDRESS, 0x41);
	munmap(pages, PAGE);
	raw_vm_close(&vm);
	tap_success(ioctl(copy, ACRN_IOCTL_PAUSE_VM),
		    "the VM lives as long as one descriptor does");
	close(efd);
	tap_success(ioctl(copy, ACRN_IOCTL_RESET_VM),
		    "and when its eventfds are closed");
	raw_close(copy);
}

void test_life(void)
{
	group(test_without_vm);
	group(test_unknown);
	group(test_create_arguments);
	group(test_create_refused);
	group(test_names);
	group(test_create_unreported);
	group(test_create_no_cpu);
	group(test_create);
	group(test_states);
	group(test_no_vcpu);
	group(test_vcpu_regs);
	group(test_destroy_running);
	group(test_destroy_fails);
	group(test_send_paused);
	group(test_fork);
	group(test_close_order);
}
