/* SPDX-License-Identifier: GPL-2.0 */
/* The ports with which a guest switches itself off or resets itself. */
#ifndef DM_POWER_H
#define DM_POWER_H

#include "bus/bus.h"
#include "machine/vm.h"

/**
 * struct power - Ports that end or reset the VM
 * @acpi:	Sleep control and status, reset
 * @crash:	Where the hypervisor reports a triple fault
 */
struct power {
	struct io_range acpi;
	struct io_range crash;
};

void power_init(struct power *power, struct vm *vm);

#endif /* DM_POWER_H */
