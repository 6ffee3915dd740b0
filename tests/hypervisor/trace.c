// SPDX-License-Identifier: GPL-2.0
#include <acrn_hypercall.h>

#include "../include/hv_test.h"
#include "log.h"
#include "service_vm.h"
#include "spinlock.h"
#include "string.h"
#include "trace.h"
#include "x86.h"

#define FNV_OFFSET 0xcbf29ce484222325UL
#define FNV_PRIME  0x100000001b3UL

/* Guards trace_on, and writing to the entries and the count of trace. */
static struct spinlock trace_lock;
static bool trace_on;
static struct hv_trace trace __attribute__((aligned(PAGE_SIZE)));

_Static_assert(IS_ALIGNED(sizeof(struct hv_trace), PAGE_SIZE),
	       "the Service VM gets whole pages");

void trace_init(void)
{
	u64 address = trace_address();

	if (npt_map(&service_npt, address, address, sizeof(trace), NPT_READ))
		panic("no memory for the Service VM's page tables");
}

u64 trace_address(void)
{
	return (u64)&trace;
}

void trace_switch(bool on)
{
	spin_lock(&trace_lock);
	trace_on = on;
	WRITE_ONCE(trace.count, 0);
	spin_unlock(&trace_lock);
}

/* The count is written last, so that a reader who sees it finds the entry. */
static void add_entry(const struct hv_trace_entry *entry)
{
	spin_lock(&trace_lock);
	if (trace_on) {
		trace.entries[trace.count % HV_TRACE_ENTRIES] = *entry;
		smp_wmb();
		WRITE_ONCE(trace.count, trace.count + 1);
	}
	spin_unlock(&trace_lock);
}

/* FNV-1a hash */
static u64 digest(const void *bytes, u32 size)
{
	const u8 *p = bytes;
	u64 hash = FNV_OFFSET;

	while (size--)
		hash = (hash ^ *p++) * FNV_PRIME;
	return hash;
}

static void trace_create(struct hv_trace_entry *entry, u64 address)
{
	struct acrn_vm_creation params;

	if (service_vm_read(address, &params, sizeof(params)))
		return;
	entry->vmid = params.vmid;
	/*
	 * A user address that differs from run to run; not used for anything.
	 */
	params.ioreq_buf = 0;
	entry->args[0] = digest(&params, sizeof(params));
}

/*
 * Sum of the pages' first words, each times its page number in the User VM:
 * tells which pages were mapped without saying where the Service VM has them.
 * See &struct hv_trace_entry in tests/include/hv_test.h.
 */
static u64 content(u64 gpa, u64 hpa, u64 size)
{
	u64 sum = 0, word;

	for (u64 offset = 0; offset < size; offset += PAGE_SIZE) {
		memcpy(&word, (void *)(hpa + offset), sizeof(word));
		sum += word * ((gpa + offset) >> PAGE_SHIFT);
	}
	return sum;
}

static void trace_region(struct hv_trace_entry *entry,
			 const struct acrn_memory_region *region)
{
	u64 gpa = region->user_vm_pa, hpa = region->service_vm_pa;
	bool ram = region->type == ACRN_MEMORY_REGION_ADD &&
		   service_vm_is_ram(hpa, region->size);

	entry->args[0] = region->type;
	entry->args[1] = region->attr;
	entry->args[2] = gpa;
	entry->args[3] = region->size;
	entry->args[4] = ram;
	entry->args[5] = ram ? content(gpa, hpa, region->size) : hpa - gpa;
	if (region->type != ACRN_MEMORY_REGION_ADD)
		entry->args[5] = 0;
	add_entry(entry);
}

static void trace_regions(struct hv_trace_entry *entry, u64 address)
{
	struct acrn_memory_region region;
	struct acrn_memory_batch batch;

	if (service_vm_read(address, &batch, sizeof(batch)))
		return;
	entry->vmid = batch.vmid;
	for (u64 i = 0; i < batch.number; i++) {
		if (service_vm_read(batch.regions + i * sizeof(region), &region,
				    sizeof(region)))
			return;
		trace_region(entry, &region);
	}
}

static void trace_doorbell(struct hv_trace_entry *entry, u64 address)
{
	struct acrn_async_doorbell doorbell;

	if (service_vm_read(address, &doorbell, sizeof(doorbell)))
		return;
	entry->args[0] = doorbell.type;
	entry->args[1] = doorbell.match_data;
	entry->args[2] = doorbell.address;
	entry->args[3] = doorbell.cookie;
	entry->args[4] = doorbell.data;
}

/*
 * Size of the structure to which the second argument points; 0 for hypercalls
 * that have none or whose structure is not traced as a digest
 */
static u32 argument_size(u64 id)
{
	switch (id) {
	case ACRN_HC_SET_VCPU_REGS:
		return sizeof(struct acrn_vcpu_regs);
	case ACRN_HC_INJECT_MSI:
		return sizeof(struct acrn_msi_entry);
	case ACRN_HC_SET_PTDEV_INTR:
	case ACRN_HC_RESET_PTDEV_INTR:
		return sizeof(struct acrn_ptdev_irq);
	case ACRN_HC_ASSIGN_PCIDEV:
	case ACRN_HC_DEASSIGN_PCIDEV:
		return sizeof(struct acrn_pcidev);
	case ACRN_HC_ASSIGN_MMIODEV:
	case ACRN_HC_DEASSIGN_MMIODEV:
		return sizeof(struct acrn_mmiodev);
	case ACRN_HC_CREATE_VDEV:
	case ACRN_HC_DESTROY_VDEV:
		return sizeof(struct acrn_vdev);
	default:
		return 0;
	}
}

/* The second argument in the trace, of hypercalls whose first is the VM id */
static u64 second_argument(u64 id, u64 arg1)
{
	struct acrn_ioreq_buffer_addr buffer;
	struct acrn_ring_param ring;
	u8 bytes[sizeof(struct acrn_vcpu_regs)];
	u32 size = argument_size(id);

	if (size)
		return service_vm_read(arg1, bytes, size) ? 0
							  : digest(bytes, size);
	switch (id) {
	case ACRN_HC_SET_IOREQ_BUFFER:
		if (service_vm_read(arg1, &buffer, sizeof(buffer)))
			return 0;
		return buffer.service_vm_pa & ~PAGE_MASK;
	case ACRN_HC_SETUP_SBUF:
		return service_vm_read(arg1, &ring, sizeof(ring))
			       ? 0
			       : ring.ring_id;
	case ACRN_HC_VM_INTR_MONITOR:
		return arg1 & ~PAGE_MASK;
	case ACRN_HC_SET_IRQLINE:
	case ACRN_HC_NOTIFY_REQUEST_FINISH:
		return arg1;
	default:
		return 0;
	}
}

static void trace_hypercall(u64 id, u64 arg0, u64 arg1, s64 ret)
{
	struct hv_trace_entry entry = { .id = id & 0xff, .result = ret };

	switch (ACRN_HC(entry.id)) {
	case ACRN_HC_SET_MEMORY_REGIONS:
		trace_regions(&entry, arg0);
		return;
	case ACRN_HC_CREATE_VM:
		trace_create(&entry, arg0);
		break;
	case ACRN_HC_PM_GET_CPU_STATE:
		entry.vmid = (u32)arg0 >> ACRN_PMCMD_VMID_SHIFT;
		entry.args[0] = arg0;
		break;
	case ACRN_HC_ASYNCIO_ASSIGN:
	case ACRN_HC_ASYNCIO_DEASSIGN:
		entry.vmid = arg0;
		trace_doorbell(&entry, arg1);
		break;
	default:
		entry.vmid = arg0;
		entry.args[0] = second_argument(ACRN_HC(entry.id), arg1);
		break;
	}
	add_entry(&entry);
}

void trace_begin(void)
{
	__atomic_add_fetch(&trace.active, 1, __ATOMIC_SEQ_CST);
}

void trace_end(u64 id, u64 arg0, u64 arg1, s64 ret)
{
	if (READ_ONCE(trace_on))
		trace_hypercall(id, arg0, arg1, ret);
	__atomic_sub_fetch(&trace.active, 1, __ATOMIC_SEQ_CST);
}
