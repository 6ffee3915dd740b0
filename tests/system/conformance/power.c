// SPDX-License-Identifier: GPL-2.0
#include "acrn_hypercall.h"
#include "conformance.h"
#include "raw_guest.h"

/* The numbers are those of tests/hypervisor/hc_cpu.c. */
#define PSTATES 3
#define CSTATES 2

/* Buffer larger than any result, to see how much of it is written */
struct answer {
	union {
		uint64_t command;
		uint64_t count;
		struct acrn_pstate_data pstate;
		struct acrn_cstate_data cstate;
		uint8_t bytes[256];
	};
};

static int ask(const struct raw_vm *vm, struct answer *answer, uint64_t command)
{
	memset(answer, 0xa5, sizeof(*answer));
	answer->command = command;
	return ioctl(vm->fd, ACRN_IOCTL_PM_GET_CPU_STATE, answer);
}

static void expect_length(const struct answer *answer, size_t size,
			  const char *name)
{
	size_t end = sizeof(*answer);

	while (end > size && answer->bytes[end - 1] == 0xa5)
		end--;
	tap_eq(end, size, "%s: nothing beyond is touched", name);
}

static uint64_t pm_command(const struct raw_vm *vm, uint64_t type,
			   uint64_t state)
{
	return type | state << ACRN_PMCMD_STATE_SHIFT |
	       (uint64_t)vm->vmid << ACRN_PMCMD_VMID_SHIFT;
}

static void test_states(void)
{
	struct answer answer;
	struct raw_vm vm;

	if (fixture_skip("P-states and C-states", "PM_GET_CPU_STATE"))
		return;
	vm = raw_vm_create(cpus[0], 0);
	tap_success(
		ask(&vm, &answer, pm_command(&vm, ACRN_PMCMD_GET_PX_CNT, 0)),
		"count of P-states");
	tap_eq(answer.count, PSTATES, "count of P-states: all eight bytes");
	expect_length(&answer, sizeof(answer.count), "count of P-states");
	tap_success(
		ask(&vm, &answer, pm_command(&vm, ACRN_PMCMD_GET_CX_CNT, 0)),
		"count of C-states");
	tap_eq(answer.count, CSTATES, "count of C-states: all eight bytes");
	expect_length(&answer, sizeof(answer.count), "count of C-states");

	tap_success(
		ask(&vm, &answer, pm_command(&vm, ACRN_PMCMD_GET_PX_DATA, 1)),
		"P-state 1");
	tap_ok(answer.pstate.core_frequency == 1600 &&
		       answer.pstate.power == 20000 &&
		       answer.pstate.transition_latency == 10 &&
		       answer.pstate.bus_master_latency == 10 &&
		       answer.pstate.control == 0x1000 &&
		       answer.pstate.status == 0x1000,
	       "P-state 1 is the hypervisor's");
	expect_length(&answer, sizeof(answer.pstate), "P-state 1");

	tap_success(
		ask(&vm, &answer, pm_command(&vm, ACRN_PMCMD_GET_CX_DATA, 2)),
		"C-state 2");
	tap_ok(answer.cstate.type == 2 && answer.cstate.latency == 80 &&
		       answer.cstate.power == 200 &&
		       answer.cstate.cx_reg.space_id == 1 &&
		       answer.cstate.cx_reg.bit_width == 8 &&
		       answer.cstate.cx_reg.address == 0x1814,
	       "C-state 2 is the hypervisor's");
	expect_length(&answer, sizeof(answer.cstate), "C-state 2");

	tap_errno(ask(&vm, &answer,
		      pm_command(&vm, ACRN_PMCMD_GET_PX_DATA, PSTATES)),
		  EPERM, "a P-state that there is not");
	tap_errno(ask(&vm, &answer, pm_command(&vm, ACRN_PMCMD_GET_CX_DATA, 0)),
		  EPERM, "C-state 0");
	raw_vm_close(&vm);
}

/*
 * These use the count of C-states, which ACRN has even for boards without any.
 */
static void test_state_arguments(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct raw_vm other = raw_vm_create(cpus[1], 0);
	uint64_t *read_only = raw_pages(PAGE);
	struct answer answer;

	*read_only = pm_command(&vm, ACRN_PMCMD_GET_CX_CNT, 0);
	mprotect(read_only, PAGE, PROT_READ);
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, read_only), EFAULT,
		  "PM_GET_CPU_STATE: result cannot be written");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, NULL), EFAULT,
		  "PM_GET_CPU_STATE: no argument");

	differs_errno("pm-unknown", ask(&vm, &answer, pm_command(&vm, 4, 0)),
		      EINVAL, 0, "PM_GET_CPU_STATE: unknown command");
	expect_length(&answer, sizeof(answer.command), "unknown command");
	tap_eq(answer.command, pm_command(&vm, 4, 0),
	       "unknown command: nothing is written");
	raw_destroy(other.fd);
	differs_errno(
		"pm-other-vm",
		ask(&vm, &answer, pm_command(&other, ACRN_PMCMD_GET_CX_CNT, 0)),
		0, EPERM, "PM_GET_CPU_STATE: id of a VM that is gone");
	tap_success(
		ask(&vm, &answer,
		    pm_command(&vm, ACRN_PMCMD_GET_CX_CNT, 0) | 0xffULL << 32),
		"PM_GET_CPU_STATE: bits that have no meaning");
	raw_vm_close(&vm);
	raw_vm_close(&other);
	munmap(read_only, PAGE);
}

static void test_running(void)
{
	struct guest guest = guest_create(cpus[0], 0);
	struct answer answer;

	create_client(&guest);
	start(&guest);
	read_port(&guest, 4, 0x90, 0);
	tap_errno(ask(&guest.vm, &answer,
		      pm_command(&guest.vm, ACRN_PMCMD_GET_CX_CNT, 0)),
		  EPERM, "PM_GET_CPU_STATE: the VM runs");
	guest_close(&guest);
}

void test_power(void)
{
	group(test_states);
	group(test_state_arguments);
	group(test_running);
}
