// SPDX-License-Identifier: GPL-2.0
#include "acrn_hypercall.h"
#include "conformance.h"
#include "hv_trace.h"

static void test_msi(void)
{
	static const struct {
		uint64_t address;
		int error; /* of the hypervisor, on the in-tree HSM */
		const char *name;
	} wrong[] = {
		{ 0, EPERM, "address 0" },
		{ 0xfef00000, EPERM, "beyond the window" },
		{ 0xfedff000, EPERM, "before the window" },
		{ 0x1fee00000, 0, "beyond 4 GiB" },
	};
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct trace trace = trace_start();

	for (unsigned int i = 0; i < 4; i++)
		differs_errno("inject-window",
			      raw_inject_msi(vm.fd, wrong[i].address, 0x41),
			      EINVAL, wrong[i].error, "INJECT_MSI: %s",
			      wrong[i].name);
	if (!fixture_skip("registers", "INJECT_MSI: hypercalls for these"))
		differs_eq("inject-window",
			   trace_calls(&trace, ACRN_HC_INJECT_MSI), 0, 4,
			   "INJECT_MSI: hypercalls for these");
	tap_success(raw_inject_msi(vm.fd, MSI_ADDRESS, 0x41), "INJECT_MSI");
	fixture_eq(trace_calls(&trace, ACRN_HC_INJECT_MSI), 1,
		   "INJECT_MSI: one hypercall");
	tap_success(raw_inject_msi(vm.fd, MSI_ADDRESS, 0x0f),
		    "INJECT_MSI: vector of an exception, for nobody");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_INJECT_MSI, NULL), EFAULT,
		  "INJECT_MSI: no argument");
	trace_stop(&trace);
	raw_vm_close(&vm);
}

static void test_irqline(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	const unsigned long line = 4 | (unsigned long)ACRN_IRQLINE_RISING_PULSE
					       << 32;
	struct trace trace = trace_start();
	struct hv_trace_entry call;

	tap_success(ioctl(vm.fd, ACRN_IOCTL_SET_IRQLINE, line), "SET_IRQLINE");
	fixture_ok(trace_take(&trace, &call, 1) == 1 && call.args[0] == line &&
			   call.vmid == vm.vmid,
		   "SET_IRQLINE: line and level as they are");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_SET_IRQLINE, 1000UL), EPERM,
		  "SET_IRQLINE: no such line");
	trace_stop(&trace);
	raw_vm_close(&vm);
}

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
	while (times--)
		if (raw_inject_msi(vm->fd, MSI_ADDRESS, vector))
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
	tap_errno(set_monitor(&vm, (void *)-PAGE), EFAULT,
		  "VM_INTR_MONITOR: the kernel's last page");
	((struct acrn_intr_monitor *)pages)->cmd = 7;
	tap_errno(set_monitor(&vm, pages), EINVAL,
		  "VM_INTR_MONITOR: unknown command");
	tap_eq(pages_pinned() - pinned, 0, "nothing of this pins a page");
	((struct acrn_intr_monitor *)pages)->cmd = ACRN_INTR_GET_DATA;
	differs_errno("monitor-aligned", set_monitor(&vm, pages + 8), EINVAL, 0,
		      "VM_INTR_MONITOR: not aligned");
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
	tap_eq(second->buf_cnt, 0, "injected ones are no device's");

	second->buf_cnt = ACRN_INTR_MONITOR_MAX * 2;
	tap_success(set_monitor(&vm, second), "VM_INTR_MONITOR: the same page");
	tap_eq(pages_pinned() - pinned, 1, "is pinned once");

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
	/* -1: the I/O request page too, which was pinned before @pinned. */
	differs_eq("monitor-leak", pages_pinned() - pinned, -1ULL, 0,
		   "the end of the VM unpins it");
	munmap(first, PAGE);
}

void test_interrupts(void)
{
	group(test_msi);
	group(test_irqline);
	group(test_monitor_arguments);
	group(test_monitor);
}
