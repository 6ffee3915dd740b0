// SPDX-License-Identifier: GPL-2.0
/*
 * Arguments: physical CPUs of two User VMs. The Service VM has to have two
 * CPUs; it loses the second at the end.
 */
#include "conformance.h"

int cpus[2];

int main(int argc, char **argv)
{
	long pinned;

	if (argc != 3)
		errx(1, "usage: conformance CPU CPU");
	cpus[0] = atoi(argv[1]);
	cpus[1] = atoi(argv[2]);

	pinned = pages_pinned();
	test_life();
	test_memory();
	test_clients();
	test_ioreqs();
	test_devices();
	test_power();
	test_events();
	test_async();
	tap_eq(pages_pinned() - pinned, 0, "no page is pinned at the end");
	test_interrupts();
	test_remove_cpu();
	return tap_done();
}
