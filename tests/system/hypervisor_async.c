// SPDX-License-Identifier: GPL-2.0
/*
 * The rings between tests/hypervisor and the Service VM, without the HSM: this
 * program makes the hypercalls and empties the rings itself. It expects what
 * ACRN does in hypervisor/dm/io_req.c, common/sbuf.c and common/vm_event.c.
 *
 * Argument: physical CPU of the User VM.
 */
#include "acrn_hypercall.h"
#include "fixture.h"
#include "raw_async.h"
#include "raw_guest.h"
#include "tap.h"

#define PAGE	4096UL
#define COOKIES ((PAGE - sizeof(struct acrn_ring)) / sizeof(uint64_t))
#define EVENTS                                                                 \
	((PAGE - sizeof(struct acrn_ring)) / sizeof(struct acrn_hv_event))
/* A full ring has one element unused, which tells it from an empty one. */
#define ROOM (COOKIES - 1)

#define PORT  0x500
#define OTHER 0x510
#define MMIO  0xc0000000U
#define MANY  0x1000
#define RINGS 2000

#define PIO_BELL  ACRN_ASYNC_DOORBELL_PIO
#define MMIO_BELL ACRN_ASYNC_DOORBELL_MMIO

/* A ring of one page. */
struct ring {
	struct acrn_ring header;
	union {
		uint64_t cookies[COOKIES];
		struct acrn_hv_event events[EVENTS];
	};
};

static int cpu;
static struct ring *ring;
/* Page for the structure that a hypercall's argument points to */
static void *argument;

static void *locked_page(void)
{
	void *page = raw_pages(PAGE);

	if (mlock(page, PAGE))
		err(1, "mlock");
	return page;
}

static int64_t setup_at(const struct raw_vm *vm, uint32_t id, uint64_t address)
{
	struct acrn_ring_param *param = argument;

	*param = (struct acrn_ring_param){ .cpu_id = 0xffff,
					   .ring_id = id,
					   .address = address };
	return hv_call(ACRN_HC_SETUP_SBUF, vm->vmid, raw_physical(argument));
}

static void fill_header(uint32_t element, uint32_t count)
{
	memset(ring, 0, sizeof(*ring));
	ring->header = (struct acrn_ring){ .magic = ACRN_RING_MAGIC,
					   .ele_num = count,
					   .ele_size = element,
					   .size = element * count };
}

/* Give the VM an empty ring for cookies. */
static void setup(const struct raw_vm *vm)
{
	fill_header(sizeof(uint64_t), COOKIES);
	if (setup_at(vm, ACRN_RING_ASYNCIO, raw_physical(ring)))
		errx(1, "SETUP_SBUF");
}

static int64_t call_doorbell(uint32_t id, const struct raw_vm *vm,
			     struct acrn_async_doorbell doorbell)
{
	*(struct acrn_async_doorbell *)argument = doorbell;
	return hv_call(id, vm->vmid, raw_physical(argument));
}

#define assign(vm, ...)                                                        \
	call_doorbell(ACRN_HC_ASYNCIO_ASSIGN, vm,                              \
		      (struct acrn_async_doorbell){ __VA_ARGS__ })
#define deassign(vm, ...)                                                      \
	call_doorbell(ACRN_HC_ASYNCIO_DEASSIGN, vm,                            \
		      (struct acrn_async_doorbell){ __VA_ARGS__ })

/* Take the oldest cookie from the ring; 0 if there is none. */
static uint64_t take(void)
{
	struct acrn_ring *header = &ring->header;
	uint32_t head = header->head;
	uint64_t cookie;

	if (__atomic_load_n(&header->tail, __ATOMIC_ACQUIRE) == head)
		return 0;
	cookie = ring->cookies[head / sizeof(cookie)];
	head = (head + sizeof(cookie)) % header->size;
	__atomic_store_n(&header->head, head, __ATOMIC_RELEASE);
	return cookie;
}

/*
 * Check that the last access rang @cookie once and was no request. With a
 * @cookie of 0, check that it was a request and rang nothing.
 */
static void expect(struct guest *guest, uint64_t cookie, const char *name)
{
	uint64_t got = take();

	if (!tap_ok(got == cookie && guest->requests == !cookie && !take(),
		    "%s", name))
		tap_diag("cookie %#llx, %d requests", (unsigned long long)got,
			 guest->requests);
}

static void expect_write(struct guest *guest, int size, uint32_t port,
			 uint32_t value, uint64_t cookie, const char *name)
{
	write_port(guest, size, port, value);
	expect(guest, cookie, name);
}

static struct guest running_guest(void)
{
	struct guest guest = guest_create(cpu, 0);

	create_client(&guest);
	start(&guest);
	return guest;
}

static void test_setup(void)
{
	struct raw_vm vm = raw_vm_create(cpu, 0);

	fill_header(sizeof(uint64_t), COOKIES);
	ring->header.magic--;
	tap_eq(setup_at(&vm, ACRN_RING_ASYNCIO, raw_physical(ring)), -EPERM,
	       "ring: another magic number");
	ring->header.magic++;
	tap_eq(setup_at(&vm, 7, raw_physical(ring)), -EPERM,
	       "ring: unknown id");
	tap_eq(setup_at(&vm, ACRN_RING_ASYNCIO, 0), -EPERM,
	       "ring: at address 0");
	tap_eq(setup_at(&vm, ACRN_RING_ASYNCIO, raw_physical(ring)), 0, "ring");
	raw_vm_close(&vm);
}

static void test_access(void)
{
	struct guest guest = running_guest();

	setup(&guest.vm);
	tap_eq(assign(&guest.vm, PIO_BELL, 0, PORT, 1, 0), 0,
	       "a doorbell is assigned");
	expect_write(&guest, 1, PORT, 5, 1, "one byte rings");
	expect_write(&guest, 2, PORT, 6, 1, "two bytes ring");
	expect_write(&guest, 4, PORT, 7, 1, "four bytes ring");
	expect_write(&guest, 1, PORT + 1, 5, 0,
		     "a write to the next port does not ring");
	tap_eq(command(&guest, 4, PORT, 0x77, 0), 0x77,
	       "a read gives what was in the register");
	expect(&guest, 1, "the read of the port rings");

	assign(&guest.vm, MMIO_BELL, 0, MMIO, 2, 0);
	write_memory(&guest, MMIO, 5);
	expect(&guest, 2, "a write to memory rings");
	tap_eq(command(&guest, MEMORY | 4, MMIO, 0x99, 0), 0x99,
	       "reading it gives what was in the register");
	expect(&guest, 2, "the read of memory rings");

	deassign(&guest.vm, PIO_BELL, 0, PORT, 9, 0);
	expect_write(&guest, 4, PORT, 5, 1,
		     "deassigning with another cookie has no effect");
	tap_eq(deassign(&guest.vm, PIO_BELL, 0, PORT, 1, 0), 0,
	       "the doorbell is deassigned");
	expect_write(&guest, 4, PORT, 5, 0,
		     "a deassigned doorbell does not ring");
	deassign(&guest.vm, MMIO_BELL, 0, MMIO, 2, 0);
	guest_close(&guest);
}

static void test_data(void)
{
	struct guest guest = running_guest();

	setup(&guest.vm);
	assign(&guest.vm, PIO_BELL, 1, PORT, 3, 7);
	assign(&guest.vm, PIO_BELL, 1, PORT, 4, 8);
	expect_write(&guest, 2, PORT, 7, 3, "data: the first");
	expect_write(&guest, 4, PORT, 8, 4, "data: the second");
	expect_write(&guest, 2, PORT, 9, 0, "data: no other");

	tap_eq(assign(&guest.vm, PIO_BELL, 1, PORT, 5, 7), 0,
	       "conflict: the same data is no error");
	tap_eq(assign(&guest.vm, PIO_BELL, 0, PORT, 6, 0), 0,
	       "conflict: nor is any data");
	tap_eq(assign(&guest.vm, PIO_BELL, 0, 0, 6, 0), 0,
	       "conflict: nor is address 0");
	deassign(&guest.vm, PIO_BELL, 1, PORT, 3, 7);
	expect_write(&guest, 2, PORT, 7, 0,
		     "conflict: none of these was assigned");
	deassign(&guest.vm, PIO_BELL, 0, PORT, 4, 8);
	expect_write(&guest, 2, PORT, 8, 4,
		     "data: deassigning with any data has no effect");
	deassign(&guest.vm, PIO_BELL, 1, PORT, 4, 8);
	expect_write(&guest, 2, PORT, 8, 0,
		     "data: deassigned with its own data");
	guest_close(&guest);
}

static void assign_many(const struct raw_vm *vm, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		assign(vm, PIO_BELL, 0, MANY + i, 100 + i, 0);
}

static void deassign_many(const struct raw_vm *vm, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		deassign(vm, PIO_BELL, 0, MANY + i, 100 + i, 0);
}

static void test_limit(void)
{
	const unsigned int max = ACRN_ASYNC_DOORBELLS_MAX;
	struct guest guest = running_guest();

	setup(&guest.vm);
	assign_many(&guest.vm, max);
	expect_write(&guest, 1, MANY + max - 1, 1, 100 + max - 1,
		     "64 doorbells");
	tap_eq(assign(&guest.vm, PIO_BELL, 0, PORT, 1, 0), 0,
	       "one more is no error");
	expect_write(&guest, 1, PORT, 1, 0, "the 65th doorbell does not ring");
	deassign(&guest.vm, PIO_BELL, 0, MANY, 100, 0);
	assign(&guest.vm, PIO_BELL, 0, PORT, 1, 0);
	expect_write(&guest, 1, PORT, 1, 1, "there is room when one has gone");
	deassign(&guest.vm, PIO_BELL, 0, PORT, 1, 0);
	deassign_many(&guest.vm, max);
	guest_close(&guest);
}

/*
 * Doorbells that a VM leaves behind occupy entries of the next VM with its id.
 */
static void test_reuse(void)
{
	struct guest guest = running_guest();
	uint16_t vmid = guest.vm.vmid;

	setup(&guest.vm);
	assign(&guest.vm, PIO_BELL, 0, PORT, 1, 0);
	guest_close(&guest);
	guest = running_guest();
	tap_eq(guest.vm.vmid, vmid, "the id is used again");
	expect_write(&guest, 1, PORT, 1, 0, "left behind: no ring");
	setup(&guest.vm);
	expect_write(&guest, 1, PORT, 1, 0, "left behind: it does not ring");
	assign_many(&guest.vm, ACRN_ASYNC_DOORBELLS_MAX);
	expect_write(&guest, 1, MANY + 62, 1, 162, "left behind: room for 63");
	expect_write(&guest, 1, MANY + 63, 1, 0, "left behind: not for 64");
	deassign(&guest.vm, PIO_BELL, 0, PORT, 1, 0);
	expect_write(&guest, 1, MANY, 1, 0,
		     "left behind: to remove it loses the others");
	deassign_many(&guest.vm, ACRN_ASYNC_DOORBELLS_MAX);
	guest_close(&guest);
}

/* Code of the User VM: ring RINGS times and count the rings. */
extern const char storm_code[], storm_code_end[];
asm(".pushsection .rodata\n"
    "storm_code:\n"
    ".code32\n"
    "	mov $0x500, %edx\n"
    "	mov $2000, %ecx\n"
    "1:	out %eax, (%dx)\n"
    "	incl 0x8000\n"
    "	loop 1b\n"
    "2:	jmp 2b\n"
    ".code64\n"
    "storm_code_end:\n"
    ".popsection\n");

static struct guest storm_guest(void)
{
	struct guest guest = guest_create(cpu, 0);

	memcpy(guest.ram + CODE_ADDR, storm_code, storm_code_end - storm_code);
	create_client(&guest);
	setup(&guest.vm);
	assign(&guest.vm, PIO_BELL, 0, PORT, 1, 0);
	start(&guest);
	return guest;
}

/* Number of rings after which the guest went on. */
static uint32_t rings(const struct guest *guest)
{
	return *(volatile uint32_t *)(guest->ram + 0x8000);
}

static void wait_rings(const struct guest *guest, uint32_t count)
{
	for (int i = 0; i < 5000 && rings(guest) < count; i++)
		usleep(1000);
}

/*
 * Wait until the ring is full and the guest has come to its next write, which
 * waits for room. A write that comes after the doorbell is deassigned is an I/O
 * request, and does not ring.
 */
static void wait_full(const struct guest *guest)
{
	wait_rings(guest, ROOM);
	usleep(50000);
}

static void test_full(void)
{
	struct guest guest = storm_guest();
	unsigned int taken = 0;
	uint64_t wrong = 0, cookie;

	wait_full(&guest);
	tap_eq(rings(&guest), ROOM, "the ring is full and the guest waits");
	tap_eq(take(), 1, "one cookie is taken from the full ring");
	wait_rings(&guest, ROOM + 1);
	usleep(20000);
	tap_eq(rings(&guest), ROOM + 1, "the guest rings once more");
	for (int i = 0; i < 5000 && taken < RINGS - 1; i++) {
		while ((cookie = take())) {
			wrong += cookie != 1;
			taken++;
		}
		usleep(1000);
	}
	tap_eq(taken, RINGS - 1, "all cookies are taken, none is lost");
	tap_eq(wrong, 0, "no cookie is another doorbell's");
	wait_rings(&guest, RINGS);
	tap_eq(rings(&guest), RINGS, "the guest has come to its end");
	deassign(&guest.vm, PIO_BELL, 0, PORT, 1, 0);
	guest_close(&guest);
}

static void test_full_pause(void)
{
	struct guest guest = storm_guest();

	wait_full(&guest);
	deassign(&guest.vm, PIO_BELL, 0, PORT, 1, 0);
	take();
	wait_rings(&guest, ROOM + 1);
	tap_eq(rings(&guest), ROOM + 1,
	       "what waits for room rings after it is deassigned");
	guest_close(&guest);

	guest = storm_guest();
	wait_full(&guest);
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_PAUSE_VM),
		    "PAUSE_VM of a VM that waits for room");
	take();
	usleep(20000);
	tap_eq(rings(&guest), ROOM, "the paused VM does not ring any more");
	deassign(&guest.vm, PIO_BELL, 0, PORT, 1, 0);
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_DESTROY_VM), "DESTROY_VM");
	guest_close(&guest);
}

static void test_old(void)
{
	struct guest guest = running_guest();

	hv_write_msr(HV_MSR_ASYNCIO_SIZE, 0);
	fill_header(sizeof(uint64_t), COOKIES);
	tap_eq(setup_at(&guest.vm, ACRN_RING_ASYNCIO, raw_physical(ring)),
	       -ENOTTY, "an old hypervisor: SETUP_SBUF");
	tap_eq(assign(&guest.vm, PIO_BELL, 0, PORT, 1, 0), -ENOTTY,
	       "an old hypervisor: ASYNCIO_ASSIGN");
	tap_eq(deassign(&guest.vm, PIO_BELL, 0, PORT, 1, 0), -ENOTTY,
	       "an old hypervisor: ASYNCIO_DEASSIGN");

	hv_write_msr(HV_MSR_ASYNCIO_SIZE, HV_ASYNCIO_SIZE_OLD);
	setup(&guest.vm);
	assign(&guest.vm, PIO_BELL, 0, PORT, 1, 0);
	expect_write(&guest, 2, PORT, 5, 1, "24 bytes: any data");
	assign(&guest.vm, PIO_BELL, 1, OTHER, 3, 7);
	assign(&guest.vm, PIO_BELL, 1, OTHER, 4, 8);
	expect_write(&guest, 2, OTHER, 7, 4, "24 bytes: data is misread");
	deassign(&guest.vm, PIO_BELL, 0, PORT, 1, 0);
	deassign(&guest.vm, PIO_BELL, 1, OTHER, 3, 7);
	deassign(&guest.vm, PIO_BELL, 1, OTHER, 4, 8);
	hv_write_msr(HV_MSR_ASYNCIO_SIZE, HV_ASYNCIO_SIZE);
	guest_close(&guest);
}

static void test_forge(void)
{
	struct raw_vm vm = raw_vm_create(cpu, 0);

	setup(&vm);
	hv_write_msr(HV_MSR_CALL_ARG0, vm.vmid);
	hv_write_msr(HV_MSR_FORGE, 0x1234567890ULL);
	tap_eq(take(), 0x1234567890ULL, "a forged cookie");
	raw_vm_close(&vm);
}

static void test_event(void)
{
	struct guest guest = guest_create(cpu, 0);
	const struct acrn_pio_request *pio = &slot(&guest)->reqs.pio_request;

	/* INT3, for which there is no handler, ends in a triple fault. */
	guest.ram[CODE_ADDR] = 0xcc;
	create_client(&guest);
	fill_header(sizeof(struct acrn_hv_event), EVENTS);
	tap_eq(setup_at(&guest.vm, ACRN_RING_VM_EVENT, raw_physical(ring)), 0,
	       "a ring for events");
	start(&guest);
	wait_request(&guest);
	tap_ok(pio->address == 0x404 && pio->value == 0x3400,
	       "a triple fault is told as S5");
	tap_ok(ring->header.tail == sizeof(struct acrn_hv_event) &&
		       ring->events[0].type == ACRN_HV_EVENT_TRIPLE_FAULT,
	       "the triple fault is an event too");
	guest_close(&guest);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(1, "usage: hypervisor_async CPU");
	cpu = atoi(argv[1]);
	if (fixture_skip("registers",
			 "rings between hypervisor and Service VM"))
		return tap_done();
	/* This test sets the rings up; the HSM must not. */
	raw_use_async("off");
	ring = locked_page();
	argument = locked_page();
	test_setup();
	test_access();
	test_data();
	test_limit();
	test_reuse();
	test_full();
	test_full_pause();
	test_old();
	test_forge();
	test_event();
	return tap_done();
}
