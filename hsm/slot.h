/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Slots of the I/O request page, and who may complete the request in one.
 *
 * The page is in the device model's memory, and the device model can write to it
 * at any time. What is decided is decided by a private copy of the request, taken
 * once; a device model that forges requests harms its own VM alone.
 */
#ifndef HSM_SLOT_H
#define HSM_SLOT_H

#include "acrn_hsm.h"

struct acrn_pci_register;

/**
 * enum acrn_slot_owner - Who may complete the request in a slot
 * @ACRN_OWNER_HYPERVISOR:	The upcall, if the slot is pending at all
 * @ACRN_OWNER_THREAD:		Who has &struct acrn_vm_io.deferred_lock
 * @ACRN_OWNER_CLIENT:		The client in user space
 */
enum acrn_slot_owner {
	ACRN_OWNER_HYPERVISOR,
	ACRN_OWNER_THREAD,
	ACRN_OWNER_CLIENT,
};

/**
 * struct acrn_slot_request - Private copy of a slot
 * @owner:	Who may complete it
 * @write:	Direction
 * @access:	What the guest does
 * @upcall_start:	When the upcall began that took it, in cycles of the TSC
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
