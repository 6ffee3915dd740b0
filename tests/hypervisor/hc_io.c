// SPDX-License-Identifier: GPL-2.0
/* Hypercalls for I/O requests and interrupts. */
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "hypercall.h"
#include "ioreq.h"
#include "lapic.h"
#include "service_vm.h"
#include "vcpu.h"
#include "vm.h"

#define MSI_ADDRESS_BASE       0xfee
#define MSI_ADDRESS_BASE_SHIFT 20
#define MSI_ADDRESS_BASE_MASK  0xfff
#define MSI_DEST_SHIFT	       12
#define MSI_ADDRESS_LOGICAL    BIT(2)
#define MSI_ADDRESS_REDIRECT   BIT(3) /* to the vCPU of the lowest priority */
#define MSI_DATA_VECTOR	       0xff
#define MSI_DATA_MODE	       0x700

static int set_slots(struct vm *vm, u64 page)
{
	if (vm->state != VM_CREATED)
		return -EPERM;
	vm->slots = NULL;
	if (!service_vm_is_ram(page, PAGE_SIZE))
		return -EPERM;
	vm->slots = (struct acrn_io_request *)page;
	ioreq_free_slots(vm);
	return 0;
}

s64 hc_set_ioreq_buffer(u64 vmid, u64 address)
{
	struct acrn_ioreq_buffer_addr params;
	struct vm *vm;
	int ret;

	if (service_vm_read(address, &params, sizeof(params)))
		return -EPERM;
	vm = vm_get(vmid);
	if (!vm)
		return vm_absent(vmid, -EPERM);
	ret = set_slots(vm, params.service_vm_pa);
	vm_put(vm);
	return ret;
}

s64 hc_notify_request_finish(u64 vmid, u64 vcpu)
{
	struct vm *vm = vm_get(vmid);
	int ret;

	if (!vm)
		return vm_absent(vmid, -EPERM);
	ret = ioreq_finish(vm, vcpu);
	vm_put(vm);
	return ret;
}

/* Returns 0, or -EPERM for an address that is not in the range of MSIs. */
static int decode_msi(const struct acrn_msi_entry *msi,
		      struct interrupt_message *message)
{
	if ((msi->msi_addr >> MSI_ADDRESS_BASE_SHIFT & MSI_ADDRESS_BASE_MASK) !=
	    MSI_ADDRESS_BASE)
		return -EPERM;
	*message = (struct interrupt_message){
		.destination = msi->msi_addr >> MSI_DEST_SHIFT & 0xff,
		.logical = msi->msi_addr & MSI_ADDRESS_LOGICAL,
		.lowest = msi->msi_addr & MSI_ADDRESS_REDIRECT,
		.mode = msi->msi_data & MSI_DATA_MODE,
		.vector = msi->msi_data & MSI_DATA_VECTOR,
	};
	return 0;
}

/*
 * Whether the message is one that a local APIC takes. HC_INJECT_MSI succeeds
 * for any other too, but delivers nothing.
 */
static bool is_deliverable(const struct interrupt_message *message)
{
	return (message->mode == ICR_FIXED || message->mode == ICR_LOWEST) &&
	       message->vector >= FIRST_LEGAL_VECTOR;
}

static int inject(struct vm *vm, const struct interrupt_message *message)
{
	if (vm->realtime)
		return -EPERM;
	spin_lock(&vm->lock);
	vm->stats.msi++;
	if (is_deliverable(message))
		vlapic_deliver(vm, message);
	spin_unlock(&vm->lock);
	return 0;
}

s64 hc_inject_msi(u64 vmid, u64 address)
{
	struct interrupt_message message;
	struct acrn_msi_entry msi;
	struct vm *vm;
	int ret;

	if (service_vm_read(address, &msi, sizeof(msi)) ||
	    decode_msi(&msi, &message))
		return -EPERM;
	vm = vm_get(vmid);
	if (!vm)
		return vm_absent(vmid, -EPERM);
	ret = inject(vm, &message);
	vm_put(vm);
	return ret;
}

static int set_irqline(struct vm *vm, const struct acrn_irqline *line)
{
	int ret;

	if (vm->realtime)
		return -EPERM;
	spin_lock(&vm->lock);
	ret = vioapic_set_line(vm, line->gsi, line->op);
	if (!ret)
		vm->stats.irqline++;
	spin_unlock(&vm->lock);
	return ret;
}

s64 hc_set_irqline(u64 vmid, u64 ops)
{
	struct acrn_irqline line = { .gsi = ops, .op = ops >> 32 };
	struct vm *vm = vm_get(vmid);
	int ret;

	if (!vm)
		return vm_absent(vmid, -EPERM);
	ret = set_irqline(vm, &line);
	vm_put(vm);
	return ret;
}
