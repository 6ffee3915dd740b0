// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells and MSIs from end to end, counted one by one. A User VM runs a few
 * instructions that this test writes into its memory. Each write to a doorbell
 * must be counted once by the doorbell's eventfd, and any other access must
 * reach user space with its value.
 *
 * Everything runs twice: with completion by hypercall and by polling.
 *
 * Arguments: physical CPU of the User VM.
 */
#include <stdbool.h>
#include <stddef.h>

#include "acrn_hypercall.h"
#include "differs.h"
#include "irq_guest.h"
#include "raw_async.h"
#include "raw_vm.h"
#include "tap.h"

#define PIO	  ACRN_IOEVENTFD_FLAG_PIO
#define DATAMATCH ACRN_IOEVENTFD_FLAG_DATAMATCH
#define DEASSIGN  ACRN_IOEVENTFD_FLAG_DEASSIGN

/* The User VM's address space: RAM from 0 on, and a doorbell outside it */
#define RAM_SIZE     0x200000
#define END_ADDR     0x3000
#define HANDLER_ADDR 0x3800
#define CODE_ADDR    0x4000
#define VARS_ADDR    0x8000
#define MMIO_ADDR    0xc0000000U

/* Port to which the User VM writes when it has run its program */
#define DONE_PORT   0x80
#define BELL_PORT   0x1000
#define CLOSED_PORT 0x1100

#define MSI_VECTOR 0x41

#define LOG_SIZE 64

/**
 * struct vars - Variables of the User VM, in its memory
 * @read:	Result of its last read
 * @interrupts:	Interrupts of MSI_VECTOR that it has handled
 */
struct vars {
	uint32_t read;
	uint32_t interrupts;
};

/**
 * struct access - An I/O request that reached user space
 * @write:	Whether the User VM writes
 * @address:	Port or guest physical address
 * @size:	Bytes
 * @value:	Value that the User VM writes
 */
struct access {
	bool write;
	uint64_t address;
	uint64_t size;
	uint64_t value;
};

/**
 * struct guest - The User VM, its program and the requests that it made
 * @vm:		The VM
 * @ram:	Its memory
 * @vars:	Its variables, within @ram
 * @end:	End of the program so far, where emit() adds an instruction
 * @started:	The VM was started: it waits at DONE_PORT for its next program
 * @answer:	Value with which user space answers its reads
 * @log:	I/O requests of this program that reached user space
 * @logged:	Number of those requests; only the first LOG_SIZE are in @log
 */
struct guest {
	struct raw_vm vm;
	uint8_t *ram;
	volatile struct vars *vars;
	uint8_t *end;
	bool started;
	uint32_t answer;
	struct access log[LOG_SIZE];
	unsigned int logged;
};

/* The emit functions add instructions of 32-bit protected mode to a program. */

static void emit(struct guest *guest, const void *code, size_t size)
{
	memcpy(guest->end, code, size);
	guest->end += size;
}

#define emit_bytes(guest, ...)                                                 \
	emit(guest, (uint8_t[]){ __VA_ARGS__ },                                \
	     sizeof((uint8_t[]){ __VA_ARGS__ }))

/* mov $value, register: 0 is eax, 1 is ecx, 2 is edx */
static void emit_mov(struct guest *guest, int reg, uint32_t value)
{
	emit_bytes(guest, 0xb8 + reg);
	emit(guest, &value, sizeof(value));
}

/* An instruction in its form for @size bytes; @opcode is that for 1 byte. */
static void emit_sized(struct guest *guest, int size, int opcode)
{
	if (size == 2)
		emit_bytes(guest, 0x66);
	emit_bytes(guest, opcode + (size != 1));
}

/* Write @value, @times times: out al/ax/eax, (dx) or mov al/ax/eax, (edx) */
static void emit_writes(struct guest *guest, bool port, uint32_t address,
			int size, uint32_t value, uint32_t times)
{
	uint8_t *loop;

	emit_mov(guest, 0, value);
	emit_mov(guest, 1, times);
	emit_mov(guest, 2, address);
	loop = guest->end;
	if (port) {
		emit_sized(guest, size, 0xee);
	} else {
		emit_sized(guest, size, 0x88);
		emit_bytes(guest, 0x02);
	}
	/* dec %ecx; jnz loop */
	emit_bytes(guest, 0x49, 0x75, (uint8_t)(loop - guest->end - 3));
}

static void emit_out(struct guest *guest, uint32_t port, int size,
		     uint32_t value, uint32_t times)
{
	emit_writes(guest, true, port, size, value, times);
}

static void emit_store(struct guest *guest, uint32_t address, int size,
		       uint32_t value, uint32_t times)
{
	emit_writes(guest, false, address, size, value, times);
}

/* Read once into &vars.read: in (dx), al/ax/eax or mov (edx), al/ax/eax */
static void emit_read(struct guest *guest, bool port, uint32_t address,
		      int size)
{
	uint32_t result = VARS_ADDR + offsetof(struct vars, read);

	emit_mov(guest, 0, 0);
	emit_mov(guest, 2, address);
	if (port) {
		emit_sized(guest, size, 0xec);
	} else {
		emit_sized(guest, size, 0x8a);
		emit_bytes(guest, 0x02);
	}
	emit_bytes(guest, 0xa3);
	emit(guest, &result, sizeof(result));
}

static void emit_wrmsr(struct guest *guest, uint32_t msr, uint32_t value)
{
	emit_mov(guest, 1, msr);
	emit_mov(guest, 0, value);
	emit_mov(guest, 2, 0);
	emit_bytes(guest, 0x0f, 0x30);
}

static void emit_jump(struct guest *guest, uint32_t address)
{
	uint8_t *next = guest->end + 5;
	int32_t offset = guest->ram + address - next;

	emit_bytes(guest, 0xe9);
	emit(guest, &offset, sizeof(offset));
}

/*
 * Code to which every program jumps at its end: it writes to DONE_PORT, which
 * user space answers when it has written the next program, and then runs that.
 */
static void write_end(struct guest *guest)
{
	guest->end = guest->ram + END_ADDR;
	emit_out(guest, DONE_PORT, 1, 0, 1);
	emit_jump(guest, CODE_ADDR);
}

/* The functions from here on are the device model's side. */

static void program_begin(struct guest *guest)
{
	guest->end = guest->ram + CODE_ADDR;
	guest->logged = 0;
}

static void finish_request(struct guest *guest)
{
	struct acrn_ioreq_notify notify = { .vmid = guest->vm.vmid };

	if (ioctl(guest->vm.fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &notify))
		err(1, "NOTIFY_REQUEST_FINISH");
}

/*
 * Log a request and, for a read, put the answer in its slot. Returns false for
 * the write to DONE_PORT, which is not logged.
 */
static bool take_request(struct guest *guest)
{
	struct acrn_io_request *slot = &guest->vm.slots->req_slot[0];
	struct acrn_pio_request *pio = &slot->reqs.pio_request;
	struct access access = {
		.write = pio->direction == ACRN_IOREQ_DIR_WRITE,
		.address = pio->address,
		.size = pio->size,
		.value = pio->value,
	};

	/*
	 * PIO and MMIO requests have the same fields, but some differ in width.
	 */
	if (slot->type == ACRN_IOREQ_TYPE_MMIO) {
		access.size = slot->reqs.mmio_request.size;
		access.value = slot->reqs.mmio_request.value;
	}
	if (slot->type == ACRN_IOREQ_TYPE_PORTIO && access.address == DONE_PORT)
		return false;
	if (guest->logged < LOG_SIZE)
		guest->log[guest->logged] = access;
	guest->logged++;
	if (!access.write && slot->type == ACRN_IOREQ_TYPE_MMIO)
		slot->reqs.mmio_request.value = guest->answer;
	else if (!access.write)
		pio->value = guest->answer;
	return true;
}

static bool request_waits(const struct guest *guest)
{
	struct acrn_io_request *slot = &guest->vm.slots->req_slot[0];

	return __atomic_load_n(&slot->processed, __ATOMIC_ACQUIRE) ==
		       ACRN_IOREQ_STATE_PROCESSING &&
	       !slot->kernel_handled;
}

/* Start the User VM, or answer its write to DONE_PORT. */
static void resume(struct guest *guest)
{
	if (guest->started)
		finish_request(guest);
	else if (ioctl(guest->vm.fd, ACRN_IOCTL_START_VM))
		err(1, "START_VM");
	guest->started = true;
}

/* Answer the User VM's requests until it writes to DONE_PORT. */
static void serve(struct guest *guest)
{
	for (;;) {
		if (ioctl(guest->vm.fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT))
			err(1, "ATTACH_IOREQ_CLIENT");
		if (!request_waits(guest))
			continue;
		if (!take_request(guest))
			return;
		finish_request(guest);
	}
}

static void program_run(struct guest *guest)
{
	emit_jump(guest, END_ADDR);
	resume(guest);
	serve(guest);
}

static void write_descriptor(struct guest *guest, uint32_t address, int index,
			     uint64_t descriptor)
{
	memcpy(guest->ram + address + 8 * index, &descriptor, 8);
}

static struct guest *guest_create(int cpu, uint64_t flags)
{
	struct guest *guest = calloc(1, sizeof(*guest));

	guest->vm = raw_vm_create(cpu, flags);
	guest->ram = raw_pages(RAM_SIZE);
	guest->vars = (void *)(guest->ram + VARS_ADDR);
	write_end(guest);
	if (raw_set_memory(guest->vm.fd, (char *)guest->ram, RAM_SIZE))
		err(1, "SET_MEMSEG");
	if (raw_set_registers(guest->vm.fd, CODE_ADDR, RAM_SIZE))
		err(1, "SET_VCPU_REGS");
	if (ioctl(guest->vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT))
		err(1, "CREATE_IOREQ_CLIENT");
	return guest;
}

static void guest_close(struct guest *guest)
{
	raw_vm_close(&guest->vm);
	munmap(guest->ram, RAM_SIZE);
	free(guest);
}

/* Whether logged request @i is this write. */
static bool is_write(const struct guest *guest, unsigned int i,
		     uint64_t address, uint64_t size, uint64_t value)
{
	const struct access *access = &guest->log[i];

	return i < guest->logged && access->write &&
	       access->address == address && access->size == size &&
	       access->value == value;
}

static void assign(struct guest *guest, int efd, uint32_t flags,
		   uint64_t address, uint64_t data)
{
	if (raw_ioeventfd(&guest->vm, efd, flags, address, 2, data))
		err(1, "IOEVENTFD at %#llx", (unsigned long long)address);
}

static void test_ports(struct guest *guest, const char *how)
{
	int efd = raw_eventfd();

	program_begin(guest);
	emit_out(guest, BELL_PORT, 2, 7, 3);
	program_run(guest);
	tap_ok(guest->logged == 3 && is_write(guest, 2, BELL_PORT, 2, 7),
	       "%s: a port without doorbell goes to user space", how);

	assign(guest, efd, PIO, BELL_PORT, 0);
	program_begin(guest);
	emit_out(guest, BELL_PORT, 2, 7, 1000);
	program_run(guest);
	tap_eq(raw_events(efd), 1000, "%s: port, 1000 rings counted", how);
	tap_eq(guest->logged, 0, "%s: port, none of them in user space", how);

	program_begin(guest);
	emit_out(guest, BELL_PORT, 4, 0x12345678, 2);
	emit_out(guest, BELL_PORT + 1, 1, 0x99, 1);
	program_run(guest);
	tap_ok(guest->logged >= 2 &&
		       is_write(guest, 1, BELL_PORT, 4, 0x12345678),
	       "%s: port, a wider write goes to user space", how);
	differs_eq("ioeventfd-nomatch",
		   is_write(guest, 2, BELL_PORT + 1, 1, 0x99), 1, 0,
		   "%s: port, so does one beside the address", how);
	tap_eq(raw_events(efd), 0, "%s: port, neither rings", how);

	program_begin(guest);
	emit_out(guest, BELL_PORT, 1, 0x7, 1);
	program_run(guest);
	differs_eq("ioeventfd-length", is_write(guest, 0, BELL_PORT, 1, 7), 1,
		   0, "%s: port, a narrower write goes to user space", how);
	differs_eq("ioeventfd-length", raw_events(efd), 0, 1,
		   "%s: port, how often it rings", how);

	program_begin(guest);
	guest->answer = 0xbeef;
	emit_read(guest, true, BELL_PORT, 2);
	program_run(guest);
	differs_eq("ioeventfd-nomatch", guest->logged, 1, 0,
		   "%s: port, a read goes to user space", how);
	differs_eq("ioeventfd-nomatch", guest->vars->read, 0xbeef, 0,
		   "%s: port, what it gives", how);

	if (raw_ioeventfd(&guest->vm, efd, PIO | DEASSIGN, BELL_PORT, 2, 0))
		err(1, "IOEVENTFD to deassign");
	program_begin(guest);
	emit_out(guest, BELL_PORT, 2, 7, 5);
	program_run(guest);
	tap_eq(guest->logged, 5, "%s: port, deassigned, in user space again",
	       how);
	tap_eq(raw_events(efd), 0, "%s: port, deassigned, does not ring", how);
	close(efd);
}

static void test_memory(struct guest *guest, const char *how)
{
	int efd = raw_eventfd();

	assign(guest, efd, 0, MMIO_ADDR, 0);
	program_begin(guest);
	emit_store(guest, MMIO_ADDR, 2, 0xaa55, 1000);
	program_run(guest);
	tap_eq(raw_events(efd), 1000, "%s: memory, 1000 rings counted", how);
	tap_eq(guest->logged, 0, "%s: memory, none of them in user space", how);

	program_begin(guest);
	emit_store(guest, MMIO_ADDR, 4, 0x12345678, 1);
	emit_store(guest, MMIO_ADDR + 8, 2, 0x99, 1);
	program_run(guest);
	tap_ok(guest->logged == 2 &&
		       is_write(guest, 0, MMIO_ADDR, 4, 0x12345678) &&
		       is_write(guest, 1, MMIO_ADDR + 8, 2, 0x99),
	       "%s: memory, other writes go to user space", how);
	tap_eq(raw_events(efd), 0, "%s: memory, neither rings", how);

	program_begin(guest);
	guest->answer = 0xcafe;
	emit_read(guest, false, MMIO_ADDR, 2);
	program_run(guest);
	differs_eq("ioeventfd-nomatch", guest->logged, 1, 0,
		   "%s: memory, a read goes to user space", how);
	differs_eq("ioeventfd-nomatch", guest->vars->read, 0xcafe, 0,
		   "%s: memory, what it gives", how);
	close(efd);
}

static void test_data(struct guest *guest, const char *how)
{
	int queues[2] = { raw_eventfd(), raw_eventfd() };

	for (int i = 0; i < 2; i++)
		assign(guest, queues[i], PIO | DATAMATCH, BELL_PORT, i);
	program_begin(guest);
	for (int i = 0; i < 10; i++) {
		emit_out(guest, BELL_PORT, 2, 0, 20);
		emit_out(guest, BELL_PORT, 2, 1, 30);
	}
	program_run(guest);
	tap_eq(raw_events(queues[0]), 200, "%s: data, queue 0 counted", how);
	tap_eq(raw_events(queues[1]), 300, "%s: data, queue 1 counted", how);
	tap_eq(guest->logged, 0, "%s: data, none of them in user space", how);

	program_begin(guest);
	emit_out(guest, BELL_PORT, 2, 2, 1);
	/* The guest writes only the low 16 bits of the value. */
	emit_out(guest, BELL_PORT, 2, 0x10001, 1);
	emit_out(guest, BELL_PORT, 2, 0x100, 1);
	program_run(guest);
	differs_eq("ioeventfd-nomatch",
		   is_write(guest, 0, BELL_PORT, 2, 2) +
			   is_write(guest, 1, BELL_PORT, 2, 0x100),
		   2, 0, "%s: data, other data in user space", how);
	tap_eq(raw_events(queues[0]), 0, "%s: data, no queue 0", how);
	tap_eq(raw_events(queues[1]), 1, "%s: data, one queue 1", how);
	for (int i = 0; i < 2; i++) {
		raw_ioeventfd(&guest->vm, queues[i], PIO | DATAMATCH | DEASSIGN,
			      BELL_PORT, 2, i);
		close(queues[i]);
	}
}

/*
 * Install a handler for MSI_VECTOR that counts the interrupt and writes EOI,
 * and have the User VM enable its local APIC in x2APIC mode.
 */
static void prepare_interrupts(struct guest *guest)
{
	const uint32_t counter = VARS_ADDR + offsetof(struct vars, interrupts);

	write_descriptor(guest, RAW_IDT, MSI_VECTOR, irq_gate(HANDLER_ADDR));
	guest->end = guest->ram + HANDLER_ADDR;
	emit_bytes(guest, 0x60, 0xff, 0x05); /* pusha; incl counter */
	emit(guest, &counter, sizeof(counter));
	emit_wrmsr(guest, 0x80b, 0);
	emit_bytes(guest, 0x61, 0xcf); /* popa; iret */

	program_begin(guest);
	emit_wrmsr(guest, 0x1b, 0xfee00d00);
	emit_wrmsr(guest, 0x80f, 0x1ff);
	program_run(guest);
}

/* Have the User VM halt until it has handled @count interrupts. */
static void emit_wait(struct guest *guest, uint32_t count)
{
	const uint32_t counter = VARS_ADDR + offsetof(struct vars, interrupts);

	/* 1: cli; cmpl count, counter; je 2f; sti; hlt; jmp 1b; 2: */
	emit_bytes(guest, 0xfa, 0x81, 0x3d);
	emit(guest, &counter, sizeof(counter));
	emit(guest, &count, sizeof(count));
	emit_bytes(guest, 0x74, 0x04, 0xfb, 0xf4, 0xeb, 0xef);
}

/*
 * Wait until the User VM has handled @count interrupts, 5 s at most. Returns
 * how many it has handled.
 */
static uint32_t interrupts(struct guest *guest, uint32_t count)
{
	for (int ms = 0; ms < 5000 && guest->vars->interrupts != count; ms++)
		usleep(1000);
	return guest->vars->interrupts;
}

/*
 * Signal one event after the other, each when the last one's MSI was handled.
 */
static void test_interrupts(struct guest *guest, const char *how)
{
	const uint32_t count = 100;
	int efd = raw_eventfd();
	uint32_t seen = 0;

	prepare_interrupts(guest);
	if (raw_irqfd(&guest->vm, efd, 0, guest->vm.msi, MSI_VECTOR))
		err(1, "IRQFD");

	program_begin(guest);
	emit_wait(guest, count + 1);
	emit_jump(guest, END_ADDR);
	resume(guest);
	for (uint32_t i = 1; i <= count && seen == i - 1; i++) {
		raw_signal(efd);
		seen = interrupts(guest, i);
	}
	tap_eq(seen, count, "%s: MSI, each event is one interrupt", how);
	if (seen != count)
		errx(1, "the User VM waits for another number of interrupts");
	usleep(20000);
	tap_eq(guest->vars->interrupts, count, "%s: MSI, and no more", how);

	raw_irqfd(&guest->vm, efd, ACRN_IRQFD_FLAG_DEASSIGN, 0, 0);
	raw_signal(efd);
	usleep(20000);
	tap_eq(guest->vars->interrupts, count, "%s: MSI, deassigned, none",
	       how);
	/* Assigning the irqfd delivers the event that is pending on it. */
	raw_irqfd(&guest->vm, efd, 0, guest->vm.msi, MSI_VECTOR);
	serve(guest);
	tap_eq(guest->vars->interrupts, count + 1,
	       "%s: MSI, the pending event when assigned again", how);
	close(efd);
}

/*
 * An eventfd whose last descriptor is closed is still signalled by a doorbell,
 * which has a reference of its own; its irqfd must inject no more.
 */
static void test_closed(struct guest *guest, const char *how)
{
	uint32_t before = guest->vars->interrupts;
	int efd = raw_eventfd();

	assign(guest, efd, PIO, CLOSED_PORT, 0);
	if (raw_irqfd(&guest->vm, efd, 0, guest->vm.msi, MSI_VECTOR))
		err(1, "IRQFD");
	close(efd);
	/* The in-tree HSM removes the irqfd in a worker thread. */
	usleep(20000);
	program_begin(guest);
	emit_out(guest, CLOSED_PORT, 2, 7, 5);
	emit_bytes(guest, 0xfb, 0x90, 0xfa); /* sti; nop; cli */
	program_run(guest);
	tap_eq(guest->logged, 0, "%s: closed, it is a doorbell still", how);
	tap_eq(guest->vars->interrupts, before, "%s: closed, no MSI", how);
}

static void test_all(int cpu, uint64_t flags, const char *how)
{
	struct guest *guest = guest_create(cpu, flags);

	test_ports(guest, how);
	test_memory(guest, how);
	test_data(guest, how);
	test_interrupts(guest, how);
	test_closed(guest, how);
	guest_close(guest);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: dataplane_guest CPU");
	/*
	 * Asynchronous doorbells ignore the width and direction of an access.
	 */
	raw_use_async("off");
	test_all(atoi(argv[1]), 0, "hypercall");
	test_all(atoi(argv[1]), ACRN_VM_FLAG_IO_COMPLETION_POLLING, "polling");
	return tap_done();
}
