// SPDX-License-Identifier: GPL-2.0
/*
 * I/O requests, from the slot that the hypervisor filled to whoever answers.
 *
 * The upcall takes a request from its slot. A doorbell is signalled and completed
 * there, without a lock; port 0xCF8 is answered there, and everything else is
 * handed to the client. What cannot be done in hard-IRQ context, and all that is
 * asked by a VM that has used up its share of the upcall, is left to the VM's
 * thread, which does the same with it.
 *
 * At any time a request has one owner and only that one completes it, see slot.c:
 * nothing is completed twice and nothing is lost when client or VM go away. The
 * upcall comes to one CPU only, vCPU 0 of the Service VM, so that it never meets
 * itself.
 */
#include <linux/bits.h>
#include <linux/mm.h>
#include <asm/tsc.h>

#include "hsm.h"
#include "pci_conf.h"
#include "trace.h"

/*
 * Record how long a doorbell took; its vCPU has just been told to resume. @upcall_start
 * is when the upcall began that took the request, in cycles of the TSC.
 */
static void measure_doorbell(struct acrn_vm *vm, u64 upcall_start)
{
	if (static_branch_unlikely(&acrn_latency_key))
		acrn_latency_add(vm, get_cycles() - upcall_start);
}

/* The request in @vcpu's slot is complete: have the vCPU resume. Any context. */
static void resume_vcpu(struct acrn_vm *vm, unsigned int vcpu)
{
	acrn_wake_vcpu(vm, vcpu);
	trace_acrn_complete(vm->vmid, vcpu);
}

/* A doorbell has been signalled. @rung counts those. */
static void complete_doorbell(struct acrn_vm *vm, unsigned int vcpu, u64 *rung)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_slot_request *request = &io->requests[vcpu];
	u64 upcall_start = request->upcall_start;

	trace_acrn_doorbell(vm->vmid, vcpu, request->write, &request->access);
	acrn_slot_complete(&io->slots[vcpu], request);
	resume_vcpu(vm, vcpu);
	acrn_stats_inc(rung);
	measure_doorbell(vm, upcall_start);
}

/*
 * Hand a request to the client, or answer it. When there is no client there is no
 * device: as on a bus, a read gives all ones and a write is lost, and the guest
 * goes on. False when it is with the client.
 */
static bool pass_or_answer(struct acrn_vm *vm, unsigned int vcpu)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_slot_request *request = &io->requests[vcpu];
	u64 value = ACRN_UNCLAIMED;
	struct acrn_pci_register reg;

	lockdep_assert_held(&io->lock);
	switch (acrn_pci_conf_access(&io->pci_conf_address,
				     &request->access, request->write, &reg)) {
	case ACRN_PCI_CONF_DONE:
		value = request->access.value;
		break;
	case ACRN_PCI_CONF_REGISTER:
		if (acrn_client_pass(vm, vcpu, &reg))
			return false;
		break;
	case ACRN_PCI_CONF_PASS:
		if (acrn_client_pass(vm, vcpu, NULL))
			return false;
		break;
	}
	acrn_stats_inc(&vm->stats.requests_kernel);
	acrn_slot_answer(&io->slots[vcpu], request, value);
	return true;
}

/* A request that is no doorbell. */
static void serve_access(struct acrn_vm *vm, unsigned int vcpu)
{
	struct acrn_vm_io *io = &vm->io;
	unsigned long flags;
	bool answered;

	spin_lock_irqsave(&io->lock, flags);
	answered = pass_or_answer(vm, vcpu);
	spin_unlock_irqrestore(&io->lock, flags);
	if (answered)
		resume_vcpu(vm, vcpu);
}

/*
 * Deal with a request; @rung counts doorbells. False when that is not for this
 * context, or the guest rang before and that has not been signalled: the device
 * model sees what a guest does in this order. Otherwise the request is not the
 * caller's any more.
 */
static bool serve_request(struct acrn_vm *vm, unsigned int vcpu, u64 *rung)
{
	switch (acrn_dataplane_doorbell(vm, &vm->io.requests[vcpu])) {
	case ACRN_DOORBELL_RUNG:
		complete_doorbell(vm, vcpu, rung);
		return true;
	case ACRN_DOORBELL_LATER:
		return false;
	case ACRN_DOORBELL_NONE:
		break;
	}
	if (acrn_async_waits(vm))
		return false;
	serve_access(vm, vcpu);
	return true;
}

/* Leave a request of the upcall's to the VM's thread. */
static void defer_request(struct acrn_vm *vm, unsigned int vcpu)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_slot_request *request = &io->requests[vcpu];

	trace_acrn_defer(vm->vmid, vcpu, request->write, &request->access);
	acrn_slot_defer(&io->slots[vcpu], request);
	acrn_thread_kick(vm);
}

/*
 * Take a VM's pending requests, and leave those to its thread that are not for
 * this context, or with @defer all. Returns how many there were. On the upcall's
 * CPU in hard-IRQ context, or with interrupts off.
 */
static unsigned int take_requests(struct acrn_vm *vm, u64 start, bool defer)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_slot_request *request = io->requests;
	unsigned int vcpu, taken = 0;

	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++, request++) {
		if (!acrn_slot_take(&io->slots[vcpu], request))
			continue;
		taken++;
		request->upcall_start = start;
		if (defer || !serve_request(vm, vcpu, &vm->stats.doorbells))
			defer_request(vm, vcpu);
	}
	return taken;
}

/**
 * acrn_ioreq_upcall() - Deal with a VM's pending requests
 * @vm:		The VM
 * @start:	When the upcall began, in cycles of the TSC
 * @defer:	Leave all of them to the VM's thread
 * @paused:	The VM has used up its share, for the statistics
 *
 * Hot path. Hard-IRQ context of the upcall.
 */
void acrn_ioreq_upcall(struct acrn_vm *vm, u64 start, bool defer, bool paused)
{
	u64 *counter = &vm->stats.requests_overload;
	unsigned int taken;

	/* The locks of eventfds and clients sleep there. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		defer = true;
	taken = take_requests(vm, start, defer);
	if (paused)
		WRITE_ONCE(*counter, *counter + taken);
}

/*
 * Leave all of a VM's pending requests to its thread. In hard-IRQ context on the
 * upcall's CPU, or with interrupts off.
 */
void acrn_ioreq_defer_all(struct acrn_vm *vm)
{
	take_requests(vm, get_cycles(), true);
}

/*
 * A request of the thread's. Of the guest's other vCPUs there may always be another
 * ring; those that came before the request are gone after one drain.
 */
static void serve_deferred(struct acrn_vm *vm, unsigned int vcpu)
{
	u64 *rung = &vm->stats.doorbells_deferred;

	acrn_async_drain(vm);
	if (!serve_request(vm, vcpu, rung))
		serve_access(vm, vcpu);
}

/*
 * Deal with what has been left to @vm's thread so far, as the thread or instead of
 * it. When this returns all of it is done, as nobody sleeps with the lock: nobody
 * waits for a thread that does not get to run. Process context.
 */
void acrn_ioreq_serve(struct acrn_vm *vm)
{
	struct acrn_vm_io *io = &vm->io;
	unsigned int vcpu;

	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++) {
		spin_lock(&io->deferred_lock);
		/* Pairs with acrn_slot_defer(). */
		if (smp_load_acquire(&io->requests[vcpu].owner) ==
		    ACRN_OWNER_THREAD)
			serve_deferred(vm, vcpu);
		spin_unlock(&io->deferred_lock);
	}
}

/*
 * The vCPUs of a paused VM that have been stopped while they polled for the
 * completion of a request: their slots are not free. Whether a vCPU polls is what
 * the hypervisor wrote to its slot: on ACRN a VM whose number an earlier VM had
 * that was created to poll does so as well, whatever it was created for. A device
 * model that writes there has its own VM's next request refused.
 */
unsigned long acrn_ioreq_polling(struct acrn_vm *vm)
{
	unsigned long polling = 0;
	unsigned int vcpu;

	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++) {
		const struct acrn_io_request *slot = &vm->io.slots[vcpu];

		if (READ_ONCE(slot->completion_polling) &&
		    READ_ONCE(slot->processed) != ACRN_IOREQ_STATE_FREE)
			__set_bit(vcpu, &polling);
	}
	return polling;
}

/*
 * The hypervisor has reset the VM and freed all slots: drop what the client has
 * not answered. The VM does not run and the caller has flushed.
 *
 * A reset does not take the vCPUs @polling out of ACRN's loop: when they are
 * started, they go on polling, now free slots, so these are completed once more
 * for them to begin anew.
 */
void acrn_ioreq_reset(struct acrn_vm *vm, unsigned long polling)
{
	struct acrn_vm_io *io = &vm->io;
	unsigned int vcpu;

	io->pci_conf_address = 0;
	for_each_set_bit(vcpu, &polling, ACRN_IO_REQUEST_MAX)
		WRITE_ONCE(io->slots[vcpu].processed,
			   ACRN_IOREQ_STATE_COMPLETE);
	acrn_client_reset(vm);
}

/*
 * Pin the I/O request page, which is at @user_address of the caller. -EINVAL
 * when that is not aligned to a page, -EFAULT when there is none. A former VM may
 * have used it: the hypervisor frees all slots, but never clears
 * completion_polling.
 */
int acrn_ioreq_init(struct acrn_vm_io *io, u64 user_address)
{
	unsigned int slot;
	int ret;

	ret = acrn_pin_page(user_address, &io->page);
	if (ret)
		return ret;
	io->slots = page_address(io->page);
	for (slot = 0; slot < ACRN_IO_REQUEST_MAX; slot++)
		WRITE_ONCE(io->slots[slot].completion_polling, 0);
	spin_lock_init(&io->deferred_lock);
	spin_lock_init(&io->lock);
	return 0;
}

/*
 * Nothing uses @io any more. The page stays pinned unless @unpin: a VM
 * that cannot be destroyed still writes to it.
 */
void acrn_ioreq_deinit(struct acrn_vm_io *io, bool unpin)
{
	if (unpin)
		unpin_user_pages_dirty_lock(&io->page, 1, true);
}
