// SPDX-License-Identifier: GPL-2.0
/* The attribute remove_cpu, which gives a CPU of the Service VM to User VMs */
#include <cpuid.h>
#include <sched.h>

#include "acrn_hypercall.h"
#include "conformance.h"
#include "raw_guest.h"

#define ATTRIBUTE "/sys/class/misc/acrn_hsm/remove_cpu"
#define ONLINE	  "/sys/devices/system/cpu/cpu1/online"

static ssize_t write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t ret;

	if (fd < 0)
		err(1, "%s", path);
	ret = write(fd, text, strlen(text));
	close(fd);
	return ret;
}

static void expect_refusal(const char *text, const char *name)
{
	tap_errno(write_file(ATTRIBUTE, text), EINVAL, "remove_cpu: %s", name);
	tap_eq(raw_number(ONLINE), 1, "remove_cpu: %s: the CPU stays", name);
}

/*
 * The attribute takes the kernel's number of a CPU, and a User VM is created
 * with the hypervisor's. Return the latter for CPU 1: the id of its local APIC,
 * as both the fixture and ACRN in Bochs list CPUs in the order of these ids,
 * from 0 on.
 */
static int hypervisor_cpu(void)
{
	unsigned int eax, ebx, ecx, edx;
	cpu_set_t old, cpu;

	CPU_ZERO(&cpu);
	CPU_SET(1, &cpu);
	if (sched_getaffinity(0, sizeof(old), &old) ||
	    sched_setaffinity(0, sizeof(cpu), &cpu))
		err(1, "CPU 1");
	__cpuid(1, eax, ebx, ecx, edx);
	sched_setaffinity(0, sizeof(old), &old);
	return ebx >> 24;
}

static void test_arguments(void)
{
	expect_refusal("0", "the first CPU");
	expect_refusal("7", "a CPU that there is not");
	expect_refusal("-1", "a negative number");
	expect_refusal("one", "no number");
	expect_refusal("4294967297", "1 when cut to 32 bits");
}

static void test_failure(void)
{
	if (fixture_skip("registers", "remove_cpu: the hypervisor refuses"))
		return;
	hv_fault(ACRN_HC_REMOVE_CPU, 1, 1, EBUSY);
	tap_errno(write_file(ATTRIBUTE, "1"), EBUSY,
		  "remove_cpu: the hypervisor refuses");
	tap_ok(hv_fault_done(), "remove_cpu: it was asked");
	tap_eq(raw_number(ONLINE), 1, "remove_cpu: the CPU is back");

	write_file(ONLINE, "0");
	hv_fault(ACRN_HC_REMOVE_CPU, 1, 1, EBUSY);
	tap_errno(write_file(ATTRIBUTE, "1"), EBUSY,
		  "remove_cpu: the hypervisor refuses a CPU that was offline");
	hv_fault_done();
	differs_eq("remove-cpu-offline", raw_number(ONLINE), 0, 1,
		   "remove_cpu: whether it is online then");
	write_file(ONLINE, "1");
}

static void test_removal(void)
{
	int cpu = hypervisor_cpu();
	struct guest guest;

	tap_success(write_file(ATTRIBUTE, "1"), "remove_cpu");
	tap_eq(raw_number(ONLINE), 0, "remove_cpu: the CPU is offline");
	guest = guest_create(cpu, 0);
	create_client(&guest);
	start(&guest);
	tap_eq(read_port(&guest, 4, 0x90, 0x1234), 0x1234,
	       "remove_cpu: a User VM runs on it");
	guest_close(&guest);
	tap_success(write_file(ATTRIBUTE, "1"), "remove_cpu: once more");
}

void test_remove_cpu(void)
{
	group(test_arguments);
	group(test_failure);
	group(test_removal);
}
