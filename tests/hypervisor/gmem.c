// SPDX-License-Identifier: GPL-2.0
/* Access to guest memory by linear address: walks the guest's page tables. */
#include <linux/errno.h>

#include "guest.h"
#include "npt.h"
#include "string.h"
#include "x86.h"

#define PTE_PRESENT BIT(0)
#define PTE_WRITE   BIT(1)
#define PTE_USER    BIT(2)
#define PTE_HUGE    BIT(7)
#define PTE_ADDRESS 0x000ffffffffff000UL

/* Shape of the page tables in a paging mode; @entry_size is in bytes. */
struct paging_mode {
	u32 levels;
	u32 bits_per_level;
	u32 entry_size;
};

static struct paging_mode paging_mode(const struct vmcb *vmcb)
{
	if (!(vmcb->cr4 & CR4_PAE))
		return (struct paging_mode){ 2, 10, 4 };
	if (!(vmcb->efer & EFER_LMA))
		return (struct paging_mode){ 3, 9, 8 };
	return (struct paging_mode){ vmcb->cr4 & CR4_LA57 ? 5 : 4, 9, 8 };
}

/*
 * Read one entry of a page table. The caller holds @npt->lock. Returns 0, or
 * -ENXIO when no memory is at @gpa.
 */
static int read_entry(struct npt *npt, u64 gpa, u32 size, u64 *entry)
{
	void *p = npt_lookup(npt, gpa, NPT_READ);

	if (!p)
		return -ENXIO;
	*entry = size == 4 ? READ_ONCE(*(u32 *)p) : READ_ONCE(*(u64 *)p);
	return 0;
}

static bool access_allowed(const struct vmcb *vmcb, u64 rights, u32 access)
{
	if ((access & PF_USER) && !(rights & PTE_USER))
		return false;
	return !(access & PF_WRITE) || (rights & PTE_WRITE) ||
	       (!(access & PF_USER) && !(vmcb->cr0 & CR0_WP));
}

/*
 * Translate one linear address. The caller holds @cpu->npt->lock. Accessed and
 * dirty bits are not set: the guest has made the same access itself, for which
 * the hardware has set them.
 *
 * Return: 0; -ENXIO when a page table is where no memory is; -EFAULT with the
 * page fault's error code in *@error.
 */
static int translate(struct guest_cpu *cpu, u64 linear, u32 access, u64 *gpa,
		     u32 *error)
{
	const struct vmcb *vmcb = cpu->vmcb;
	struct paging_mode mode = paging_mode(vmcb);
	u64 table = vmcb->cr3 & PTE_ADDRESS, rights = PTE_WRITE | PTE_USER;

	if (!(vmcb->cr0 & CR0_PG)) {
		*gpa = (u32)linear;
		return 0;
	}
	/* The top table of 32-bit PAE is 32 bytes, aligned to its size. */
	if (mode.levels == 3)
		table = vmcb->cr3 & 0xffffffe0UL;
	for (u32 level = mode.levels; level--;) {
		u32 shift = PAGE_SHIFT + level * mode.bits_per_level;
		u64 index = linear >> shift & (BIT(mode.bits_per_level) - 1);
		u64 entry;

		if (mode.levels == 3 && level == 2)
			index &= 3;
		if (read_entry(cpu->npt, table + index * mode.entry_size,
			       mode.entry_size, &entry))
			return -ENXIO;
		*error = access;
		if (!(entry & PTE_PRESENT))
			return -EFAULT;
		*error |= PF_PRESENT;
		/* The entries of PAE's top table have no access rights. */
		if (mode.levels != 3 || level != 2)
			rights &= entry;
		table = entry & PTE_ADDRESS;
		if (!level || (level < 3 && (entry & PTE_HUGE))) {
			*gpa = (table & ~(BIT(shift) - 1)) |
			       (linear & (BIT(shift) - 1));
			break;
		}
	}
	return access_allowed(vmcb, rights, access) ? 0 : -EFAULT;
}

/*
 * Copy within one page: from @buf with PF_WRITE in @access, else to @buf. With
 * a NULL @buf the access is only checked. Takes the lock of the VM's memory.
 * Returns what translate() does.
 */
static int copy_page(struct guest_cpu *cpu, u64 linear, void *buf, u32 len,
		     u32 access, u32 *error)
{
	void *p = NULL;
	u64 gpa;
	int ret;

	spin_lock(&cpu->npt->lock);
	ret = translate(cpu, linear, access, &gpa, error);
	if (!ret) {
		p = npt_lookup(cpu->npt, gpa,
			       access & PF_WRITE ? NPT_WRITE : NPT_READ);
		ret = p ? 0 : -ENXIO;
	}
	if (!ret && buf && (access & PF_WRITE))
		memcpy(p, buf, len);
	else if (!ret && buf)
		memcpy(buf, p, len);
	spin_unlock(&cpu->npt->lock);
	return ret;
}

static u32 bytes_to_page_end(u64 linear)
{
	return PAGE_SIZE - (linear & ~PAGE_MASK);
}

/* guest_read() and guest_write(): copy page by page, inject the page fault. */
static int copy_guest(struct guest_cpu *cpu, u64 linear, void *buf, u32 len,
		      u32 access)
{
	while (len) {
		u32 part = min(len, bytes_to_page_end(linear));
		u32 error;
		int ret = copy_page(cpu, linear, buf, part, access, &error);

		if (ret == -EFAULT) {
			cpu->vmcb->cr2 = linear;
			guest_inject_error(cpu, VECTOR_PF, error);
		}
		if (ret)
			return ret;
		linear += part;
		len -= part;
		if (buf)
			buf = (u8 *)buf + part;
	}
	return 0;
}

int guest_read(struct guest_cpu *cpu, u64 linear, void *buf, u32 len,
	       u32 access)
{
	return copy_guest(cpu, linear, buf, len, access);
}

int guest_write(struct guest_cpu *cpu, u64 linear, const void *buf, u32 len,
		u32 access)
{
	return copy_guest(cpu, linear, (void *)buf, len, access | PF_WRITE);
}

u32 guest_fetch(struct guest_cpu *cpu, u8 *buf, u32 len)
{
	u64 linear = cpu->vmcb->rip;
	u32 done, part, error;

	if (guest_code_bits(cpu) != 64)
		linear = (u32)(linear + cpu->vmcb->cs.base);
	for (done = 0; done < len; done += part) {
		part = min(len - done, bytes_to_page_end(linear + done));
		if (copy_page(cpu, linear + done, buf + done, part, PF_FETCH,
			      &error))
			break;
	}
	return done;
}
