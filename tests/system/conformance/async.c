// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous doorbells, which the in-tree HSM does not have: the hypervisor
 * puts a cookie in a ring and does not stop the vCPU.
 */
#include "conformance.h"
#include "hv_trace.h"
#include "raw_async.h"
#include "raw_guest.h"

#define PIO	  ACRN_IOEVENTFD_FLAG_PIO
#define DATAMATCH ACRN_IOEVENTFD_FLAG_DATAMATCH
#define DEASSIGN  ACRN_IOEVENTFD_FLAG_DEASSIGN
#define ASYNCIO	  ACRN_IOEVENTFD_FLAG_ASYNCIO

#define PORT	   0x1000
#define OTHER_PORT 0x1010
#define MMIO	   0xc0000000U
#define MANY_PORTS 0x2000

/* A port that is also an address in the memory of the User VM */
#define BOTH 0xe000

/* How an access reaches the Service VM */
enum way {
	BY_RING,    /* as a cookie of an asynchronous doorbell */
	BY_REQUEST, /* as a request that rings an ordinary doorbell */
	NOT_RUNG,   /* as a request for the device model */
};

static unsigned long ring_count(const struct guest *guest)
{
	return raw_stat(&guest->vm, "doorbells_ring");
}

/*
 * Check that the last access went @way. @before: the number of rings through
 * the hypervisor's ring before it.
 */
static void expect_way(const struct guest *guest, int bell, enum way way,
		       unsigned long before, const char *name)
{
	unsigned long rings = ring_count(guest) - before;
	uint64_t events = raw_events(bell);

	if (!tap_ok(events == (way != NOT_RUNG) &&
			    guest->requests == (way == NOT_RUNG) &&
			    rings == (way == BY_RING),
		    "%s", name))
		tap_diag("%llu events, %d requests, %lu by ring",
			 (unsigned long long)events, guest->requests, rings);
}

#define expect(access, guest, bell, way, name)                                 \
	do {                                                                   \
		unsigned long before_ = ring_count(guest);                     \
                                                                               \
		access;                                                        \
		expect_way(guest, bell, way, before_, name);                   \
	} while (0)

#define expect_write(guest, size, port, value, bell, way, name)                \
	expect(write_port(guest, size, port, value), guest, bell, way, name)

/* Start a VM with the module parameter async=@mode. */
static struct guest running_guest(const char *mode)
{
	struct guest guest;

	raw_use_async(mode);
	guest = guest_create(cpus[0], 0);
	create_client(&guest);
	start(&guest);
	return guest;
}

/* Assign a doorbell. Returns its eventfd. */
static int doorbell(const struct guest *guest, uint32_t flags, uint64_t address,
		    uint32_t len, uint64_t data)
{
	int bell = raw_eventfd();

	if (raw_ioeventfd(&guest->vm, bell, flags, address, len, data))
		err(1, "IOEVENTFD at %#llx", (unsigned long long)address);
	return bell;
}

static void test_async_setup(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	void *page = raw_pages(PAGE);

	differs_errno("async-setup",
		      ioctl(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, page), 0, ENOTTY,
		      "SETUP_ASYNCIO");
	differs_errno("async-setup",
		      ioctl(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, NULL), 0, ENOTTY,
		      "SETUP_ASYNCIO without a page");
	raw_vm_close(&vm);
	munmap(page, PAGE);
}

static void test_async_mode(void)
{
	struct guest guest = running_guest("off");
	int bell = doorbell(&guest, PIO | ASYNCIO, PORT, 2, 0);

	tap_eq(raw_set_async("sometimes"), EINVAL, "async=sometimes");
	expect_write(&guest, 2, PORT, 1, bell, BY_REQUEST, "async=off");
	raw_use_async("auto");
	close(doorbell(&guest, PIO, OTHER_PORT, 2, 0));
	tap_eq(raw_async_doorbells(&guest.vm), 0,
	       "a VM that was started with async=off has none");
	close(bell);
	guest_close(&guest);

	guest = running_guest("flag");
	bell = doorbell(&guest, PIO | ASYNCIO, PORT, 2, 0);
	expect_write(&guest, 2, PORT, 1, bell, BY_RING,
		     "async=flag, and the flag");
	close(bell);
	bell = doorbell(&guest, PIO, OTHER_PORT, 2, 0);
	expect_write(&guest, 2, OTHER_PORT, 1, bell, BY_REQUEST,
		     "async=flag without the flag");
	close(bell);
	guest_close(&guest);
}

static void test_async_access(void)
{
	struct guest guest = running_guest("auto");
	int bell = doorbell(&guest, PIO, PORT, 2, 0);
	int memory = doorbell(&guest, 0, MMIO, 4, 0);

	tap_eq(raw_async_doorbells(&guest.vm), 2, "async=auto: all are");
	expect_write(&guest, 2, PORT, 1, bell, BY_RING, "a port");
	expect(write_memory(&guest, MMIO, 1), &guest, memory, BY_RING,
	       "memory");
	expect_write(&guest, 4, PORT, 1, bell, BY_RING,
		     "a write of another width rings as well");
	expect(read_port(&guest, 2, PORT, 0x55), &guest, bell, BY_RING,
	       "and so does a read");
	expect_write(&guest, 2, PORT + 1, 1, bell, NOT_RUNG,
		     "the port beside it does not");

	tap_success(raw_ioeventfd(&guest.vm, bell, PIO | DEASSIGN, PORT, 2, 0),
		    "deassigned");
	expect_write(&guest, 2, PORT, 1, bell, NOT_RUNG, "it does not ring");
	tap_success(raw_ioeventfd(&guest.vm, bell, PIO, PORT, 2, 0),
		    "assigned again");
	expect_write(&guest, 2, PORT, 1, bell, BY_RING, "it rings again");
	close(bell);
	close(memory);
	guest_close(&guest);
}

/*
 * Doorbells of a legacy virtio device: one port, the data is the queue's index
 */
static void test_async_data(void)
{
	struct guest guest = running_guest("auto");
	int first = doorbell(&guest, PIO | DATAMATCH, PORT, 2, 0);
	int second = doorbell(&guest, PIO | DATAMATCH, PORT, 2, 1);

	expect_write(&guest, 2, PORT, 0, first, BY_RING, "data: the first");
	expect_write(&guest, 2, PORT, 1, second, BY_RING, "data: the second");
	expect_write(&guest, 2, PORT, 2, first, NOT_RUNG, "data: no other");
	tap_eq(raw_events(second), 0, "data: neither of them");
	close(first);
	close(second);
	guest_close(&guest);
}

/*
 * The hypervisor does not compare widths. So doorbells at one address that
 * differ in nothing else must not be asynchronous.
 */
static void test_async_conflict(void)
{
	struct guest guest = running_guest("auto");
	int word = doorbell(&guest, PIO, PORT, 2, 0), twice, data;

	twice = doorbell(&guest, PIO, PORT, 4, 0);
	tap_eq(raw_async_doorbells(&guest.vm), 0,
	       "conflict: two widths, none is asynchronous");
	expect_write(&guest, 2, PORT, 1, word, BY_REQUEST, "conflict: 2 bytes");
	expect_write(&guest, 4, PORT, 1, twice, BY_REQUEST,
		     "conflict: 4 bytes");
	data = doorbell(&guest, PIO | DATAMATCH, PORT, 1, 7);
	expect_write(&guest, 1, PORT, 7, data, BY_REQUEST,
		     "conflict: 1 byte, with data");
	close(word);
	close(twice);
	close(data);

	word = doorbell(&guest, PIO | DATAMATCH, OTHER_PORT, 2, 7);
	twice = doorbell(&guest, PIO | DATAMATCH, OTHER_PORT, 4, 8);
	expect_write(&guest, 2, OTHER_PORT, 7, word, BY_RING,
		     "two widths with data: the first");
	expect_write(&guest, 4, OTHER_PORT, 8, twice, BY_RING,
		     "two widths with data: the second");
	close(word);
	close(twice);

	word = doorbell(&guest, PIO, 0xc000, 4, 0);
	twice = doorbell(&guest, 0, 0xc0001000, 4, 0);
	data = doorbell(&guest, PIO, 0x1004, 4, 0);
	tap_eq(raw_async_doorbells(&guest.vm), 5,
	       "no conflict: other addresses");
	close(word);
	close(twice);
	close(data);
	guest_close(&guest);
}

/*
 * A port and memory at the same address do not conflict. A doorbell at address
 * 0, which the hypervisor refuses, must be an ordinary one.
 */
static void test_async_address(void)
{
	struct guest guest = running_guest("auto");
	int port = doorbell(&guest, PIO, BOTH, 4, 0);
	int memory = doorbell(&guest, 0, BOTH, 4, 0);
	int zero = doorbell(&guest, PIO, 0, 2, 0);

	tap_eq(raw_async_doorbells(&guest.vm), 2,
	       "a port and memory at one address, and not port 0");
	expect_write(&guest, 4, BOTH, 1, port, BY_RING, "the port");
	tap_eq(raw_events(memory), 0, "not the memory");
	/* An access to an address reaches the hypervisor where no memory is. */
	if (raw_unset_ram(guest.vm.fd, BOTH, PAGE))
		err(1, "UNSET_MEMSEG");
	expect(write_memory(&guest, BOTH, 1), &guest, memory, BY_RING,
	       "the memory");
	tap_eq(raw_events(port), 0, "not the port");
	expect_write(&guest, 2, 0, 1, zero, BY_REQUEST, "port 0");
	close(port);
	close(memory);
	close(zero);
	guest_close(&guest);
}

static void test_async_many(void)
{
	const unsigned int max = ACRN_ASYNC_DOORBELLS_MAX;
	struct guest guest = running_guest("auto");
	int bells[ACRN_ASYNC_DOORBELLS_MAX + 1];

	for (unsigned int i = 0; i <= max; i++)
		bells[i] = doorbell(&guest, PIO, MANY_PORTS + 4 * i, 2, 0);
	tap_eq(raw_async_doorbells(&guest.vm), max, "65: 64 are asynchronous");
	expect_write(&guest, 2, MANY_PORTS, 1, bells[0], BY_RING,
		     "65: the first");
	expect_write(&guest, 2, MANY_PORTS + 4 * (max - 1), 1, bells[max - 1],
		     BY_RING, "65: the 64th");
	expect_write(&guest, 2, MANY_PORTS + 4 * max, 1, bells[max], BY_REQUEST,
		     "65: the last is an ordinary one");
	if (raw_ioeventfd(&guest.vm, bells[0], PIO | DEASSIGN, MANY_PORTS, 2,
			  0))
		err(1, "IOEVENTFD");
	expect_write(&guest, 2, PORT, 1, bells[0], NOT_RUNG, "one has gone");
	close(bells[0]);
	bells[0] = doorbell(&guest, PIO, PORT, 2, 0);
	expect_write(&guest, 2, PORT, 1, bells[0], BY_RING,
		     "the next has its place");
	for (unsigned int i = 0; i <= max; i++)
		close(bells[i]);
	guest_close(&guest);
}

/*
 * Doorbells survive a reset, but the next VM with the same id has none of them.
 */
static void test_async_reset(void)
{
	struct guest guest = running_guest("auto");
	int bell = doorbell(&guest, PIO, PORT, 2, 0);
	uint16_t vmid = guest.vm.vmid;

	expect_write(&guest, 2, PORT, 1, bell, BY_RING, "before a reset");
	if (ioctl(guest.vm.fd, ACRN_IOCTL_PAUSE_VM) ||
	    ioctl(guest.vm.fd, ACRN_IOCTL_RESET_VM))
		err(1, "RESET_VM");
	start(&guest);
	expect_write(&guest, 2, PORT, 1, bell, BY_RING, "after it");
	guest_end(&guest);

	guest = running_guest("auto");
	tap_eq(guest.vm.vmid, vmid, "the next VM has the same id");
	expect_write(&guest, 2, PORT, 1, bell, NOT_RUNG,
		     "and not the doorbell");
	close(bell);
	bell = doorbell(&guest, PIO, PORT, 2, 0);
	expect_write(&guest, 2, PORT, 1, bell, BY_RING, "but its own");
	close(bell);
	guest_close(&guest);
}

/*
 * Two older hypervisors: one that does not compare data, one without
 * asynchronous doorbells.
 */
static void test_async_old(void)
{
	struct guest guest;
	int any, data;

	if (fixture_skip("registers", "older hypervisors"))
		return;
	hv_write_msr(HV_MSR_ASYNCIO_SIZE, HV_ASYNCIO_SIZE_OLD);
	guest = running_guest("auto");
	any = doorbell(&guest, PIO, PORT, 2, 0);
	data = doorbell(&guest, PIO | DATAMATCH, OTHER_PORT, 2, 7);
	expect_write(&guest, 2, PORT, 9, any, BY_RING, "24 bytes: any data");
	expect_write(&guest, 2, OTHER_PORT, 7, data, BY_REQUEST,
		     "24 bytes: data is an ordinary one's");
	expect_write(&guest, 2, OTHER_PORT, 8, data, NOT_RUNG,
		     "24 bytes: other data is not");
	guest_close(&guest);

	hv_write_msr(HV_MSR_ASYNCIO_SIZE, 0);
	guest = running_guest("auto");
	if (raw_ioeventfd(&guest.vm, any, PIO, PORT, 2, 0))
		err(1, "IOEVENTFD");
	expect_write(&guest, 2, PORT, 9, any, BY_REQUEST,
		     "no asynchronous doorbells: an ordinary one");
	guest_close(&guest);
	hv_write_msr(HV_MSR_ASYNCIO_SIZE, HV_ASYNCIO_SIZE);
	close(any);
	close(data);
}

/* The cookie of the last asynchronous doorbell that was assigned. */
static uint64_t last_cookie(struct trace *trace)
{
	const struct hv_trace_entry *entry;
	uint64_t cookie = 0;

	while ((entry = trace_next(trace)))
		if (entry->id == (ACRN_HC_ASYNCIO_ASSIGN & 0xff))
			cookie = entry->args[3];
	return cookie;
}

/* Put a cookie in the guest's ring; the request after it comes behind it. */
static void forge(struct guest *guest, uint64_t cookie)
{
	hv_write_msr(HV_MSR_CALL_ARG0, guest->vm.vmid);
	hv_write_msr(HV_MSR_FORGE, cookie);
	read_port(guest, 4, 0x90, 0);
}

/* Cookies that are not, or no longer, those of a doorbell of this VM. */
static void test_async_forged(void)
{
	static const uint64_t places = ACRN_ASYNC_DOORBELLS_MAX;
	struct trace trace;
	struct guest guest, other;
	uint64_t cookie, foreign, gone;
	unsigned long stale;
	int bell, others;

	if (fixture_skip("registers", "forged cookies"))
		return;
	trace = trace_start();
	guest = running_guest("auto");
	bell = doorbell(&guest, PIO, PORT, 2, 0);
	gone = last_cookie(&trace);
	if (raw_ioeventfd(&guest.vm, bell, PIO | DEASSIGN, PORT, 2, 0) ||
	    raw_ioeventfd(&guest.vm, bell, PIO, PORT, 2, 0))
		err(1, "IOEVENTFD");
	cookie = last_cookie(&trace);
	other = guest_create(cpus[1], 0);
	others = doorbell(&other, PIO, PORT, 2, 0);
	foreign = last_cookie(&trace);

	forge(&guest, cookie);
	tap_eq(raw_events(bell), 1, "cookies: its own");
	stale = raw_stat(&guest.vm, "cookies_stale");
	forge(&guest, 0);
	forge(&guest, ~0ULL);
	forge(&guest, cookie % places);
	forge(&guest, cookie + 1);
	forge(&guest, cookie + places);
	forge(&guest, gone);
	forge(&guest, foreign);
	tap_eq(raw_events(bell) + raw_events(others), 0,
	       "cookies: forged, one that has gone, another VM's");
	tap_eq(raw_stat(&guest.vm, "cookies_stale") - stale, 7,
	       "cookies: they are counted");
	tap_ok(gone % places == cookie % places,
	       "cookies: the one that has gone was of the same place");
	expect_write(&guest, 2, PORT, 1, bell, BY_RING, "cookies: and rings");
	guest_close(&guest);
	guest_close(&other);
	trace_stop(&trace);
	close(bell);
	close(others);
}

void test_async(void)
{
	group(test_async_setup);
	if (raw_hsm_is_in_tree())
		return;
	group(test_async_mode);
	group(test_async_access);
	group(test_async_data);
	group(test_async_conflict);
	group(test_async_address);
	group(test_async_many);
	group(test_async_reset);
	group(test_async_old);
	group(test_async_forged);
	raw_use_async("off");
}
