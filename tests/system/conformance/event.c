// SPDX-License-Identifier: GPL-2.0
/*
 * Events of a VM, as acrn-dm receives them (devicemodel/core/vm_event.c): in a
 * ring in its own memory, with an eventfd that is signalled for each.
 */
#include <poll.h>

#include "conformance.h"
#include "raw_event.h"
#include "raw_guest.h"

#define PM1A_PORT 0x404
#define PM1A_S5	  0x3400

/* Give @vm the ring and a new eventfd for its events. Returns the eventfd. */
static int connect_ring(const struct raw_vm *vm, const struct event_ring *ring)
{
	int fd = raw_eventfd();

	if (set_ring(vm, ring) || set_fd(vm, fd))
		err(1, "SETUP_VM_EVENT");
	return fd;
}

/* Whether the eventfd is signalled within @ms; clears it. */
static bool told(int fd, int ms)
{
	struct pollfd new = { .fd = fd, .events = POLLIN };

	return poll(&new, 1, ms) == 1 && raw_events(fd);
}

#define told_soon(fd) told(fd, 5000)

/* Make an ioctl without argument that must succeed. */
static void change(const struct raw_vm *vm, unsigned long request)
{
	if (ioctl(vm->fd, request))
		err(1, "ioctl %#lx", request);
}

/* Take the oldest event from the ring. Returns false if there is none. */
static bool take(struct event_ring *ring, struct acrn_hv_event *event)
{
	struct acrn_ring *header = &ring->header;
	uint32_t head = header->head;

	if (__atomic_load_n(&header->tail, __ATOMIC_ACQUIRE) == head)
		return false;
	*event = ring->events[head / ELEMENT];
	head = (head + ELEMENT) % header->size;
	__atomic_store_n(&header->head, head, __ATOMIC_RELEASE);
	return true;
}

static unsigned int take_all(struct event_ring *ring)
{
	struct acrn_hv_event event;
	unsigned int count = 0;

	while (take(ring, &event))
		count++;
	return count;
}

/* Whether an event arrives that is @type and @data, and no other one. */
static bool gets(struct event_ring *ring, int fd, uint32_t type, uint64_t data)
{
	struct acrn_hv_event event;
	uint64_t got;

	if (!told_soon(fd) || !take(ring, &event))
		return false;
	memcpy(&got, event.data, sizeof(got));
	return event.type == type && got == data && !take_all(ring);
}

/* Whether an event that is raised arrives. */
static bool works(const struct raw_vm *vm, struct event_ring *ring, int fd)
{
	static uint64_t data = 0x1122334455667788;

	raise_event(vm, ACRN_HV_EVENT_RTC_CHANGED, ++data);
	return gets(ring, fd, ACRN_HV_EVENT_RTC_CHANGED, data);
}

static void test_event_arguments(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int file = open("/dev/null", O_RDONLY), fd = raw_eventfd();
	struct event_ring *ring = new_ring(), *read_only = new_ring();

	mprotect(read_only, PAGE, PROT_READ);
	differs_errno("vm-events", set_ring(&vm, (char *)ring + ELEMENT),
		      EINVAL, ENOTTY, "events: a ring within a page");
	differs_errno("vm-events", set_ring(&vm, NULL), EFAULT, ENOTTY,
		      "events: a ring nowhere");
	differs_errno("vm-events", set_ring(&vm, (void *)-PAGE), EFAULT, ENOTTY,
		      "events: a ring in the kernel's memory");
	differs_errno("vm-events", set_ring(&vm, read_only), EFAULT, ENOTTY,
		      "events: a ring that cannot be written to");
	differs_errno("vm-events", set_ring(&vm, ring), 0, ENOTTY,
		      "events: a ring");
	differs_errno("vm-events", set_fd(&vm, -1), EBADF, ENOTTY,
		      "events: no descriptor");
	differs_errno("vm-events", set_fd(&vm, fd | 1L << 32), EBADF, ENOTTY,
		      "events: a descriptor of more than 32 bits");
	differs_errno("vm-events", set_fd(&vm, file), EINVAL, ENOTTY,
		      "events: no eventfd");
	differs_errno("vm-events", set_fd(&vm, fd), 0, ENOTTY,
		      "events: an eventfd");
	raw_vm_close(&vm);
	munmap(ring, PAGE);
	munmap(read_only, PAGE);
	close(file);
	close(fd);
}

static void test_event_headers(void)
{
	static const struct {
		struct acrn_ring header;
		const char *name;
	} wrong[] = {
		{ { ACRN_RING_MAGIC + 1, EVENTS, 32, .size = EVENTS * 32 },
		  "another magic number" },
		{ { ACRN_RING_MAGIC, EVENTS, 8, .size = EVENTS * 8 },
		  "elements of 8 bytes" },
		{ { ACRN_RING_MAGIC, EVENTS, 0, .size = EVENTS * 32 },
		  "elements of no bytes" },
		{ { ACRN_RING_MAGIC, 0, 32, .size = 0 }, "no elements" },
		{ { ACRN_RING_MAGIC, EVENTS + 1, 32, .size = PAGE },
		  "more elements than a page has room for" },
		{ { ACRN_RING_MAGIC, 0x8000001, 32, .size = 32 },
		  "a number of elements whose size is cut off" },
		{ { ACRN_RING_MAGIC, EVENTS, 32, .size = ~0U },
		  "another size than that of its elements" },
		{ { ACRN_RING_MAGIC, 4, 32, .size = 128, .tail = 128 },
		  "a tail beyond the end" },
		{ { ACRN_RING_MAGIC, 4, 32, .size = 128, .tail = 0x80000000 },
		  "a tail far away" },
		{ { ACRN_RING_MAGIC, 4, 32, .size = 128, .tail = 33 },
		  "a tail within an element" },
	};
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct event_ring *ring = new_ring();
	long pinned = pages_pinned();

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		ring->header = wrong[i].header;
		tap_errno(set_ring(&vm, ring), EINVAL, "events: %s",
			  wrong[i].name);
	}
	tap_eq(pages_pinned() - pinned, 0, "events: none of them stays pinned");
	raw_vm_close(&vm);
	munmap(ring, PAGE);
}

/*
 * Each type of event, in a ring that is about to wrap around. They are raised
 * by hand; on ACRN only an RTVM causes the first, as ACRN emulates no other
 * User VM's clock.
 */
static void test_kinds(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct event_ring *ring = new_ring();
	int fd;

	fill_header(ring, EVENTS - 2);
	fd = connect_ring(&vm, ring);
	raise_event(&vm, ACRN_HV_EVENT_RTC_CHANGED, 0x123456789abcdef0);
	tap_ok(gets(ring, fd, ACRN_HV_EVENT_RTC_CHANGED, 0x123456789abcdef0),
	       "events: the clock was set, and its data");
	raise_event(&vm, ACRN_HV_EVENT_POWEROFF, 1);
	tap_ok(gets(ring, fd, ACRN_HV_EVENT_POWEROFF, 1), "events: power-off");
	raise_event(&vm, ACRN_HV_EVENT_TRIPLE_FAULT, 2);
	tap_ok(gets(ring, fd, ACRN_HV_EVENT_TRIPLE_FAULT, 2),
	       "events: triple fault");
	tap_eq(ring->header.head, ELEMENT, "events: the ring goes round");
	raw_vm_close(&vm);
	munmap(ring, PAGE);
	close(fd);
}

/* When the ring is full, further events are lost, and no others. */
static void test_full_ring(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct event_ring *ring = new_ring();
	int fd = connect_ring(&vm, ring);
	struct acrn_hv_event event = { 0 };
	unsigned int count = 0;

	for (; count < ROOM; count++) {
		raise_event(&vm, count, 0);
		if (!told_soon(fd))
			break;
	}
	tap_eq(count, ROOM, "events: as many as a ring has room for");
	raise_event(&vm, ROOM, 0);
	tap_ok(!told(fd, 100), "events: one more is lost");
	tap_eq(ring->header.tail, ROOM * ELEMENT, "events: the ring is full");
	for (count = 0; take(ring, &event) && event.type == count; count++)
		;
	tap_eq(count, ROOM, "events: all others are there, in order");
	tap_ok(works(&vm, ring, fd), "events: then there is room again");

	for (count = 0; count < 3 * EVENTS; count++)
		raise_event(&vm, 7, 0);
	while (told(fd, 100))
		;
	count = take_all(ring);
	tap_ok(count && count <= ROOM, "events: a storm of them");
	tap_ok(works(&vm, ring, fd), "events: what comes after the storm");
	raw_vm_close(&vm);
	munmap(ring, PAGE);
	close(fd);
}

/*
 * The HSM must not read the ring's header again after it was set: whatever a
 * device model writes there, events go to the right place.
 */
static void test_scribble(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct event_ring *ring = new_ring();
	int fd = connect_ring(&vm, ring);
	struct acrn_ring scribble = { .magic = 1,
				      .ele_num = 1U << 31,
				      .ele_size = 1U << 30,
				      .head = 0x12345,
				      .tail = 0x7fffffff,
				      .flags = ~0ULL,
				      .overrun_cnt = 3,
				      .size = ~0U };
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < EVENTS + 2; i++) {
		ring->header = scribble;
		raise_event(&vm, i, i);
		wrong += !told_soon(fd);
		wrong += ring->header.tail != (i + 1) % EVENTS * ELEMENT;
		wrong += ring->events[i % EVENTS].type != i;
		ring->header.tail = scribble.tail;
		wrong += !!memcmp(&ring->header, &scribble, sizeof(scribble));
	}
	tap_eq(wrong, 0,
	       "events: whatever is in the header, each goes to its place");
	fill_header(ring, 2);
	tap_ok(works(&vm, ring, fd), "events: with a good header again");
	raw_vm_close(&vm);
	munmap(ring, PAGE);
	close(fd);
}

static void test_replace(void)
{
	struct event_ring *first = new_ring(), *second = new_ring();
	struct guest guest = guest_create(cpus[0], 0);
	const struct raw_vm *vm = &guest.vm;
	long pinned = pages_pinned();
	int old, new = raw_eventfd();

	old = connect_ring(vm, first);
	tap_ok(works(vm, first, old), "events: the first ring");
	second->header.magic = 0;
	tap_errno(set_ring(vm, second), EINVAL, "events: no other ring");
	tap_ok(works(vm, first, old), "events: the first ring is still there");
	fill_header(second, 5);
	create_client(&guest);
	start(&guest);
	tap_success(set_ring(vm, second),
		    "events: another ring, of a VM that runs");
	tap_success(set_fd(vm, new), "events: another eventfd");
	tap_ok(works(vm, second, new) && !told(old, 0) && !take_all(first),
	       "events: in the second ring, and nowhere else");
	tap_eq(pages_pinned() - pinned, 1, "events: one page is pinned");
	guest_close(&guest);

	guest = guest_create(cpus[0], 0);
	create_client(&guest);
	start(&guest);
	tap_errno(set_ring(&guest.vm, first), EBUSY,
		  "events: the first ring, of a VM that runs");
	change(&guest.vm, ACRN_IOCTL_PAUSE_VM);
	/* ACRN lets a real-time VM run on. */
	tap_errno(set_ring(&guest.vm, first), EBUSY,
		  "events: the first ring, of a VM that is paused");
	change(&guest.vm, ACRN_IOCTL_RESET_VM);
	tap_success(set_ring(&guest.vm, first),
		    "events: the first ring, of a VM that was reset");
	guest_close(&guest);
	munmap(first, PAGE);
	munmap(second, PAGE);
	close(old);
	close(new);
}

/* Eventfd, ring and VM can end in any order. */
static void test_event_ends(void)
{
	long pinned = pages_pinned();
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct event_ring *ring = new_ring();
	int fd = connect_ring(&vm, ring);

	close(fd);
	raise_event(&vm, 1, 1);
	for (int i = 0; i < 1000 && !ring->header.tail; i++)
		usleep(1000);
	tap_eq(ring->header.tail, ELEMENT,
	       "events: the eventfd is closed, the ring is filled");
	munmap(ring, PAGE);
	raise_event(&vm, 1, 1);
	usleep(10000);
	tap_success(raw_destroy(vm.fd), "events: DESTROY_VM without a ring");
	raw_vm_close(&vm);

	vm = raw_vm_create(cpus[0], 0);
	ring = new_ring();
	fd = raw_eventfd();
	tap_success(set_fd(&vm, fd), "events: the eventfd before the ring");
	tap_success(set_ring(&vm, ring), "events: and the ring");
	tap_ok(works(&vm, ring, fd), "events: in this order, too");
	change(&vm, ACRN_IOCTL_PAUSE_VM);
	change(&vm, ACRN_IOCTL_RESET_VM);
	tap_ok(works(&vm, ring, fd), "events: after a reset");
	for (int i = 0; i < 50; i++)
		raise_event(&vm, 1, 1);
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, 0, "events: no page stays pinned");
	take_all(ring);
	raw_events(fd);

	vm = raw_vm_create(cpus[0], 0);
	raise_event(&vm, 1, 1);
	tap_ok(!told(fd, 50) && !take_all(ring),
	       "events: the next VM has none of these");
	raw_vm_close(&vm);
	munmap(ring, PAGE);
	close(fd);
}

static void test_triple_fault(void)
{
	struct guest guest = guest_create(cpus[0], 0);
	const struct acrn_pio_request *pio = &slot(&guest)->reqs.pio_request;
	struct event_ring *ring = new_ring();
	struct acrn_hv_event event;
	int fd;

	/* INT3, for which there is no handler, ends in a triple fault. */
	guest.ram[CODE_ADDR] = 0xcc;
	fd = connect_ring(&guest.vm, ring);
	create_client(&guest);
	start(&guest);
	wait_request(&guest);
	tap_ok(pio->address == PM1A_PORT && pio->value == PM1A_S5,
	       "events: a triple fault is a wish to power off");
	tap_ok(told_soon(fd) && take(ring, &event) &&
		       event.type == ACRN_HV_EVENT_TRIPLE_FAULT &&
		       !take_all(ring),
	       "events: and told as an event");
	guest_end(&guest);
	munmap(ring, PAGE);
	close(fd);
}

/*
 * acrn-dm's thread of events looks whether it is to end when its eventfd was
 * signalled, and acrn-dm wants it to end when it has paused the VM.
 */
static void test_paused(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct event_ring *ring = new_ring();
	int fd = connect_ring(&vm, ring);

	tap_ok(!told(fd, 300), "events: none before PAUSE_VM");
	change(&vm, ACRN_IOCTL_PAUSE_VM);
	tap_ok(told_soon(fd) && told_soon(fd),
	       "events: of a paused VM the eventfd is signalled");
	tap_eq(take_all(ring), 0, "events: and there is none");
	change(&vm, ACRN_IOCTL_RESET_VM);
	raw_events(fd);
	tap_ok(!told(fd, 1000), "events: not after RESET_VM");
	change(&vm, ACRN_IOCTL_PAUSE_VM);
	tap_ok(told_soon(fd), "events: but paused once more");
	raw_vm_close(&vm);
	munmap(ring, PAGE);
	close(fd);
}

void test_events(void)
{
	group(test_event_arguments);
	/* The in-tree HSM has no events. */
	if (raw_hsm_is_in_tree())
		return;
	group(test_event_headers);
	group(test_paused);
	group(test_triple_fault);
	if (fixture_skip("registers", "events that are raised by hand"))
		return;
	group(test_kinds);
	group(test_full_ring);
	group(test_scribble);
	group(test_replace);
	group(test_event_ends);
}
