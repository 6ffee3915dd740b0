// SPDX-License-Identifier: GPL-2.0
/*
 * The upcall is the interrupt by which the hypervisor tells the Service VM that
 * a vCPU has made an I/O request or rung an asynchronous doorbell, or that a VM
 * has an event. It does not say which VM, so the handler looks at all of them.
 *
 * The list of VMs and each entry belong to the handler, which runs on one CPU
 * in hard IRQ. Other code changes the list by an interrupt of that CPU, in
 * which add_vm(), remove_vm() and defer_requests() run, so that there is no
 * lock. The functions that are not static run in process context.
 */
#include <linux/cpu.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <asm/acrn.h>
#include <asm/tsc.h>

#include "acrn_hypercall.h"
#include "hsm.h"
#include "trace.h"

/*
 * List of &struct acrn_upcall_entry. VMs that had something last come first, so
 * that a few busy VMs do not wait while the handler looks at many idle ones.
 */
static LIST_HEAD(entries);

/* Taken instead of such an interrupt while ACRN_UPCALL_CPU is offline */
static DEFINE_SPINLOCK(offline_lock);

/* Whether a vCPU has made a request. Hot path, in the handler. */
static bool has_request(const struct acrn_upcall_entry *entry)
{
	const struct acrn_io_request *slot = entry->slots;
	const struct acrn_io_request *end = slot + entry->vcpu_num;

	for (; slot < end; slot++)
		if (READ_ONCE(slot->processed) == ACRN_IOREQ_STATE_PENDING)
			return true;
	return false;
}

/*
 * Whether the hypervisor has put something into the ring since the last upcall,
 * or the ring is not empty. Somebody else may have emptied the ring since, but
 * the upcall that came has to be charged to the VM all the same. Hot path, in
 * the handler, to which @known belongs.
 */
static bool ring_has_more(struct acrn_upcall_ring *known)
{
	/* Pairs with whoever sets up a ring: all that the upcall needs is there. */
	const struct acrn_ring *ring = smp_load_acquire(&known->ring);
	u32 seen = known->tail;

	if (!ring)
		return false;
	known->tail = READ_ONCE(ring->tail);
	return known->tail != seen || known->tail != READ_ONCE(ring->head);
}

/*
 * Deal with a VM. Asynchronous doorbells that the guest rang before it made a
 * request are signalled before the request is dealt with. If some of them have
 * to wait for the VM's thread, so has the request. Returns true if there was
 * anything to do. Hot path, in the handler.
 */
static bool serve_vm(struct acrn_upcall_entry *entry, u64 start)
{
	struct acrn_vm *vm = container_of(entry, struct acrn_vm, upcall);
	bool rung = ring_has_more(&entry->doorbells);
	bool told = ring_has_more(&entry->events);
	bool requested = has_request(entry);
	bool paused, defer;

	if (!rung && !told && !requested)
		return false;
	paused = acrn_share_used_up(vm);
	if (told)
		acrn_thread_kick(vm);
	defer = rung ? !acrn_async_upcall(vm, start, paused) : paused;
	if (requested)
		acrn_ioreq_upcall(vm, start, defer, paused);
	acrn_share_charge(vm);
	return true;
}

/* The handler. Hot path, hard-IRQ context on ACRN_UPCALL_CPU. */
static void upcall(void)
{
	struct acrn_upcall_entry *entry, *next;
	u64 start = get_cycles();
	u64 since = acrn_share_begin(start);

	trace_acrn_upcall(since);
	list_for_each_entry_safe(entry, next, &entries, link)
		if (serve_vm(entry, start))
			list_move(&entry->link, &entries);
	acrn_share_end();
}

/*
 * Call @fn on the CPU of the upcall while the handler is not running, and wait
 * until it returns. That takes an interrupt of that CPU. A thread will not do,
 * as it might have to wait for a real-time task there. While the CPU is offline
 * there is no upcall either, and @fn is called here, under offline_lock; it does
 * not come back online meanwhile. Process context, interrupts on.
 */
static void call_between_upcalls(smp_call_func_t fn, void *arg)
{
	unsigned long flags;

	cpus_read_lock();
	if (smp_call_function_single(ACRN_UPCALL_CPU, fn, arg, true)) {
		spin_lock_irqsave(&offline_lock, flags);
		fn(arg);
		spin_unlock_irqrestore(&offline_lock, flags);
	}
	cpus_read_unlock();
}

/* For call_between_upcalls(): leave the requests of a VM to its thread. */
static void defer_requests(void *vm)
{
	acrn_ioreq_defer_all(vm);
}

/**
 * acrn_upcall_flush() - Deal with all that a VM has asked for so far
 * @vm:	VM
 *
 * When this returns, each doorbell that the guest has rung is signalled, and each
 * request that it has made is completed or with the client. An upcall for them may
 * still be on its way, and finds nothing then.
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held, or no
 *	    ioctl can reach the VM.
 */
void acrn_upcall_flush(struct acrn_vm *vm)
{
	acrn_async_drain(vm);
	call_between_upcalls(defer_requests, vm);
	acrn_ioreq_serve(vm);
}

/**
 * acrn_upcall_hook() - Begin to handle upcalls
 *
 * Context: Process context. The module is being loaded.
 */
void acrn_upcall_hook(void)
{
	acrn_setup_intr_handler(upcall);
}

/**
 * acrn_upcall_unhook() - Undo acrn_upcall_hook()
 *
 * When this returns, the handler does not run on any CPU.
 *
 * Context: Process context, may sleep. There is no VM any more.
 */
void acrn_upcall_unhook(void)
{
	acrn_remove_intr_handler();
	/* An interrupt handler counts as an RCU reader. */
	synchronize_rcu();
}

/* For call_between_upcalls(): put the entry of a VM into the list. */
static void add_vm(void *arg)
{
	struct acrn_upcall_entry *entry = arg;

	list_add_tail(&entry->link, &entries);
	acrn_share_add_vms(1);
}

/* For call_between_upcalls(): take the entry of a VM out of the list. */
static void remove_vm(void *arg)
{
	struct acrn_upcall_entry *entry = arg;

	list_del(&entry->link);
	acrn_share_add_vms(-1);
}

/**
 * acrn_upcall_add() - Have the upcall look at a VM
 * @vm:	VM with its I/O requests and its thread
 *
 * Context: Process context, may sleep. No ioctl can reach the VM yet.
 */
void acrn_upcall_add(struct acrn_vm *vm)
{
	vm->upcall.slots = vm->io.slots;
	vm->upcall.vcpu_num = vm->vcpu_num;
	call_between_upcalls(add_vm, &vm->upcall);
}

/**
 * acrn_upcall_remove() - Undo acrn_upcall_add(), if it was called for a VM
 * @vm:	VM, which no upcall touches when this returns
 *
 * Context: Process context, may sleep. No other ioctl can reach the VM.
 */
void acrn_upcall_remove(struct acrn_vm *vm)
{
	if (vm->upcall.slots)
		call_between_upcalls(remove_vm, &vm->upcall);
	vm->upcall.slots = NULL;
}
