/* SPDX-License-Identifier: GPL-2.0 */
/* User VMs: the table of them, and a VM's life. */
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
/* Of a name, which is not terminated when it is that long */
#define VM_NAME_SIZE 16

struct vcpu;

/**
 * enum vm_state - A VM's life
 * @VM_FREE:	The entry of the table is unused
 * @VM_CREATED:	Not started since creation or reset
 * @VM_RUNNING:	vCPUs run
 * @VM_PAUSED:	Stopped until reset
 */
enum vm_state {
	VM_FREE,
	VM_CREATED,
	VM_RUNNING,
	VM_PAUSED,
};

/**
 * struct vm_stats - What vm_destroy() reports
 * @pio:	Port accesses sent to the Service VM
 * @mmio:	Memory accesses sent to the Service VM
 * @finished:	Notifications that let a vCPU go on
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
 * @id:		Constant
 * @name:	As it was created with, or made up; an empty one marks an entry
 *		that a new VM may have. Guarded by the table's lock, but cleared
 *		with @control alone when the VM ends.
 * @state:	Written with @control and @lock
 * @polling:	vCPUs spin for their requests; constant from creation on. As on
 *		ACRN, this stays so for later VMs of the same number.
 * @realtime:	An RTVM: of higher severity than the Service VM, which therefore
 *		neither pauses nor interrupts it; constant from creation on
 * @powers_off:	An RTVM that wants to be paused
 * @nr_vcpus:	Constant from creation on
 * @vcpus:	Constant from creation on
 * @by_pcpu:	The vCPU on each CPU, at most one
 * @npt:	Memory; has its own lock
 * @slots:	The ioreq page, in the Service VM's memory, or NULL; constant
 *		while VM_RUNNING
 * @ioapic:	Interrupt controller
 * @devices:	Devices that are not the device model's
 * @asyncio:	Asynchronous doorbells; have their own lock
 * @events:	What the Service VM is told of; has its own lock
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

/* The same, also when there is no VM but could be one with this id. */
struct vm *vm_get_any(u64 vmid);

/*
 * What a hypercall returns when vm_get() has found none: @refusal, which is
 * what ACRN has for a VM that is powered off; -ENOTTY for an id that no VM can
 * have.
 */
int vm_absent(u64 vmid, int refusal);

void vm_put(struct vm *vm);

/**
 * vm_create() - Make a VM
 * @params:	the name (@uuid), @vm_flag and @cpu_affinity are read; @vmid and
 *		@vcpu_num are set
 *
 * As on ACRN, a name picks the entry of the table. That of a VM that is there
 * is refused, and forgotten: its entry is then the one that is tried for other
 * new VMs, in vain until it has ended.
 *
 * Return: 0, also with ACRN_VMID_INVALID when there are too many CPUs; -EPERM
 * for the name of another VM, and when @cpu_affinity has a CPU that is not for
 * User VMs; -ENOMEM; -ENOTTY when MAX_USER_VMS exist.
 */
int vm_create(struct acrn_vm_creation *params);

/*
 * These four run with the VM's control lock held. 0 or -EPERM for a state that
 * does not allow it, the -1 of ACRN.
 */
int vm_start(struct vm *vm);
int vm_pause(struct vm *vm);
int vm_reset(struct vm *vm);
int vm_destroy(struct vm *vm);

/* VMs that are made from now on poll only if they are created to do so. */
void vm_forget_polling(void);

/* A guest goes to sleep for good. */
void vm_poweroff(struct vm *vm);

/*
 * A vCPU cannot go on: log why, leave the CPU and never return.
 * No lock held.
 */
void vm_crash(struct vcpu *vcpu, const char *why) __attribute__((noreturn));

/* Wait until no vCPU uses TLB entries older than the present page tables. */
void vm_flush_tlb(struct vm *vm);

#endif /* HV_VM_H */
