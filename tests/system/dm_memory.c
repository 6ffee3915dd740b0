// SPDX-License-Identifier: GPL-2.0
/*
 * How acrn-dm changes a User VM's memory after it has set it up. Each test
 * makes the calls of one function in acrn-dm's sources, in their order, and
 * then lets the guest read and write the memory.
 *
 * Needs no register of tests/hypervisor and no debugfs, so it runs on ACRN too.
 *
 * Arguments: physical CPUs of User VMs, of which the first is used.
 */
#include "differs.h"
#include "raw_guest.h"
#include "tap.h"

#define PAGE 0x1000UL

/* Value with which the device model answers a read that is a request */
#define ANSWER 0xa115

/* acrn-dm's PROT_READ and PROT_WRITE are the HSM's rights of the same value. */
#define RIGHTS_R  ACRN_MEM_ACCESS_READ
#define RIGHTS_RW (ACRN_MEM_ACCESS_READ | ACRN_MEM_ACCESS_WRITE)

static int cpu;

/* Number the pages: write @name plus its index to the beginning of each. */
static void mark(char *pages, size_t size, uint32_t name)
{
	for (size_t i = 0; i < size; i += PAGE)
		*(uint32_t *)(pages + i) = name + i / PAGE;
}

static void *marked_pages(size_t size, uint32_t name)
{
	char *pages = raw_pages(size);

	mark(pages, size, name);
	return pages;
}

static int set_ram(const struct guest *guest, uint32_t rights, uint64_t gpa,
		   const void *from, uint64_t len)
{
	return raw_memseg(guest->vm.fd, ACRN_IOCTL_SET_MEMSEG, ACRN_MEMMAP_RAM,
			  rights, gpa, (uintptr_t)from, len);
}

/* Check that the guest reads @want at @gpa, from memory. */
#define reads(guest, gpa, want, ...)                                           \
	do {                                                                   \
		uint32_t got_ = read_memory(guest, gpa, ANSWER);               \
		tap_ok((guest)->requests == 0, __VA_ARGS__);                   \
		tap_eq(got_, want, __VA_ARGS__);                               \
	} while (0)

/* Check that no memory is at @gpa: a read there reaches the device model. */
#define asks(guest, gpa, ...)                                                  \
	do {                                                                   \
		uint32_t got_ = read_memory(guest, gpa, ANSWER);               \
		tap_ok((guest)->requests == 1 && got_ == ANSWER, __VA_ARGS__); \
	} while (0)

static struct guest run(struct guest guest)
{
	create_client(&guest);
	start(&guest);
	return guest;
}

/* core/main.c, vm_system_reset(): its calls before vm_reset_vdevs() */
static void stop_for_reboot(const struct guest *guest)
{
	if (ioctl(guest->vm.fd, ACRN_IOCTL_PAUSE_VM) ||
	    ioctl(guest->vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ))
		err(1, "PAUSE_VM or CLEAR_VM_IOREQ");
}

/* core/main.c, vm_system_reset(): its calls after vm_reset_vdevs() */
static void reboot(const struct guest *guest)
{
	if (ioctl(guest->vm.fd, ACRN_IOCTL_RESET_VM))
		err(1, "RESET_VM");
	start(guest);
}

/*
 * The machine's firmware stands for a GPU's stolen memory: neither is RAM for
 * the kernel.
 */
#define FIRMWARE 0xffff0000UL

struct stolen {
	uint64_t gpa;
	uint64_t hpa;
	uint64_t size;
	const char *name;
};

static uint32_t firmware_word(uint64_t hpa)
{
	int fd = open("/dev/mem", O_RDONLY | O_CLOEXEC);
	void *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, hpa & -PAGE);
	uint32_t word;

	if (page == MAP_FAILED)
		err(1, "/dev/mem");
	word = *(volatile uint32_t *)((char *)page + hpa % PAGE);
	munmap(page, PAGE);
	close(fd);
	return word;
}

/*
 * hw/pci/passthrough.c, passthru_gpu_dsm_opregion(): device memory is mapped in
 * the middle of the guest's RAM, after UNSET_MEMSEG has made room for it; and
 * its UNSET_MEMSEG when the device ends.
 */
static void test_gpu_dsm(void)
{
	const size_t low = 32 << 20;
	const uint64_t base = 0x1000000, dsm = base + (16 << 20);
	const struct stolen stolen[] = {
		{ dsm, FIRMWARE, 0x10000, "stolen memory" },
		{ dsm - 0x5000, FIRMWARE - 0x8000, 0x5000, "OpRegion" },
	};
	struct guest guest = guest_create(cpu, 0);
	char *ram = marked_pages(low, 0x10000000);

	if (set_ram(&guest, ACRN_MEM_ACCESS_RWX, base, ram, low))
		err(1, "RAM");
	for (int i = 0; i < 2; i++) {
		const struct stolen *s = &stolen[i];

		tap_success(raw_unset_mmio(guest.vm.fd, s->gpa, s->size),
			    "gpu-dsm: UNSET of the %s' place in RAM", s->name);
		tap_success(raw_set_mmio(guest.vm.fd, s->gpa, s->hpa, s->size),
			    "gpu-dsm: SET of the %s", s->name);
	}
	guest = run(guest);
	for (int i = 0; i < 2; i++) {
		const struct stolen *s = &stolen[i];
		/* The reset vector, or any other offset */
		uint64_t offset = i ? 0x1234 : 0xfff0;

		reads(&guest, s->gpa + offset, firmware_word(s->hpa + offset),
		      "gpu-dsm: the %s is the device's", s->name);
	}
	reads(&guest, dsm - 0x6000, 0x10000000 + (dsm - base) / PAGE - 6,
	      "gpu-dsm: RAM below it");
	reads(&guest, dsm + 0x10000, 0x10000000 + (dsm - base) / PAGE + 16,
	      "gpu-dsm: RAM above it");
	reads(&guest, base, 0x10000000, "gpu-dsm: where RAM begins");
	reads(&guest, base + low - PAGE, 0x10000000 + low / PAGE - 1,
	      "gpu-dsm: where RAM ends");
	for (int i = 0; i < 2; i++) {
		tap_success(raw_unset_mmio(guest.vm.fd, stolen[i].gpa,
					   stolen[i].size),
			    "gpu-dsm: UNSET of the %s at the end",
			    stolen[i].name);
		asks(&guest, stolen[i].gpa, "gpu-dsm: no %s any more",
		     stolen[i].name);
	}
	guest_close(&guest);
	munmap(ram, low);
}

/*
 * hw/pci/passthrough.c, load_pci_rombar() and release_pci_rombar(): a buffer
 * from the heap is mapped read-only. UNSET_MEMSEG then calls it device memory,
 * with uninitialised attributes and source address, and the buffer is freed.
 */
static void test_rom_bar(void)
{
	const uint64_t gpa = 0xc0000000, size = 0x20000;
	struct acrn_vm_memmap unset = { .type = ACRN_MEMMAP_MMIO,
					.attr = 0xdeadbeef,
					.user_vm_pa = gpa,
					.vma_base = 0xdeadbeef00000123,
					.len = size };
	struct guest guest = guest_create(cpu, 0);
	void *rom;

	if (posix_memalign(&rom, PAGE, size))
		errx(1, "memory");
	mark(rom, size, 0x20000000);
	tap_success(set_ram(&guest, RIGHTS_R, gpa, rom, size),
		    "rom-bar: SET of a read-only buffer");
	guest = run(guest);
	reads(&guest, gpa, 0x20000000, "rom-bar: its first page");
	reads(&guest, gpa + size - PAGE, 0x20000000 + size / PAGE - 1,
	      "rom-bar: its last page");
	write_memory(&guest, gpa, 1);
	tap_ok(guest.requests == 1 && *(uint32_t *)rom == 0x20000000,
	       "rom-bar: a write to it is the device model's to see");
	tap_success(ioctl(guest.vm.fd, ACRN_IOCTL_UNSET_MEMSEG, &unset),
		    "rom-bar: UNSET as device memory");
	free(rom);
	asks(&guest, gpa, "rom-bar: nothing is left of its first page");
	asks(&guest, gpa + size - PAGE, "rom-bar: nor of its last");
	guest_close(&guest);
}

/*
 * hw/pci/ivshmem.c, create_ivshmem_from_dm(): the device sets its shared memory
 * when it is created. After a reboot the next instance sets other memory at the
 * same address. It is never unset.
 */
static void test_ivshmem_reboot(void)
{
	const uint64_t gpa = 0xc0000000;
	const size_t size = 2 << 20;
	struct guest guest = guest_create(cpu, 0);
	uint32_t *shared, name = 0x30000000;
	long pinned;

	shared = marked_pages(size, name);
	tap_success(set_ram(&guest, RIGHTS_RW, gpa, shared, size),
		    "ivshmem-reboot: SET of the shared memory");
	pinned = pages_pinned();
	guest = run(guest);
	for (int reboots = 1;; reboots++) {
		write_memory(&guest, gpa + 4, name);
		reads(&guest, gpa + size - PAGE, name + size / PAGE - 1,
		      "ivshmem-reboot: the guest reads the shared memory");
		tap_eq(shared[1], name, "ivshmem-reboot: and writes to it");
		if (reboots == 4 || raw_hsm_is_in_tree())
			break;
		stop_for_reboot(&guest);
		munmap(shared, size);
		name += 0x1000000;
		shared = marked_pages(size, name);
		tap_success(set_ram(&guest, RIGHTS_RW, gpa, shared, size),
			    "ivshmem-reboot: SET after reboot %d", reboots);
		reboot(&guest);
		tap_eq(pages_pinned() - pinned, 0,
		       "ivshmem-reboot: what it was before is unpinned");
	}
	guest_close(&guest);
	munmap(shared, size);
}

/* The same in short: on the in-tree HSM the guest keeps the first memory. */
static void test_replaced(void)
{
	const uint64_t gpa = 0xc0000000;
	const size_t size = 4 * PAGE;
	uint32_t *first = marked_pages(size, 0x38000000);
	uint32_t *second = marked_pages(size, 0x39000000);
	struct guest guest = guest_create(cpu, 0);

	if (set_ram(&guest, RIGHTS_RW, gpa, first, size))
		err(1, "SET_MEMSEG");
	guest = run(guest);
	tap_success(set_ram(&guest, RIGHTS_RW, gpa, second, size),
		    "SET of other memory at the same place");
	differs_eq("memseg-replace", read_memory(&guest, gpa, ANSWER),
		   0x39000000, 0x38000000, "which of the two the guest has");
	guest_close(&guest);
	munmap(first, size);
	munmap(second, size);
}

/*
 * hw/platform/vssram/vssram.c, vssram_ept_map_buffer(): software SRAM replaces
 * part of the guest's RAM.
 */
static void test_vssram(void)
{
	const uint64_t base = 0x1000000, at = base + 0x80000;
	const size_t low = 0x200000, size = 0x40000;
	char *ram = marked_pages(low, 0x40000000);
	char *sram = marked_pages(size, 0x48000000);
	struct guest guest = guest_create(cpu, 0);

	if (set_ram(&guest, ACRN_MEM_ACCESS_RWX, base, ram, low))
		err(1, "RAM");
	differs_errno("unset-ram", raw_unset_ram(guest.vm.fd, at, size), 0,
		      EINVAL, "vssram: UNSET of its place in RAM");
	tap_success(set_ram(&guest, ACRN_MEM_ACCESS_RWX, at, sram, size),
		    "vssram: SET");
	guest = run(guest);
	differs_eq("memseg-replace", read_memory(&guest, at, ANSWER),
		   0x48000000, 0x40000080, "vssram: its first page");
	differs_eq("memseg-replace",
		   read_memory(&guest, at + size - PAGE, ANSWER), 0x4800003f,
		   0x400000bf, "vssram: its last page");
	reads(&guest, at - PAGE, 0x4000007f, "vssram: RAM below it");
	reads(&guest, at + size, 0x400000c0, "vssram: RAM above it");
	guest_close(&guest);
	munmap(ram, low);
	munmap(sram, size);
}

/*
 * hw/pci/virtio/virtio_gpu.c, virtio_gpu_init(): the same framebuffer is set
 * again at each reboot.
 */
static void test_framebuffer_reboot(void)
{
	const uint64_t gpa = 0xd0000000;
	const size_t size = 16 << 20;
	struct guest guest = guest_create(cpu, 0);
	uint32_t *frame = marked_pages(size, 0x50000000);

	if (set_ram(&guest, RIGHTS_RW, gpa, frame, size))
		err(1, "SET_MEMSEG");
	guest = run(guest);
	for (uint32_t reboots = 1; reboots <= 3; reboots++) {
		stop_for_reboot(&guest);
		tap_success(set_ram(&guest, RIGHTS_RW, gpa, frame, size),
			    "framebuffer-reboot: SET after reboot %u", reboots);
		reboot(&guest);
		write_memory(&guest, gpa, reboots);
		tap_ok(!guest.requests && *frame == reboots,
		       "framebuffer-reboot: what the guest draws is seen");
		reads(&guest, gpa + size - PAGE, 0x50000000 + size / PAGE - 1,
		      "framebuffer-reboot: up to its end");
	}
	guest_close(&guest);
	munmap(frame, size);
}

/*
 * Make the kernel drop the page cache's pages that it does not know as dirty.
 */
static void drop_clean_pages(void)
{
	FILE *file = fopen("/proc/sys/vm/drop_caches", "w");

	if (!file || fputs("1\n", file) < 0 || fclose(file))
		err(1, "drop_caches");
}

/* Map @fd and read all of it, so that its pages are present and clean. */
static uint32_t *map_clean(int fd, size_t size)
{
	char *pages =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	uint32_t sum = 0;

	if (pages == MAP_FAILED)
		err(1, "mmap");
	for (size_t i = 0; i < size; i += PAGE)
		sum += *(volatile uint32_t *)(pages + i);
	(void)sum;
	return (uint32_t *)pages;
}

/*
 * hugetlb.c and ivshmem.c: the guest's memory is that of a file. The HSM has to
 * mark the pages dirty when it unpins them, because no program but the guest
 * has written to them; otherwise the kernel drops what the guest wrote.
 */
static void test_file(void)
{
	const uint64_t gpa = 0xc0000000;
	/*
	 * A CPU's last few new pages are not dropped, so use more than those.
	 */
	const size_t size = 64 * PAGE;
	int fd = memfd_create("guest", MFD_CLOEXEC), lost = 0;
	struct guest guest = guest_create(cpu, 0);
	uint32_t *pages;

	if (fd < 0 || ftruncate(fd, size))
		err(1, "memfd_create");
	pages = map_clean(fd, size);
	if (set_ram(&guest, RIGHTS_RW, gpa, pages, size))
		err(1, "SET_MEMSEG");
	guest = run(guest);
	for (size_t i = 0; i < size; i += PAGE)
		write_memory(&guest, gpa + i, 0x60000001);
	guest_close(&guest);
	munmap(pages, size);
	drop_clean_pages();
	pages = map_clean(fd, size);
	for (size_t i = 0; i < size; i += PAGE)
		lost += pages[i / sizeof(*pages)] != 0x60000001;
	differs_eq("memseg-dirty", lost != 0, false, true,
		   "whether pages of a file that the guest wrote to are lost");
	munmap(pages, size);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		errx(1, "usage: dm_memory CPU...");
	cpu = atoi(argv[1]);

	test_gpu_dsm();
	test_rom_bar();
	test_ivshmem_reboot();
	test_replaced();
	test_vssram();
	test_framebuffer_reboot();
	test_file();
	return tap_done();
}
