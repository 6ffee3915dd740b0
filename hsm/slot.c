// SPDX-License-Identifier: GPL-2.0
/*
 * A slot of the I/O request page and the request in it. Two words order all who
 * deal with it, the request's owner and the slot's state:
 *
 *  - the upcall takes a slot that is PENDING and whose owner is the hypervisor;
 *  - a slot that is not completed at once becomes PROCESSING, so that the upcall
 *    does not take it again, and handled by the kernel unless it is the client's,
 *    so that no client looks at it;
 *  - who completes a slot changes the owner before the state, as a vCPU that
 *    polls may raise its next request at once.
 */
#include <linux/bits.h>
#include <linux/log2.h>

#include "pci_conf.h"
#include "slot.h"

/* PIO and PCI requests have 32 bits for a value, MMIO 64. */
static u64 slot_value(const struct acrn_io_request *slot, u32 type, u32 size)
{
	if (type == ACRN_IOREQ_TYPE_MMIO && size == 8)
		return READ_ONCE(slot->reqs.mmio_request.value);
	if (size < 4)
		return READ_ONCE(slot->reqs.pio_request.value) &
		       GENMASK(size * 8 - 1, 0);
	return READ_ONCE(slot->reqs.pio_request.value);
}

static void set_slot_value(struct acrn_io_request *slot, u32 type, u64 value)
{
	if (type == ACRN_IOREQ_TYPE_MMIO)
		WRITE_ONCE(slot->reqs.mmio_request.value, value);
	else
		WRITE_ONCE(slot->reqs.pio_request.value, (u32)value);
}

/* Rewrite a slot to a request of type PCICFG; direction, size, value stay. */
static void set_slot_register(struct acrn_io_request *slot,
			      const struct acrn_pci_register *reg)
{
	struct acrn_pci_request *pci = &slot->reqs.pci_request;

	WRITE_ONCE(pci->bus, reg->bus);
	WRITE_ONCE(pci->dev, reg->dev);
	WRITE_ONCE(pci->func, reg->func);
	WRITE_ONCE(pci->reg, reg->reg);
	WRITE_ONCE(slot->type, ACRN_IOREQ_TYPE_PCICFG);
}

/*
 * Copy a slot, reading each field once. All types of request have direction,
 * address, size and value in the same places. A size that no access has
 * becomes 0, which nothing in the kernel handles.
 */
static void copy_request(struct acrn_slot_request *request,
			 const struct acrn_io_request *slot)
{
	const struct acrn_pio_request *pio = &slot->reqs.pio_request;
	struct acrn_access *access = &request->access;
	u64 size = READ_ONCE(pio->size);

	request->write = READ_ONCE(pio->direction) == ACRN_IOREQ_DIR_WRITE;
	access->type = READ_ONCE(slot->type);
	access->address = READ_ONCE(pio->address);
	access->size = size <= 8 && is_power_of_2(size) ? size : 0;
	access->value = 0;
	if (request->write && access->size)
		access->value = slot_value(slot, access->type, access->size);
}

/* Copy a request that is the upcall's to deal with. False when there is none. */
bool acrn_slot_take(const struct acrn_io_request *slot,
		    struct acrn_slot_request *request)
{
	/* The rest of the slot was written before its state. */
	if (smp_load_acquire(&slot->processed) != ACRN_IOREQ_STATE_PENDING)
		return false;
	/* A device model can pretend that a slot is pending. */
	if (smp_load_acquire(&request->owner) != ACRN_OWNER_HYPERVISOR)
		return false;
	copy_request(request, slot);
	return true;
}

/* Leave a request of the upcall's to the VM's thread. */
void acrn_slot_defer(struct acrn_io_request *slot,
		     struct acrn_slot_request *request)
{
	WRITE_ONCE(slot->kernel_handled, 1);
	/* A client looks at the state first. */
	smp_store_release(&slot->processed, ACRN_IOREQ_STATE_PROCESSING);
	/* The copy is complete. */
	smp_store_release(&request->owner, ACRN_OWNER_THREAD);
}

/*
 * Leave a request of the upcall's or the thread's to the client, as an access to
 * the PCI configuration register @reg unless that is NULL.
 */
void acrn_slot_pass(struct acrn_io_request *slot,
		    struct acrn_slot_request *request,
		    const struct acrn_pci_register *reg)
{
	WRITE_ONCE(request->owner, ACRN_OWNER_CLIENT);
	if (reg)
		set_slot_register(slot, reg);
	/* The client looks at both of them before the rest of the slot. */
	smp_store_release(&slot->kernel_handled, 0);
	/* As above. */
	smp_store_release(&slot->processed, ACRN_IOREQ_STATE_PROCESSING);
}

/* Give a slot back; a read gets what is there. The caller is the owner. */
void acrn_slot_complete(struct acrn_io_request *slot,
			struct acrn_slot_request *request)
{
	/* Pairs with acrn_slot_take(): the copy is not used any more. */
	smp_store_release(&request->owner, ACRN_OWNER_HYPERVISOR);
	/* From here on the slot, value included, is the hypervisor's. */
	smp_store_release(&slot->processed, ACRN_IOREQ_STATE_COMPLETE);
}

/* The same; a read gets @value. */
void acrn_slot_answer(struct acrn_io_request *slot,
		      struct acrn_slot_request *request, u64 value)
{
	if (!request->write)
		set_slot_value(slot, request->access.type, value);
	acrn_slot_complete(slot, request);
}
