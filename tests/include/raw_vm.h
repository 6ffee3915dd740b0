/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User VMs by raw ioctls, for tests of the HSM's interface: no library and no
 * device model in between can hide a difference. A call that has to work for
 * the test to make sense ends the program when it fails.
 */
#ifndef RAW_VM_H
#define RAW_VM_H

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/acrn.h>

#include "number.h"
#include "raw_hv.h"
#include "vmstat.h"

/*
 * Address of MSIs for the vCPU on the physical CPU @cpu. Its local APIC has the
 * same id as that of the CPU, which on machines for tests is the number of the
 * CPU.
 */
static inline uint64_t raw_msi_address(int cpu)
{
	return 0xfee00000 | cpu << 12;
}

/**
 * struct raw_vm - A User VM
 * @fd:		Descriptor of /dev/acrn_hsm
 * @vmid:	Id of the VM
 * @msi:	Address of MSIs for the first vCPU
 * @slots:	I/O request page, with a slot for each vCPU
 */
struct raw_vm {
	int fd;
	uint16_t vmid;
	uint64_t msi;
	struct acrn_io_request_buffer *slots;
};

/* Allocate memory of the Service VM, aligned to pages and zeroed. */
static inline void *raw_pages(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (pages == MAP_FAILED)
		err(1, "%zu bytes of memory", size);
	return pages;
}

/* Physical address that a page of this program has at this moment */
static inline uint64_t raw_physical(const void *page)
{
	const uint64_t pfn = (1ULL << 55) - 1;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	long size = sysconf(_SC_PAGESIZE);
	uint64_t entry;

	if (fd < 0 ||
	    pread(fd, &entry, sizeof(entry),
		  (uintptr_t)page / size * sizeof(entry)) != sizeof(entry))
		err(1, "/proc/self/pagemap");
	close(fd);
	return (entry & pfn) * size;
}

/*
 * Create a User VM with a vCPU on each of the physical CPUs in the bit mask
 * @cpus and the @flags of CREATE_VM. On ACRN the VM may poll for completion
 * although the flags do not say so, if an earlier VM with the same id did.
 */
static inline struct raw_vm raw_vm_create_any(uint64_t cpus, uint64_t flags)
{
	struct raw_vm vm = { .fd = open("/dev/acrn_hsm", O_RDWR | O_CLOEXEC),
			     .msi = raw_msi_address(__builtin_ctzll(cpus)) };
	struct acrn_vm_creation create = { .vcpu_num =
						   __builtin_popcountll(cpus),
					   .vm_flag = flags,
					   .cpu_affinity = cpus };

	if (vm.fd < 0)
		err(1, "/dev/acrn_hsm");
	vm.slots = raw_pages(sizeof(*vm.slots));
	create.ioreq_buf = (uintptr_t)vm.slots;
	if (ioctl(vm.fd, ACRN_IOCTL_CREATE_VM, &create))
		err(1, "CREATE_VM on CPUs %#llx", (unsigned long long)cpus);
	vm.vmid = create.vmid;
	return vm;
}

/* The same, but on the fixture the VM polls only if @flags say so. */
static inline struct raw_vm raw_vm_create_on(uint64_t cpus, uint64_t flags)
{
	hv_forget_polling();
	return raw_vm_create_any(cpus, flags);
}

/* The same with one vCPU, on @cpu. */
static inline struct raw_vm raw_vm_create(int cpu, uint64_t flags)
{
	return raw_vm_create_on(1ULL << cpu, flags);
}

/* Whether the HSM that is loaded is the in-tree one. */
static inline int raw_hsm_is_in_tree(void)
{
	struct stat st;

	return stat("/sys/module/acrn", &st) == 0;
}

/*
 * Pause a VM before the in-tree HSM ends it. The hypervisor destroys only a VM
 * that is paused, and the in-tree HSM, which does not pause it, would be left
 * with a freed VM in its list (destroy-running).
 */
static inline void raw_prepare_end(int fd)
{
	if (raw_hsm_is_in_tree())
		ioctl(fd, ACRN_IOCTL_PAUSE_VM);
}

static inline int raw_destroy(int fd)
{
	raw_prepare_end(fd);
	return ioctl(fd, ACRN_IOCTL_DESTROY_VM);
}

static inline void raw_close(int fd)
{
	raw_prepare_end(fd);
	close(fd);
}

/* Ends the VM the way a crash of its device model does. */
static inline void raw_vm_close(struct raw_vm *vm)
{
	raw_close(vm->fd);
	munmap(vm->slots, sizeof(*vm->slots));
}

static inline int raw_open(void)
{
	int fd = open("/dev/acrn_hsm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "/dev/acrn_hsm");
	return fd;
}

/* CREATE_VM with one vCPU on @cpu and the I/O request page at @slots. */
static inline int raw_create(int fd, int cpu, const void *slots)
{
	struct acrn_vm_creation args = { .vcpu_num = 1,
					 .ioreq_buf = (uintptr_t)slots,
					 .cpu_affinity = 1ULL << cpu };

	return ioctl(fd, ACRN_IOCTL_CREATE_VM, &args);
}

/*
 * @from is a user or a physical address: both are the same field of the struct.
 */
static inline int raw_memseg(int fd, unsigned long cmd, uint32_t type,
			     uint32_t attr, uint64_t gpa, uint64_t from,
			     uint64_t len)
{
	struct acrn_vm_memmap map = { .type = type,
				      .attr = attr,
				      .user_vm_pa = gpa,
				      .service_vm_pa = from,
				      .len = len };

	return ioctl(fd, cmd, &map);
}

static inline int raw_set_ram(int fd, uint64_t gpa, const void *from,
			      uint64_t len)
{
	return raw_memseg(fd, ACRN_IOCTL_SET_MEMSEG, ACRN_MEMMAP_RAM,
			  ACRN_MEM_ACCESS_RWX, gpa, (uintptr_t)from, len);
}

static inline int raw_unset_ram(int fd, uint64_t gpa, uint64_t len)
{
	return raw_memseg(fd, ACRN_IOCTL_UNSET_MEMSEG, ACRN_MEMMAP_RAM,
			  ACRN_MEM_ACCESS_RWX, gpa, 0, len);
}

static inline int raw_set_mmio(int fd, uint64_t gpa, uint64_t from,
			       uint64_t len)
{
	return raw_memseg(fd, ACRN_IOCTL_SET_MEMSEG, ACRN_MEMMAP_MMIO,
			  ACRN_MEM_ACCESS_RWX, gpa, from, len);
}

static inline int raw_unset_mmio(int fd, uint64_t gpa, uint64_t len)
{
	return raw_memseg(fd, ACRN_IOCTL_UNSET_MEMSEG, ACRN_MEMMAP_MMIO,
			  ACRN_MEM_ACCESS_RWX, gpa, 0, len);
}

/* Addresses of the descriptor tables in a test's User VM */
#define RAW_GDT 0x1000
#define RAW_IDT 0x2000

/*
 * Registers with which the first vCPU starts at @rip in flat protected mode,
 * with the stack below @rsp.
 */
static inline struct acrn_vcpu_regs raw_registers(uint64_t rip, uint64_t rsp)
{
	return (struct acrn_vcpu_regs){
		.vcpu_regs = {
			.gdt = { .limit = 4 * 8 - 1, .base = RAW_GDT },
			.idt = { .limit = 256 * 8 - 1, .base = RAW_IDT },
			.rip = rip,
			.gprs = { .rsp = rsp },
			.cr0 = 0x31,
			.rflags = 2,
			.cs_ar = 0xc09b,
			.cs_limit = ~0U,
			.cs_sel = 0x10,
			.ss_sel = 0x18,
			.ds_sel = 0x18,
			.es_sel = 0x18,
			.fs_sel = 0x18,
			.gs_sel = 0x18,
		},
	};
}

static inline int raw_set_registers(int fd, uint64_t rip, uint64_t rsp)
{
	struct acrn_vcpu_regs regs = raw_registers(rip, rsp);

	return ioctl(fd, ACRN_IOCTL_SET_VCPU_REGS, &regs);
}

/*
 * Give the VM @size bytes of memory at @ram, with the segments for the above.
 */
static inline int raw_set_memory(int fd, char *ram, uint64_t size)
{
	const uint64_t segments[] = { 0x00cf9b000000ffff, 0x00cf93000000ffff };

	memcpy(ram + RAW_GDT + 0x10, segments, sizeof(segments));
	return raw_set_ram(fd, 0, ram, size);
}

static inline int raw_notify(int fd, uint32_t vcpu)
{
	struct acrn_ioreq_notify args = { .vcpu = vcpu };

	return ioctl(fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &args);
}

static inline int raw_inject_msi(int fd, uint64_t address, uint64_t data)
{
	struct acrn_msi_entry msi = { .msi_addr = address, .msi_data = data };

	return ioctl(fd, ACRN_IOCTL_INJECT_MSI, &msi);
}

/* ACRN_IOCTL_IOEVENTFD with @flags, @len bytes at @addr, matching @data. */
static inline int raw_ioeventfd(const struct raw_vm *vm, int eventfd,
				uint32_t flags, uint64_t addr, uint32_t len,
				uint64_t data)
{
	struct acrn_ioeventfd args = { .fd = eventfd,
				       .flags = flags,
				       .addr = addr,
				       .len = len,
				       .data = data };

	return ioctl(vm->fd, ACRN_IOCTL_IOEVENTFD, &args);
}

/* ACRN_IOCTL_IRQFD with @flags for the MSI of @addr and @data. */
static inline int raw_irqfd(const struct raw_vm *vm, int eventfd,
			    uint32_t flags, uint64_t addr, uint64_t data)
{
	struct acrn_irqfd args = { .fd = eventfd,
				   .flags = flags,
				   .msi = { .msi_addr = addr,
					    .msi_data = data } };

	return ioctl(vm->fd, ACRN_IOCTL_IRQFD, &args);
}

static inline int raw_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		err(1, "eventfd");
	return fd;
}

/* The events that a non-blocking eventfd has counted since it was last read. */
static inline uint64_t raw_events(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static inline void raw_signal(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		err(1, "write to an eventfd");
}

/* Whether the kernel is PREEMPT_RT, on which threads signal all doorbells. */
static inline bool raw_is_preempt_rt(void)
{
	struct utsname name;

	uname(&name);
	return strstr(name.version, "PREEMPT_RT");
}

/* Read a counter of the VM from sysfs; ends the program if there is none. */
static inline unsigned long raw_stat(const struct raw_vm *vm,
				     const char *wanted)
{
	long long value;
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/misc/acrn_hsm/vm%u/%s",
		 vm->vmid, wanted);
	value = raw_number(path);
	if (value < 0)
		err(1, "%s", path);
	return value;
}

#endif /* RAW_VM_H */
