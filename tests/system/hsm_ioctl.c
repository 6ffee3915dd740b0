// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls of the HSM: what they refuse and with which errno, that VMs can be
 * made and ended in any order of calls and closes, also from several threads
 * and processes, and that no page stays pinned. The User VMs never run.
 *
 * Arguments: physical CPUs of two User VMs.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "raw_vm.h"
#include "tap.h"

#define PAGE	     4096UL
#define RWX	     ACRN_MEM_ACCESS_RWX
#define SEGMENTS_MAX 1024
#define HPET	     0xfed00000ULL
#define MSI_ADDRESS  0xfee00000ULL

static int cpus[2];

static int hsm_open(void)
{
	int fd = open("/dev/acrn_hsm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "/dev/acrn_hsm");
	return fd;
}

static int memseg(int fd, unsigned long cmd, uint32_t type, uint32_t attr,
		  uint64_t gpa, uint64_t from, uint64_t len)
{
	struct acrn_vm_memmap map = { .type = type,
				      .attr = attr,
				      .user_vm_pa = gpa,
				      .service_vm_pa = from,
				      .len = len };

	return ioctl(fd, cmd, &map);
}

static int set_ram(int fd, uint64_t gpa, const void *from, uint64_t len)
{
	return memseg(fd, ACRN_IOCTL_SET_MEMSEG, ACRN_MEMMAP_RAM, RWX, gpa,
		      (uintptr_t)from, len);
}

static int unset_ram(int fd, uint64_t gpa, uint64_t len)
{
	return memseg(fd, ACRN_IOCTL_UNSET_MEMSEG, ACRN_MEMMAP_RAM, RWX, gpa, 0,
		      len);
}

static int set_mmio(int fd, uint64_t gpa, uint64_t from, uint64_t len)
{
	return memseg(fd, ACRN_IOCTL_SET_MEMSEG, ACRN_MEMMAP_MMIO, RWX, gpa,
		      from, len);
}

static int unset_mmio(int fd, uint64_t gpa, uint64_t len)
{
	return memseg(fd, ACRN_IOCTL_UNSET_MEMSEG, ACRN_MEMMAP_MMIO, RWX, gpa,
		      0, len);
}

static int notify(int fd, uint32_t vcpu, uint16_t reserved)
{
	struct acrn_ioreq_notify args = { .reserved = reserved, .vcpu = vcpu };

	return ioctl(fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &args);
}

static int inject_msi(int fd, uint64_t address)
{
	struct acrn_msi_entry msi = { .msi_addr = address, .msi_data = 0x41 };

	return ioctl(fd, ACRN_IOCTL_INJECT_MSI, &msi);
}

/* CREATE_VM on @fd with the I/O request page at @ioreq_buf. */
static int create(int fd, int cpu, const void *ioreq_buf)
{
	struct acrn_vm_creation args = { .vcpu_num = 1,
					 .ioreq_buf = (uintptr_t)ioreq_buf,
					 .cpu_affinity = 1ULL << cpu };

	return ioctl(fd, ACRN_IOCTL_CREATE_VM, &args);
}

static void test_without_vm(void)
{
	static const struct {
		unsigned long cmd;
		const char *name;
	} ioctls[] = {
		{ ACRN_IOCTL_DESTROY_VM, "DESTROY_VM" },
		{ ACRN_IOCTL_START_VM, "START_VM" },
		{ ACRN_IOCTL_PAUSE_VM, "PAUSE_VM" },
		{ ACRN_IOCTL_RESET_VM, "RESET_VM" },
		{ ACRN_IOCTL_SET_VCPU_REGS, "SET_VCPU_REGS" },
		{ ACRN_IOCTL_INJECT_MSI, "INJECT_MSI" },
		{ ACRN_IOCTL_SET_IRQLINE, "SET_IRQLINE" },
		{ ACRN_IOCTL_NOTIFY_REQUEST_FINISH, "NOTIFY_REQUEST_FINISH" },
		{ ACRN_IOCTL_CREATE_IOREQ_CLIENT, "CREATE_IOREQ_CLIENT" },
		{ ACRN_IOCTL_ATTACH_IOREQ_CLIENT, "ATTACH_IOREQ_CLIENT" },
		{ ACRN_IOCTL_DESTROY_IOREQ_CLIENT, "DESTROY_IOREQ_CLIENT" },
		{ ACRN_IOCTL_CLEAR_VM_IOREQ, "CLEAR_VM_IOREQ" },
		{ ACRN_IOCTL_SET_MEMSEG, "SET_MEMSEG" },
		{ ACRN_IOCTL_UNSET_MEMSEG, "UNSET_MEMSEG" },
		{ ACRN_IOCTL_VM_INTR_MONITOR, "VM_INTR_MONITOR" },
		{ ACRN_IOCTL_SET_PTDEV_INTR, "SET_PTDEV_INTR" },
		{ ACRN_IOCTL_RESET_PTDEV_INTR, "RESET_PTDEV_INTR" },
		{ ACRN_IOCTL_ASSIGN_PCIDEV, "ASSIGN_PCIDEV" },
		{ ACRN_IOCTL_DEASSIGN_PCIDEV, "DEASSIGN_PCIDEV" },
		{ ACRN_IOCTL_ASSIGN_MMIODEV, "ASSIGN_MMIODEV" },
		{ ACRN_IOCTL_DEASSIGN_MMIODEV, "DEASSIGN_MMIODEV" },
		{ ACRN_IOCTL_CREATE_VDEV, "CREATE_VDEV" },
		{ ACRN_IOCTL_DESTROY_VDEV, "DESTROY_VDEV" },
		{ ACRN_IOCTL_PM_GET_CPU_STATE, "PM_GET_CPU_STATE" },
		{ ACRN_IOCTL_IOEVENTFD, "IOEVENTFD" },
		{ ACRN_IOCTL_IRQFD, "IRQFD" },
	};
	uint64_t zero[64] = { 0 };
	int fd = hsm_open();

	for (size_t i = 0; i < sizeof(ioctls) / sizeof(ioctls[0]); i++) {
		tap_errno(ioctl(fd, ioctls[i].cmd, zero), EINVAL, "%s of no VM",
			  ioctls[i].name);
		tap_errno(ioctl(fd, ioctls[i].cmd, NULL), EINVAL,
			  "%s of no VM, no argument", ioctls[i].name);
	}
	close(fd);
}

static void test_unknown(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	int fd = hsm_open();

	tap_errno(ioctl(vm.fd, _IO(ACRN_IOCTL_TYPE, 0)), ENOTTY, "command 0");
	tap_errno(ioctl(vm.fd, _IO(ACRN_IOCTL_TYPE, 0x14)), ENOTTY,
		  "a number that there is not");
	tap_errno(ioctl(vm.fd, _IO(ACRN_IOCTL_TYPE, 0xff)), ENOTTY,
		  "the last number");
	tap_errno(ioctl(vm.fd, _IO('x', 0x12)), ENOTTY, "another type");
	tap_errno(ioctl(vm.fd, _IOW(ACRN_IOCTL_TYPE, 0x12, int)), ENOTTY,
		  "START_VM with an argument");
	tap_errno(ioctl(vm.fd, _IOW(ACRN_IOCTL_TYPE, 0x41, int)), ENOTTY,
		  "SET_MEMSEG of another size");
	tap_errno(ioctl(fd, _IO(ACRN_IOCTL_TYPE, 0x14)), ENOTTY,
		  "a number that there is not, of no VM");
	close(fd);
	raw_vm_close(&vm);
}

static void test_create(void)
{
	struct acrn_vm_creation reserved0 = { .reserved0 = 1 },
				reserved1 = { .reserved1 = 1 };
	char *pages = raw_pages(2 * PAGE), *read_only = raw_pages(PAGE);
	struct acrn_vm_creation *args = raw_pages(PAGE);
	long pinned = pages_pinned();
	int fd = hsm_open();

	munmap(pages + PAGE, PAGE);
	mprotect(read_only, PAGE, PROT_READ);
	tap_errno(ioctl(fd, ACRN_IOCTL_CREATE_VM, &reserved0), EINVAL,
		  "CREATE_VM: first reserved field");
	tap_errno(ioctl(fd, ACRN_IOCTL_CREATE_VM, &reserved1), EINVAL,
		  "CREATE_VM: second reserved field");
	tap_errno(ioctl(fd, ACRN_IOCTL_CREATE_VM, NULL), EFAULT,
		  "CREATE_VM: no argument");
	tap_errno(create(fd, cpus[0], pages + 64), EINVAL,
		  "CREATE_VM: I/O request page not aligned");
	tap_errno(create(fd, cpus[0], pages + PAGE), EFAULT,
		  "CREATE_VM: I/O request page not mapped");
	tap_errno(create(fd, cpus[0], read_only), EFAULT,
		  "CREATE_VM: I/O request page not writable");
	tap_errno(create(fd, cpus[0], NULL), EFAULT,
		  "CREATE_VM: no I/O request page");

	args->ioreq_buf = (uintptr_t)pages;
	args->cpu_affinity = 1ULL << cpus[0];
	mprotect(args, PAGE, PROT_READ);
	tap_errno(ioctl(fd, ACRN_IOCTL_CREATE_VM, args), EFAULT,
		  "CREATE_VM: argument that cannot be written to");
	tap_errno(ioctl(fd, ACRN_IOCTL_PAUSE_VM), EINVAL,
		  "after that there is no VM");
	tap_eq(pages_pinned() - pinned, 0, "and no page is pinned");

	tap_success(create(fd, cpus[0], pages), "CREATE_VM");
	tap_errno(create(fd, cpus[1], pages), EEXIST, "CREATE_VM twice");
	tap_success(ioctl(fd, ACRN_IOCTL_DESTROY_VM), "DESTROY_VM");
	tap_errno(ioctl(fd, ACRN_IOCTL_DESTROY_VM), EINVAL, "DESTROY_VM twice");
	tap_errno(ioctl(fd, ACRN_IOCTL_PAUSE_VM), EINVAL,
		  "PAUSE_VM after DESTROY_VM");
	tap_eq(pages_pinned() - pinned, 0, "DESTROY_VM unpins all pages");
	tap_success(create(fd, cpus[0], pages), "CREATE_VM after DESTROY_VM");
	close(fd);
	munmap(pages, PAGE);
	munmap(read_only, PAGE);
	munmap(args, PAGE);
}

static void test_no_vcpu(void)
{
	struct acrn_vm_creation args = { .vcpu_num = 1 };
	void *page = raw_pages(PAGE);
	int fd = hsm_open();

	args.ioreq_buf = (uintptr_t)page;
	if (ioctl(fd, ACRN_IOCTL_CREATE_VM, &args) || args.vcpu_num)
		tap_ok(true, "START_VM without a vCPU # SKIP the hypervisor "
			     "makes no such VM");
	else
		tap_errno(ioctl(fd, ACRN_IOCTL_START_VM), EINVAL,
			  "START_VM without a vCPU");
	close(fd);
	munmap(page, PAGE);
}

static void expect_regs(int fd, const struct acrn_vcpu_regs *regs,
			const char *name)
{
	tap_errno(ioctl(fd, ACRN_IOCTL_SET_VCPU_REGS, regs), EINVAL,
		  "SET_VCPU_REGS: %s", name);
}

static void test_vcpu_regs(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct acrn_vcpu_regs regs = { .vcpu_id = 1 };

	expect_regs(vm.fd, &regs, "vCPU 1 of 1");
	regs.vcpu_id = 0xffff;
	expect_regs(vm.fd, &regs, "vCPU 65535");

	regs = (struct acrn_vcpu_regs){ .reserved = { 0, 0, 1 } };
	expect_regs(vm.fd, &regs, "first reserved field");
	regs = (struct acrn_vcpu_regs){ .vcpu_regs.gdt.reserved[2] = 1 };
	expect_regs(vm.fd, &regs, "reserved field of the GDT");
	regs = (struct acrn_vcpu_regs){ .vcpu_regs.idt.reserved[0] = 1 };
	expect_regs(vm.fd, &regs, "reserved field of the IDT");
	regs = (struct acrn_vcpu_regs){ .vcpu_regs.reserved_64[3] = 1 };
	expect_regs(vm.fd, &regs, "reserved field of 64 bits");
	regs = (struct acrn_vcpu_regs){ .vcpu_regs.reserved_32[2] = 1 };
	expect_regs(vm.fd, &regs, "reserved field of 32 bits");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, NULL), EFAULT,
		  "SET_VCPU_REGS: no argument");

	regs = (struct acrn_vcpu_regs){ .vcpu_regs.rip = 0x1000 };
	tap_success(ioctl(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &regs),
		    "SET_VCPU_REGS");
	raw_vm_close(&vm);
}

static void test_notify(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);

	ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
	tap_errno(notify(vm.fd, 0, 0), EINVAL, "notify: no request");
	tap_errno(notify(vm.fd, 1, 0), EINVAL, "notify: vCPU 1 of 1");
	tap_errno(notify(vm.fd, 16, 0), EINVAL, "notify: vCPU 16");
	tap_errno(notify(vm.fd, 0x10000, 0), EINVAL, "notify: vCPU 65536");
	tap_errno(notify(vm.fd, ~0U, 0), EINVAL, "notify: vCPU -1");
	tap_errno(notify(vm.fd, 0, 1), EINVAL, "notify: reserved field");
	raw_vm_close(&vm);
}

static void test_interrupts(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);

	tap_errno(inject_msi(vm.fd, 0), EINVAL, "INJECT_MSI: address 0");
	tap_errno(inject_msi(vm.fd, 0xfef00000), EINVAL,
		  "INJECT_MSI: beyond the window");
	tap_errno(inject_msi(vm.fd, 0xfedff000), EINVAL,
		  "INJECT_MSI: before the window");
	tap_errno(inject_msi(vm.fd, 0x1fee00000), EINVAL,
		  "INJECT_MSI: beyond 4 GiB");
	tap_success(inject_msi(vm.fd, MSI_ADDRESS), "INJECT_MSI");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_SET_IRQLINE, 4UL), "SET_IRQLINE");
	raw_vm_close(&vm);
}

static void test_ram_arguments(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(4 * PAGE), *read_only = raw_pages(PAGE);
	long pinned = pages_pinned();

	munmap(pages + 2 * PAGE, PAGE);
	mprotect(read_only, PAGE, PROT_READ);
	tap_errno(set_ram(vm.fd, 0, pages, 0), EINVAL, "RAM: empty");
	tap_errno(set_ram(vm.fd, 0, pages, 100), EINVAL,
		  "RAM: length not aligned");
	tap_errno(set_ram(vm.fd, 100, pages, PAGE), EINVAL,
		  "RAM: address not aligned");
	tap_errno(set_ram(vm.fd, 0, pages + 100, PAGE), EINVAL,
		  "RAM: user address not aligned");
	tap_errno(set_ram(vm.fd, -PAGE, pages, 2 * PAGE), EINVAL, "RAM: wraps");
	tap_errno(set_ram(vm.fd, PAGE, pages, -PAGE), EINVAL,
		  "RAM: length wraps");
	tap_errno(set_ram(vm.fd, 1ULL << 52, pages, PAGE), EINVAL,
		  "RAM: beyond the range");
	tap_errno(set_ram(vm.fd, 0, (void *)-PAGE, PAGE), EFAULT,
		  "RAM: kernel address");
	tap_errno(set_ram(vm.fd, 0, pages + 2 * PAGE, PAGE), EFAULT,
		  "RAM: not mapped");
	tap_errno(set_ram(vm.fd, 0, pages, 4 * PAGE), EFAULT,
		  "RAM: not mapped in the middle");
	tap_errno(set_ram(vm.fd, 0, read_only, PAGE), EFAULT,
		  "RAM: not writable");
	tap_errno(memseg(vm.fd, ACRN_IOCTL_SET_MEMSEG, ACRN_MEMMAP_RAM, 0, 0,
			 (uintptr_t)pages, PAGE),
		  EINVAL, "RAM: no access");
	tap_errno(memseg(vm.fd, ACRN_IOCTL_SET_MEMSEG, ACRN_MEMMAP_RAM,
			 RWX | 0x1000, 0, (uintptr_t)pages, PAGE),
		  EINVAL, "RAM: unknown attribute");
	tap_errno(memseg(vm.fd, ACRN_IOCTL_SET_MEMSEG, 2, RWX, 0,
			 (uintptr_t)pages, PAGE),
		  EINVAL, "segment of unknown type");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_SET_MEMSEG, NULL), EFAULT,
		  "SET_MEMSEG: no argument");
	tap_eq(pages_pinned() - pinned, 0,
	       "nothing of this leaves a page pinned");
	tap_success(set_ram(vm.fd, 0, pages, 2 * PAGE),
		    "RAM: nothing of this leaves the range in use");

	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "close unpins all pages");
	munmap(pages, 4 * PAGE);
	munmap(read_only, PAGE);
}

static void test_overlap(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct raw_vm other = raw_vm_create(cpus[1], 0);
	char *pages = raw_pages(16 * PAGE);
	const uint64_t gpa = 0x100000;

	tap_success(set_ram(vm.fd, gpa, pages, 4 * PAGE), "RAM of four pages");
	tap_errno(set_ram(vm.fd, gpa, pages, 4 * PAGE), EEXIST,
		  "overlap: the same");
	tap_errno(set_ram(vm.fd, gpa + PAGE, pages, PAGE), EEXIST,
		  "overlap: within");
	tap_errno(set_ram(vm.fd, gpa - PAGE, pages, 2 * PAGE), EEXIST,
		  "overlap: its first page");
	tap_errno(set_ram(vm.fd, gpa + 3 * PAGE, pages, 2 * PAGE), EEXIST,
		  "overlap: its last page");
	tap_errno(set_ram(vm.fd, gpa - PAGE, pages, 6 * PAGE), EEXIST,
		  "overlap: all of it");
	tap_errno(set_mmio(vm.fd, gpa, HPET, PAGE), EEXIST,
		  "overlap: device memory");
	tap_success(set_ram(vm.fd, gpa - PAGE, pages, PAGE), "right before it");
	tap_success(set_ram(vm.fd, gpa + 4 * PAGE, pages, PAGE),
		    "right after it");
	tap_success(set_ram(other.fd, gpa, pages + 8 * PAGE, 4 * PAGE),
		    "the same in another VM");

	raw_vm_close(&vm);
	raw_vm_close(&other);
	munmap(pages, 16 * PAGE);
}

static void test_unset(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(4 * PAGE);
	long pinned = pages_pinned();

	set_ram(vm.fd, 0, pages, 4 * PAGE);
	tap_eq(pages_pinned() - pinned, 4, "SET_MEMSEG pins each page once");
	tap_errno(unset_ram(vm.fd, PAGE, 3 * PAGE), ENOENT,
		  "UNSET_MEMSEG: not from its start");
	tap_errno(unset_ram(vm.fd, 0, 3 * PAGE), ENOENT,
		  "UNSET_MEMSEG: not all of it");
	tap_errno(unset_ram(vm.fd, 0, 5 * PAGE), ENOENT,
		  "UNSET_MEMSEG: more than it");
	tap_errno(unset_ram(vm.fd, 8, 4 * PAGE), ENOENT,
		  "UNSET_MEMSEG: address not aligned");
	tap_errno(unset_ram(vm.fd, 1 << 20, PAGE), ENOENT,
		  "UNSET_MEMSEG: nothing there");
	tap_errno(unset_mmio(vm.fd, 0, 4 * PAGE), ENOENT,
		  "UNSET_MEMSEG: another type");
	tap_errno(memseg(vm.fd, ACRN_IOCTL_UNSET_MEMSEG, 2, RWX, 0, 0, PAGE),
		  EINVAL, "UNSET_MEMSEG: unknown type");
	tap_eq(pages_pinned() - pinned, 4, "all pages are pinned still");
	tap_success(unset_ram(vm.fd, 0, 4 * PAGE), "UNSET_MEMSEG");
	tap_eq(pages_pinned() - pinned, 0, "UNSET_MEMSEG unpins the pages");
	tap_errno(unset_ram(vm.fd, 0, 4 * PAGE), ENOENT, "UNSET_MEMSEG twice");
	tap_success(set_ram(vm.fd, PAGE, pages, 2 * PAGE),
		    "what was unset can be set otherwise");
	raw_vm_close(&vm);
	munmap(pages, 4 * PAGE);
}

static void test_mmio(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);

	tap_success(set_mmio(vm.fd, 0x1000, HPET, PAGE), "MMIO");
	tap_success(unset_mmio(vm.fd, 0x1000, PAGE), "MMIO: unset");
	tap_errno(unset_mmio(vm.fd, 0x1000, PAGE), ENOENT, "MMIO: unset twice");
	tap_errno(set_mmio(vm.fd, 0x1000, HPET + 8, PAGE), EINVAL,
		  "MMIO: not aligned");
	tap_errno(set_mmio(vm.fd, 0x1000, -PAGE, 2 * PAGE), EINVAL,
		  "MMIO: wraps");
	tap_errno(set_mmio(vm.fd, 0x1000, 1ULL << 52, PAGE), EINVAL,
		  "MMIO: beyond the range");
	tap_errno(set_mmio(vm.fd, 0x1000, 16 << 20, PAGE), EPERM,
		  "MMIO: the kernel's RAM");
	tap_errno(set_mmio(vm.fd, 0, 0, 0x200000), EPERM,
		  "MMIO: partly the kernel's RAM");
	raw_vm_close(&vm);
}

/* Many pages, so that they take several hypercalls, and many segments. */
static void test_many(void)
{
	const size_t big = 64 << 20;
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(big);
	long pinned = pages_pinned();
	int failed = 0;

	/* Holes make neighbours in memory ones that are not. */
	for (size_t i = 0; i < big; i += 2 * PAGE)
		madvise(pages + i, PAGE, MADV_DONTNEED);
	tap_success(set_ram(vm.fd, 0, pages, big), "RAM of 64 MiB");
	tap_eq(pages_pinned() - pinned, big / PAGE, "all its pages are pinned");
	tap_success(unset_ram(vm.fd, 0, big), "RAM of 64 MiB: unset");
	tap_eq(pages_pinned() - pinned, 0, "no page of it is pinned");

	for (uint64_t i = 0; i < SEGMENTS_MAX; i++)
		failed += set_ram(vm.fd, i * 2 * PAGE, pages, PAGE) != 0;
	tap_eq(failed, 0, "%d segments", SEGMENTS_MAX);
	tap_errno(set_ram(vm.fd, 1 << 30, pages, PAGE), ENOSPC,
		  "one more than the limit");
	tap_success(unset_ram(vm.fd, 2 * PAGE, PAGE), "one of them unset");
	tap_success(set_ram(vm.fd, 1 << 30, pages, PAGE), "now one more");
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "close unpins all of them");
	munmap(pages, big);
}

/* Huge pages, whole, in part and across their borders. */
static void test_huge(void)
{
	static const char name[] = "/proc/sys/vm/nr_hugepages";
	const size_t huge = 2 << 20, size = 4 * huge;
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	long pinned = pages_pinned();
	FILE *file = fopen(name, "w");
	char *pages;

	if (!file || fprintf(file, "8\n") < 0 || fclose(file))
		err(1, "%s", name);
	pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (pages == MAP_FAILED)
		err(1, "huge pages");
	tap_success(set_ram(vm.fd, 0, pages, size), "huge pages");
	tap_eq(pages_pinned() - pinned, size / PAGE, "all of them are pinned");
	tap_success(set_ram(vm.fd, size, pages + huge / 2, huge),
		    "huge pages, two halves of them again");
	tap_success(unset_ram(vm.fd, 0, size), "huge pages: unset");
	tap_eq(pages_pinned() - pinned, huge / PAGE,
	       "what was set twice is pinned still");
	tap_success(unset_ram(vm.fd, size, huge), "huge pages: halves unset");
	tap_eq(pages_pinned() - pinned, 0, "none of them is pinned");
	tap_success(set_ram(vm.fd, 0, pages, size), "huge pages: set again");
	munmap(pages, size);
	raw_vm_close(&vm);
	tap_eq(pages_pinned() - pinned, -1, "close unpins them");
}

/* A thread that attaches, and what it got. */
struct waiter {
	pthread_t thread;
	int fd;
	int result;
	int error;
};

static void *attach(void *arg)
{
	struct waiter *waiter = arg;

	waiter->result = ioctl(waiter->fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT);
	waiter->error = errno;
	return NULL;
}

static void waiter_start(struct waiter *waiter, int fd)
{
	waiter->fd = fd;
	if (pthread_create(&waiter->thread, NULL, attach, waiter))
		errx(1, "pthread_create");
	/* Most of the time it sleeps by then; either way it must end. */
	usleep(50000);
}

static void waiter_expect(struct waiter *waiter, int result, int error,
			  const char *name)
{
	pthread_join(waiter->thread, NULL);
	if (!tap_ok(waiter->result == result &&
			    (!result || waiter->error == error),
		    "%s", name))
		tap_diag("got %d: %s", waiter->result, strerror(waiter->error));
}

static void ignore_signal(int sig)
{
	(void)sig;
}

static void test_client(void)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct waiter waiter;

	tap_errno(ioctl(vm.fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT), ENODEV,
		  "client: attached before there is one");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT),
		    "client: destroyed before there is one");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT),
		    "client: created");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT), EEXIST,
		  "client: created twice");

	sigaction(SIGUSR1, &action, NULL);
	waiter_start(&waiter, vm.fd);
	usleep(200000);
	pthread_kill(waiter.thread, SIGUSR1);
	waiter_expect(&waiter, 0, 0, "client: a signal wakes with 0");

	waiter_start(&waiter, vm.fd);
	ioctl(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT);
	waiter_expect(&waiter, -1, ENODEV, "client: its end wakes");

	ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
	waiter_start(&waiter, vm.fd);
	tap_success(ioctl(vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ),
		    "CLEAR_VM_IOREQ while attached");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_DESTROY_VM),
		    "DESTROY_VM while attached");
	waiter_expect(&waiter, -1, ENODEV, "client: the VM's end wakes");
	raw_vm_close(&vm);
}

/* A VM belongs to whoever has the file open. */
static void test_fork(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct waiter waiter;
	long pinned;
	int status;
	pid_t pid;

	ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
	pid = fork();
	if (!pid) {
		void *pages = raw_pages(4 * PAGE);

		waiter_start(&waiter, vm.fd);
		_exit(set_ram(vm.fd, 0, pages, 4 * PAGE) ||
		      ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM));
	}
	waitpid(pid, &status, 0);
	tap_ok(WIFEXITED(status) && !WEXITSTATUS(status),
	       "a child gives the VM memory and ends while attached");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM),
		    "the VM is there when the child has ended");

	pid = fork();
	if (!pid) {
		usleep(100000);
		_exit(ioctl(vm.fd, ACRN_IOCTL_DESTROY_VM));
	}
	pinned = pages_pinned();
	close(vm.fd);
	waitpid(pid, &status, 0);
	tap_ok(WIFEXITED(status) && !WEXITSTATUS(status),
	       "a child destroys the VM that its parent has closed");
	tap_eq(pages_pinned() - pinned, -5, "and all pages are unpinned");
	munmap(vm.slots, PAGE);
}

static void test_close_order(void)
{
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	char *pages = raw_pages(PAGE);
	int copy = dup(vm.fd), efd = raw_eventfd();

	set_ram(vm.fd, 0, pages, PAGE);
	raw_ioeventfd(&vm, efd, ACRN_IOEVENTFD_FLAG_PIO, 0x1000, 2, 0);
	raw_irqfd(&vm, efd, 0, MSI_ADDRESS, 0x41);
	munmap(pages, PAGE);
	raw_vm_close(&vm);
	tap_success(ioctl(copy, ACRN_IOCTL_PAUSE_VM),
		    "the VM lives as long as one descriptor does");
	close(efd);
	tap_success(ioctl(copy, ACRN_IOCTL_RESET_VM), "RESET_VM when paused");
	close(copy);
}

/* The race: threads that do all they can to a VM that comes and goes. */
#define RACERS	   3
#define ITERATIONS 300

struct race {
	int fd;
	void *slots;
	char *pages;
	atomic_bool stop;
};

static void *racer(void *arg)
{
	struct acrn_vcpu_regs regs = { 0 };
	struct race *race = arg;
	struct raw_vm vm = { .fd = race->fd };
	int efd = raw_eventfd();
	uint64_t state;

	while (!race->stop) {
		state = ACRN_PMCMD_GET_PX_CNT;
		ioctl(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, &state);
		ioctl(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, race->pages);
		set_ram(vm.fd, 0, race->pages, 8 * PAGE);
		ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
		raw_ioeventfd(&vm, efd, ACRN_IOEVENTFD_FLAG_PIO, 0x1000, 2, 0);
		raw_irqfd(&vm, efd, 0, MSI_ADDRESS, 0x41);
		ioctl(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &regs);
		inject_msi(vm.fd, MSI_ADDRESS);
		raw_signal(efd);
		ioctl(vm.fd, ACRN_IOCTL_SET_IRQLINE, 4UL);
		notify(vm.fd, 0, 0);
		ioctl(vm.fd, ACRN_IOCTL_PAUSE_VM);
		ioctl(vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ);
		ioctl(vm.fd, ACRN_IOCTL_RESET_VM);
		unset_ram(vm.fd, 0, 8 * PAGE);
		ioctl(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT);
	}
	close(efd);
	return NULL;
}

/* Attaches again and again; what ends the wait is the client's or VM's end. */
static void *attacher(void *arg)
{
	struct race *race = arg;

	while (!race->stop)
		ioctl(race->fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT);
	return NULL;
}

static void test_race(void)
{
	struct race race = { .fd = hsm_open(),
			     .slots = raw_pages(PAGE),
			     .pages = raw_pages(8 * PAGE) };
	int created = 0, destroyed = 0;
	pthread_t threads[RACERS + 1];

	for (int i = 0; i <= RACERS; i++)
		if (pthread_create(&threads[i], NULL, i ? racer : attacher,
				   &race))
			errx(1, "pthread_create");
	for (int i = 0; i < ITERATIONS; i++) {
		created += !create(race.fd, cpus[i & 1], race.slots);
		usleep(i % 7 * 300);
		destroyed += !ioctl(race.fd, ACRN_IOCTL_DESTROY_VM);
	}
	race.stop = true;
	for (int i = 0; i <= RACERS; i++)
		pthread_join(threads[i], NULL);
	tap_eq(created, ITERATIONS, "all VMs created while threads race");
	tap_eq(destroyed, ITERATIONS, "all VMs destroyed while threads race");
	close(race.fd);
	munmap(race.slots, PAGE);
	munmap(race.pages, 8 * PAGE);
}

int main(int argc, char **argv)
{
	long pinned;

	if (argc != 3)
		errx(1, "usage: hsm_ioctl CPU CPU");
	cpus[0] = atoi(argv[1]);
	cpus[1] = atoi(argv[2]);

	pinned = pages_pinned();
	test_without_vm();
	test_unknown();
	test_create();
	test_no_vcpu();
	test_vcpu_regs();
	test_notify();
	test_interrupts();
	test_ram_arguments();
	test_overlap();
	test_unset();
	test_mmio();
	test_many();
	test_huge();
	test_client();
	test_fork();
	test_close_order();
	test_race();
	tap_eq(pages_pinned() - pinned, 0, "no page is pinned at the end");
	return tap_done();
}
