/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What acrn_hsm.ko offers to the data plane, acrn_vhost.ko, and what it asks
 * of it. Exported in the symbol namespace ACRN_HSM.
 *
 * The HSM owns VMs, their I/O request pages and the upcall. The data plane
 * registers one &struct acrn_dataplane_ops. A VM that uses it pins the module
 * until the VM is destroyed, so that it can be unloaded whenever no VM does.
 */
#ifndef ACRN_HSM_H
#define ACRN_HSM_H

#include <linux/acrn.h>
#include <linux/types.h>

struct acrn_vm;
struct dentry;
struct module;

/**
 * struct acrn_access - A guest's access to an I/O port or a guest physical address
 * @type:	ACRN_IOREQ_TYPE_PORTIO or ACRN_IOREQ_TYPE_MMIO
 * @size:	Bytes: 1, 2, 4 or 8
 * @address:	Port or User VM physical address
 * @value:	What was written, zero-extended from @size
 *
 * A private copy of a slot of the I/O request page, which the device model can
 * write to at any time: each field was read exactly once.
 */
struct acrn_access {
	u32 type;
	u32 size;
	u64 address;
	u64 value;
};

/**
 * enum acrn_doorbell - What became of a guest's write
 * @ACRN_DOORBELL_NONE:		It rings no doorbell
 * @ACRN_DOORBELL_RUNG:		It was a doorbell and has been signalled
 * @ACRN_DOORBELL_LATER:	It is one that is not signalled in this context
 */
enum acrn_doorbell {
	ACRN_DOORBELL_NONE,
	ACRN_DOORBELL_RUNG,
	ACRN_DOORBELL_LATER,
};

/**
 * struct acrn_async_key - Accesses that ring an asynchronous doorbell
 * @type:	ACRN_IOREQ_TYPE_PORTIO or ACRN_IOREQ_TYPE_MMIO
 * @match_data:	Only those that write @data
 * @address:	Port or User VM physical address
 * @data:	See @match_data; else 0
 */
struct acrn_async_key {
	u32 type;
	bool match_data;
	u64 address;
	u64 data;
};

/**
 * struct acrn_dataplane_ops - What the data plane does for the HSM
 * @owner:	Module that implements it.
 * @attach:	Called once per VM, before any other call for that VM, when
 *		user space first asks for an ioeventfd or irqfd. Returns the
 *		VM's data plane state or an ERR_PTR(). Process context, may
 *		sleep.
 * @detach:	Ends what @attach began: no doorbell and no interrupt of this VM
 *		is handled after it returns. Called once @doorbell can no longer
 *		be entered for this VM. Process context, may sleep.
 * @ioeventfd:	ACRN_IOCTL_IOEVENTFD, its argument as user space gave it.
 *		Process context, may sleep; any number of calls at a time.
 * @irqfd:	ACRN_IOCTL_IRQFD, likewise
 * @flush_held:	For the MSIs that acrn_hsm_inject_msi() has refused with -EAGAIN
 *		since the last call: inject them if @inject, as the VM runs on;
 *		else forget them, as it was reset. Process context.
 * @doorbell:	A guest's write. When it was a doorbell and has been signalled,
 *		the HSM completes the request. Hard-IRQ context of the upcall,
 *		or process context: what is for later is offered once more there.
 * @ring:	The guest has rung a doorbell of acrn_hsm_async_assign(). False:
 *		not in this context. Otherwise as @doorbell; there is nothing
 *		to complete.
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
