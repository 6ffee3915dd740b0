// SPDX-License-Identifier: GPL-2.0
/*
 * How a request passes from owner to owner. Two words order everybody who deals
 * with it: the owner, which is in kernel memory, and the state of the slot.
 *
 *  - The upcall takes a request when the slot is PENDING and the hypervisor is the
 *    owner.
 *  - A request that the upcall does not complete at once gets the state PROCESSING,
 *    so that the next upcall does not take it again. If it is for the VM's thread,
 *    kernel_handled is set as well, so that the client does not answer it.
 *  - Whoever completes a request changes the owner before the state: a vCPU that
 *    polls the state may make its next request at once.
 *
 * No function here takes a lock: slot and copy are the owner's. The functions
 * run where the owner is, in the upcall in hard IRQ, in the VM's thread, or in
 * an ioctl that does the thread's work or the client's.
 */
#include <linux/bits.h>
#include <linux/log2.h>

#include "pci_conf.h"
#include "slot.h"

/*
 * Read the value that the guest writes, once. Only an MMIO request has a value
 * of 64 bits.
 */
static u64 slot_value(const struct acrn_io_request *slot, u32 type, u32 size)
{
	if (type == ACRN_IOREQ_TYPE_MMIO && size == 8)
		return READ_ONCE(slot->reqs.mmio_request.value);
	if (size < 4)
		return READ_ONCE(slot->reqs.pio_request.value) &
		       GENMASK(size * 8 - 1, 0);
	return READ_ONCE(slot->reqs.pio_request.value);
}

/* Write the value that a read returns to the slot, for its owner. */
static void set_slot_value(struct acrn_io_request *slot, u32 type, u64 value)
{
	if (type == ACRN_IOREQ_TYPE_MMIO)
		WRITE_ONCE(slot->reqs.mmio_request.value, value);
	else
		WRITE_ONCE(slot->reqs.pio_request.value, (u32)value);
}

/*
 * Turn the request into one of type PCICFG, which names the register @reg.
 * Direction, size and value stay where they are. For the owner.
 */
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
 * Copy the request in @slot, reading each field once. Requests of all types
 * have their direction, address, size and value in the same places. A size that
 * no instruction accesses becomes 0; such a request goes to the client. In the
 * upcall, which owns the request.
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

/**
 * acrn_slot_take() - Take the request in a slot
 * @slot:	Slot
 * @request:	Copy of the request, if there is one
 *
 * Context: The upcall, or interrupts off on its CPU.
 * Return: true if there is a request, which the caller must complete, defer or pass
 *	   to the client
 */
bool acrn_slot_take(const struct acrn_io_request *slot,
		    struct acrn_slot_request *request)
{
	/* The hypervisor has written the rest of the slot before its state. */
	if (smp_load_acquire(&slot->processed) != ACRN_IOREQ_STATE_PENDING)
		return false;
	/*
	 * Pairs with acrn_slot_complete(). The device model can write PENDING to a
	 * slot whose request somebody still deals with.
	 */
	if (smp_load_acquire(&request->owner) != ACRN_OWNER_HYPERVISOR)
		return false;
	copy_request(request, slot);
	return true;
}

/**
 * acrn_slot_defer() - Leave a request to the VM's thread
 * @slot:	Slot
 * @request:	Request, taken by the caller
 *
 * Context: The upcall, or interrupts off on its CPU.
 */
void acrn_slot_defer(struct acrn_io_request *slot,
		     struct acrn_slot_request *request)
{
	WRITE_ONCE(slot->kernel_handled, 1);
	/* Whoever sees this state also sees that the kernel handles the request. */
	smp_store_release(&slot->processed, ACRN_IOREQ_STATE_PROCESSING);
	/* Pairs with acrn_ioreq_serve(), which then reads the copy. */
	smp_store_release(&request->owner, ACRN_OWNER_THREAD);
}

/**
 * acrn_slot_pass() - Pass a request to the client
 * @slot:	Slot
 * @request:	Request, which the caller owns
 * @reg:	PCI configuration register that the request accesses, or NULL
 *		when it is passed as it is
 *
 * Context: The upcall or process context. &struct acrn_vm_io.lock is held.
 */
void acrn_slot_pass(struct acrn_io_request *slot,
		    struct acrn_slot_request *request,
		    const struct acrn_pci_register *reg)
{
	WRITE_ONCE(request->owner, ACRN_OWNER_CLIENT);
	if (reg)
		set_slot_register(slot, reg);
	/* The client sees the request as written above once it sees these two. */
	smp_store_release(&slot->kernel_handled, 0);
	/* As the line before */
	smp_store_release(&slot->processed, ACRN_IOREQ_STATE_PROCESSING);
}

/**
 * acrn_slot_complete() - Complete a request
 * @slot:	Slot, which holds the value that a read returns
 * @request:	Request, which the caller owns
 *
 * The vCPU may have to be notified, see acrn_wake_vcpu().
 *
 * Context: The upcall or process context. No lock needed: the caller is the
 *	    owner.
 */
void acrn_slot_complete(struct acrn_io_request *slot,
			struct acrn_slot_request *request)
{
	/*
	 * Pairs with acrn_slot_take(): the caller does not use the copy any
	 * more.
	 */
	smp_store_release(&request->owner, ACRN_OWNER_HYPERVISOR);
	/* The hypervisor reads the value once it sees this state. */
	smp_store_release(&slot->processed, ACRN_IOREQ_STATE_COMPLETE);
}

/**
 * acrn_slot_answer() - Complete a request with a value
 * @slot:	Slot
 * @request:	Request, which the caller owns
 * @value:	What the access returns if it is a read
 *
 * Context: As acrn_slot_complete().
 */
void acrn_slot_answer(struct acrn_io_request *slot,
		      struct acrn_slot_request *request, u64 value)
{
	if (!request->write)
		set_slot_value(slot, request->access.type, value);
	acrn_slot_complete(slot, request);
}
