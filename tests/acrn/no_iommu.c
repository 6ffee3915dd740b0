// SPDX-License-Identifier: GPL-2.0
/*
 * Takes the place of ACRN's arch/x86/vtd.c, its driver for the machine's IOMMU:
 * Bochs emulates none. Interrupts go by the I/O APIC and by MSI as the devices
 * were programmed, and no device can be passed through to a User VM.
 */
#include <types.h>
#include <errno.h>
#include <asm/vtd.h>

#pragma GCC diagnostic ignored "-Wunused-parameter"

/* What a VM's devices are assigned to. Nothing looks into it. */
static struct iommu_domain no_domain;

int32_t init_iommu(void)
{
	return 0;
}

void enable_iommu(void)
{
}

void suspend_iommu(void)
{
}

void resume_iommu(void)
{
}

void iommu_flush_cache(const void *p, uint32_t size)
{
}

struct iommu_domain *create_iommu_domain(uint16_t vm_id,
					 uint64_t translation_table,
					 uint32_t addr_width)
{
	return &no_domain;
}

void destroy_iommu_domain(struct iommu_domain *domain)
{
}

int32_t move_pt_device(const struct iommu_domain *from_domain,
		       const struct iommu_domain *to_domain, uint8_t bus,
		       uint8_t devfun)
{
	return 0;
}

int32_t dmar_reserve_irte(const struct intr_source *intr_src, uint16_t num,
			  uint16_t *start_id)
{
	return -EINVAL;
}

/* The caller then programs the interrupt without remapping. */
int32_t dmar_assign_irte(const struct intr_source *intr_src,
			 union dmar_ir_entry *irte, uint16_t idx_in,
			 uint16_t *idx_out)
{
	return -EINVAL;
}

void dmar_free_irte(const struct intr_source *intr_src, uint16_t index)
{
}
