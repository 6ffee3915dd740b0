// SPDX-License-Identifier: GPL-2.0
/*
 * Loads the Service VM's Linux by its 64-bit boot protocol
 * (Documentation/x86/boot.rst): the protected-mode part goes to its preferred
 * address and is entered 512 bytes in, with identity paging and RSI pointing to
 * the boot parameters. Runs once, on CPU 0, before any guest.
 */
#include <asm/bootparam.h>

#include "log.h"
#include "multiboot.h"
#include "service_vm.h"
#include "string.h"
#include "x86.h"

#define SECTOR_SIZE	    512
#define DEFAULT_SETUP_SECTS 4
#define BOOT_FLAG	    0xaa55
#define HEADER_MAGIC	    0x53726448 /* HdrS */
#define MIN_PROTOCOL	    0x020c
#define LOADER_UNDEFINED    0xff
#define ENTRY64_OFFSET	    0x200
#define E820_RAM	    1
#define E820_RESERVED	    2
#define BOOT_CS		    0x10
#define BOOT_DS		    0x18
#define PTE_TABLE	    0x3
#define PTE_HUGE	    0x83

/* Address of what Linux needs at entry, until it has set up its own. */
#define LOW_BASE 0x10000UL

struct low_memory {
	struct boot_params params;
	char cmdline[PAGE_SIZE];
	u64 pml4[512];
	u64 pdpt[512];
	u64 gdt[4];
} __attribute__((aligned(4096)));

extern char hv_start[], hv_end[];

static struct {
	u64 start, end;
} ram[E820_MAX_ENTRIES_ZEROPAGE];
static u32 nr_ram;

bool service_vm_is_ram(u64 pa, u64 size)
{
	for (u32 i = 0; i < nr_ram; i++)
		if (pa >= ram[i].start && pa < ram[i].end &&
		    size <= ram[i].end - pa)
			return true;
	return false;
}

static void add_range(struct boot_params *params, u64 start, u64 end, u32 type)
{
	u32 n = params->e820_entries;

	if (start >= end)
		return;
	if (n == E820_MAX_ENTRIES_ZEROPAGE)
		panic("too many memory ranges");
	params->e820_table[n].addr = start;
	params->e820_table[n].size = end - start;
	params->e820_table[n].type = type;
	params->e820_entries++;
	if (type == E820_RAM) {
		ram[nr_ram].start = start;
		ram[nr_ram++].end = end;
	}
}

/* Copy the machine's memory map, with the hypervisor's memory reserved. */
static void make_memory_map(struct boot_params *params,
			    const struct multiboot_info *info)
{
	u64 hole = (u64)hv_start, hole_end = (u64)hv_end;
	bool found = false;
	const struct multiboot_mmap *entry;

	for (u32 pos = 0; pos < info->mmap_length; pos += entry->size + 4) {
		u64 start, end;

		entry = (void *)(u64)(info->mmap_addr + pos);
		start = entry->addr;
		end = start + entry->len;
		if (entry->type == E820_RAM && start <= hole &&
		    end >= hole_end) {
			add_range(params, start, hole, E820_RAM);
			add_range(params, hole, hole_end, E820_RESERVED);
			start = hole_end;
			found = true;
		}
		add_range(params, start, end, entry->type);
	}
	if (!found)
		panic("no RAM where the hypervisor was loaded");
}

/*
 * The module's string is the name of the kernel's file, then the command line.
 * Two options are added. no_ipi_broadcast keeps Linux from broadcasting IPIs,
 * because they would reach the CPUs of User VMs too. disable_cpu_apicid keeps
 * Linux 6.1 from taking CPU 0, which halts, for one of its own. Linux 6.12 does
 * not know it, and does without CPU 0 as that is listed before the CPU on which
 * Linux boots, and this one does not say that the machine has booted on it
 * (check_for_real_bsp() in arch/x86/kernel/cpu/topology.c).
 */
static void set_cmdline(struct low_memory *low, const char *string)
{
	static const char added[] = " no_ipi_broadcast=1 disable_cpu_apicid=0";
	size_t len;

	while (*string && *string != ' ')
		string++;
	while (*string == ' ')
		string++;
	len = strlen(string);
	if (len + sizeof(added) > sizeof(low->cmdline))
		panic("the Service VM's command line is too long");
	memcpy(low->cmdline, string, len);
	memcpy(low->cmdline + len, added, sizeof(added));
	low->params.hdr.cmd_line_ptr = (u32)(u64)low->cmdline;
}

static void check_header(const struct setup_header *hdr, u64 size)
{
	if (size < SECTOR_SIZE * 2 || hdr->boot_flag != BOOT_FLAG ||
	    hdr->header != HEADER_MAGIC || hdr->version < MIN_PROTOCOL ||
	    !(hdr->xloadflags & XLF_KERNEL_64))
		panic("the first module is no 64-bit Linux kernel");
}

static u64 load_kernel(struct boot_params *params,
		       const struct multiboot_module *module)
{
	const struct setup_header *hdr =
		(void *)(module->start + offsetof(struct boot_params, hdr));
	u64 size = module->end - module->start, setup_size;

	check_header(hdr, size);
	setup_size = (hdr->setup_sects ?: DEFAULT_SETUP_SECTS) + 1;
	setup_size *= SECTOR_SIZE;
	params->hdr = *hdr;
	if (setup_size > size ||
	    hdr->pref_address + hdr->init_size > (u64)hv_start ||
	    !service_vm_is_ram(hdr->pref_address, hdr->init_size))
		panic("no room for the Service VM's kernel at 0x%llx",
		      (u64)hdr->pref_address);
	memcpy((void *)hdr->pref_address, (void *)(module->start + setup_size),
	       size - setup_size);
	return hdr->pref_address + ENTRY64_OFFSET;
}

static void set_ramdisk(struct boot_params *params,
			const struct multiboot_module *module)
{
	params->hdr.ramdisk_image = module->start;
	params->hdr.ramdisk_size = module->end - module->start;
}

static void make_tables(struct low_memory *low)
{
	low->gdt[BOOT_CS / 8] = 0x00af9b000000ffff;
	low->gdt[BOOT_DS / 8] = 0x00cf93000000ffff;
	low->pml4[0] = (u64)low->pdpt | PTE_TABLE;
	for (u64 i = 0; i < ARRAY_SIZE(low->pdpt); i++)
		low->pdpt[i] = i << 30 | PTE_HUGE;
}

static void set_registers(struct guest_cpu *cpu, const struct low_memory *low,
			  u64 entry)
{
	const struct vmcb_segment data = { BOOT_DS, SEG_DATA32, ~0U, 0 };
	struct vmcb *vmcb = cpu->vmcb;

	vmcb->cs = (struct vmcb_segment){ BOOT_CS, SEG_CODE64, ~0U, 0 };
	vmcb->ds = data;
	vmcb->es = data;
	vmcb->ss = data;
	vmcb->gdtr.base = (u64)low->gdt;
	vmcb->gdtr.limit = sizeof(low->gdt) - 1;
	vmcb->efer = EFER_SVME | EFER_LME | EFER_LMA;
	vmcb->cr3 = (u64)low->pml4;
	vmcb->cr4 = CR4_PAE;
	vmcb->cr0 = CR0_PG | CR0_PE | CR0_ET;
	vmcb->rip = entry;
	cpu->regs[REG_RSI] = (u64)&low->params;
}

void service_load_kernel(const struct multiboot_info *info)
{
	const struct multiboot_module *modules = (void *)(u64)info->mods_addr;
	struct low_memory *low = (void *)LOW_BASE;
	u64 entry;

	if (!info->mods_count)
		panic("no kernel for the Service VM: QEMU's -initrd is missing");
	memset(low, 0, sizeof(*low));
	make_memory_map(&low->params, info);
	if (!service_vm_is_ram(LOW_BASE, sizeof(*low)))
		panic("no RAM at 0x%x", (u32)LOW_BASE);
	entry = load_kernel(&low->params, &modules[0]);
	low->params.hdr.type_of_loader = LOADER_UNDEFINED;
	set_cmdline(low, (char *)(u64)modules[0].string);
	if (info->mods_count > 1)
		set_ramdisk(&low->params, &modules[1]);
	make_tables(low);
	set_registers(&service_cpus[FIRST_SERVICE_CPU].cpu, low, entry);
}
