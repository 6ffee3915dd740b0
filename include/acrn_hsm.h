/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface between acrn_hsm.ko and the data plane, acrn_vhost.ko. The
 * functions are exported in the symbol namespace ACRN_HSM.
 *
 * The HSM owns the VMs, their I/O requests and the upcall. The data plane
 * registers one &struct acrn_dataplane_ops. A VM that uses the data plane holds
 * a reference to its module until the VM is destroyed, so the module can be
 * unloaded whenever no VM uses it.
 */
#ifndef ACRN_HSM_H
#define ACRN_HSM_H

#include <linux/acrn.h>
#include <linux/types.h>

struct acrn_vm;
struct dentry;
struct module;

/**
 * struct acrn_access - Access of a guest to an I/O port or a guest physical address
 * @type:	ACRN_IOREQ_TYPE_PORTIO or ACRN_IOREQ_TYPE_MMIO
 * @size:	Number of bytes: 1, 2, 4 or 8
 * @address:	I/O port or User VM physical address
 * @value:	Value that was written, zero-extended from @size
 *
 * This is a private copy. The device model can write to the I/O request page at
 * any time, and each field was read from there exactly once.
 */
struct acrn_access {
	u32 type;
	u32 size;
	u64 address;
	u64 value;
};

/**
 * enum acrn_doorbell - What became of the write of a guest
 * @ACRN_DOORBELL_NONE:		The write rings no doorbell
 * @ACRN_DOORBELL_RUNG:		The write rings a doorbell, which was signalled
 * @ACRN_DOORBELL_LATER:	The write rings a doorbell that is not signalled
 *				in this context
 */
enum acrn_doorbell {
	ACRN_DOORBELL_NONE,
	ACRN_DOORBELL_RUNG,
	ACRN_DOORBELL_LATER,
};

/**
 * struct acrn_async_key - Accesses that ring an asynchronous doorbell
 * @type:	ACRN_IOREQ_TYPE_PORTIO or ACRN_IOREQ_TYPE_MMIO
 * @match_data:	Only accesses that write @data ring the doorbell
 * @address:	I/O port or User VM physical address
 * @data:	Value that has to be written; 0 without @match_data
 */
struct acrn_async_key {
	u32 type;
	bool match_data;
	u64 address;
	u64 data;
};

/**
 * struct acrn_dataplane_ops - Functions of the data plane
 * @owner:	Module that has the functions
 * @attach:	Begin to serve a VM. Called once for a VM, before any other
 *		function, when user space first asks for an ioeventfd or an
 *		irqfd. Returns the state that the other functions get as data,
 *		or an ERR_PTR(). Process context, may sleep.
 * @detach:	Undo @attach. After it returns, no MSI of the VM is injected.
 *		Called when the HSM does not call any other function for the VM
 *		any more. Process context, may sleep.
 * @ioeventfd:	ACRN_IOCTL_IOEVENTFD. The argument is as user space has passed
 *		it. Several calls may run at a time. Process context, may sleep.
 * @irqfd:	ACRN_IOCTL_IRQFD, likewise
 * @flush_held:	Deal with the MSIs that acrn_hsm_inject_msi() has refused with
 *		-EAGAIN: inject them if the last argument is true, as the VM
 *		runs on; otherwise drop them, as it was reset. Process context.
 * @doorbell:	Signal the doorbell that a write of a guest rings, if any.
 *		Called by the upcall in hard-IRQ context, or in process context.
 *		If the result is ACRN_DOORBELL_LATER in hard-IRQ context, called
 *		again in process context.
 * @ring:	Signal a doorbell that was passed to acrn_hsm_async_assign().
 *		Called in the same contexts as @doorbell. Returns false to be
 *		called again in process context.
 */
struct acrn_dataplane_ops {
	struct module *owner;
	void *(*attach)(struct acrn_vm *vm);
	void (*detach)(void *data);
	int (*ioeventfd)(void *data, const struct acrn_ioeventfd *args);
	int (*irqfd)(void *data, const struct acrn_irqfd *args);
	void (*flush_held)(void *data, bool inject);
	enum acrn_doorbell (*doorbell)(void *data,
				       const struct acrn_access *write);
	bool (*ring)(void *data, void *doorbell);
};

int acrn_hsm_register_dataplane(const struct acrn_dataplane_ops *ops);
void acrn_hsm_unregister_dataplane(const struct acrn_dataplane_ops *ops);
int acrn_hsm_inject_msi(struct acrn_vm *vm, u64 addr, u64 data);
int acrn_hsm_async_assign(struct acrn_vm *vm, const struct acrn_async_key *key,
			  bool asked_for, void *doorbell);
int acrn_hsm_async_deassign(struct acrn_vm *vm, const void *doorbell);
struct dentry *acrn_hsm_debugfs_dir(struct acrn_vm *vm);

#endif /* ACRN_HSM_H */
