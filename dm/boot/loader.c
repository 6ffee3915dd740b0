// SPDX-License-Identifier: GPL-2.0
/*
 * Layout of guest memory at entry:
 *
 *	0x00001000	GDT
 *	0x00002000	boot_params ("zero page")
 *	0x00003000	command line
 *	0x000f0000	ACPI tables, RSDP first
 *	0x01000000	the bzImage file; entry behind its setup part
 *	end of low RAM	end of the initramfs
 *
 * The main thread opens and checks the files before there is a VM.
 * loader_load() fills guest memory when no vCPU runs: in the main thread at the
 * first start, in the thread that handles I/O requests at each reset. struct
 * loader does not change once the files are open, so there is no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "boot/acpi.h"
#include "boot/loader.h"
#include "process/log.h"

#include "dsdt.hex"

#define GDT_GPA	       0x1000
#define ZERO_PAGE_GPA  0x2000
#define CMDLINE_GPA    0x3000
#define CMDLINE_MAX    0x1000
#define LOW_RAM_END    0xa0000
#define EXTENDED_START 0x100000
#define PAGE	       0x1000

#define BOOTLOADER_UNDEFINED 0xff
#define VIDEO_MODE_NORMAL    0xffff

#define E820_RAM      1
#define E820_RESERVED 2

/* Flat 32-bit segments: code, of selector 0x10, and data, of selector 0x18. */
static const uint64_t gdt[] = {
	0,
	0,
	0x00cf9b000000ffff,
	0x00cf93000000ffff,
};
#define CS_SELECTOR   0x10
#define DATA_SELECTOR 0x18
#define CS_ACCESS     0xc09b

#define CR0_PE_ET_NE	0x31
#define RFLAGS_RESERVED 0x2

/*
 * Open a regular file, which is called @what in messages, and get its size.
 * Returns a descriptor or -errno, with a message printed.
 */
static int open_file(const char *path, const char *what, uint64_t *size)
{
	struct stat st;
	int fd, ret;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		ret = -errno;
		log_error("cannot open the %s %s: %s", what, path,
			  strerror(errno));
		goto fail;
	}
	if (!S_ISREG(st.st_mode)) {
		log_error("the %s %s is not a regular file", what, path);
		ret = -EINVAL;
		goto fail;
	}
	*size = st.st_size;
	return fd;

fail:
	if (fd >= 0)
		close(fd);
	return ret;
}

/* Read a whole file. Returns 0 or -errno, with a message printed. */
static int read_all(int fd, void *buf, uint64_t size, const char *path)
{
	uint64_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)buf + done, size - done, done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int error = errno;

			log_error("cannot read %s: %s", path, strerror(error));
			return -error;
		}
		if (!n) {
			log_error("%s has become shorter since it was opened",
				  path);
			return -EIO;
		}
		done += n;
	}
	return 0;
}

/*
 * Read the header of the kernel and check it. Returns 0 or -errno, with a
 * message.
 */
static int check_kernel(struct loader *loader)
{
	uint8_t head[BZIMAGE_HEAD_SIZE];
	uint64_t size = loader->kernel_size;
	const char *why;
	int ret;

	if (size > sizeof(head))
		size = sizeof(head);
	ret = read_all(loader->kernel_fd, head, size, loader->kernel_path);
	if (ret)
		return ret;
	why = bzimage_check(head, size, loader->kernel_size, &loader->image);
	if (!why)
		return 0;
	log_error("cannot boot %s: %s", loader->kernel_path, why);
	return -ENOEXEC;
}

/* Check that the kernel takes a command line as long as this one. */
static int check_cmdline(const struct loader *loader)
{
	uint32_t max = loader->image.header.cmdline_size;

	if (max > CMDLINE_MAX - 1)
		max = CMDLINE_MAX - 1;
	if (strlen(loader->cmdline) <= max)
		return 0;
	log_error("the command line is longer than the %u bytes that %s takes",
		  max, loader->kernel_path);
	return -E2BIG;
}

/*
 * Choose the address of the initramfs: in RAM below 4 GiB, as high as the
 * kernel takes it, and above what the kernel needs to unpack itself.
 */
static int place_initrd(struct loader *loader, uint64_t memory)
{
	uint64_t top = memory < MEM_LOW_MAX ? memory : MEM_LOW_MAX;
	uint64_t initrd_max = loader->image.header.initrd_addr_max + 1ULL;
	uint64_t kernel_end = bzimage_end(&loader->image);
	uint64_t file_end = BZIMAGE_GPA + loader->kernel_size;

	if (kernel_end < file_end)
		kernel_end = file_end;
	if (top > initrd_max)
		top = initrd_max;
	if (loader->initrd_size < top)
		loader->initrd_gpa =
			(top - loader->initrd_size) & ~(PAGE - 1ULL);
	else
		loader->initrd_gpa = 0;
	if (loader->initrd_gpa >= kernel_end)
		return 0;
	log_error("%llu MiB of memory are too few: kernel and initramfs need "
		  "%llu MiB",
		  (unsigned long long)memory >> 20,
		  (unsigned long long)(kernel_end + loader->initrd_size +
				       2 * MEM_GRANULE - 1) /
			  MEM_GRANULE * (MEM_GRANULE >> 20));
	return -ENOMEM;
}

/**
 * loader_open() - Open the files to boot from and check them
 * @loader:	Result
 * @kernel:	Path of the bzImage
 * @initrd:	Path of the initramfs, or NULL
 * @cmdline:	Kernel command line, must outlive @loader
 * @memory:	Bytes of RAM
 *
 * Return: 0 or -errno, with a message printed.
 */
int loader_open(struct loader *loader, const char *kernel, const char *initrd,
		const char *cmdline, uint64_t memory)
{
	int ret;

	*loader = (struct loader){
		.kernel_path = kernel,
		.initrd_path = initrd,
		.cmdline = cmdline,
		.initrd_fd = -1,
	};
	loader->kernel_fd = open_file(kernel, "kernel", &loader->kernel_size);
	if (loader->kernel_fd < 0)
		return loader->kernel_fd;
	if (initrd) {
		loader->initrd_fd =
			open_file(initrd, "initramfs", &loader->initrd_size);
		if (loader->initrd_fd < 0) {
			ret = loader->initrd_fd;
			goto close;
		}
	}
	ret = check_kernel(loader);
	if (!ret)
		ret = check_cmdline(loader);
	if (!ret)
		ret = place_initrd(loader, memory);
	if (!ret)
		return 0;
close:
	loader_close(loader);
	return ret;
}

/* Close the files. Main thread, when no I/O requests are handled. */
void loader_close(struct loader *loader)
{
	if (loader->initrd_fd >= 0)
		close(loader->initrd_fd);
	close(loader->kernel_fd);
}

static void add_e820(struct boot_params *params, uint64_t addr, uint64_t size,
		     uint32_t type)
{
	params->e820_table[params->e820_entries++] = (struct boot_e820_entry){
		.addr = addr,
		.size = size,
		.type = type,
	};
}

/* Tell the guest where it has RAM; the ACPI tables are reserved. */
static void fill_e820(struct boot_params *params, const struct guest_mem *mem)
{
	add_e820(params, 0, LOW_RAM_END, E820_RAM);
	add_e820(params, ACPI_BASE, ACPI_SIZE, E820_RESERVED);
	add_e820(params, EXTENDED_START, mem->regions[0].size - EXTENDED_START,
		 E820_RAM);
	if (mem->count > 1)
		add_e820(params, mem->regions[1].gpa, mem->regions[1].size,
			 E820_RAM);
}

/* Fill in the parameters that Linux finds in its zero page. */
static void fill_zero_page(const struct loader *loader,
			   const struct guest_mem *mem,
			   struct boot_params *params)
{
	*params = (struct boot_params){
		.hdr = loader->image.header,
		.acpi_rsdp_addr = ACPI_BASE,
	};
	params->hdr.type_of_loader = BOOTLOADER_UNDEFINED;
	params->hdr.vid_mode = VIDEO_MODE_NORMAL;
	params->hdr.code32_start = BZIMAGE_GPA + loader->image.setup_size;
	params->hdr.cmd_line_ptr = CMDLINE_GPA;
	if (loader->initrd_size) {
		params->hdr.ramdisk_image = loader->initrd_gpa;
		params->hdr.ramdisk_size = loader->initrd_size;
	}
	fill_e820(params, mem);
}

/*
 * The registers with which Linux' 32-bit boot protocol wants its entry:
 * protected mode without paging, flat segments, the zero page in RSI.
 */
static void set_regs(const struct loader *loader, struct acrn_regs *regs)
{
	*regs = (struct acrn_regs){
		.gprs.rsi = ZERO_PAGE_GPA,
		.gdt = { .limit = sizeof(gdt) - 1, .base = GDT_GPA },
		.rip = BZIMAGE_GPA + loader->image.setup_size,
		.cr0 = CR0_PE_ET_NE,
		.rflags = RFLAGS_RESERVED,
		.cs_ar = CS_ACCESS,
		.cs_limit = UINT32_MAX,
		.cs_sel = CS_SELECTOR,
		.ss_sel = DATA_SELECTOR,
		.ds_sel = DATA_SELECTOR,
		.es_sel = DATA_SELECTOR,
		.fs_sel = DATA_SELECTOR,
		.gs_sel = DATA_SELECTOR,
	};
}

/**
 * loader_load() - Fill guest memory for a start of the VM
 * @loader:	Files that were opened
 * @mem:	RAM, of the size that loader_open() was told
 * @lapic_ids:	Id of each vCPU's local APIC
 * @vcpus:	Number of vCPUs
 * @regs:	Result: registers of the first vCPU
 *
 * Return: 0 or -errno, with a message printed.
 */
int loader_load(const struct loader *loader, const struct guest_mem *mem,
		const uint8_t *lapic_ids, unsigned int vcpus,
		struct acrn_regs *regs)
{
	uint8_t *ram = mem->regions[0].va;
	int ret;

	ret = read_all(loader->kernel_fd, ram + BZIMAGE_GPA,
		       loader->kernel_size, loader->kernel_path);
	if (ret)
		return ret;
	if (loader->initrd_size) {
		ret = read_all(loader->initrd_fd, ram + loader->initrd_gpa,
			       loader->initrd_size, loader->initrd_path);
		if (ret)
			return ret;
	}
	if (!acpi_build(ram + ACPI_BASE, ACPI_SIZE, ACPI_BASE, lapic_ids, vcpus,
			dsdt_aml_code, sizeof(dsdt_aml_code))) {
		log_error(
			"the ACPI tables are larger than their place in memory");
		return -ENOSPC;
	}
	memcpy(ram + GDT_GPA, gdt, sizeof(gdt));
	strcpy((char *)ram + CMDLINE_GPA, loader->cmdline);
	fill_zero_page(loader, mem, (void *)(ram + ZERO_PAGE_GPA));
	set_regs(loader, regs);
	return 0;
}
