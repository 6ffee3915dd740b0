/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A User VM that runs a few instructions: it makes the accesses that the test
 * tells it to make, one at a time. The test is its device model, and sees which
 * accesses become requests.
 */
#ifndef RAW_GUEST_H
#define RAW_GUEST_H

#include <stdbool.h>

#include "raw_vm.h"

#define RAM_SIZE  0x200000
#define CODE_ADDR 0x3000
#define BOX_ADDR  0x8000

/* Port that the User VM reads its next command from; all ones is none */
#define COMMAND_PORT 0x80
#define WRITE	     0x10
#define MEMORY	     0x20

#define ONES 0xffffffffU

/*
 * The code of the User VM. It reads a command, takes port and value from the
 * mailbox, makes the access, puts the result into the mailbox, and begins
 * again. A command is the size of the access in bytes, plus WRITE for a write.
 * With MEMORY the port is a physical address, and the size is 4.
 */
extern const char guest_code[], guest_code_end[];
asm(".pushsection .rodata\n"
    "guest_code:\n"
    ".code32\n"
    "	mov $0x8000, %ebx\n"
    "next:\n"
    "	mov $0x80, %edx\n"
    "	in (%dx), %eax\n"
    "	mov %eax, %ecx\n"
    "	mov 0(%ebx), %edx\n"
    "	mov 4(%ebx), %eax\n"
    "	cmp $0x01, %ecx\n"
    "	je read1\n"
    "	cmp $0x02, %ecx\n"
    "	je read2\n"
    "	cmp $0x04, %ecx\n"
    "	je read4\n"
    "	cmp $0x11, %ecx\n"
    "	je write1\n"
    "	cmp $0x12, %ecx\n"
    "	je write2\n"
    "	cmp $0x24, %ecx\n"
    "	je load\n"
    "	cmp $0x34, %ecx\n"
    "	je store\n"
    "	cmp $0x14, %ecx\n"
    "	jne next\n"
    "	out %eax, (%dx)\n"
    "	jmp next\n"
    "write1:\n"
    "	out %al, (%dx)\n"
    "	jmp next\n"
    "write2:\n"
    "	out %ax, (%dx)\n"
    "	jmp next\n"
    "store:\n"
    "	mov %eax, (%edx)\n"
    "	jmp next\n"
    "load:\n"
    "	mov (%edx), %eax\n"
    "	jmp result\n"
    "read1:\n"
    "	in (%dx), %al\n"
    "	jmp result\n"
    "read2:\n"
    "	in (%dx), %ax\n"
    "	jmp result\n"
    "read4:\n"
    "	in (%dx), %eax\n"
    "result:\n"
    "	mov %eax, 4(%ebx)\n"
    "	jmp next\n"
    ".code64\n"
    "guest_code_end:\n"
    ".popsection\n");

/**
 * struct box - The mailbox in the memory of the User VM
 * @port:	Port or address of the next access
 * @value:	Value to write, or the last value that was read
 */
struct box {
	uint32_t port;
	uint32_t value;
};

/**
 * struct guest - A User VM
 * @vm:		VM
 * @ram:	Memory of the VM
 * @box:	Mailbox, in @ram
 * @seen:	Copy of the last request that reached the device model
 * @requests:	Number of requests that reached it since the last command
 */
struct guest {
	struct raw_vm vm;
	char *ram;
	volatile struct box *box;
	struct acrn_io_request seen;
	int requests;
};

static inline struct acrn_io_request *slot(const struct guest *guest)
{
	return &guest->vm.slots->req_slot[0];
}

static inline void start(const struct guest *guest)
{
	if (raw_set_registers(guest->vm.fd, CODE_ADDR, RAM_SIZE))
		err(1, "SET_VCPU_REGS");
	if (ioctl(guest->vm.fd, ACRN_IOCTL_START_VM))
		err(1, "START_VM");
}

static inline void create_client(const struct guest *guest)
{
	if (ioctl(guest->vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT))
		err(1, "CREATE_IOREQ_CLIENT");
}

static inline void destroy_client(const struct guest *guest)
{
	if (ioctl(guest->vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT))
		err(1, "DESTROY_IOREQ_CLIENT");
}

/* Give @vm, which was not started yet, memory with the code. */
static inline struct guest guest_in(struct raw_vm vm)
{
	struct guest guest = { .vm = vm, .ram = raw_pages(RAM_SIZE) };

	guest.box = (void *)(guest.ram + BOX_ADDR);
	memcpy(guest.ram + CODE_ADDR, guest_code, guest_code_end - guest_code);
	if (raw_set_memory(guest.vm.fd, guest.ram, RAM_SIZE))
		err(1, "SET_MEMSEG");
	return guest;
}

/* Create such a User VM. It is not started. */
static inline struct guest guest_create(int cpu, uint64_t flags)
{
	return guest_in(raw_vm_create(cpu, flags));
}

static inline void guest_close(struct guest *guest)
{
	raw_vm_close(&guest->vm);
	munmap(guest->ram, RAM_SIZE);
}

/* Pause and close the VM, in the order in which acrn-dm ends one. */
static inline void guest_end(struct guest *guest)
{
	if (ioctl(guest->vm.fd, ACRN_IOCTL_PAUSE_VM))
		err(1, "PAUSE_VM");
	guest_close(guest);
}

/* Answer the request with @value. */
static inline void finish(const struct guest *guest, uint32_t value)
{
	struct acrn_ioreq_notify notify = { .vmid = guest->vm.vmid };

	slot(guest)->reqs.pio_request.value = value;
	if (ioctl(guest->vm.fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &notify))
		err(1, "NOTIFY_REQUEST_FINISH");
}

/* Wait for the next request. */
static inline void wait_request(const struct guest *guest)
{
	do {
		if (ioctl(guest->vm.fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT))
			err(1, "ATTACH_IOREQ_CLIENT");
	} while (__atomic_load_n(&slot(guest)->processed, __ATOMIC_ACQUIRE) !=
			 ACRN_IOREQ_STATE_PROCESSING ||
		 slot(guest)->kernel_handled);
}

static inline bool wants_command(const struct guest *guest)
{
	return slot(guest)->type == ACRN_IOREQ_TYPE_PORTIO &&
	       slot(guest)->reqs.pio_request.address == COMMAND_PORT;
}

/*
 * Let the User VM make an access. Requests that reach the device model are
 * answered with @answer. Returns the value that a read has returned.
 */
static inline uint32_t command(struct guest *guest, uint32_t what,
			       uint32_t port, uint32_t value, uint32_t answer)
{
	guest->box->port = port;
	guest->box->value = value;
	guest->requests = 0;
	wait_request(guest);
	if (!wants_command(guest))
		errx(1, "the User VM is lost");
	finish(guest, what);
	for (wait_request(guest); !wants_command(guest); wait_request(guest)) {
		guest->seen = *slot(guest);
		guest->requests++;
		finish(guest, answer);
	}
	return guest->box->value;
}

static inline void write_port(struct guest *guest, int size, uint32_t port,
			      uint32_t value)
{
	command(guest, WRITE | size, port, value, 0);
}

static inline uint32_t read_port(struct guest *guest, int size, uint32_t port,
				 uint32_t answer)
{
	return command(guest, size, port, 0, answer);
}

/* Access four bytes at a physical address of the User VM. */
static inline void write_memory(struct guest *guest, uint32_t address,
				uint32_t value)
{
	command(guest, MEMORY | WRITE | 4, address, value, 0);
}

static inline uint32_t read_memory(struct guest *guest, uint32_t address,
				   uint32_t answer)
{
	return command(guest, MEMORY | 4, address, 0, answer);
}

#endif /* RAW_GUEST_H */
