// SPDX-License-Identifier: GPL-2.0
/*
 * The I/O requests of a User VM on their way through the HSM: combined PCI
 * configuration accesses, what becomes of requests that the device model does
 * not answer, and a device model that scribbles on its I/O request page.
 *
 * Arguments: physical CPUs of two User VMs.
 *
 * Runs with completion by hypercall and by polling.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "acrn_hypercall.h"
#include "raw_guest.h"
#include "tap.h"

/* Whether the device model saw one request, an access to a port. */
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

	write_port(guest, 1, 0xcf8, 0x99);
	tap_ok(saw_port(guest, ACRN_IOREQ_DIR_WRITE, 0xcf8, 1),
	       "%s: one byte to 0xCF8 is an ordinary access", how);
	write_port(guest, 2, 0xcf8, 0x9999);
	tap_ok(saw_port(guest, ACRN_IOREQ_DIR_WRITE, 0xcf8, 2),
	       "%s: so are two bytes", how);
	write_port(guest, 1, 0xcf9, 6);
	tap_ok(saw_port(guest, ACRN_IOREQ_DIR_WRITE, 0xcf9, 1),
	       "%s: so is the reset port", how);
	tap_eq(read_port(guest, 1, 0xcf8, 0x77) & 0xff, 0x77,
	       "%s: one byte of 0xCF8 is read from the device model", how);
	tap_eq(read_port(guest, 4, 0xcf8, 0), 0x80001234,
	       "%s: none of them changes the address", how);
}

static void test_data_ports(struct guest *guest, const char *how)
{
	const struct acrn_pci_request *pci = &guest->seen.reqs.pci_request;
	static const uint32_t masks[] = {
		[1] = 0xff, [2] = 0xffff, [4] = ONES
	};

	write_port(guest, 4, 0xcf8,
		   0x80000000 | 3 << 16 | 7 << 11 | 5 << 8 | 0x40);
	for (int size = 1; size <= 4; size *= 2) {
		for (uint32_t offset = 0; offset + size <= 4; offset++) {
			uint32_t got = read_port(guest, size, 0xcfc + offset,
						 0x11223344);

			tap_ok(guest->requests == 1 &&
				       guest->seen.type ==
					       ACRN_IOREQ_TYPE_PCICFG &&
				       pci->direction == ACRN_IOREQ_DIR_READ &&
				       pci->bus == 3 && pci->dev == 7 &&
				       pci->func == 5 &&
				       pci->reg == 0x40 + offset &&
				       pci->size == (uint64_t)size,
			       "%s: %d bytes of register +%u", how, size,
			       offset);
			tap_eq(got & masks[size], 0x11223344 & masks[size],
			       "%s: its answer arrives", how);
		}
	}
	write_port(guest, 2, 0xcfe, 0xabcd);
	tap_ok(guest->requests == 1 &&
		       guest->seen.type == ACRN_IOREQ_TYPE_PCICFG &&
		       pci->direction == ACRN_IOREQ_DIR_WRITE &&
		       pci->reg == 0x42 && (pci->value & 0xffff) == 0xabcd,
	       "%s: a register is written", how);

	tap_eq(read_port(guest, 2, 0xcff, 0) & 0xffff, 0xffff,
	       "%s: beyond the last register there are ones", how);
	tap_eq(guest->requests, 0, "%s: and no request", how);
	write_port(guest, 4, 0xcf8, 0x40);
	tap_eq(read_port(guest, 4, 0xcfc, 0), ONES,
	       "%s: ones without the enable bit", how);
	tap_eq(guest->requests, 0, "%s: and no request", how);
}

/*
 * The User VM waits at COMMAND_PORT whenever a command is done; whatever ends
 * that wait without a command lets it ask again.
 */
static void test_unanswered(struct guest *guest, const char *how)
{
	wait_request(guest);
	tap_success(ioctl(guest->vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ),
		    "%s: CLEAR_VM_IOREQ with a request outstanding", how);
	tap_eq(read_port(guest, 4, 0x90, 0x1234), 0x1234,
	       "%s: the User VM goes on", how);

	wait_request(guest);
	destroy_client(guest);
	/* Meanwhile the User VM reads ones, again and again. */
	usleep(20000);
	create_client(guest);
	tap_eq(read_port(guest, 4, 0x90, 0x5678), 0x5678,
	       "%s: it goes on after a time without client", how);
}

static void test_reset(struct guest *guest, const char *how)
{
	write_port(guest, 4, 0xcf8, 0x80001234);
	wait_request(guest);
	tap_success(ioctl(guest->vm.fd, ACRN_IOCTL_PAUSE_VM), "%s: PAUSE_VM",
		    how);
	tap_success(ioctl(guest->vm.fd, ACRN_IOCTL_RESET_VM),
		    "%s: RESET_VM with a request outstanding", how);
	start(guest);
	tap_eq(read_port(guest, 4, 0x90, 0x9abc), 0x9abc,
	       "%s: the User VM runs after a reset", how);
	tap_eq(read_port(guest, 4, 0xcf8, 0), 0, "%s: the PCI address is reset",
	       how);
}

static void run_guest(int cpu, uint64_t flags, const char *how)
{
	struct guest guest = guest_create(cpu, flags);

	create_client(&guest);
	start(&guest);
	test_address_port(&guest, how);
	test_data_ports(&guest, how);
	test_unanswered(&guest, how);
	test_reset(&guest, how);
	guest_close(&guest);
}

/* A device model gone mad, which must not harm the VM beside it. */
struct scribbler {
	struct guest guest;
	pthread_t threads[2];
	atomic_bool stop;
};

static void *scribble(void *arg)
{
	struct scribbler *mad = arg;
	volatile uint32_t *words = (void *)mad->guest.vm.slots;
	/* type, completion_polling, direction, address, size, processed */
	static const int fields[] = { 0, 1, 16, 18, 20, 34 };
	unsigned int seed = 1, r, field;

	while (!mad->stop) {
		r = rand_r(&seed);
		field = fields[r % 6];
		words[field] =
			field == 18 ? 0xcf8 + (r >> 8) % 8 : (r >> 8) % 5;
		if (r % 16 == 0)
			usleep(50);
	}
	return NULL;
}

static void *answer_wildly(void *arg)
{
	struct acrn_ioreq_notify notify = { 0 };
	struct scribbler *mad = arg;
	int fd = mad->guest.vm.fd;

	for (unsigned int i = 0; !mad->stop; i++) {
		ioctl(fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
		notify.vcpu = i % 3;
		ioctl(fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &notify);
		if (i % 64 == 0)
			ioctl(fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT);
		if (i % 1024 == 0)
			ioctl(fd, ACRN_IOCTL_CLEAR_VM_IOREQ);
		if (i % 16 == 0)
			usleep(100);
	}
	return NULL;
}

static void test_scribbler(int cpu, int mad_cpu, uint64_t flags,
			   const char *how)
{
	struct scribbler mad = { .guest = guest_create(mad_cpu, flags) };
	struct guest guest = guest_create(cpu, flags);
	int wrong = 0;

	start(&mad.guest);
	create_client(&guest);
	start(&guest);
	pthread_create(&mad.threads[0], NULL, scribble, &mad);
	pthread_create(&mad.threads[1], NULL, answer_wildly, &mad);
	for (uint32_t i = 0; i < 2000; i++)
		wrong += read_port(&guest, 4, 0x90, i) != i ||
			 !saw_port(&guest, ACRN_IOREQ_DIR_READ, 0x90, 4);
	tap_eq(wrong, 0, "%s: right answers beside a mad device model", how);
	mad.stop = true;
	pthread_join(mad.threads[0], NULL);
	pthread_join(mad.threads[1], NULL);
	guest_close(&mad.guest);
	tap_eq(read_port(&guest, 4, 0x90, 1), 1, "%s: also when it has ended",
	       how);
	guest_close(&guest);
}

int main(int argc, char **argv)
{
	const uint64_t polling = ACRN_VM_FLAG_IO_COMPLETION_POLLING;
	int cpus[2];

	if (argc != 3)
		errx(1, "usage: hsm_ioreq CPU CPU");
	cpus[0] = atoi(argv[1]);
	cpus[1] = atoi(argv[2]);

	run_guest(cpus[0], 0, "hypercall");
	run_guest(cpus[0], polling, "polling");
	test_scribbler(cpus[0], cpus[1], 0, "hypercall");
	test_scribbler(cpus[0], cpus[1], polling, "polling");
	return tap_done();
}
