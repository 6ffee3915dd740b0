/* SPDX-License-Identifier: GPL-2.0 */
/* The table of User VMs: creation, start, pause, reset and destruction. */
#ifndef HV_VM_H
#define HV_VM_H

#include <linux/acrn.h>

#include "asyncio.h"
#include "cpu.h"
#include "device.h"
#include "npt.h"
#include "ring.h"
#include "spinlock.h"
#include "vioapic.h"

#define MAX_USER_VMS 16
/* One slot of the ioreq page per vCPU. */
#define MAX_VCPUS ACRN_IO_REQUEST_MAX
/* Id 0 is the Service VM. */
#define FIRST_USER_VMID 1
/* Size of a name, which has no terminating NUL when it is that long */
#define VM_NAME_SIZE 16

struct vcpu;

/**
 * enum vm_state - State of an entry of the table of VMs
 * @VM_FREE:	The entry of the table is unused
 * @VM_CREATED:	Not started since creation or reset
 * @VM_RUNNING:	Started; its vCPUs run
 * @VM_PAUSED:	Stopped until reset
 */
enum vm_state {
	VM_FREE,
	VM_CREATED,
	VM_RUNNING,
	VM_PAUSED,
};

/**
 * struct vm_stats - Counters that vm_destroy() logs
 * @pio:	Port accesses sent to the Service VM
 * @mmio:	Memory accesses sent to the Service VM
 * @finished:	Notifications that let a waiting vCPU go on
 * @ignored:	Notifications for a vCPU that was not waiting
 * @msi:	MSIs injected
 * @irqline:	Changes of interrupt lines
 * @async:	Asynchronous doorbells that rang
 */
struct vm_stats {
	u64 pio;
	u64 mmio;
	u64 finished;
	u64 ignored;
	u64 msi;
	u64 irqline;
	u64 async;
};

/**
 * struct vm - A User VM
 * @control:	Held by a hypercall for as long as it works on this VM, so that
 *		hypercalls for one VM take turns; taken before @lock, by CPUs of
 *		the Service VM only
 * @lock:	Guards what follows, and what vcpu.h says, for short times. Not
 *		held together with another VM's. Before the locks of npt.c,
 *		page.c and log.c.
 * @id:		Id of the VM; constant
 * @name:	Name with which the VM was created, or a made-up one. An entry
 *		with an empty name is free for a new VM. Guarded by
 *		vm_table_lock, but cleared with only @control held when the VM
 *		is destroyed.
 * @state:	Written with @control and @lock held
 * @polling:	vCPUs spin for their requests (completion polling); constant
 *		from creation on. As on ACRN, later VMs with the same id inherit
 *		it.
 * @realtime:	An RTVM: of higher severity than the Service VM, which therefore
 *		can neither pause nor interrupt it; constant from creation on
 * @powers_off:	The RTVM has powered off, so it may be paused
 * @nr_vcpus:	Number of vCPUs; constant from creation on
 * @vcpus:	The vCPUs; constant from creation on
 * @by_pcpu:	The vCPU that runs on each CPU, or NULL
 * @npt:	Memory; has its own lock
 * @slots:	The ioreq page, in the Service VM's memory, or NULL; constant
 *		while VM_RUNNING
 * @ioapic:	I/O APIC
 * @devices:	Devices that the device model does not emulate
 * @asyncio:	Asynchronous doorbells; have their own lock
 * @events:	Ring for events; has its own lock
 * @stats:	Counters
 */
struct vm {
	struct spinlock control;
	struct spinlock lock;
	u16 id;
	char name[VM_NAME_SIZE];
	enum vm_state state;
	bool polling;
	bool realtime;
	bool powers_off;
	u32 nr_vcpus;
	struct vcpu *vcpus[MAX_VCPUS];
	struct vcpu *by_pcpu[MAX_PCPUS];
	struct npt npt;
	struct acrn_io_request *slots;
	struct vioapic ioapic;
	struct vm_devices devices;
	struct asyncio asyncio;
	struct vm_events events;
	struct vm_stats stats;
};

extern struct vm user_vms[MAX_USER_VMS];

/*
 * CPUs of a VM whose creator names none, a bit each. ACRN has them from the
 * static configuration of the VM with that name.
 */
extern u64 static_cpus;

/**
 * vm_get() - Find a VM by id and take its control lock
 * @vmid:	From the Service VM, unchecked
 *
 * Return: the VM, for vm_put(); NULL when there is none with this id.
 */
struct vm *vm_get(u64 vmid);

/*
 * Take the control lock of the entry for an id, whether there is a VM or not.
 * Returns NULL when no VM can have this id.
 */
struct vm *vm_get_any(u64 vmid);

/*
 * The errno of a hypercall for which vm_get() returned NULL: @refusal, which is
 * what ACRN returns for a VM that is powered off; -ENOTTY for an id that no VM
 * can have.
 */
int vm_absent(u64 vmid, int refusal);

/* Drop the control lock. */

void vm_put(struct vm *vm);

/**
 * vm_create() - Make a VM
 * @params:	The name (@uuid), @vm_flag and @cpu_affinity are read; @vmid and
 *		@vcpu_num are set
 *
 * As on ACRN, the name picks the entry of the table. The name of an existing VM
 * is refused, and that VM then loses its name. Its entry looks free from then
 * on, so creating another VM picks it and fails until the first VM is
 *destroyed.
 *
 * Return: 0, also with @vmid ACRN_VMID_INVALID when there are more than
 * MAX_VCPUS CPUs; -EPERM for the name of an existing VM, and when @cpu_affinity
 * has a CPU that is not for User VMs; -ENOMEM; -ENOTTY when all entries have
 * names.
 */
int vm_create(struct acrn_vm_creation *params);

/*
 * Called with the VM's control lock held. Return 0, or -EPERM, ACRN's -1, when
 * the VM is not in the state that the operation needs.
 */
int vm_start(struct vm *vm);
int vm_pause(struct vm *vm);
int vm_reset(struct vm *vm);
int vm_destroy(struct vm *vm);

/*
 * Clear @polling of free entries, which later VMs with the same id would
 * inherit. For tests.
 */
void vm_forget_polling(void);

/* Note that a guest has powered off. Matters for an RTVM. Takes @lock. */
void vm_poweroff(struct vm *vm);

/*
 * Log why a vCPU cannot go on, and stop it. Called in its thread with no lock
 * held.
 */
void vm_crash(struct vcpu *vcpu, const char *why) __attribute__((noreturn));

/*
 * After a removal from the VM's page tables: wait until no vCPU uses TLB
 * entries from before. Control lock held.
 */
void vm_flush_tlb(struct vm *vm);

#endif /* HV_VM_H */
