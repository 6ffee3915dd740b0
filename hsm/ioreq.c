// SPDX-License-Identifier: GPL-2.0
/*
 * An I/O request on its way from the slot, which the hypervisor has filled, to
 * whoever answers it.
 *
 * The upcall takes the request from the slot. If it rings a doorbell, the
 * upcall signals and completes it without a lock. Accesses to port 0xCF8 are
 * answered in the upcall as well, and every other request is passed to the
 * client. The upcall leaves a request to the VM's thread, which then does the
 * same with it, if it cannot be dealt with in hard-IRQ context or if the VM has
 * used up its share of the upcall.
 *
 * Every request has one owner at any time, and only the owner completes it, see
 * slot.c. So no request is completed twice, and none is lost when the client or the
 * VM goes away. The upcall comes to one CPU only, vCPU 0 of the Service VM, so that
 * no two upcalls run at a time.
 *
 * Contexts: take_requests() and what it calls run in the upcall in hard IRQ, or
 * between two upcalls with interrupts off on its CPU. serve_deferred() and what
 * it calls run in process context, in the VM's thread or in an ioctl that does
 * the thread's work, with &struct acrn_vm_io.deferred_lock held.
 * serve_request() and what it calls run in both; being the owner is what
 * entitles them to the slot and to the copy of the request. All other functions
 * are for an ioctl.
 */
#include <linux/bits.h>
#include <linux/mm.h>
#include <asm/tsc.h>

#include "hsm.h"
#include "pci_conf.h"
#include "trace.h"

/*
 * Record how long a doorbell took whose vCPU has just been told to resume. The
 * upcall that took the request began at @upcall_start, in cycles of the TSC. In
 * the upcall or in process context; the histogram is atomic.
 */
static void measure_doorbell(struct acrn_vm *vm, u64 upcall_start)
{
	if (static_branch_unlikely(&acrn_latency_key))
		acrn_latency_add(vm, get_cycles() - upcall_start);
}

/* Have @vcpu resume, as the request in its slot is complete. Any context. */
static void resume_vcpu(struct acrn_vm *vm, unsigned int vcpu)
{
	acrn_wake_vcpu(vm, vcpu);
	trace_acrn_complete(vm->vmid, vcpu);
}

/*
 * Complete a request whose doorbell has been signalled, and count it in
 * @counter. Hot path, in the upcall without a lock or in process context with
 * the deferred_lock held. The caller owns the request; acrn_slot_complete()
 * gives it back to the hypervisor.
 */
static void complete_doorbell(struct acrn_vm *vm, unsigned int vcpu,
			      u64 *counter)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_slot_request *request = &io->requests[vcpu];
	u64 upcall_start = request->upcall_start;

	trace_acrn_doorbell(vm->vmid, vcpu, request->write, &request->access);
	acrn_slot_complete(&io->slots[vcpu], request);
	resume_vcpu(vm, vcpu);
	acrn_stats_inc(counter);
	measure_doorbell(vm, upcall_start);
}

/*
 * Pass a request to the client, or answer it here. Without a client there is no
 * device: a read returns all ones and a write is lost, as on a bus, and the
 * guest continues. Returns true if the request was answered here. In the upcall
 * or in process context; &struct acrn_vm_io.lock is held, and the caller owns
 * the request.
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

/*
 * Deal with a request that rings no doorbell, which the caller owns. In the
 * upcall or in process context, but not in the upcall with PREEMPT_RT. Takes
 * &struct acrn_vm_io.lock with interrupts off.
 */
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
 * Deal with a request, and count it in @counter if it rings a doorbell. Returns
 * false if the request must wait for the VM's thread: its doorbell is not
 * signalled in this context, or the guest has rung an asynchronous doorbell
 * before that is not signalled yet, and the device model must see both in this
 * order. Otherwise the caller does not own the request any more. Hot path, in
 * the upcall or in process context.
 */
static bool serve_request(struct acrn_vm *vm, unsigned int vcpu, u64 *counter)
{
	switch (acrn_dataplane_doorbell(vm, &vm->io.requests[vcpu])) {
	case ACRN_DOORBELL_RUNG:
		complete_doorbell(vm, vcpu, counter);
		return true;
	case ACRN_DOORBELL_LATER:
		return false;
	case ACRN_DOORBELL_NONE:
		break;
	}
	if (acrn_async_pending(vm))
		return false;
	serve_access(vm, vcpu);
	return true;
}

/*
 * Leave a request that the upcall has taken, and so owns, to the VM's thread.
 * In the upcall, or on its CPU with interrupts off.
 */
static void defer_request(struct acrn_vm *vm, unsigned int vcpu)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_slot_request *request = &io->requests[vcpu];

	trace_acrn_defer(vm->vmid, vcpu, request->write, &request->access);
	acrn_slot_defer(&io->slots[vcpu], request);
	acrn_thread_kick(vm);
}

/*
 * Deal with the pending requests of a VM. Those that must wait for the VM's
 * thread are left to it, and all of them if @defer, or once the upcall, which has
 * begun at @start, takes long. Returns the number of requests. Called on the CPU
 * of the upcall, in hard-IRQ context or with interrupts off.
 */
static unsigned int take_requests(struct acrn_vm *vm, u64 start, bool defer)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_slot_request *request = io->requests;
	unsigned int vcpu, taken = 0;

	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++, request++) {
		if (!acrn_slot_take(&io->slots[vcpu], request))
			continue;
		if (taken++ && !defer)
			defer = acrn_share_is_long(start);
		request->upcall_start = start;
		if (defer || !serve_request(vm, vcpu, &vm->stats.doorbells))
			defer_request(vm, vcpu);
	}
	return taken;
}

/**
 * acrn_ioreq_upcall() - Deal with the pending requests of a VM
 * @vm:		VM
 * @start:	When the upcall began, in cycles of the TSC
 * @defer:	Leave all requests to the VM's thread
 * @paused:	The VM has used up its share: count the requests as such
 *
 * Hot path.
 *
 * Context: The upcall, hard IRQ.
 */
void acrn_ioreq_upcall(struct acrn_vm *vm, u64 start, bool defer, bool paused)
{
	u64 *counter = &vm->stats.requests_overload;
	unsigned int taken;

	/* The locks of eventfds and of the client's queue sleep there. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		defer = true;
	taken = take_requests(vm, start, defer);
	if (paused)
		WRITE_ONCE(*counter, *counter + taken);
}

/**
 * acrn_ioreq_defer_all() - Leave the pending requests of a VM to its thread
 * @vm:	VM
 *
 * Context: The CPU of the upcall, hard IRQ or interrupts off.
 */
void acrn_ioreq_defer_all(struct acrn_vm *vm)
{
	take_requests(vm, get_cycles(), true);
}

/*
 * Deal with a request that was left to the thread. All asynchronous doorbells
 * that the guest has rung before the request are signalled after one drain;
 * other vCPUs may go on ringing, and the request does not wait for those.
 * Process context; &struct acrn_vm_io.deferred_lock is held, which makes the
 * caller the owner.
 */
static void serve_deferred(struct acrn_vm *vm, unsigned int vcpu)
{
	acrn_async_drain(vm);
	if (!serve_request(vm, vcpu, &vm->stats.doorbells_deferred))
		serve_access(vm, vcpu);
}

/**
 * acrn_ioreq_serve() - Deal with the requests that were left to a VM's thread
 * @vm:	VM
 *
 * The thread calls this, and so does whoever needs the requests to be done with:
 * nobody waits for a thread that may not get a CPU. When this returns, all requests
 * that were left to the thread before are completed or with the client.
 *
 * Context: Process context, may sleep: the VM's thread or an ioctl. Takes &struct
 *	    acrn_vm_io.deferred_lock for one vCPU at a time.
 */
void acrn_ioreq_serve(struct acrn_vm *vm)
{
	struct acrn_vm_io *io = &vm->io;
	unsigned int vcpu;

	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++) {
		mutex_lock(&io->deferred_lock);
		/* Pairs with acrn_slot_defer(). */
		if (smp_load_acquire(&io->requests[vcpu].owner) ==
		    ACRN_OWNER_THREAD)
			serve_deferred(vm, vcpu);
		mutex_unlock(&io->deferred_lock);
	}
}

/**
 * acrn_ioreq_polling() - Find vCPUs that were paused while they polled a slot
 * @vm:	VM that is about to be reset. If it is not paused, the hypervisor
 *	refuses the reset, and the result is of no use
 *
 * The hypervisor says in the slot whether the vCPU polls. On ACRN this may be
 * so although the VM was not created to poll: when an earlier VM with the same
 * id was. A device model that forges the field makes the next request of its
 * own VM fail.
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held for
 *	    writing, so that no client answers; acrn_upcall_flush() has left
 *	    nothing to the upcall or the VM's thread. The slots are the device
 *	    model's memory as well, so each field is read once.
 * Return: a bit for each such vCPU, whose slot is not free
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

/**
 * acrn_ioreq_reset() - Forget the requests of a VM
 * @vm:		VM, which was reset: the hypervisor has freed all slots
 * @polling:	What acrn_ioreq_polling() has returned before the reset
 *
 * A reset does not end the loop in which a vCPU of ACRN polls its slot. When
 * the VM is started, the vCPU continues to poll, and the slot is free now. So
 * the slot is completed once more, which ends the loop.
 *
 * Context: Process context, &struct acrn_file.lock is held for writing. The VM
 *	    does not run and the upcall has been flushed, so nobody else deals
 *	    with its requests.
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

/**
 * acrn_ioreq_init() - Pin the I/O request page of a new VM
 * @io:			I/O requests, zeroed
 * @user_address:	User address of the page in the caller's memory
 *
 * An earlier VM may have used the page. The hypervisor frees all slots, but it
 * never clears completion_polling.
 *
 * Context: Process context, may sleep. Nobody else has the VM yet.
 * Return: 0 or the errno of acrn_pin_page()
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
	mutex_init(&io->deferred_lock);
	spin_lock_init(&io->lock);
	return 0;
}

/**
 * acrn_ioreq_deinit() - Undo acrn_ioreq_init()
 * @io:		I/O requests that nobody uses any more
 * @unpin:	False if the page must stay pinned: the VM could not be
 *		destroyed, and still writes to it
 *
 * Context: Process context, may sleep. Nobody else uses the VM any more.
 */
void acrn_ioreq_deinit(struct acrn_vm_io *io, bool unpin)
{
	if (unpin)
		unpin_user_pages_dirty_lock(&io->page, 1, true);
}
