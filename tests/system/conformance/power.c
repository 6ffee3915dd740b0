// SPDX-License-Identifier: GPL-2.0
/*
 * What a device model can ask about its VM: how many interrupts of each kind
 * there were, and the P- and C-states of its vCPUs.
 *
 * Arguments: physical CPUs of two User VMs.
 */
#include "acrn_hypercall.h"
#include "raw_guest.h"
#include "tap.h"

#define PAGE	    0x1000UL
#define MSI_ADDRESS 0xfee00000ULL

/* The numbers are those of tests/hypervisor/hc_cpu.c. */
#define PSTATES 3
#define CSTATES 2

static int cpus[2];

static int set_monitor(const struct raw_vm *vm, const void *page)
{
	return ioctl(vm->fd, ACRN_IOCTL_VM_INTR_MONITOR, page);
}

static struct acrn_intr_monitor *monitor_page(void)
{
	struct acrn_intr_monitor *monitor = raw_pages(PAGE);

	monitor->cmd = ACRN_INTR_GET_DATA;
	monitor->buf_cnt = ACRN_INTR_MONITOR_MAX * 2;
	return monitor;
}

static void inject(const struct raw_vm *vm, uint8_t vector, int times)
{
	struct acrn_msi_entry msi = { .msi_addr = MSI_ADDRESS,
				      .msi_data = vector };

	while (times--)
		if (ioctl(vm->fd, ACRN_IOCTL_INJECT_MSI, &msi))
			err(1, "INJECT_MSI");
}

static void test_monitor_arguments(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(2 * PAGE), *read_only = raw_pages(PAGE);
	long pinned = pages_pinned();

	munmap(pages + PAGE, PAGE);
	mprotect(read_only, PAGE, PROT_READ);
	tap_errno(set_monitor(&vm, pages + PAGE), EFAULT,
		  "VM_INTR_MONITOR: not mapped");
	tap_errno(set_monitor(&vm, read_only), EFAULT,
		  "VM_INTR_MONITOR: not writable");
	tap_errno(set_monitor(&vm, NULL), EFAULT, "VM_INTR_MONITOR: no page");
	/* The in-tree HSM takes the page around any address. */
	if (!raw_hsm_is_in_tree())
		tap_errno(set_monitor(&vm, pages + 8), EINVAL,
			  "VM_INTR_MONITOR: not aligned");
	((struct acrn_intr_monitor *)pages)->cmd = 7;
	tap_errno(set_monitor(&vm, pages), EINVAL,
		  "VM_INTR_MONITOR: unknown command");
	tap_eq(pages_pinned() - pinned, 0, "nothing of this pins a page");
	raw_vm_close(&vm);
	munmap(pages, PAGE);
	munmap(read_only, PAGE);
}

static void test_monitor(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct acrn_intr_monitor *first = monitor_page(),
				 *second = monitor_page();
	long pinned = pages_pinned();

	tap_success(set_monitor(&vm, first), "VM_INTR_MONITOR");
	tap_eq(first->buf_cnt, 0, "no interrupt yet");
	tap_eq(pages_pinned() - pinned, 1, "the page is pinned");

	inject(&vm, 0x41, 3);
	inject(&vm, 0x83, 1);
	tap_success(set_monitor(&vm, second), "VM_INTR_MONITOR: another page");
	tap_eq(pages_pinned() - pinned, 1,
	       "which takes the place of the first");
	tap_ok(second->buf_cnt == 4 && second->buffer[0] == 0x41 &&
		       second->buffer[1] == 3 && second->buffer[2] == 0x83 &&
		       second->buffer[3] == 1,
	       "interrupts are counted by vector");

	inject(&vm, 0x41, 2);
	second->buf_cnt = ACRN_INTR_MONITOR_MAX * 2;
	tap_success(set_monitor(&vm, second), "VM_INTR_MONITOR: the same page");
	tap_eq(pages_pinned() - pinned, 1, "is pinned once");
	tap_eq(second->buffer[1], 5, "and counts on");

	first->cmd = 7;
	tap_errno(set_monitor(&vm, first), EINVAL,
		  "VM_INTR_MONITOR: a page with an unknown command");
	tap_eq(pages_pinned() - pinned, 1, "leaves the former page pinned");

	second->cmd = ACRN_INTR_DELAY;
	second->buf_cnt = 1;
	second->buffer[0] = 1;
	tap_success(set_monitor(&vm, second), "VM_INTR_MONITOR: delay");
	munmap(second, PAGE);
	raw_vm_close(&vm);
	/*
	 * The VM's I/O request page too, which was pinned before. The in-tree
	 * HSM puts the page instead of unpinning it, so that it stays pinned.
	 */
	tap_eq(pages_pinned() - pinned, raw_hsm_is_in_tree() ? 0 : -1,
	       "the end of the VM unpins it");
	munmap(first, PAGE);
}

/* Room for more than any result, and how much of it was written to. */
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
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct answer answer;

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

static void test_state_arguments(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct raw_vm other = raw_vm_create(cpus[1], 0);
	uint64_t *read_only = raw_pages(PAGE);
	struct answer answer;

	*read_only = pm_command(&vm, ACRN_PMCMD_GET_PX_CNT, 0);
	mprotect(read_only, PAGE, PROT_READ);
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, read_only), EFAULT,
		  "PM_GET_CPU_STATE: result cannot be written");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, NULL), EFAULT,
		  "PM_GET_CPU_STATE: no argument");

	if (!raw_hsm_is_in_tree()) {
		/* The in-tree HSM says 0 and writes nothing. */
		tap_errno(ask(&vm, &answer, pm_command(&vm, 4, 0)), EINVAL,
			  "PM_GET_CPU_STATE: unknown command");
		expect_length(&answer, sizeof(answer.command),
			      "unknown command");
		/* The in-tree HSM asks about any VM. */
		ioctl(other.fd, ACRN_IOCTL_DESTROY_VM);
		tap_success(ask(&vm, &answer,
				pm_command(&other, ACRN_PMCMD_GET_PX_CNT, 0)),
			    "PM_GET_CPU_STATE: the id of another VM is not "
			    "looked at");
		tap_success(ask(&vm, &answer,
				pm_command(&vm, ACRN_PMCMD_GET_PX_CNT, 0) |
					0xffULL << 32),
			    "PM_GET_CPU_STATE: nor are the bits above");
	}
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
		      pm_command(&guest.vm, ACRN_PMCMD_GET_PX_CNT, 0)),
		  EPERM, "PM_GET_CPU_STATE: the VM runs");
	guest_close(&guest);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(1, "usage: hsm_monitor CPU CPU");
	cpus[0] = atoi(argv[1]);
	cpus[1] = atoi(argv[2]);

	test_monitor_arguments();
	test_monitor();
	test_states();
	test_state_arguments();
	test_running();
	return tap_done();
}
