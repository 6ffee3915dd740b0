/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slots of the I/O request page. A vCPU puts its request into its slot, &struct
 * acrn_io_request of <linux/acrn.h>.
 *
 * The page is memory of the device model, which can write to it at any time. So the
 * kernel copies a request once, to &struct acrn_slot_request, and decides by the
 * copy alone. A device model that forges requests harms its own VM and no other.
 */
#ifndef HSM_SLOT_H
#define HSM_SLOT_H

#include "acrn_hsm.h"

struct acrn_pci_register;

/**
 * enum acrn_slot_owner - Who may use a slot and the copy of its request
 * @ACRN_OWNER_HYPERVISOR:	The hypervisor, or the upcall while the slot is
 *				PENDING: nobody else deals with a request in it
 * @ACRN_OWNER_THREAD:		Whoever holds &struct acrn_vm_io.deferred_lock
 * @ACRN_OWNER_CLIENT:		The client in user space, until somebody who holds
 *				&struct acrn_vm_io.lock takes the request back
 */
enum acrn_slot_owner {
	ACRN_OWNER_HYPERVISOR,
	ACRN_OWNER_THREAD,
	ACRN_OWNER_CLIENT,
};

/**
 * struct acrn_slot_request - Private copy of the request in a slot
 * @owner:	Who may use the request; see slot.c for how it changes
 * @write:	Direction of the access: true for a write
 * @access:	What the guest accesses
 * @upcall_start: When the upcall began that took the request, in cycles of the TSC
 */
struct acrn_slot_request {
	enum acrn_slot_owner owner;
	bool write;
	struct acrn_access access;
	u64 upcall_start;
};

bool acrn_slot_take(const struct acrn_io_request *slot,
		    struct acrn_slot_request *request);
void acrn_slot_defer(struct acrn_io_request *slot,
		     struct acrn_slot_request *request);
void acrn_slot_pass(struct acrn_io_request *slot,
		    struct acrn_slot_request *request,
		    const struct acrn_pci_register *reg);
void acrn_slot_complete(struct acrn_io_request *slot,
			struct acrn_slot_request *request);
void acrn_slot_answer(struct acrn_io_request *slot,
		      struct acrn_slot_request *request, u64 value);

#endif /* HSM_SLOT_H */
