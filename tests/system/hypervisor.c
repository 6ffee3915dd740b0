// SPDX-License-Identifier: GPL-2.0
/*
 * Tests tests/hypervisor itself, without Linux in the User VM. A User VM
 * executes a few hundred instructions, and each must lead to the I/O requests,
 * results and exceptions that it leads to on a real machine and on ACRN. The
 * Service VM must neither see SVM nor reach the hypervisor's memory.
 *
 * Arguments: physical CPUs of the User VM's two vCPUs.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>

#include "acrn_hypercall.h"
#include "fixture.h"
#include "raw_vm.h"
#include "tap.h"

/* The User VM's address space; hypervisor_guest.S has the same numbers. */
#define RAM_SIZE       0x200000
#define GDT_ADDR       0x1000
#define PML4_ADDR      0x10000
#define PDPT_ADDR      0x11000
#define TRAMPOLINE     0x8000
#define LAPIC_IDS_ADDR 0x9f80
#define CODE_ADDR      0x20000
#define READ_ONLY_ADDR 0x200000
#define DEVICE_ADDR    0x90000000UL

/* Ports at which the guest asks this program to do something */
#define PORT_BLOCK     0xe8
#define PORT_MSI_LATER 0x700
#define PORT_MSI_NOW   0x701
#define PORT_MSI_LOST  0x702
#define PORT_PULSE     0x703
#define PORT_LINE_HIGH 0x704
#define PORT_LINE_LOW  0x705
#define PORT_UNMAP     0x706
#define PORT_END       0xff
/*
 * A triple fault, with which the guest ends, arrives here as a write of "S5".
 */
#define PORT_PM1A_CONTROL 0x404
#define PM1A_S5		  0x3400

#define MSI_VECTOR 0x41
/* An id that no local APIC of the User VM has */
#define NO_LAPIC      0x7f
#define IOAPIC_PIN    5
#define IRQLINE(op)   ((uint64_t)(op) << 32 | IOAPIC_PIN)
#define IRQLINE_HIGH  IRQLINE(0)
#define IRQLINE_LOW   IRQLINE(1)
#define IRQLINE_PULSE IRQLINE(2)

/* The HPET's registers: memory of a device that any machine has */
#define HPET_BASE 0xfed00000UL
/* Address of the hypervisor, and of the physical local APIC */
#define HYPERVISOR_BASE 0x30000000UL
#define LAPIC_BASE	0xfee00000UL

/* Answer to every read, cut to the width of the access */
#define READ_VALUE 0xf1e2d3c4b5a69788UL

#define SECONDS_PER_BLOCK 10

extern const char guest_code[], guest_code_end[];
extern const char guest_ap[], guest_ap_end[];
asm(".include \"tests/system/hypervisor_guest.S\"");

#define PIO  ACRN_IOREQ_TYPE_PORTIO
#define MMIO ACRN_IOREQ_TYPE_MMIO

struct access {
	uint32_t type;
	bool write;
	uint32_t size;
	uint64_t address;
	uint64_t value;
};

#define OUT(size, port, value)                                                 \
	{                                                                      \
		PIO, true, size, port, value                                   \
	}
#define IN(size, port)                                                         \
	{                                                                      \
		PIO, false, size, port, 0                                      \
	}
#define ST(size, addr, value)                                                  \
	{                                                                      \
		MMIO, true, size, 0x80000000UL + (addr), value                 \
	}
#define LD(size, addr)                                                         \
	{                                                                      \
		MMIO, false, size, 0x80000000UL + (addr), 0                    \
	}
/* The guest reports a 64-bit number in two halves, an exception, or a count. */
#define REPORT(value)                                                          \
	OUT(4, 0x600, (uint32_t)(value)), OUT(4, 0x604, (value) >> 32)
#define EXCEPTION(vector) OUT(1, 0x610, vector)
#define COUNT(n)	  OUT(1, 0x620, n)

struct block {
	const char *name;
	struct access want[24];
};

/* clang-format off */
static const struct block blocks[] = {
	{ "ports are written in three widths",
	  { OUT(1, 0x500, 0x11), OUT(2, 0x500, 0x2211),
	    OUT(4, 0x500, 0x44332211) } },
	{ "ports are read into AL, AX and EAX",
	  { IN(1, 0x500), REPORT(0xffffffffffffff88),
	    IN(2, 0x500), REPORT(0xffffffffffff9788),
	    IN(4, 0x500), REPORT(0xb5a69788UL) } },
	{ "REP OUTSW across a page",
	  { OUT(2, 0x500, 0xfefd), OUT(2, 0x500, 0x00ff),
	    OUT(2, 0x500, 0x0201), REPORT(0x6003UL), REPORT(0UL) } },
	{ "REP INSL across a page, and backwards",
	  { IN(4, 0x500), IN(4, 0x500), REPORT(0xb5a69788b5a69788),
	    IN(1, 0x500), IN(1, 0x500), REPORT(0x6ff6UL) } },
	{ "REP OUTSB of nothing", { REPORT(0UL) } },
	{ "stores to a device in all widths",
	  { ST(1, 0x10, 0x88), ST(1, 0x11, 0x77), ST(2, 0x12, 0x7788),
	    ST(4, 0x14, 0x55667788), ST(8, 0x18, 0x1122334455667788),
	    ST(1, 0x20, 0xff), ST(4, 0x24, 0x87654321),
	    ST(8, 0x28, 0xffffffff87654321), ST(4, 0x30, 0x55667788) } },
	{ "loads from a device in all widths, extended",
	  { LD(1, 0), REPORT(0xffffffffffffff88),
	    LD(1, 1), REPORT(0xffffffffffff88ff),
	    LD(2, 2), REPORT(0xffffffffffff9788),
	    LD(4, 4), REPORT(0xb5a69788UL), LD(8, 8), REPORT(READ_VALUE) } },
	{ "MOVZX and MOVSX from a device",
	  { LD(1, 0), REPORT(0x88UL), LD(2, 2), REPORT(0x9788UL),
	    LD(1, 0), REPORT(0xffffffffffffff88),
	    LD(2, 2), REPORT(0xffff9788UL),
	    LD(4, 4), REPORT(0xffffffffb5a69788) } },
	{ "string instructions between memory and a device",
	  { ST(4, 0x40, 0x83828180), ST(4, 0x44, 0x87868584),
	    REPORT(0x80000048UL), LD(2, 0x50), LD(2, 0x52),
	    REPORT(0x97889788UL), ST(8, 0x60, 0x1122334455667788),
	    ST(8, 0x68, 0x1122334455667788), LD(1, 0x70),
	    REPORT(0x88UL) } },
	{ "AND, OR, XOR with a device's memory",
	  { LD(4, 0), ST(4, 0, 0x05060708), LD(1, 4), ST(1, 4, 0x8b),
	    LD(8, 8), REPORT(0UL) } },
	{ "CMP and TEST with a device's memory",
	  { LD(4, 0), COUNT(1), LD(1, 4), COUNT(1), LD(1, 4), COUNT(0) } },
	{ "an access across pages is refused",
	  { EXCEPTION(13), EXCEPTION(13), REPORT(0x1234UL) } },
	{ "an instruction that is not emulated is refused", { EXCEPTION(6) } },
	{ "instructions and registers that a guest does not have",
	  { EXCEPTION(6), EXCEPTION(6), EXCEPTION(6), EXCEPTION(6),
	    EXCEPTION(13), EXCEPTION(13), EXCEPTION(13) } },
	{ "CPUID says Intel, ACRN, not privileged, x2APIC, TSC deadline, no SVM",
	  { REPORT(0x756e6547UL), REPORT(0x4e524341UL), REPORT(0UL), REPORT(0x81200000UL),
	    REPORT(0UL) } },
	{ "memory that is read-only: reads pass, writes are I/O requests",
	  { REPORT(0x5555UL), { MMIO, true, 4, READ_ONLY_ADDR, 7 },
	    REPORT(0x5555UL) } },
	{ "memory that is taken away turns into I/O requests",
	  { REPORT(1UL), OUT(1, PORT_UNMAP, 0),
	    { MMIO, false, 4, DEVICE_ADDR, 0 }, REPORT(0UL) } },
	{ "a local APIC in xAPIC mode, with the id of the CPU's",
	  { REPORT(0xfee00900UL), EXCEPTION(13), COUNT(1), COUNT(1),
	    COUNT(1) } },
	{ "IPIs in xAPIC mode: self, physical, flat, cluster, all",
	  { COUNT(1), COUNT(2), COUNT(3), COUNT(4), COUNT(5) } },
	{ "MSIs in xAPIC mode, one for nobody, priority, an error",
	  { OUT(1, PORT_MSI_LATER, 0), COUNT(1), OUT(1, PORT_MSI_LOST, 0),
	    COUNT(1), OUT(1, PORT_MSI_NOW, 0), COUNT(1), COUNT(2),
	    REPORT(0UL), REPORT(0x20UL) } },
	{ "x2APIC mode, which is not left again",
	  { REPORT(0xfee00d00UL), REPORT(0xfee00d00UL), COUNT(1), COUNT(1),
	    REPORT(0UL), EXCEPTION(13) } },
	{ "IPIs to itself, by ICR and by the self-IPI register",
	  { COUNT(2) } },
	{ "a task priority holds interrupts back, by MSR and by CR8",
	  { COUNT(0), COUNT(1), COUNT(1), COUNT(2) } },
	{ "the timer: TSC deadline, one shot, periodic",
	  { COUNT(1), COUNT(1), COUNT(2), COUNT(5) } },
	{ "TSC_ADJUST moves the TSC, by which the deadline is",
	  { REPORT(1UL), COUNT(1), REPORT(0x1000UL) } },
	{ "an MSI while halted, running and waiting for an I/O request",
	  { OUT(1, PORT_MSI_LATER, 0), COUNT(1), OUT(1, PORT_MSI_LATER, 0),
	    COUNT(2), IN(1, PORT_MSI_NOW), COUNT(3) } },
	{ "an edge through the I/O APIC", { OUT(1, PORT_PULSE, 0), COUNT(1) } },
	{ "a level through the I/O APIC, again until it is low",
	  { OUT(1, PORT_LINE_HIGH, 0), OUT(1, PORT_LINE_LOW, 0), COUNT(3) } },
	{ "INIT and start-up IPI to the second vCPU, NMI, fixed, again",
	  { OUT(4, 0x630, 0xfee00800), OUT(1, 0x631, 2),
	    OUT(1, 0x632, 0x42), OUT(4, 0x630, 0xfee00c00), COUNT(1) } },
};
/* clang-format on */

#define NR_BLOCKS    ARRAY_LEN(blocks)
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Accesses that arrived in each block, and those outside of any in the last
 * entry. The I/O thread fills this; it is read when the guest has ended.
 */
static struct {
	struct access got[64];
	unsigned int nr;
} logs[NR_BLOCKS + 1];
static unsigned int block;
static volatile bool at_end, ended;

/* The I/O thread is to end when a signal wakes it. */
static volatile bool detach;

static void must(int ret, const char *what)
{
	if (ret)
		err(1, "%s", what);
}

static void inject(const struct raw_vm *vm, uint64_t address)
{
	must(raw_inject_msi(vm->fd, address, MSI_VECTOR), "INJECT_MSI");
}

static void *inject_later(void *arg)
{
	const struct raw_vm *vm = arg;

	usleep(50000);
	inject(vm, vm->msi);
	return NULL;
}

static void start_inject_later(const struct raw_vm *vm)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, inject_later, (void *)vm), "thread");
	pthread_detach(thread);
}

static struct acrn_vm_memmap device_map(void)
{
	return (struct acrn_vm_memmap){
		.type = ACRN_MEMMAP_MMIO,
		.attr = ACRN_MEM_ACCESS_READ | ACRN_MEM_ACCESS_WRITE,
		.user_vm_pa = DEVICE_ADDR,
		.service_vm_pa = HPET_BASE,
		.len = 0x1000,
	};
}

static void act(const struct raw_vm *vm, const struct access *a)
{
	struct acrn_vm_memmap map = device_map();

	if (a->type != PIO)
		return;
	switch (a->address) {
	case PORT_BLOCK:
		block = a->value < NR_BLOCKS ? a->value : NR_BLOCKS;
		break;
	case PORT_MSI_LATER:
		start_inject_later(vm);
		break;
	case PORT_MSI_NOW:
		inject(vm, vm->msi);
		break;
	case PORT_MSI_LOST:
		inject(vm, raw_msi_address(NO_LAPIC));
		break;
	case PORT_PULSE:
		ioctl(vm->fd, ACRN_IOCTL_SET_IRQLINE, IRQLINE_PULSE);
		break;
	case PORT_LINE_HIGH:
		ioctl(vm->fd, ACRN_IOCTL_SET_IRQLINE, IRQLINE_HIGH);
		break;
	case PORT_LINE_LOW:
		ioctl(vm->fd, ACRN_IOCTL_SET_IRQLINE, IRQLINE_LOW);
		break;
	case PORT_UNMAP:
		ioctl(vm->fd, ACRN_IOCTL_UNSET_MEMSEG, &map);
		break;
	case PORT_END:
		at_end = true;
		break;
	case PORT_PM1A_CONTROL:
		ended = at_end && a->size == 2 && a->value == PM1A_S5;
		break;
	}
}

static struct access parse(const struct acrn_io_request *slot)
{
	const struct acrn_mmio_request *mmio = &slot->reqs.mmio_request;
	struct access a = {
		.type = slot->type,
		.write = mmio->direction == ACRN_IOREQ_DIR_WRITE,
		.size = mmio->size,
		.address = mmio->address,
	};

	if (a.write)
		a.value = a.type == PIO ? slot->reqs.pio_request.value
					: mmio->value;
	return a;
}

static void answer(const struct raw_vm *vm, unsigned int vcpu)
{
	struct acrn_io_request *slot = &vm->slots->req_slot[vcpu];
	struct acrn_ioreq_notify done = { .vmid = vm->vmid, .vcpu = vcpu };
	struct access a = parse(slot);

	if (a.type != PIO ||
	    (a.address != PORT_BLOCK && a.address != PORT_END &&
	     a.address != PORT_PM1A_CONTROL))
		if (logs[block].nr < ARRAY_LEN(logs[block].got))
			logs[block].got[logs[block].nr++] = a;
	act(vm, &a);
	if (!a.write && a.type == PIO)
		slot->reqs.pio_request.value = (uint32_t)READ_VALUE;
	else if (!a.write)
		slot->reqs.mmio_request.value = READ_VALUE;
	ioctl(vm->fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &done);
}

static void *serve(void *arg)
{
	const struct raw_vm *vm = arg;

	while (!ioctl(vm->fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT, 0) && !detach)
		for (unsigned int i = 0; i < 2; i++)
			if (vm->slots->req_slot[i].processed ==
			    ACRN_IOREQ_STATE_PROCESSING)
				answer(vm, i);
	return NULL;
}

static void map_ram(const struct raw_vm *vm, void *ram, uint64_t address,
		    size_t size, uint32_t attr)
{
	struct acrn_vm_memmap map = {
		.type = ACRN_MEMMAP_RAM,
		.attr = attr,
		.user_vm_pa = address,
		.vma_base = (uintptr_t)ram,
		.len = size,
	};

	must(ioctl(vm->fd, ACRN_IOCTL_SET_MEMSEG, &map), "SET_MEMSEG");
}

/* Identity mapping of 4 GiB, flat segments, code, and a pattern at 0x5000. */
static void fill_ram(char *ram)
{
	static const uint64_t gdt[] = { 0, 0x00af9b000000ffff,
					0x00cf93000000ffff };
	uint64_t *pml4 = (uint64_t *)(ram + PML4_ADDR);
	uint64_t *pdpt = (uint64_t *)(ram + PDPT_ADDR);

	pml4[0] = PDPT_ADDR | 3;
	for (uint64_t i = 0; i < 4; i++)
		pdpt[i] = i << 30 | 0x83;
	memcpy(ram + GDT_ADDR, gdt, sizeof(gdt));
	memcpy(ram + CODE_ADDR, guest_code, guest_code_end - guest_code);
	memcpy(ram + TRAMPOLINE, guest_ap, guest_ap_end - guest_ap);
	for (unsigned int i = 0x5000; i < 0x6010; i++)
		ram[i] = i;
}

static void set_regs(const struct raw_vm *vm)
{
	struct acrn_vcpu_regs regs = {
		.vcpu_regs = {
			.gdt = { .limit = 23, .base = GDT_ADDR },
			.rip = CODE_ADDR,
			.gprs.rsp = 0x9000,
			.cr0 = 0x80000031,
			.cr3 = PML4_ADDR,
			.cr4 = 0x620, /* PAE, SSE */
			.ia32_efer = 0x500, /* LME, LMA */
			.rflags = 2,
			.cs_ar = 0xa09b,
			.cs_limit = ~0U,
			.cs_sel = 0x08,
			.ss_sel = 0x10,
			.ds_sel = 0x10,
			.es_sel = 0x10,
		},
	};

	must(ioctl(vm->fd, ACRN_IOCTL_SET_VCPU_REGS, &regs), "SET_VCPU_REGS");
}

static void wait_for_end(void)
{
	unsigned int last = block;

	for (unsigned int i = 0; i < SECONDS_PER_BLOCK * 100 && !ended; i++) {
		usleep(10000);
		if (block != last)
			i = 0;
		last = block;
	}
}

static bool same(const struct access *a, const struct access *b)
{
	return a->type == b->type && a->write == b->write &&
	       a->size == b->size && a->address == b->address &&
	       a->value == b->value;
}

static void show(const char *what, const struct access *a)
{
	tap_diag("%s %s %s %u at %#llx value %#llx", what,
		 a->type == PIO ? "port" : "memory",
		 a->write ? "write" : "read", a->size,
		 (unsigned long long)a->address, (unsigned long long)a->value);
}

static void check_block(unsigned int n)
{
	const struct access *want = blocks[n].want, *got = logs[n].got;
	unsigned int nr = 0, i;

	while (nr < ARRAY_LEN(blocks[n].want) && want[nr].size)
		nr++;
	for (i = 0; i < nr && i < logs[n].nr && same(&want[i], &got[i]); i++)
		;
	if (tap_ok(i == nr && i == logs[n].nr, "%s", blocks[n].name))
		return;
	tap_diag("%u of %u as wanted, %u came", i, nr, logs[n].nr);
	if (i < nr)
		show("want", &want[i]);
	if (i < logs[n].nr)
		show("got", &got[i]);
}

static struct raw_vm create_vm(uint64_t cpus, uint64_t flags)
{
	struct raw_vm vm = { .fd = open("/dev/acrn_hsm", O_RDWR | O_CLOEXEC),
			     .msi = raw_msi_address(__builtin_ctzll(cpus)) };
	struct acrn_vm_creation create = { .vm_flag = flags,
					   .cpu_affinity = cpus };

	vm.slots = raw_pages(sizeof(*vm.slots));
	create.ioreq_buf = (uintptr_t)vm.slots;
	must(ioctl(vm.fd, ACRN_IOCTL_CREATE_VM, &create), "CREATE_VM");
	tap_eq(create.vcpu_num, 2, "a vCPU for each bit of cpu_affinity");
	vm.vmid = create.vmid;
	return vm;
}

static void on_signal(int signal)
{
	(void)signal;
}

/*
 * Make the I/O thread leave ATTACH_IOREQ_CLIENT before its client is destroyed,
 * because the in-tree HSM frees the client while the thread uses it. The signal
 * is repeated, as it may come before the thread has entered the ioctl.
 */
static void detach_client(pthread_t thread)
{
	detach = true;
	while (pthread_tryjoin_np(thread, NULL)) {
		pthread_kill(thread, SIGUSR1);
		usleep(10000);
	}
}

static void test_guest(int cpu0, int cpu1, uint64_t flags)
{
	struct raw_vm vm = create_vm(1ULL << cpu0 | 1ULL << cpu1, flags);
	uint32_t *read_only = raw_pages(0x1000);
	struct acrn_vm_memmap device = device_map();
	char *ram = raw_pages(RAM_SIZE);
	pthread_t thread;

	memset(logs, 0, sizeof(logs));
	block = NR_BLOCKS;
	at_end = false;
	ended = false;
	detach = false;
	fill_ram(ram);
	memcpy(ram + LAPIC_IDS_ADDR, (uint32_t[]){ cpu0, cpu1 }, 8);
	*read_only = 0x5555;
	map_ram(&vm, ram, 0, RAM_SIZE, ACRN_MEM_ACCESS_RWX);
	map_ram(&vm, read_only, READ_ONLY_ADDR, 0x1000, ACRN_MEM_ACCESS_READ);
	must(ioctl(vm.fd, ACRN_IOCTL_SET_MEMSEG, &device), "map a device");
	set_regs(&vm);
	must(ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT, 0), "client");
	must(pthread_create(&thread, NULL, serve, &vm), "thread");
	must(ioctl(vm.fd, ACRN_IOCTL_START_VM, 0), "START_VM");

	wait_for_end();
	for (unsigned int n = 0; n < NR_BLOCKS; n++)
		check_block(n);
	tap_ok(ended,
	       "the guest came to its end, and its triple fault is told");
	detach_client(thread);
	must(ioctl(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT, 0), "client");
	tap_success(raw_destroy(vm.fd),
		    "a VM with a triple fault can be destroyed");
	raw_vm_close(&vm);
}

static int map_device(const struct raw_vm *vm, uint64_t service_pa)
{
	struct acrn_vm_memmap map = device_map();

	map.service_vm_pa = service_pa;
	return ioctl(vm->fd, ACRN_IOCTL_SET_MEMSEG, &map);
}

static void test_mapping(int cpu)
{
	struct raw_vm vm;

	if (fixture_skip("address",
			 "a User VM does not get the hypervisor's memory"))
		return;
	vm = raw_vm_create(cpu, 0);
	tap_errno(map_device(&vm, HYPERVISOR_BASE), EINVAL,
		  "a User VM does not get the hypervisor's memory");
	tap_errno(map_device(&vm, HYPERVISOR_BASE - 0x800), EINVAL,
		  "nor a page that reaches into it");
	tap_errno(map_device(&vm, LAPIC_BASE), EINVAL,
		  "nor the physical local APIC");
	tap_errno(map_device(&vm, 1ULL << 52), EINVAL,
		  "nor what is no address");
	raw_vm_close(&vm);
}

static void exit_with_signal(int signal)
{
	_exit(signal);
}

/*
 * Returns the signal that a child gets when it makes a hypercall, or 0. The
 * child catches the signal, because the kernel would log an uncaught one.
 */
static int signal_of_vmcall(void)
{
	int status = 0;
	pid_t child = fork();

	if (child < 0)
		err(1, "fork");
	if (!child) {
		signal(SIGSEGV, exit_with_signal);
		signal(SIGILL, exit_with_signal);
		asm volatile("mov $0x80000000, %%r8d; vmcall"
			     :
			     : "D"(0UL)
			     : "rax", "r8", "memory");
		_exit(0);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static ssize_t access_msr(uint32_t msr, bool write)
{
	int fd = open("/dev/cpu/0/msr", O_RDWR | O_CLOEXEC);
	uint64_t value = 0;
	ssize_t ret;

	if (fd < 0)
		err(1, "/dev/cpu/0/msr");
	ret = write ? pwrite(fd, &value, sizeof(value), msr)
		    : pread(fd, &value, sizeof(value), msr);
	close(fd);
	return ret < 0 ? ret : (ssize_t)(value >> 12 & 1);
}

static void test_service_vm(void)
{
	uint32_t a = 0x80000001, b, c, d;

	tap_eq(signal_of_vmcall(), SIGSEGV,
	       "a hypercall of a user program is a general protection fault");
	if (fixture_skip("processor", "the Service VM does not see SVM"))
		return;
	asm("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	tap_ok(!(c & 4), "the Service VM does not see SVM");
	tap_eq(access_msr(0xc0000080, false), 0, "EFER has no SVME");
	tap_errno(access_msr(0xc0010117, false), EIO,
		  "VM_HSAVE_PA cannot be read");
	tap_errno(access_msr(0xc0010117, true), EIO,
		  "VM_HSAVE_PA cannot be written");
	tap_errno(access_msr(0xc0010114, true), EIO, "VM_CR cannot be written");
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };

	if (argc != 3)
		errx(1, "usage: hypervisor CPU CPU");
	sigaction(SIGUSR1, &action, NULL);
	test_service_vm();
	test_mapping(atoi(argv[1]));
	tap_diag("completion by hypercall");
	test_guest(atoi(argv[1]), atoi(argv[2]), 0);
	tap_diag("completion by polling");
	test_guest(atoi(argv[1]), atoi(argv[2]),
		   ACRN_VM_FLAG_IO_COMPLETION_POLLING);
	return tap_done();
}
