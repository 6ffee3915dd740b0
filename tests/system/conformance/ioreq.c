// SPDX-License-Identifier: GPL-2.0
/* I/O requests of a User VM, with completion by hypercall and by polling */
#include "conformance.h"
#include "hv_trace.h"
#include "raw_guest.h"

/* Whether the last access reached the device model, as this port access. */
static bool saw_port(const struct guest *guest, int direction, uint32_t port,
		     uint64_t size)
{
	const struct acrn_pio_request *pio = &guest->seen.reqs.pio_request;

	return guest->requests == 1 &&
	       guest->seen.type == ACRN_IOREQ_TYPE_PORTIO &&
	       pio->direction == (uint32_t)direction && pio->address == port &&
	       pio->size == size;
}

static void test_address_port(struct guest *guest, const char *how)
{
	write_port(guest, 4, 0xcf8, 0x80001234);
	tap_eq(guest->requests, 0, "%s: the PCI address stays in the kernel",
	       how);
	tap_eq(read_port(guest, 4, 0xcf8, 0), 0x80001234,
	       "%s: and is read back", how);
	write_port(guest, 1, 0xcf9, 6);
	tap_ok(saw_port(guest, ACRN_IOREQ_DIR_WRITE, 0xcf9, 1),
	       "%s: the reset port is an ordinary one", how);
	write_port(guest, 1, 0xcf8, 0x99);
	tap_eq(guest->requests, 0, "%s: one byte to 0xCF8 is lost", how);
	write_port(guest, 2, 0xcf8, 0x9999);
	tap_eq(guest->requests, 0, "%s: so are two bytes", how);
	tap_eq(read_port(guest, 1, 0xcf8, 0x77) & 0xff, 0xff,
	       "%s: one byte reads as ones", how);
	tap_eq(guest->requests, 0, "%s: and is no request", how);
	tap_eq(read_port(guest, 4, 0xcf8, 0), 0x80001234,
	       "%s: none of them changes the address", how);
}

/*
 * Write the PCI address of bus 3, device 7, function 5, register 0x40. It is
 * valid for one access to the data port.
 */
static void set_address(struct guest *guest)
{
	write_port(guest, 4, 0xcf8,
		   0x80000000 | 3 << 16 | 7 << 11 | 5 << 8 | 0x40);
}

static void expect_register(struct guest *guest, int size, uint32_t offset,
			    const char *how)
{
	const struct acrn_pci_request *pci = &guest->seen.reqs.pci_request;
	static const uint32_t masks[] = {
		[1] = 0xff, [2] = 0xffff, [4] = ONES
	};
	uint32_t got;

	set_address(guest);
	got = read_port(guest, size, 0xcfc + offset, 0x11223344);
	tap_ok(guest->requests == 1 &&
		       guest->seen.type == ACRN_IOREQ_TYPE_PCICFG &&
		       pci->direction == ACRN_IOREQ_DIR_READ && pci->bus == 3 &&
		       pci->dev == 7 && pci->func == 5 &&
		       pci->reg == 0x40 + offset && pci->size == (uint64_t)size,
	       "%s: %d bytes of register +%u", how, size, offset);
	tap_eq(got & masks[size], 0x11223344 & masks[size],
	       "%s: its answer arrives", how);
}

static void test_data_ports(struct guest *guest, const char *how)
{
	const struct acrn_pci_request *pci = &guest->seen.reqs.pci_request;

	for (int size = 1; size <= 4; size *= 2)
		for (uint32_t offset = 0; offset < 4; offset += size)
			expect_register(guest, size, offset, how);
	set_address(guest);
	write_port(guest, 2, 0xcfe, 0xabcd);
	tap_ok(guest->requests == 1 &&
		       guest->seen.type == ACRN_IOREQ_TYPE_PCICFG &&
		       pci->direction == ACRN_IOREQ_DIR_WRITE &&
		       pci->reg == 0x42 && (pci->value & 0xffff) == 0xabcd,
	       "%s: a register is written", how);

	tap_eq(read_port(guest, 4, 0xcfc, 0), ONES,
	       "%s: ones when the address has been used", how);
	tap_eq(guest->requests, 0, "%s: and no request", how);
	set_address(guest);
	tap_eq(read_port(guest, 2, 0xcff, 0x1234) & 0xffff, 0xffff,
	       "%s: ones when it is not aligned", how);
	tap_eq(guest->requests, 0, "%s: and no request either", how);
	write_port(guest, 4, 0xcf8, 0x8f001234);
	read_port(guest, 4, 0xcfc, 0);
	tap_eq(pci->reg, 0xf34, "%s: a register beyond the first 256", how);
	write_port(guest, 4, 0xcf8, 0x40);
	tap_eq(read_port(guest, 4, 0xcfc, 0), ONES,
	       "%s: ones without the enable bit", how);
	tap_eq(guest->requests, 0, "%s: and no request", how);
}

static void test_accesses(struct guest *guest, const char *how)
{
	const struct acrn_mmio_request *mmio = &guest->seen.reqs.mmio_request;

	write_port(guest, 1, 0x90, 0x55);
	tap_ok(saw_port(guest, ACRN_IOREQ_DIR_WRITE, 0x90, 1) &&
		       (guest->seen.reqs.pio_request.value & 0xff) == 0x55,
	       "%s: a port is written", how);
	tap_eq(read_port(guest, 2, 0x90, 0xbeef) & 0xffff, 0xbeef,
	       "%s: a port is read", how);
	tap_ok(!guest->seen.kernel_handled &&
		       guest->seen.processed == ACRN_IOREQ_STATE_PROCESSING,
	       "%s: as a request of the device model's", how);
	write_memory(guest, 0xc0000000, 0x12345678);
	tap_ok(guest->requests == 1 &&
		       guest->seen.type == ACRN_IOREQ_TYPE_MMIO &&
		       mmio->direction == ACRN_IOREQ_DIR_WRITE &&
		       mmio->address == 0xc0000000 && mmio->size == 4 &&
		       mmio->value == 0x12345678,
	       "%s: memory is written", how);
	tap_eq(read_memory(guest, 0xc0000000, 0x87654321), 0x87654321,
	       "%s: memory is read", how);
}

/*
 * The User VM reads COMMAND_PORT whenever it has done a command. CLEAR_VM_IOREQ
 * ends that read without a command, after which the User VM reads again.
 */
static void test_clear(struct guest *guest, const char *how)
{
	wait_request(guest);
	tap_success(ioctl(guest->vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ),
		    "%s: CLEAR_VM_IOREQ with a request outstanding", how);
	tap_eq(read_port(guest, 4, 0x90, 0x1234), 0x1234,
	       "%s: the User VM goes on", how);
}

/* The value of a read that CLEAR_VM_IOREQ ends. */
static void test_cleared_value(struct guest *guest, const char *how)
{
	guest->box->port = 0x90;
	guest->box->value = 0x5a5a;
	wait_request(guest);
	finish(guest, 4);
	wait_request(guest);
	ioctl(guest->vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ);
	wait_request(guest);
	differs_eq("clear", guest->box->value, ONES, 0,
		   "%s: what a read gives after CLEAR_VM_IOREQ", how);
}

/*
 * The device model sets completion_polling in the slot. The HSM must still
 * notify the vCPU, which does not poll because its VM was created without the
 * flag.
 */
static void test_scribbled_polling(struct guest *guest)
{
	struct trace trace;

	if (fixture_skip("registers",
			 "the vCPU is notified, as its VM was created"))
		return;
	wait_request(guest);
	slot(guest)->completion_polling = 1;
	trace = trace_start();
	finish(guest, ONES);
	differs_eq("completion-polling",
		   trace_calls(&trace, ACRN_HC_NOTIFY_REQUEST_FINISH), 1, 0,
		   "the vCPU is notified, as its VM was created");
	trace_stop(&trace);
	/*
	 * With the flag left set, the vCPU would count as polling at a reset.
	 */
	slot(guest)->completion_polling = 0;
	if (raw_hsm_is_in_tree())
		finish(guest, ONES);
}

static void test_client_ends(struct guest *guest, const char *how)
{
	bool waits;

	wait_request(guest);
	destroy_client(guest);
	/* The User VM either reads COMMAND_PORT in a loop or waits for good. */
	usleep(20000);
	waits = __atomic_load_n(&slot(guest)->processed, __ATOMIC_ACQUIRE) ==
			ACRN_IOREQ_STATE_PROCESSING &&
		!slot(guest)->kernel_handled;
	differs_eq("client-requests", waits, 0, 1,
		   "%s: the User VM waits for a client that has ended", how);
	create_client(guest);
	if (waits)
		finish(guest, ONES);
	tap_eq(read_port(guest, 4, 0x90, 0x5678), 0x5678,
	       "%s: it goes on with a new client", how);
}

static void test_reset(struct guest *guest, const char *how)
{
	set_address(guest);
	wait_request(guest);
	tap_success(ioctl(guest->vm.fd, ACRN_IOCTL_PAUSE_VM), "%s: PAUSE_VM",
		    how);
	tap_success(ioctl(guest->vm.fd, ACRN_IOCTL_RESET_VM),
		    "%s: RESET_VM with a request outstanding", how);
	start(guest);
	tap_eq(read_port(guest, 4, 0x90, 0x9abc), 0x9abc,
	       "%s: the User VM runs after a reset", how);
	tap_eq(read_port(guest, 4, 0xcf8, 0), 0x80033d40,
	       "%s: the hypervisor's PCI address outlives a reset", how);
	differs_eq("reset", read_port(guest, 4, 0xcfc, 0x1234), ONES, 0x1234,
		   "%s: the HSM's PCI address after a reset", how);
}

/* A VM created without completion polling polls if the one before it did. */
static void test_polls_on(void)
{
	struct raw_vm former =
		raw_vm_create(cpus[0], ACRN_VM_FLAG_IO_COMPLETION_POLLING);
	struct guest guest;

	raw_vm_close(&former);
	if (differs_skip(
		    "reset", "its vCPU polls on for good",
		    "after a VM that polled: the User VM runs after a reset"))
		return;
	guest = guest_in(raw_vm_create_any(1ULL << cpus[0], 0));
	create_client(&guest);
	start(&guest);
	wait_request(&guest);
	tap_eq(slot(&guest)->completion_polling, 1,
	       "after a VM that polled: the next one does");
	finish(&guest, ONES);
	test_reset(&guest, "after a VM that polled");
	guest_close(&guest);
}

/*
 * Whether a request is finished: mostly at once, but on a busy machine only
 * when the User VM gets a CPU.
 */
static bool is_finished(struct trace *trace)
{
	int tries = raw_hsm_is_in_tree() ? 1 : 500;

	while (tries--) {
		usleep(20000);
		if (trace_calls(trace, ACRN_HC_NOTIFY_REQUEST_FINISH))
			return true;
	}
	return false;
}

/* A request of a User VM that never had a client. */
static void test_no_client(void)
{
	struct guest guest;
	struct trace trace;

	if (fixture_skip("registers",
			 "a request is finished when there is no client"))
		return;
	guest = guest_create(cpus[0], 0);
	trace = trace_start();
	start(&guest);
	differs_eq("no-client", is_finished(&trace), 1, 0,
		   "a request is finished when there is no client");
	trace_stop(&trace);
	guest_close(&guest);
}

static void run_guest(uint64_t flags, const char *how)
{
	struct guest guest = guest_create(cpus[0], flags);

	create_client(&guest);
	start(&guest);
	test_accesses(&guest, how);
	test_address_port(&guest, how);
	test_data_ports(&guest, how);
	test_clear(&guest, how);
	test_cleared_value(&guest, how);
	if (!flags)
		test_scribbled_polling(&guest);
	test_client_ends(&guest, how);
	if (!flags || !differs_skip("reset", "its vCPU polls on for good",
				    "polling: the User VM runs after a reset"))
		test_reset(&guest, how);
	guest_close(&guest);
}

static void test_hypercall(void)
{
	run_guest(0, "hypercall");
}

static void test_polling(void)
{
	run_guest(ACRN_VM_FLAG_IO_COMPLETION_POLLING, "polling");
}

void test_ioreqs(void)
{
	group(test_hypercall);
	group(test_polling);
	group(test_polls_on);
	group(test_no_client);
}
