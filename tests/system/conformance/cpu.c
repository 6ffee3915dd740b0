// SPDX-License-Identifier: GPL-2.0
/*
 * The attribute remove_cpu: a CPU of the Service VM becomes one of User VMs.
 *
 * Runs on a Service VM with two CPUs, of which it takes the second.
 */
#include "acrn_hypercall.h"
#include "raw_guest.h"
#include "raw_hv.h"
#include "tap.h"

#define ATTRIBUTE "/sys/class/misc/acrn_hsm/remove_cpu"
#define ONLINE	  "/sys/devices/system/cpu/cpu1/online"
#define CPU	  1

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

static void test_arguments(void)
{
	expect_refusal("0", "the first CPU");
	expect_refusal("7", "a CPU that there is not");
	expect_refusal("-1", "a negative number");
	expect_refusal("one", "no number");
	expect_refusal("4294967297", "1 when cut to 32 bits");
}

static int create_on(int cpu)
{
	struct acrn_vm_creation create = { .vcpu_num = 1,
					   .cpu_affinity = 1ULL << cpu };
	int fd = open("/dev/acrn_hsm", O_RDWR | O_CLOEXEC), ret;

	create.ioreq_buf = (uintptr_t)raw_pages(0x1000);
	ret = ioctl(fd, ACRN_IOCTL_CREATE_VM, &create);
	close(fd);
	return ret;
}

static void test_failure(void)
{
	hv_fault(ACRN_HC_REMOVE_CPU, 1, 1, EBUSY);
	tap_errno(write_file(ATTRIBUTE, "1"), EBUSY,
		  "remove_cpu: the hypervisor refuses");
	tap_ok(hv_fault_done(), "remove_cpu: it was asked");
	tap_eq(raw_number(ONLINE), 1, "remove_cpu: the CPU is back");

	if (raw_hsm_is_in_tree())
		return;
	/* The in-tree HSM brings it online, which nobody asked for. */
	write_file(ONLINE, "0");
	hv_fault(ACRN_HC_REMOVE_CPU, 1, 1, EBUSY);
	tap_errno(write_file(ATTRIBUTE, "1"), EBUSY,
		  "remove_cpu: the hypervisor refuses a CPU that was offline");
	hv_fault_done();
	tap_eq(raw_number(ONLINE), 0, "remove_cpu: it stays offline");
	write_file(ONLINE, "1");
}

static void test_removal(void)
{
	struct guest guest;

	tap_errno(create_on(CPU), EINVAL,
		  "no User VM on a CPU of the Service VM");
	tap_success(write_file(ATTRIBUTE, "1"), "remove_cpu");
	tap_eq(raw_number(ONLINE), 0, "remove_cpu: the CPU is offline");
	guest = guest_create(CPU, 0);
	create_client(&guest);
	start(&guest);
	tap_eq(read_port(&guest, 4, 0x90, 0x1234), 0x1234,
	       "remove_cpu: a User VM runs on it");
	guest_close(&guest);
	tap_success(write_file(ATTRIBUTE, "1"), "remove_cpu: once more");
}

int main(void)
{
	test_arguments();
	test_failure();
	test_removal();
	return tap_done();
}
