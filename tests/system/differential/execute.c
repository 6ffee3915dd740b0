// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include "calls.h"
#include "hv_trace.h"
#include "raw_async.h"
#include "raw_vm.h"

#define PAGE	  0x1000UL
#define RAM_PAGES 16
#define HUGE	  (2UL << 20)
#define HPET	  0xfed00000UL
#define CODE_ADDR 0x3000
#define DONE_ADDR 0x8010

#define HYPERCALLS_MAX 64
/* A User VM that has made no request within this time waits for good. */
#define PATIENCE_MS 200

/*
 * Code of the User VM: eight times read port 0x80 and write to port 0x1000,
 * which may have a doorbell; then set the word at DONE_ADDR and halt.
 */
extern const char sequence_code[], sequence_code_end[];
asm(".pushsection .rodata\n"
    "sequence_code:\n"
    ".code32\n"
    "	mov $8, %ecx\n"
    "1:	mov $0x80, %edx\n"
    "	in (%dx), %eax\n"
    "	mov $0x1000, %edx\n"
    "	mov $1, %eax\n"
    "	out %ax, (%dx)\n"
    "	loop 1b\n"
    "	movl $1, 0x8010\n"
    "	cli\n"
    "	hlt\n"
    ".code64\n"
    "sequence_code_end:\n"
    ".popsection\n");

/**
 * struct file - An open /dev/acrn_hsm
 * @fd:		Descriptor
 * @vmid:	Id of the VM that was created last
 * @slots:	I/O request page
 * @client:	The VM has a client
 * @exists:	The VM exists
 * @runs:	The VM was started, and does not wait for good
 */
struct file {
	int fd;
	uint16_t vmid;
	struct acrn_io_request_buffer *slots;
	bool client;
	bool exists;
	bool runs;
};

static struct file files[FILES];
static int eventfds[EVENTFDS];
static int null_fd;
static int first_cpu;
static struct trace trace;

/* Addresses of &enum place, and memory for the ioctls' arguments */
static char *place_of[PLACES];
static char *argument;
static char *argument_read_only;

static void *map_device(int prot)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	void *device = mmap(NULL, PAGE, prot, MAP_SHARED, fd, HPET);

	if (device == MAP_FAILED)
		err(1, "/dev/mem");
	close(fd);
	return device;
}

static void *map_huge_pages(void)
{
	FILE *file = fopen("/proc/sys/vm/nr_hugepages", "w");
	void *pages;

	if (!file || fprintf(file, "4\n") < 0 || fclose(file))
		err(1, "nr_hugepages");
	pages = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE,
		     -1, 0);
	if (pages == MAP_FAILED)
		err(1, "huge pages");
	return pages;
}

static void make_guest(char *ram)
{
	static const uint64_t segments[] = { 0x00cf9b000000ffff,
					     0x00cf93000000ffff };

	memcpy(ram + RAW_GDT + 0x10, segments, sizeof(segments));
	memcpy(ram + CODE_ADDR, sequence_code,
	       sequence_code_end - sequence_code);
}

static void make_places(void)
{
	char *ram = raw_pages((RAM_PAGES + 1) * PAGE);

	munmap(ram + RAM_PAGES * PAGE, PAGE);
	for (uint64_t i = 0; i < RAM_PAGES; i++)
		*(uint64_t *)(ram + i * PAGE) = 0x1111 * (i + 1);
	place_of[RAM] = ram;
	place_of[RAM_SECOND] = ram + PAGE;
	place_of[RAM_ODD] = ram + 100;
	place_of[RAM_END] = ram + (RAM_PAGES - 1) * PAGE;
	place_of[HOLE] = ram + RAM_PAGES * PAGE;
	place_of[READ_ONLY] = raw_pages(4 * PAGE);
	mprotect(place_of[READ_ONLY], 4 * PAGE, PROT_READ);
	place_of[KERNEL] = (char *)(1UL << 63);
	place_of[HUGE_PAGES] = map_huge_pages();
	place_of[DEVICE] = map_device(PROT_READ | PROT_WRITE);
	place_of[DEVICE_READ_ONLY] = map_device(PROT_READ);
	place_of[GUEST] = raw_pages(GUEST_SIZE);
	make_guest(place_of[GUEST]);
	place_of[MONITOR] = raw_pages(PAGE);
	place_of[MONITOR_OTHER] = raw_pages(PAGE);
	place_of[MONITOR_ODD] = place_of[MONITOR] + 8;
	place_of[MONITOR_COMMAND] = raw_pages(PAGE);
	((struct acrn_intr_monitor *)place_of[MONITOR_COMMAND])->cmd = 7;
}

/* SIGALRM ends ATTACH_IOREQ_CLIENT when there is no request. */
static void ignore_signal(int sig)
{
	(void)sig;
}

static void set_alarm(suseconds_t us)
{
	const struct itimerval timer = { .it_value.tv_usec = us,
					 .it_interval.tv_usec = us };

	setitimer(ITIMER_REAL, &timer, NULL);
}

void execute_init(int cpu)
{
	struct sigaction action = { .sa_handler = ignore_signal };

	first_cpu = cpu;
	/* The in-tree HSM, to which we are compared, has no async doorbells. */
	raw_use_async("off");
	sigaction(SIGALRM, &action, NULL);
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	make_places();
	argument = raw_pages(PAGE);
	argument_read_only = raw_pages(PAGE);
	trace = trace_start();
}

static uint64_t place(const struct file *file, uint64_t where)
{
	if (where == SLOTS)
		return (uintptr_t)file->slots;
	if (where == SLOTS_ODD)
		return (uintptr_t)file->slots + 64;
	return (uintptr_t)place_of[where];
}

static int eventfd_of(uint64_t n)
{
	if (n < EVENTFDS)
		return eventfds[n];
	return n == EVENTFDS ? -1 : null_fd;
}

static uint64_t vmid_of(const struct file *file, uint64_t whose)
{
	if (whose == VMID_OWN)
		return file->vmid;
	return whose == VMID_OTHER ? files[file == files].vmid : 0x77;
}

/* The build functions make the structure for an ioctl from a call's numbers. */

static void build_create(const struct file *file, const uint64_t *args)
{
	struct acrn_vm_creation *create = (void *)argument;
	uint64_t affinity = args[CREATE_AFFINITY];

	create->reserved0 = args[CREATE_RESERVED];
	create->vcpu_num = 1;
	create->vm_flag = args[CREATE_FLAG];
	memcpy(&create->uuid, &args[CREATE_NAME], sizeof(args[0]));
	create->ioreq_buf = place(file, args[CREATE_SLOTS]);
	/* The last bit stands for a CPU of the Service VM. */
	create->cpu_affinity = affinity >> 63 ? 1 : affinity << first_cpu;
}

static void build_regs(const struct file *file, const uint64_t *args)
{
	struct acrn_vcpu_regs *regs = (void *)argument;

	(void)file;
	*regs = raw_registers(CODE_ADDR, 0);
	regs->vcpu_id = args[REGS_VCPU];
	regs->reserved[1] = args[REGS_RESERVED] == 1;
	regs->vcpu_regs.gdt.reserved[0] = args[REGS_RESERVED] == 2;
	regs->vcpu_regs.idt.reserved[2] = args[REGS_RESERVED] == 3;
	regs->vcpu_regs.reserved_64[1] = args[REGS_RESERVED] == 4;
	regs->vcpu_regs.reserved_32[1] = args[REGS_RESERVED] == 5;
}

static void build_memseg(const struct file *file, const uint64_t *args)
{
	struct acrn_vm_memmap *map = (void *)argument;
	uint64_t from = args[MEMSEG_FROM];

	map->type = args[MEMSEG_TYPE];
	map->attr = args[MEMSEG_ATTR];
	map->user_vm_pa = args[MEMSEG_GPA];
	map->vma_base =
		map->type == ACRN_MEMMAP_MMIO ? from : place(file, from);
	map->len = args[MEMSEG_LEN];
}

static void build_notify(const struct file *file, const uint64_t *args)
{
	struct acrn_ioreq_notify *notify = (void *)argument;

	(void)file;
	notify->vmid = args[NOTIFY_VMID];
	notify->reserved = args[NOTIFY_RESERVED];
	notify->vcpu = args[NOTIFY_VCPU];
}

static void build_msi(const struct file *file, const uint64_t *args)
{
	struct acrn_msi_entry *msi = (void *)argument;

	(void)file;
	msi->msi_addr = args[MSI_ADDRESS];
	msi->msi_data = args[MSI_DATA];
}

static void build_ptdev(const struct file *file, const uint64_t *args)
{
	struct acrn_ptdev_irq *irq = (void *)argument;

	(void)file;
	irq->type = args[PTDEV_TYPE];
	irq->virt_bdf = args[PTDEV_VIRT];
	irq->phys_bdf = args[PTDEV_PHYS];
	irq->intx.virt_pin = args[PTDEV_VIRT_PIN];
	irq->intx.phys_pin = args[PTDEV_PHYS_PIN];
	irq->intx.is_pic_pin = args[PTDEV_PIC];
}

static void build_pcidev(const struct file *file, const uint64_t *args)
{
	struct acrn_pcidev *device = (void *)argument;

	(void)file;
	device->type = args[PCIDEV_TYPE];
	device->virt_bdf = args[PCIDEV_VIRT];
	device->phys_bdf = args[PCIDEV_PHYS];
}

static void build_mmiodev(const struct file *file, const uint64_t *args)
{
	struct acrn_mmiodev *device = (void *)argument;

	(void)file;
	device->res[0].user_vm_pa = args[MMIODEV_GPA];
	device->res[0].service_vm_pa = args[MMIODEV_FROM];
	device->res[0].size = args[MMIODEV_SIZE];
}

static void build_vdev(const struct file *file, const uint64_t *args)
{
	struct acrn_vdev *device = (void *)argument;

	(void)file;
	device->id.value = args[VDEV_ID];
	device->slot = args[VDEV_SLOT];
}

static void build_pm(const struct file *file, const uint64_t *args)
{
	uint64_t command =
		args[PM_TYPE] | args[PM_STATE] << ACRN_PMCMD_STATE_SHIFT |
		args[PM_VCPU] << 16 |
		vmid_of(file, args[PM_VMID]) << ACRN_PMCMD_VMID_SHIFT;

	memcpy(argument, &command, sizeof(command));
}

static void build_ioeventfd(const struct file *file, const uint64_t *args)
{
	struct acrn_ioeventfd *bell = (void *)argument;

	(void)file;
	bell->fd = eventfd_of(args[IOEVENTFD_FD]);
	bell->flags = args[IOEVENTFD_FLAGS];
	bell->addr = args[IOEVENTFD_ADDR];
	bell->len = args[IOEVENTFD_LEN];
	bell->data = args[IOEVENTFD_DATA];
	bell->reserved = args[IOEVENTFD_RESERVED];
}

static void build_irqfd(const struct file *file, const uint64_t *args)
{
	struct acrn_irqfd *irqfd = (void *)argument;

	(void)file;
	irqfd->fd = eventfd_of(args[IRQFD_FD]);
	irqfd->flags = args[IRQFD_FLAGS];
	irqfd->msi.msi_addr = args[IRQFD_ADDR];
	irqfd->msi.msi_data = args[IRQFD_DATA];
}

static const struct {
	unsigned long cmd;
	void (*build)(const struct file *file, const uint64_t *args);
} ioctls[KINDS] = {
	[CREATE_VM] = { ACRN_IOCTL_CREATE_VM, build_create },
	[DESTROY_VM] = { ACRN_IOCTL_DESTROY_VM, NULL },
	[START_VM] = { ACRN_IOCTL_START_VM, NULL },
	[PAUSE_VM] = { ACRN_IOCTL_PAUSE_VM, NULL },
	[RESET_VM] = { ACRN_IOCTL_RESET_VM, NULL },
	[SET_VCPU_REGS] = { ACRN_IOCTL_SET_VCPU_REGS, build_regs },
	[SET_MEMSEG] = { ACRN_IOCTL_SET_MEMSEG, build_memseg },
	[UNSET_MEMSEG] = { ACRN_IOCTL_UNSET_MEMSEG, build_memseg },
	[CREATE_CLIENT] = { ACRN_IOCTL_CREATE_IOREQ_CLIENT, NULL },
	[DESTROY_CLIENT] = { ACRN_IOCTL_DESTROY_IOREQ_CLIENT, NULL },
	[ATTACH_CLIENT] = { ACRN_IOCTL_ATTACH_IOREQ_CLIENT, NULL },
	[NOTIFY] = { ACRN_IOCTL_NOTIFY_REQUEST_FINISH, build_notify },
	[CLEAR_IOREQ] = { ACRN_IOCTL_CLEAR_VM_IOREQ, NULL },
	[INJECT_MSI] = { ACRN_IOCTL_INJECT_MSI, build_msi },
	[SET_PTDEV_INTR] = { ACRN_IOCTL_SET_PTDEV_INTR, build_ptdev },
	[RESET_PTDEV_INTR] = { ACRN_IOCTL_RESET_PTDEV_INTR, build_ptdev },
	[ASSIGN_PCIDEV] = { ACRN_IOCTL_ASSIGN_PCIDEV, build_pcidev },
	[DEASSIGN_PCIDEV] = { ACRN_IOCTL_DEASSIGN_PCIDEV, build_pcidev },
	[ASSIGN_MMIODEV] = { ACRN_IOCTL_ASSIGN_MMIODEV, build_mmiodev },
	[DEASSIGN_MMIODEV] = { ACRN_IOCTL_DEASSIGN_MMIODEV, build_mmiodev },
	[CREATE_VDEV] = { ACRN_IOCTL_CREATE_VDEV, build_vdev },
	[DESTROY_VDEV] = { ACRN_IOCTL_DESTROY_VDEV, build_vdev },
	[PM_GET_STATE] = { ACRN_IOCTL_PM_GET_CPU_STATE, build_pm },
	[IOEVENTFD] = { ACRN_IOCTL_IOEVENTFD, build_ioeventfd },
	[IRQFD] = { ACRN_IOCTL_IRQFD, build_irqfd },
};

static int call_ioctl(const struct file *file, const struct call *call)
{
	unsigned long cmd = ioctls[call->kind].cmd;

	memset(argument, 0, PAGE);
	if (ioctls[call->kind].build)
		ioctls[call->kind].build(file, call->args);
	if (call->arg == ARG_NULL)
		return ioctl(file->fd, cmd, NULL);
	if (call->arg == ARG_OK)
		return ioctl(file->fd, cmd, argument);
	mprotect(argument_read_only, PAGE, PROT_READ | PROT_WRITE);
	memcpy(argument_read_only, argument, PAGE);
	mprotect(argument_read_only, PAGE, PROT_READ);
	return ioctl(file->fd, cmd, argument_read_only);
}

static int call_attach(const struct file *file)
{
	int ret;

	set_alarm(1000);
	ret = ioctl(file->fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT);
	set_alarm(0);
	return ret;
}

static struct acrn_io_request *slot_of(const struct file *file)
{
	return &file->slots->req_slot[0];
}

static bool request_waits(const struct file *file)
{
	return __atomic_load_n(&slot_of(file)->processed, __ATOMIC_ACQUIRE) ==
		       ACRN_IOREQ_STATE_PROCESSING &&
	       !slot_of(file)->kernel_handled;
}

static int call_answer(const struct file *file, uint64_t value)
{
	if (!file->exists || !request_waits(file))
		return 0;
	slot_of(file)->reqs.pio_request.value = value;
	return raw_notify(file->fd, 0);
}

static int reopen(uint64_t n)
{
	close(eventfds[n]);
	eventfds[n] = raw_eventfd();
	return 0;
}

/* Make the call. Returns its result, with errno. */
static long do_call(struct file *file, const struct call *call)
{
	switch (call->kind) {
	case ATTACH_CLIENT:
		return call_attach(file);
	case SET_IRQLINE:
		return ioctl(file->fd, ACRN_IOCTL_SET_IRQLINE, call->args[0]);
	case INTR_MONITOR:
		return ioctl(file->fd, ACRN_IOCTL_VM_INTR_MONITOR,
			     place(file, call->args[0]));
	case UNKNOWN:
		return ioctl(file->fd, call->args[0], NULL);
	case ANSWER:
		return call_answer(file, call->args[0]);
	case SIGNAL:
		raw_signal(eventfds[call->args[0]]);
		return 0;
	case READ:
		return raw_events(eventfds[call->args[0]]);
	case REOPEN:
		return reopen(call->args[0]);
	case CREATE_VM:
		/* Otherwise the VM inherits polling from the last one. */
		hv_forget_polling();
		return call_ioctl(file, call);
	default:
		return call_ioctl(file, call);
	}
}

/* After a successful call, keep track of the VM so that settle() works. */
static void follow(struct file *file, const struct call *call)
{
	struct acrn_vm_creation *create = (void *)argument;

	switch (call->kind) {
	case CREATE_VM:
		file->vmid = create->vmid;
		file->exists = true;
		break;
	case CREATE_CLIENT:
		file->client = true;
		break;
	case DESTROY_CLIENT:
		file->client = false;
		break;
	case START_VM:
		file->runs = true;
		break;
	case PAUSE_VM:
		file->runs = false;
		break;
	case DESTROY_VM:
		file->runs = false;
		file->exists = false;
		break;
	default:
		break;
	}
}

static bool is_done(void)
{
	return *(volatile uint32_t *)(place_of[GUEST] + DONE_ADDR);
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Wait until the User VM waits for an answer or has ended. Without a client
 * there is nothing to wait for: its requests are completed by themselves, or
 * never.
 */
static void settle(struct file *file)
{
	long end = now_ms() + PATIENCE_MS;

	if (!file->runs)
		return;
	while (!request_waits(file) && !is_done() &&
	       (file->client && now_ms() < end))
		usleep(20);
	if (!request_waits(file) && !is_done())
		file->runs = false;
}

/* FNV-1a hash, of results in the argument and of hypercalls' arguments */
static uint32_t digest(const void *bytes, size_t size)
{
	const uint8_t *p = bytes;
	uint32_t hash = 0x811c9dc5;

	while (size--)
		hash = (hash ^ *p++) * 0x1000193;
	return hash;
}

static void print_hypercalls(bool verbose)
{
	struct hv_trace_entry calls[HYPERCALLS_MAX];
	unsigned int n = trace_take(&trace, calls, HYPERCALLS_MAX);

	for (unsigned int i = 0; i < n; i++) {
		printf(":%x.%u.%lld.%x", calls[i].id, calls[i].vmid,
		       (long long)calls[i].result,
		       digest(calls[i].args, sizeof(calls[i].args)));
		for (int arg = 0; verbose && arg < 6; arg++)
			printf("/%llx", (long long)calls[i].args[arg]);
	}
}

/* Print the request in the slot if it waits for an answer. */
static void print_request(const struct file *file)
{
	const struct acrn_io_request *slot = slot_of(file);

	if (!file->exists || !request_waits(file))
		return;
	printf("@%u.%u.%llx.%llu", slot->type, slot->reqs.pio_request.direction,
	       (long long)slot->reqs.pio_request.address,
	       (long long)slot->reqs.pio_request.size);
}

/*
 * Called before a VM is destroyed. The in-tree HSM wakes vCPUs of a paused VM
 * (send-paused), and asks the hypervisor to destroy VMs that are not paused
 * (destroy-running). The hypervisor goes down by the first, for which the reset
 * is here, and refuses the second, for which the last pause is.
 */
static void prepare_end(const struct file *file)
{
	struct hv_trace_entry unseen[HYPERCALLS_MAX];

	if (!raw_hsm_is_in_tree())
		return;
	ioctl(file->fd, ACRN_IOCTL_PAUSE_VM);
	ioctl(file->fd, ACRN_IOCTL_RESET_VM);
	ioctl(file->fd, ACRN_IOCTL_PAUSE_VM);
	trace_take(&trace, unseen, HYPERCALLS_MAX);
}

/*
 * When CREATE_VM fails half way, the in-tree HSM cannot destroy the VM, which
 * is not paused (destroy-running), and leaves it behind. Destroy it by hand.
 */
static void undo_create(const struct file *file)
{
	struct hv_trace_entry unseen[HYPERCALLS_MAX];
	uint32_t others = 0;

	if (!raw_hsm_is_in_tree())
		return;
	raw_destroy(file->fd);
	for (int i = 0; i < FILES; i++)
		if (files[i].exists)
			others |= 1U << files[i].vmid;
	hv_reap(others);
	trace_take(&trace, unseen, HYPERCALLS_MAX);
}

static void run_call(const struct call *call, bool verbose)
{
	struct file *file = &files[call->file];
	long ret;

	if (call->kind == DESTROY_VM)
		prepare_end(file);
	if (call->kind == START_VM)
		*(volatile uint32_t *)(place_of[GUEST] + DONE_ADDR) = 0;
	errno = 0;
	ret = do_call(file, call);
	if (ret < 0)
		printf(" %d", errno);
	else if (call->kind == READ)
		printf(" 0=%ld", ret);
	else if (call->kind == PM_GET_STATE)
		printf(" 0=%x", digest(argument, 256));
	else
		printf(" 0");
	if (ret >= 0)
		follow(file, call);
	settle(&files[0]);
	print_request(&files[0]);
	print_hypercalls(verbose);
	if (call->kind == CREATE_VM && ret < 0)
		undo_create(file);
}

void execute(const struct sequence *sequence, bool verbose)
{
	for (int i = 0; i < FILES; i++)
		files[i] = (struct file){ .fd = raw_open(),
					  .slots = raw_pages(PAGE) };
	for (int i = 0; i < EVENTFDS; i++)
		eventfds[i] = raw_eventfd();
	for (unsigned int i = 0; i < sequence->n; i++)
		run_call(&sequence->calls[i], verbose);
	for (int i = 0; i < FILES; i++)
		prepare_end(&files[i]);
	for (int i = 0; i < FILES; i++) {
		close(files[i].fd);
		munmap(files[i].slots, PAGE);
	}
	for (int i = 0; i < EVENTFDS; i++)
		close(eventfds[i]);
	/* The hypercalls by which the VMs ended belong to the result. */
	printf(" 0");
	print_hypercalls(verbose);
	printf("\n");
}
