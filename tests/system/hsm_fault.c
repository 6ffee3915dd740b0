// SPDX-License-Identifier: GPL-2.0
/*
 * The hypervisor fails each hypercall in turn. The device model must get the
 * hypervisor's errno, no page may stay pinned without need, and the calls that
 * follow must work.
 *
 * Arguments: physical CPUs of two User VMs.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "acrn_hypercall.h"
#include "fixture.h"
#include "hv_trace.h"
#include "raw_async.h"
#include "raw_event.h"
#include "raw_guest.h"
#include "tap.h"

#define PAGE 0x1000UL
#define HPET 0xfed00000UL

#define PAUSE_ROUNDS 200

#define BELL_PORT   0x1000
#define MSI_ADDRESS 0xfee00000ULL

/* An errno that the HSM never returns of its own */
#define FAULT_ERRNO EXFULL

static int cpus[2];

/* Create and close a VM, and check that @pinned pages are pinned afterwards. */
static void expect_clean(long pinned, const char *name)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);

	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, 0, "%s: no page stays pinned", name);
}

/* Make @call while hypercall @id fails once, and again when it does not. */
#define expect_fault(id, call, name)                                           \
	do {                                                                   \
		hv_fault(id, 1, 1, FAULT_ERRNO);                               \
		tap_errno(call, FAULT_ERRNO, "%s fails", name);                \
		tap_ok(hv_fault_done(), "%s: the hypervisor was asked", name); \
		tap_success(call, "%s is done the next time", name);           \
	} while (0)

static void test_create(void)
{
	long pinned = pages_pinned();
	void *slots = raw_pages(PAGE);
	int fd = raw_open();

	expect_fault(ACRN_HC_CREATE_VM, raw_create(fd, cpus[0], slots),
		     "CREATE_VM");
	ioctl(fd, ACRN_IOCTL_DESTROY_VM);
	expect_fault(ACRN_HC_SET_IOREQ_BUFFER, raw_create(fd, cpus[0], slots),
		     "CREATE_VM: SET_IOREQ_BUFFER");
	ioctl(fd, ACRN_IOCTL_DESTROY_VM);
	tap_eq(pages_pinned() - pinned, 0, "CREATE_VM: no page stays pinned");
	close(fd);
	munmap(slots, PAGE);
	expect_clean(pinned, "CREATE_VM");
}

/* Check that the VM runs and that its client, doorbell and irqfd work. */
static void expect_serves(struct guest *guest, int bell, int irq,
			  const char *when)
{
	unsigned long msis = raw_stat(&guest->vm, "msis");

	tap_eq(read_port(guest, 4, 0x90, 0x77), 0x77, "%s: its client answers",
	       when);
	raw_events(bell);
	write_port(guest, 2, BELL_PORT, 1);
	tap_eq(raw_events(bell), 1, "%s: its doorbell rings", when);
	raw_signal(irq);
	tap_eq(raw_stat(&guest->vm, "msis") - msis, 1, "%s: its irqfd injects",
	       when);
}

static void test_destroy(void)
{
	long pinned = pages_pinned();
	struct guest guest = guest_create(cpus[0], 0);
	int fd = guest.vm.fd, bell = raw_eventfd(), irq = raw_eventfd();

	create_client(&guest);
	if (raw_ioeventfd(&guest.vm, bell, ACRN_IOEVENTFD_FLAG_PIO, BELL_PORT,
			  2, 0) ||
	    raw_irqfd(&guest.vm, irq, 0, MSI_ADDRESS, 0x41))
		err(1, "a doorbell and an irqfd");
	start(&guest);
	wait_request(&guest);
	hv_fault(ACRN_HC_PAUSE_VM, 1, 1, FAULT_ERRNO);
	tap_errno(ioctl(fd, ACRN_IOCTL_DESTROY_VM), FAULT_ERRNO,
		  "DESTROY_VM: the pause fails");
	expect_serves(&guest, bell, irq, "DESTROY_VM: the pause fails");

	hv_fault(ACRN_HC_DESTROY_VM, 1, 1, FAULT_ERRNO);
	tap_errno(ioctl(fd, ACRN_IOCTL_DESTROY_VM), FAULT_ERRNO,
		  "DESTROY_VM fails");
	tap_errno(raw_create(fd, cpus[0], guest.vm.slots), EEXIST,
		  "DESTROY_VM fails: there is no other VM");
	tap_errno(ioctl(fd, ACRN_IOCTL_START_VM), EPERM,
		  "DESTROY_VM fails: the VM is paused");
	tap_success(ioctl(fd, ACRN_IOCTL_RESET_VM),
		    "DESTROY_VM fails: RESET_VM");
	start(&guest);
	expect_serves(&guest, bell, irq, "DESTROY_VM fails");

	tap_success(ioctl(fd, ACRN_IOCTL_DESTROY_VM), "DESTROY_VM again");
	tap_eq(pages_pinned() - pinned, 0, "DESTROY_VM: no page stays pinned");
	tap_success(raw_create(fd, cpus[0], guest.vm.slots),
		    "CREATE_VM after it");
	guest_close(&guest);
	close(bell);
	close(irq);
	expect_clean(pinned, "DESTROY_VM");
}

/* ACRN may say that it could not destroy a VM when that is gone. */
static void test_late_failure(void)
{
	long pinned = pages_pinned();
	struct raw_vm vm = raw_vm_create(cpus[0], 0), next;
	char *ram = raw_pages(RAM_SIZE);

	if (raw_set_memory(vm.fd, ram, RAM_SIZE))
		err(1, "SET_MEMSEG");
	hv_fault(ACRN_HC_DESTROY_VM, 1, 1, ETIMEDOUT);
	tap_success(ioctl(vm.fd, ACRN_IOCTL_DESTROY_VM),
		    "DESTROY_VM fails late: the VM is gone");
	tap_eq(pages_pinned() - pinned, 0,
	       "DESTROY_VM fails late: no page stays pinned");
	next = raw_vm_create(cpus[0], 0);
	tap_eq(next.vmid, vm.vmid,
	       "DESTROY_VM fails late: the next VM has its id");
	raw_vm_close(&vm);
	tap_success(ioctl(next.fd, ACRN_IOCTL_PAUSE_VM),
		    "DESTROY_VM fails late: and stays");
	raw_vm_close(&next);
	munmap(ram, RAM_SIZE);
	expect_clean(pinned, "DESTROY_VM fails late");
}

static atomic_int round_begun, round_done;

/* Thread that signals once in each round, a random time after it has begun. */
static void *signaller(void *arg)
{
	const int *irq = arg;
	unsigned int seed = 1;

	for (int i = 1; i <= PAUSE_ROUNDS; i++) {
		while (round_begun < i)
			;
		for (int spin = rand_r(&seed) % 20000; spin; spin--)
			asm volatile("");
		raw_signal(*irq);
		round_done = i;
	}
	return NULL;
}

/*
 * MSIs are held back while a VM is paused. When the hypervisor refuses the
 * pause, an event that was signalled meanwhile must still become an MSI.
 */
static void test_pause_refused(void)
{
	struct guest guest = guest_create(cpus[0], 0);
	int irq = raw_eventfd(), lost = 0;
	unsigned long msis;
	pthread_t thread;

	create_client(&guest);
	if (raw_irqfd(&guest.vm, irq, 0, MSI_ADDRESS, 0x41))
		err(1, "an irqfd");
	start(&guest);
	pthread_create(&thread, NULL, signaller, &irq);
	for (int i = 0; i < PAUSE_ROUNDS; i++) {
		msis = raw_stat(&guest.vm, "msis");
		hv_fault(ACRN_HC_PAUSE_VM, 1, 1, FAULT_ERRNO);
		round_begun++;
		ioctl(guest.vm.fd, ACRN_IOCTL_PAUSE_VM);
		while (round_done <= i)
			;
		lost += raw_stat(&guest.vm, "msis") != msis + 1;
	}
	pthread_join(thread, NULL);
	tap_eq(lost, 0, "no event of %d is lost when the pause fails",
	       PAUSE_ROUNDS);
	tap_eq(read_port(&guest, 4, 0x90, 0x77), 0x77,
	       "the VM runs on when the pause fails");
	close(irq);
	guest_close(&guest);
}

/* A reset drops the MSIs that were held back: the guest begins anew. */
static void test_held_reset(void)
{
	struct guest guest = guest_create(cpus[0], 0);
	int irq = raw_eventfd();
	unsigned long msis;

	create_client(&guest);
	if (raw_irqfd(&guest.vm, irq, 0, MSI_ADDRESS, 0x41))
		err(1, "an irqfd");
	start(&guest);
	msis = raw_stat(&guest.vm, "msis");
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_PAUSE_VM), "PAUSE_VM");
	raw_signal(irq);
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_RESET_VM), "RESET_VM");
	tap_eq(raw_stat(&guest.vm, "msis") - msis, 0,
	       "an event of the paused VM injects nothing after the reset");
	start(&guest);
	tap_eq(raw_stat(&guest.vm, "msis") - msis, 0,
	       "nor when the VM is started again");
	raw_signal(irq);
	tap_eq(raw_stat(&guest.vm, "msis") - msis, 1,
	       "the next event is one MSI");
	close(irq);
	guest_close(&guest);
}

static void test_close(void)
{
	static const struct {
		uint32_t id;
		const char *name;
	} cases[] = {
		{ ACRN_HC_PAUSE_VM, "close: the pause fails" },
		{ ACRN_HC_DESTROY_VM, "close: destroying fails" },
	};

	for (int i = 0; i < 2; i++) {
		long pinned = pages_pinned();
		struct guest guest = guest_create(cpus[0], 0);

		hv_fault(cases[i].id, 1, 1, FAULT_ERRNO);
		guest_close(&guest);
		tap_ok(hv_fault_done(), "%s", cases[i].name);
		expect_clean(pinned, cases[i].name);
	}
}

static void test_life(void)
{
	long pinned = pages_pinned();
	struct guest guest = guest_create(cpus[0], 0);
	struct acrn_vcpu_regs regs = raw_registers(0x1000, 0x1000);
	int fd = guest.vm.fd;

	create_client(&guest);
	expect_fault(ACRN_HC_SET_VCPU_REGS,
		     ioctl(fd, ACRN_IOCTL_SET_VCPU_REGS, &regs),
		     "SET_VCPU_REGS");
	if (raw_set_registers(fd, CODE_ADDR, RAM_SIZE))
		err(1, "SET_VCPU_REGS");
	expect_fault(ACRN_HC_START_VM, ioctl(fd, ACRN_IOCTL_START_VM),
		     "START_VM");
	read_port(&guest, 4, 0x90, 0);
	expect_fault(ACRN_HC_PAUSE_VM, ioctl(fd, ACRN_IOCTL_PAUSE_VM),
		     "PAUSE_VM");
	expect_fault(ACRN_HC_RESET_VM, ioctl(fd, ACRN_IOCTL_RESET_VM),
		     "RESET_VM");
	start(&guest);
	tap_eq(read_port(&guest, 4, 0x90, 0x77), 0x77,
	       "the VM runs after all that");
	guest_close(&guest);
	expect_clean(pinned, "life");
}

/*
 * When the notification fails, the vCPU waits until a reset, but the request is
 * completed for the device model.
 */
static void test_notify(void)
{
	struct acrn_ioreq_notify notify = { 0 };
	long pinned = pages_pinned();
	struct guest guest = guest_create(cpus[0], 0);

	create_client(&guest);
	start(&guest);
	wait_request(&guest);
	hv_fault(ACRN_HC_NOTIFY_REQUEST_FINISH, 1, 1, FAULT_ERRNO);
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &notify),
		  FAULT_ERRNO, "NOTIFY_REQUEST_FINISH fails");
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &notify),
		  EINVAL, "the request is none of the device model's any more");
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_PAUSE_VM), "PAUSE_VM");
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_RESET_VM), "RESET_VM");
	start(&guest);
	tap_eq(read_port(&guest, 4, 0x90, 0x77), 0x77,
	       "the VM runs after a reset");
	guest_close(&guest);
	expect_clean(pinned, "NOTIFY_REQUEST_FINISH");
}

static void test_interrupts(void)
{
	struct acrn_msi_entry msi = { .msi_addr = 0xfee00000, .msi_data = 65 };
	struct acrn_intr_monitor *page = raw_pages(PAGE);
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	long pinned = pages_pinned();

	expect_fault(ACRN_HC_INJECT_MSI,
		     ioctl(vm.fd, ACRN_IOCTL_INJECT_MSI, &msi), "INJECT_MSI");
	expect_fault(ACRN_HC_SET_IRQLINE,
		     ioctl(vm.fd, ACRN_IOCTL_SET_IRQLINE, 4UL), "SET_IRQLINE");
	hv_fault(ACRN_HC_VM_INTR_MONITOR, 1, 1, FAULT_ERRNO);
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, page), FAULT_ERRNO,
		  "VM_INTR_MONITOR fails");
	tap_eq(pages_pinned() - pinned, 0,
	       "VM_INTR_MONITOR: no page stays pinned");
	expect_fault(ACRN_HC_VM_INTR_MONITOR,
		     ioctl(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, page),
		     "VM_INTR_MONITOR");
	tap_eq(pages_pinned() - pinned, 1, "VM_INTR_MONITOR: one page does");
	raw_vm_close(&vm);
	expect_clean(pinned - 1, "interrupts");
	munmap(page, PAGE);
}

static void test_events(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct event_ring *ring = new_ring();
	long pinned = pages_pinned();

	hv_fault(ACRN_HC_SETUP_SBUF, 1, 1, FAULT_ERRNO);
	tap_errno(set_ring(&vm, ring), FAULT_ERRNO,
		  "SETUP_VM_EVENT_RING fails");
	tap_ok(hv_fault_done(),
	       "SETUP_VM_EVENT_RING: the hypervisor was asked");
	tap_eq(pages_pinned() - pinned, 0,
	       "SETUP_VM_EVENT_RING: no page stays pinned");
	tap_success(set_ring(&vm, ring), "SETUP_VM_EVENT_RING the next time");
	tap_eq(pages_pinned() - pinned, 1, "SETUP_VM_EVENT_RING: one page is");
	hv_fault(ACRN_HC_SETUP_SBUF, 1, 1, FAULT_ERRNO);
	tap_success(set_ring(&vm, ring), "SETUP_VM_EVENT_RING once more");
	tap_ok(!hv_fault_done(),
	       "SETUP_VM_EVENT_RING: the hypervisor's ring stays the same");
	raw_vm_close(&vm);
	expect_clean(pinned - 1, "SETUP_VM_EVENT_RING");
	munmap(ring, PAGE);
}

/*
 * Ring @guest's doorbell once and check how it came: through the hypervisor's
 * ring, or, without @by_ring, as a request.
 */
static void expect_rings(struct guest *guest, int bell, bool by_ring,
			 const char *when)
{
	unsigned long before = raw_stat(&guest->vm, "doorbells_ring");

	write_port(guest, 2, BELL_PORT, 1);
	tap_eq(raw_events(bell), 1, "%s: the doorbell rings", when);
	tap_eq(raw_stat(&guest->vm, "doorbells_ring") - before, by_ring,
	       "%s: %s", when, by_ring ? "by the ring" : "as an ordinary one");
}

static int ring_bell(const struct guest *guest, int bell, uint32_t flags)
{
	return raw_ioeventfd(&guest->vm, bell, ACRN_IOEVENTFD_FLAG_PIO | flags,
			     BELL_PORT, 2, 0);
}

static void test_async_refused(int bell)
{
	struct guest guest = guest_create(cpus[0], 0);

	create_client(&guest);
	hv_fault(ACRN_HC_SETUP_SBUF, 1, 1, FAULT_ERRNO);
	start(&guest);
	tap_ok(hv_fault_done(), "no ring: the hypervisor was asked");
	tap_success(ring_bell(&guest, bell, 0), "no ring: a doorbell");
	expect_rings(&guest, bell, false, "no ring");
	guest_close(&guest);
}

static void test_async_doorbell(int bell)
{
	const uint32_t deassign = ACRN_IOEVENTFD_FLAG_DEASSIGN;
	struct guest guest = guest_create(cpus[0], 0);

	create_client(&guest);
	start(&guest);
	hv_fault(ACRN_HC_ASYNCIO_ASSIGN, 1, 1, FAULT_ERRNO);
	tap_success(ring_bell(&guest, bell, 0), "ASYNCIO_ASSIGN fails");
	tap_ok(hv_fault_done(), "ASYNCIO_ASSIGN: the hypervisor was asked");
	expect_rings(&guest, bell, false, "ASYNCIO_ASSIGN fails");
	tap_success(ring_bell(&guest, bell, deassign),
		    "ASYNCIO_ASSIGN fails: deassigned");
	tap_success(ring_bell(&guest, bell, 0), "ASYNCIO_ASSIGN the next time");
	expect_rings(&guest, bell, true, "ASYNCIO_ASSIGN the next time");

	hv_fault(ACRN_HC_ASYNCIO_DEASSIGN, 1, 1, FAULT_ERRNO);
	tap_errno(ring_bell(&guest, bell, deassign), FAULT_ERRNO,
		  "ASYNCIO_DEASSIGN fails");
	expect_rings(&guest, bell, true, "ASYNCIO_DEASSIGN fails");
	hv_fault(ACRN_HC_ASYNCIO_DEASSIGN, 1, 1, FAULT_ERRNO);
	tap_errno(raw_ioeventfd(&guest.vm, bell, ACRN_IOEVENTFD_FLAG_PIO,
				BELL_PORT, 4, 0),
		  FAULT_ERRNO, "ASYNCIO_DEASSIGN fails for another width");
	expect_rings(&guest, bell, true, "which is not there then");
	tap_success(ring_bell(&guest, bell, deassign),
		    "ASYNCIO_DEASSIGN is done the next time");
	guest_close(&guest);
}

/*
 * Whether all asynchronous doorbells that were assigned in @trace were
 * deassigned again before each DESTROY_VM.
 */
static bool taken_back(struct trace *trace)
{
	const struct hv_trace_entry *entry;
	int there = 0;

	while ((entry = trace_next(trace))) {
		if (entry->id == (ACRN_HC_ASYNCIO_ASSIGN & 0xff))
			there++;
		else if (entry->id == (ACRN_HC_ASYNCIO_DEASSIGN & 0xff))
			there--;
		else if (entry->id == (ACRN_HC_DESTROY_VM & 0xff) && there)
			return false;
	}
	return !there;
}

static void test_async_destroy(int bell)
{
	struct guest guest = guest_create(cpus[0], 0);
	struct trace trace = trace_start();

	create_client(&guest);
	start(&guest);
	ring_bell(&guest, bell, 0);
	hv_fault(ACRN_HC_DESTROY_VM, 1, 1, FAULT_ERRNO);
	tap_errno(ioctl(guest.vm.fd, ACRN_IOCTL_DESTROY_VM), FAULT_ERRNO,
		  "DESTROY_VM of a VM with a doorbell fails");
	if (ioctl(guest.vm.fd, ACRN_IOCTL_RESET_VM))
		err(1, "RESET_VM");
	start(&guest);
	expect_rings(&guest, bell, true, "DESTROY_VM fails");
	guest_close(&guest);
	tap_ok(taken_back(&trace),
	       "doorbells are taken back before a VM is destroyed");
	trace_stop(&trace);
}

static void test_async(void)
{
	long pinned = pages_pinned();
	int bell = raw_eventfd();

	raw_use_async("auto");
	test_async_refused(bell);
	test_async_doorbell(bell);
	test_async_destroy(bell);
	raw_use_async("off");
	close(bell);
	expect_clean(pinned, "asynchronous doorbells");
}

static void test_memory(void)
{
	/* More scattered pages than fit in the regions of one hypercall */
	const size_t size = 16 << 20;
	const long pages = size / PAGE;
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *memory = raw_pages(size);
	long pinned = pages_pinned(), left;

	for (size_t i = 0; i < size; i += 2 * PAGE)
		madvise(memory + i, PAGE, MADV_DONTNEED);
	hv_fault(ACRN_HC_SET_MEMORY_REGIONS, 1, 1, FAULT_ERRNO);
	tap_errno(raw_set_ram(vm.fd, 0, memory, size), FAULT_ERRNO,
		  "SET_MEMSEG fails");
	tap_ok(hv_fault_done(), "SET_MEMSEG: the hypervisor was asked");
	tap_eq(pages_pinned() - pinned, 0, "SET_MEMSEG: no page stays pinned");

	hv_fault(ACRN_HC_SET_MEMORY_REGIONS, 3, 1, FAULT_ERRNO);
	tap_errno(raw_set_ram(vm.fd, 0, memory, size), FAULT_ERRNO,
		  "SET_MEMSEG fails half way");
	tap_ok(hv_fault_done(), "SET_MEMSEG: it takes several hypercalls");
	tap_eq(pages_pinned() - pinned, 0, "SET_MEMSEG: no page stays pinned");

	/* A page that cannot be unmapped from the guest must stay pinned. */
	hv_fault(ACRN_HC_SET_MEMORY_REGIONS, 3, 2, FAULT_ERRNO);
	tap_errno(raw_set_ram(vm.fd, 0, memory, size), FAULT_ERRNO,
		  "SET_MEMSEG fails half way and cannot be undone");
	tap_ok(hv_fault_done(), "SET_MEMSEG: that was tried");
	left = pages_pinned() - pinned;
	tap_ok(left > 0 && left < pages, "what is mapped stays pinned");
	expect_fault(ACRN_HC_SET_MEMORY_REGIONS, raw_unset_ram(vm.fd, 0, size),
		     "UNSET_MEMSEG");
	tap_eq(pages_pinned() - pinned, 0, "UNSET_MEMSEG unpins it");

	tap_success(raw_set_ram(vm.fd, 0, memory, size), "SET_MEMSEG");
	tap_eq(pages_pinned() - pinned, pages, "all its pages are pinned");
	munmap(memory, size);
	raw_vm_close(&vm);
	expect_clean(pinned - 1, "memory");
}

/* Guest physical range that the tests from here on look at */
#define MAP_BASE  0x1000000UL
#define MAP_PAGES 16

/*
 * Pages that are not physically contiguous, so that each is a region of its
 * own. Page i begins with @name + i.
 */
static uint32_t *scattered_pages(size_t count, uint32_t name)
{
	char *pages = raw_pages(count * PAGE);

	for (size_t i = 0; i < count; i += 2)
		madvise(pages + i * PAGE, PAGE, MADV_DONTNEED);
	for (size_t i = 0; i < count; i++)
		*(uint32_t *)(pages + i * PAGE) = name + i;
	return (uint32_t *)pages;
}

static int set_pages(const struct guest *guest, unsigned int first,
		     unsigned int count, const void *from)
{
	return raw_set_ram(guest->vm.fd, MAP_BASE + first * PAGE, from,
			   count * PAGE);
}

static int unset_pages(const struct guest *guest, unsigned int first,
		       unsigned int count)
{
	return raw_unset_mmio(guest->vm.fd, MAP_BASE + first * PAGE,
			      count * PAGE);
}

/* Have the guest read the beginning of each page; 0 where no memory is. */
static void look(struct guest *guest, uint32_t *found)
{
	for (unsigned int i = 0; i < MAP_PAGES; i++) {
		found[i] = read_memory(guest, MAP_BASE + i * PAGE, 0);
		if (guest->requests)
			found[i] = 0;
	}
}

/*
 * A guest with memory at pages 1 to 5, from[0], and at 8 to 14, from[1], but
 * from[2] at pages 10 and 11.
 */
static struct guest mapped_guest(uint32_t *const from[3])
{
	struct guest guest = guest_create(cpus[0], 0);

	if (set_pages(&guest, 1, 5, from[0]) ||
	    set_pages(&guest, 8, 7, from[1]) ||
	    set_pages(&guest, 10, 2, from[2]))
		err(1, "SET_MEMSEG");
	create_client(&guest);
	return guest;
}

/*
 * Whether the hypervisor refused no region but those that were to fail. It
 * would refuse to unmap a page that is not mapped.
 */
static bool none_refused(struct trace *trace)
{
	const struct hv_trace_entry *call;
	bool none = true;

	while ((call = trace_next(trace)))
		if (call->id == (ACRN_HC_SET_MEMORY_REGIONS & 0xff))
			none &= !call->result || call->result == -FAULT_ERRNO;
	return none;
}

/*
 * SET_MEMSEG of pages 3 to 12 from @from, or UNSET_MEMSEG of them with NULL.
 * Both take several regions.
 */
static int change(const struct guest *guest, const void *from)
{
	return from ? set_pages(guest, 3, 10, from) : unset_pages(guest, 3, 10);
}

/*
 * Make change() fail at its first region, its second and so on, until it is
 * done. Each failure must leave the guest's memory as it was. In a VM that has
 * not been @started, the number of pinned pages is compared; in one that runs,
 * what the guest reads.
 */
static void test_exact(const void *change_to, bool started, const char *name)
{
	uint32_t *from[3] = { scattered_pages(5, 0x100),
			      scattered_pages(7, 0x200),
			      scattered_pages(2, 0x300) };
	uint32_t before[MAP_PAGES], after[MAP_PAGES];
	struct guest guest = mapped_guest(from);
	struct trace trace = trace_start();
	long pinned = pages_pinned();
	bool same = true, unpinned = true;
	unsigned int n;

	if (started) {
		start(&guest);
		look(&guest, before);
	}
	for (n = 1;; n++) {
		hv_fault(HV_FAULT_REGION, n, 1, FAULT_ERRNO);
		if (!change(&guest, change_to))
			break;
		if (errno != FAULT_ERRNO || !hv_fault_done())
			err(1, "SET_MEMSEG or UNSET_MEMSEG");
		unpinned &= pages_pinned() == pinned;
		if (!started)
			continue;
		look(&guest, after);
		same &= !memcmp(before, after, sizeof(before));
	}
	hv_fault_done();
	/* Both unmap four pieces; SET_MEMSEG then maps ten pages. */
	tap_ok(n > (change_to ? 10 : 4), "%s: a region fails, each in turn",
	       name);
	if (started)
		tap_ok(same, "%s: the guest has what it had", name);
	else
		tap_ok(unpinned, "%s: what was pinned is, no more", name);
	tap_ok(none_refused(&trace), "%s: no hole is to be forgotten", name);
	trace_stop(&trace);

	if (!started)
		start(&guest);
	look(&guest, after);
	for (unsigned int i = 0; i < MAP_PAGES; i++) {
		uint32_t old = i >= 1 && i < 6	  ? 0x100 + i - 1
			       : i >= 8 && i < 15 ? 0x200 + i - 8
						  : 0;

		before[i] = i < 3 || i > 12 ? old
			    : change_to	    ? 0x400 + i - 3
					    : 0;
	}
	tap_ok(!memcmp(before, after, sizeof(before)), "%s: done in the end",
	       name);
	guest_close(&guest);
	munmap(from[0], 5 * PAGE);
	munmap(from[1], 7 * PAGE);
	munmap(from[2], 2 * PAGE);
}

/*
 * Make all regions from the n-th on fail, so that a change cannot be undone
 * either. The HSM must still know which pages the guest has: they can be unset,
 * and then set again.
 */
static void test_stuck(void *change_to, const char *name)
{
	uint32_t *from[3] = { scattered_pages(5, 0x100),
			      scattered_pages(7, 0x200),
			      scattered_pages(2, 0x300) };
	uint32_t found[MAP_PAGES];
	bool done = true, refused = false;
	long pinned = pages_pinned();

	for (unsigned int n = 1; n < 12; n++) {
		struct guest guest = mapped_guest(from);
		struct trace trace = trace_start();

		start(&guest);
		hv_fault(HV_FAULT_REGION, n, 0xfff, FAULT_ERRNO);
		change(&guest, change_to);
		hv_fault_done();
		done &= !unset_pages(&guest, 0, MAP_PAGES);
		look(&guest, found);
		for (unsigned int i = 0; i < MAP_PAGES; i++)
			done &= !found[i];
		done &= !set_pages(&guest, 1, 5, from[0]);
		look(&guest, found);
		done &= found[1] == 0x100 && found[5] == 0x104;
		refused |= !none_refused(&trace);
		trace_stop(&trace);
		guest_close(&guest);
	}
	tap_ok(!refused, "%s: no hole is to be forgotten", name);
	tap_ok(done, "%s: what is left can be unset", name);
	expect_clean(pinned, name);
	munmap(from[0], 5 * PAGE);
	munmap(from[1], 7 * PAGE);
	munmap(from[2], 2 * PAGE);
}

static void test_regions(void)
{
	uint32_t *other = scattered_pages(10, 0x400);
	long pinned = pages_pinned();

	test_exact(other, false, "SET_MEMSEG before the start");
	test_exact(NULL, false, "UNSET_MEMSEG before the start");
	test_exact(other, true, "SET_MEMSEG");
	test_exact(NULL, true, "UNSET_MEMSEG");
	test_stuck(other, "SET_MEMSEG that cannot be undone");
	test_stuck(NULL, "UNSET_MEMSEG that cannot be undone");
	expect_clean(pinned, "regions");
	munmap(other, 10 * PAGE);
}

/*
 * The HSM splits a large segment of device memory into several hypercalls, as
 * other hypercalls wait for each.
 */
static void test_much_memory(void)
{
	const uint64_t gib = 1 << 30, size = 2 * gib + gib / 2;
	struct raw_vm vm = raw_vm_create(cpus[0], 0);

	hv_fault(ACRN_HC_SET_MEMORY_REGIONS, 3, 1, FAULT_ERRNO);
	tap_errno(raw_set_mmio(vm.fd, 5 * gib - PAGE, 256 * gib, size),
		  FAULT_ERRNO, "MMIO of 2.5 GiB fails at the third hypercall");
	tap_ok(hv_fault_done(), "MMIO of 2.5 GiB: there is one");
	tap_success(raw_set_mmio(vm.fd, 5 * gib - PAGE, 256 * gib, size),
		    "MMIO of 2.5 GiB");
	hv_fault(ACRN_HC_SET_MEMORY_REGIONS, 3, 1, FAULT_ERRNO);
	tap_errno(raw_unset_mmio(vm.fd, 5 * gib - PAGE, size), FAULT_ERRNO,
		  "MMIO of 2.5 GiB: unset fails at the third");
	tap_success(raw_unset_mmio(vm.fd, 5 * gib - PAGE, size),
		    "MMIO of 2.5 GiB: unset");
	raw_vm_close(&vm);
}

static void test_devices(void)
{
	struct acrn_ptdev_irq irq = { .type = ACRN_PTDEV_IRQ_INTX,
				      .virt_bdf = 8,
				      .phys_bdf = 16 };
	struct acrn_pcidev pcidev = { .virt_bdf = 8, .phys_bdf = 16 };
	struct acrn_mmiodev mmiodev = {
		.res[0] = { .user_vm_pa = 0x90000000,
			    .service_vm_pa = HPET,
			    .size = PAGE },
	};
	struct acrn_vdev vdev = { .id.value = 0x9d148086, .slot = 0x48 };
	long pinned = pages_pinned();
	struct raw_vm vm = raw_vm_create(cpus[0], 0);

#define device_fault(call, arg)                                                \
	expect_fault(ACRN_HC_##call, ioctl(vm.fd, ACRN_IOCTL_##call, arg),     \
		     #call)
	device_fault(ASSIGN_PCIDEV, &pcidev);
	device_fault(SET_PTDEV_INTR, &irq);
	device_fault(RESET_PTDEV_INTR, &irq);
	device_fault(DEASSIGN_PCIDEV, &pcidev);
	device_fault(ASSIGN_MMIODEV, &mmiodev);
	device_fault(DEASSIGN_MMIODEV, &mmiodev);
	device_fault(CREATE_VDEV, &vdev);
	device_fault(DESTROY_VDEV, &vdev);
#undef device_fault
	raw_vm_close(&vm);
	expect_clean(pinned, "devices");
}

static void test_states(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	uint64_t command = ACRN_PMCMD_GET_PX_CNT;

	hv_fault(ACRN_HC_PM_GET_CPU_STATE, 1, 1, FAULT_ERRNO);
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, &command),
		  FAULT_ERRNO, "PM_GET_CPU_STATE fails");
	tap_eq(command, ACRN_PMCMD_GET_PX_CNT, "nothing is written then");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, &command),
		    "PM_GET_CPU_STATE is done the next time");
	raw_vm_close(&vm);
}

/*
 * If DESTROY_VM fails even at close(), the hypervisor keeps the VM, which can
 * still access its pages. They must stay pinned for good: two of memory, the
 * I/O request page and the monitor page.
 */
static void test_abandoned(void)
{
	const char *pages = raw_pages(2 * PAGE), *monitor = raw_pages(PAGE);
	long pinned = pages_pinned();
	struct raw_vm vm = raw_vm_create(cpus[0], 0);

	if (raw_set_ram(vm.fd, 0, pages, 2 * PAGE) ||
	    ioctl(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, monitor))
		err(1, "a VM with memory and a monitor");
	hv_fault(ACRN_HC_DESTROY_VM, 1, 2, FAULT_ERRNO);
	raw_vm_close(&vm);
	tap_ok(hv_fault_done(), "close: destroying fails for good");
	tap_eq(pages_pinned() - pinned, 4, "its pages stay pinned");
	expect_clean(pinned + 4, "the next VM");
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(1, "usage: hsm_fault CPU CPU");
	cpus[0] = atoi(argv[1]);
	cpus[1] = atoi(argv[2]);

	if (fixture_skip("registers", "each hypercall fails in turn"))
		return tap_done();
	test_create();
	test_destroy();
	test_late_failure();
	test_pause_refused();
	test_held_reset();
	test_close();
	test_life();
	test_notify();
	test_interrupts();
	test_events();
	test_async();
	test_memory();
	test_regions();
	test_much_memory();
	test_devices();
	test_states();
	test_abandoned();
	return tap_done();
}
