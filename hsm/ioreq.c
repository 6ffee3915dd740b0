// SPDX-License-Identifier: GPL-2.0
/*
 * I/O requests, from the slot that the hypervisor filled to its completion.
 *
 * The upcall takes a request from its slot and offers it to the data plane: a
 * doorbell is completed there, without a lock. Everything else goes to the VM's
 * own work, which offers it once more, combines PCI configuration accesses and
 * hands the rest to the client in user space. At any time a request has one
 * owner and only that one completes it, so that nothing is completed twice and
 * nothing is lost when client or VM go away.
 *
 * The upcall comes to one CPU only, vCPU 0 of the Service VM, so that it never
 * meets itself. Against all others it is ordered by two words, the request's
 * owner and the slot's state:
 *
 *  - it takes a slot that is PENDING and whose owner is the hypervisor;
 *  - it marks a slot that it does not complete PROCESSING and handled by the
 *    kernel, so that it does not take it again and no client looks at it;
 *  - who completes a slot changes the owner before the state, as a vCPU that
 *    polls may raise its next request at once.
 */
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <asm/tsc.h>

#include "acrn_hypercall.h"
#include "hsm.h"
#include "pci_conf.h"
#include "trace.h"

/* What a read returns that nobody answers. */
static const u64 unclaimed = ~0ULL;

static struct workqueue_struct *ioreq_wq;

/* Each VM has its own work and any number of them may run: none waits. */
int acrn_ioreq_wq_create(void)
{
	ioreq_wq = alloc_workqueue("acrn_ioreq",
				   WQ_HIGHPRI | WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return ioreq_wq ? 0 : -ENOMEM;
}

void acrn_ioreq_wq_destroy(void)
{
	destroy_workqueue(ioreq_wq);
}

/* For counters that one context alone changes. */
static void count(u64 *counter)
{
	WRITE_ONCE(*counter, *counter + 1);
}

static struct acrn_vm *work_to_vm(struct work_struct *work)
{
	return container_of(work, struct acrn_vm, ioreqs.work);
}

/* PIO and PCI requests have 32 bits for a value, MMIO 64. */
static u64 slot_value(const struct acrn_io_request *slot, u32 type, u32 size)
{
	if (type == ACRN_IOREQ_TYPE_MMIO && size == 8)
		return READ_ONCE(slot->reqs.mmio_request.value);
	if (size < 4)
		return READ_ONCE(slot->reqs.pio_request.value) &
		       GENMASK(size * 8 - 1, 0);
	return READ_ONCE(slot->reqs.pio_request.value);
}

static void set_slot_value(struct acrn_io_request *slot, u32 type, u64 value)
{
	if (type == ACRN_IOREQ_TYPE_MMIO)
		WRITE_ONCE(slot->reqs.mmio_request.value, value);
	else
		WRITE_ONCE(slot->reqs.pio_request.value, (u32)value);
}

/*
 * Copy a slot, reading each field once. All types of request have direction,
 * address, size and value in the same places. A size that no access has
 * becomes 0, which nothing in the kernel handles.
 */
static void copy_request(struct acrn_ioreq *request,
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

/* Copy out a request that is the upcall's to deal with. False when none is. */
static bool take_request(struct acrn_ioreq *request,
			 const struct acrn_io_request *slot)
{
	/* The rest of the slot was written before its state. */
	if (smp_load_acquire(&slot->processed) != ACRN_IOREQ_STATE_PENDING)
		return false;
	/* A device model can pretend that a slot is pending. */
	if (smp_load_acquire(&request->owner) != ACRN_IOREQ_HYPERVISOR)
		return false;
	copy_request(request, slot);
	return true;
}

/*
 * A doorbell's vCPU has been let go on. @upcall is when the upcall began that
 * took it, in cycles of the TSC.
 */
static void measure_doorbell(struct acrn_vm *vm, u64 upcall)
{
	if (static_branch_unlikely(&acrn_latency_key))
		acrn_latency_add(vm, get_cycles() - upcall);
}

/* A doorbell has been rung in the upcall: let the vCPU go on. */
static void complete_doorbell(struct acrn_vm *vm, unsigned int vcpu,
			      const struct acrn_ioreq *request)
{
	struct acrn_io_request *slot = &vm->ioreqs.slots[vcpu];

	/* From here on the slot is the hypervisor's. */
	smp_store_release(&slot->processed, ACRN_IOREQ_STATE_COMPLETE);
	acrn_vm_notify(vm, vcpu);

	count(&vm->stats.doorbells);
	trace_acrn_complete(vm->vmid, vcpu);
	measure_doorbell(vm, request->upcall);
}

/* Have the VM's work run. Any context. */
void acrn_ioreq_queue(struct acrn_vm *vm)
{
	queue_work(ioreq_wq, &vm->ioreqs.work);
}

/* Leave a request to the VM's work. */
static void defer_request(struct acrn_vm *vm, unsigned int vcpu,
			  struct acrn_ioreq *request)
{
	struct acrn_ioreqs *ioreqs = &vm->ioreqs;
	struct acrn_io_request *slot = &ioreqs->slots[vcpu];

	trace_acrn_defer(vm->vmid, vcpu, request->write, &request->access);
	WRITE_ONCE(slot->kernel_handled, 1);
	/* A client looks at the state first. */
	smp_store_release(&slot->processed, ACRN_IOREQ_STATE_PROCESSING);
	/* Pairs with dispatch_request(): the copy is complete. */
	smp_store_release(&request->owner, ACRN_IOREQ_WORK);
	acrn_ioreq_queue(vm);
}

/* Any context. True when @request was a doorbell; it remains to complete it. */
static bool ring_doorbell(struct acrn_vm *vm, unsigned int vcpu,
			  const struct acrn_ioreq *request)
{
	if (!acrn_dataplane_doorbell(vm, request))
		return false;
	trace_acrn_doorbell(vm->vmid, vcpu, request->write, &request->access);
	return true;
}

/*
 * Take a VM's pending requests: complete those that are doorbells, and leave the
 * others, or with @defer all, to the VM's work. Returns how many there were. On
 * the upcall's CPU in hard-IRQ context, or with interrupts off.
 */
static unsigned int serve_requests(struct acrn_vm *vm, u64 start, bool defer)
{
	struct acrn_ioreqs *ioreqs = &vm->ioreqs;
	struct acrn_ioreq *request = ioreqs->requests;
	unsigned int vcpu, taken = 0;

	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++, request++) {
		if (!take_request(request, &ioreqs->slots[vcpu]))
			continue;
		taken++;
		request->upcall = start;
		if (!defer && ring_doorbell(vm, vcpu, request))
			complete_doorbell(vm, vcpu, request);
		else
			defer_request(vm, vcpu, request);
	}
	return taken;
}

/**
 * acrn_ioreq_upcall() - Deal with a VM's pending requests
 * @vm:		The VM
 * @start:	When the upcall began, in cycles of the TSC
 * @overload:	Leave all of them to the VM's work
 *
 * Hot path. Hard-IRQ context of the upcall, under RCU.
 */
void acrn_ioreq_upcall(struct acrn_vm *vm, u64 start, bool overload)
{
	u64 *counter = &vm->stats.requests_overload;
	unsigned int taken = serve_requests(vm, start, overload);

	if (overload)
		WRITE_ONCE(*counter, *counter + taken);
}

/*
 * Leave all of a VM's pending requests to its work. In hard-IRQ context on the
 * upcall's CPU, or with interrupts off.
 */
void acrn_ioreq_defer_all(struct acrn_vm *vm)
{
	serve_requests(vm, get_cycles(), true);
}

/*
 * Give a slot back whose request is the work's or the client's. @value is what
 * a read returns; NULL leaves what the slot holds. The vCPU is to be notified
 * once the lock is dropped.
 */
static void release_slot(struct acrn_ioreqs *ioreqs, unsigned int vcpu,
			 const u64 *value)
{
	struct acrn_ioreq *request = &ioreqs->requests[vcpu];
	struct acrn_io_request *slot = &ioreqs->slots[vcpu];

	lockdep_assert_held(&ioreqs->lock);
	if (value && !request->write)
		set_slot_value(slot, request->access.type, *value);
	if (READ_ONCE(request->owner) == ACRN_IOREQ_CLIENT)
		ioreqs->client->requests--;
	/* Pairs with take_request(): the copy is not used any more. */
	smp_store_release(&request->owner, ACRN_IOREQ_HYPERVISOR);
	/* From here on the slot, value included, is the hypervisor's. */
	smp_store_release(&slot->processed, ACRN_IOREQ_STATE_COMPLETE);
}

/*
 * Complete a request if @owner still has it. Process context.
 *
 * Return: 0, -EINVAL when the request is not @owner's, or what the hypervisor
 * said
 */
static int complete_request(struct acrn_vm *vm, unsigned int vcpu,
			    enum acrn_ioreq_owner owner, const u64 *value)
{
	struct acrn_ioreqs *ioreqs = &vm->ioreqs;
	int ret = -EINVAL;

	spin_lock(&ioreqs->lock);
	if (READ_ONCE(ioreqs->requests[vcpu].owner) == owner) {
		release_slot(ioreqs, vcpu, value);
		ret = 0;
	}
	spin_unlock(&ioreqs->lock);
	if (ret)
		return ret;

	ret = acrn_vm_notify(vm, vcpu);
	trace_acrn_complete(vm->vmid, vcpu);
	return ret;
}

/* Rewrite a slot to a request of type PCICFG; direction, size, value stay. */
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

/* Complete a request of the work's; a read gives @value. */
static void answer_request(struct acrn_vm *vm, unsigned int vcpu, u64 value)
{
	count(&vm->stats.requests_kernel);
	complete_request(vm, vcpu, ACRN_IOREQ_WORK, &value);
}

/*
 * Hand a request to the client, as an access to the PCI configuration register
 * @reg unless that is NULL. When there is no client there is no device: as on
 * a bus, a read gives all ones and a write is lost, and the guest goes on.
 */
static void pass_to_client(struct acrn_vm *vm, unsigned int vcpu,
			   const struct acrn_pci_register *reg)
{
	struct acrn_ioreqs *ioreqs = &vm->ioreqs;
	struct acrn_ioreq *request = &ioreqs->requests[vcpu];
	struct acrn_io_request *slot = &ioreqs->slots[vcpu];
	struct acrn_client *client;

	spin_lock(&ioreqs->lock);
	client = ioreqs->client;
	if (client) {
		kref_get(&client->ref);
		client->requests++;
		WRITE_ONCE(request->owner, ACRN_IOREQ_CLIENT);
		if (reg)
			set_slot_register(slot, reg);
		/* The client looks at this before the rest of the slot. */
		smp_store_release(&slot->kernel_handled, 0);
	}
	spin_unlock(&ioreqs->lock);

	if (!client) {
		answer_request(vm, vcpu, unclaimed);
		return;
	}
	count(&vm->stats.requests_client);
	wake_up_interruptible(&client->wait);
	acrn_client_put(client);
}

static void dispatch_request(struct acrn_vm *vm, unsigned int vcpu)
{
	struct acrn_ioreqs *ioreqs = &vm->ioreqs;
	struct acrn_ioreq *request = &ioreqs->requests[vcpu];
	struct acrn_pci_register reg;
	u64 upcall;

	/* Nobody else takes a request from the work. Pairs with the upcall. */
	if (smp_load_acquire(&request->owner) != ACRN_IOREQ_WORK)
		return;
	if (ring_doorbell(vm, vcpu, request)) {
		count(&vm->stats.doorbells_deferred);
		upcall = request->upcall;
		complete_request(vm, vcpu, ACRN_IOREQ_WORK, NULL);
		measure_doorbell(vm, upcall);
		return;
	}
	switch (acrn_pci_conf_access(&ioreqs->pci_conf_address,
				     &request->access, request->write, &reg)) {
	case ACRN_PCI_CONF_DONE:
		answer_request(vm, vcpu, request->access.value);
		break;
	case ACRN_PCI_CONF_REGISTER:
		pass_to_client(vm, vcpu, &reg);
		break;
	case ACRN_PCI_CONF_PASS:
		pass_to_client(vm, vcpu, NULL);
		break;
	}
}

/* Process context. Never runs twice at a time for a VM. */
static void ioreq_work(struct work_struct *work)
{
	struct acrn_vm *vm = work_to_vm(work);
	unsigned int vcpu;

	/* What a guest rang comes before what it asked for afterwards. */
	acrn_async_drain(vm);
	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++)
		dispatch_request(vm, vcpu);
}

/* Give back all slots that the client has. Returns the vCPUs to notify. */
static unsigned long release_client_slots(struct acrn_vm *vm)
{
	struct acrn_ioreqs *ioreqs = &vm->ioreqs;
	unsigned long notify = 0;
	unsigned int vcpu;

	lockdep_assert_held(&ioreqs->lock);
	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++) {
		if (READ_ONCE(ioreqs->requests[vcpu].owner) !=
		    ACRN_IOREQ_CLIENT)
			continue;
		release_slot(ioreqs, vcpu, &unclaimed);
		__set_bit(vcpu, &notify);
	}
	return notify;
}

static void notify_vcpus(struct acrn_vm *vm, unsigned long vcpus)
{
	unsigned int vcpu;

	for_each_set_bit(vcpu, &vcpus, ACRN_IO_REQUEST_MAX)
		acrn_vm_notify(vm, vcpu);
}

/*
 * Wait until what the hypervisor has handed over so far is signalled, completed
 * or with the client. May sleep.
 */
void acrn_ioreq_flush(struct acrn_vm *vm)
{
	acrn_async_drain(vm);
	acrn_upcall_flush(vm);
	flush_work(&vm->ioreqs.work);
}

/*
 * Complete all that is outstanding. Afterwards the data plane handles no
 * doorbell that was rung before, which is what a reset of devices waits for.
 * May sleep.
 */
void acrn_ioreq_clear(struct acrn_vm *vm)
{
	unsigned long notify;

	acrn_ioreq_flush(vm);
	spin_lock(&vm->ioreqs.lock);
	notify = release_client_slots(vm);
	spin_unlock(&vm->ioreqs.lock);
	notify_vcpus(vm, notify);
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
		const struct acrn_io_request *slot = &vm->ioreqs.slots[vcpu];

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
	struct acrn_ioreqs *ioreqs = &vm->ioreqs;
	unsigned int vcpu;

	ioreqs->pci_conf_address = 0;
	for_each_set_bit(vcpu, &polling, ACRN_IO_REQUEST_MAX)
		WRITE_ONCE(ioreqs->slots[vcpu].processed,
			   ACRN_IOREQ_STATE_COMPLETE);
	spin_lock(&ioreqs->lock);
	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++)
		if (READ_ONCE(ioreqs->requests[vcpu].owner) ==
		    ACRN_IOREQ_CLIENT)
			/* As in release_slot(). */
			smp_store_release(&ioreqs->requests[vcpu].owner,
					  ACRN_IOREQ_HYPERVISOR);
	if (ioreqs->client)
		ioreqs->client->requests = 0;
	spin_unlock(&ioreqs->lock);
}

/*
 * ACRN_IOCTL_NOTIFY_REQUEST_FINISH: the client has answered. -EINVAL when there
 * is no such vCPU or it has no request with the client.
 */
int acrn_ioreq_notify(struct acrn_vm *vm, u32 vcpu)
{
	if (vcpu >= vm->vcpu_num)
		return -EINVAL;
	vcpu = array_index_nospec(vcpu, vm->vcpu_num);
	return complete_request(vm, vcpu, ACRN_IOREQ_CLIENT, NULL);
}

static void client_free(struct kref *ref)
{
	kfree(container_of(ref, struct acrn_client, ref));
}

void acrn_client_put(struct acrn_client *client)
{
	kref_put(&client->ref, client_free);
}

/* ACRN_IOCTL_CREATE_IOREQ_CLIENT. -EEXIST when there is one. */
int acrn_client_create(struct acrn_vm *vm)
{
	struct acrn_ioreqs *ioreqs = &vm->ioreqs;
	struct acrn_client *client;
	int ret = 0;

	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	kref_init(&client->ref);
	init_waitqueue_head(&client->wait);

	spin_lock(&ioreqs->lock);
	if (ioreqs->client)
		ret = -EEXIST;
	else
		ioreqs->client = client;
	spin_unlock(&ioreqs->lock);
	if (ret)
		acrn_client_put(client);
	return ret;
}

/* Whoever is attached gets -ENODEV; what it had not answered is completed. */
void acrn_client_destroy(struct acrn_vm *vm)
{
	struct acrn_ioreqs *ioreqs = &vm->ioreqs;
	struct acrn_client *client;
	unsigned long notify = 0;

	spin_lock(&ioreqs->lock);
	client = ioreqs->client;
	if (client) {
		notify = release_client_slots(vm);
		WRITE_ONCE(client->gone, true);
		ioreqs->client = NULL;
	}
	spin_unlock(&ioreqs->lock);
	if (!client)
		return;
	notify_vcpus(vm, notify);
	wake_up_interruptible_all(&client->wait);
	acrn_client_put(client);
}

/* The VM's client with a reference, or NULL. */
struct acrn_client *acrn_client_get(struct acrn_vm *vm)
{
	struct acrn_ioreqs *ioreqs = &vm->ioreqs;
	struct acrn_client *client;

	spin_lock(&ioreqs->lock);
	client = ioreqs->client;
	if (client)
		kref_get(&client->ref);
	spin_unlock(&ioreqs->lock);
	return client;
}

/*
 * Sleep until the client has something to answer. No lock held.
 *
 * Return: 0, also after a signal, since device models take anything else as
 * the end; -ENODEV once the client is gone
 */
int acrn_client_wait(struct acrn_client *client)
{
	wait_event_interruptible(client->wait, READ_ONCE(client->requests) ||
				 READ_ONCE(client->gone));
	return READ_ONCE(client->gone) ? -ENODEV : 0;
}

/*
 * Pin the I/O request page, which is at @user_address of the caller. -EINVAL
 * when that is not aligned to a page, -EFAULT when there is none. A former VM may
 * have used it: the hypervisor frees all slots, but never clears
 * completion_polling.
 */
int acrn_ioreq_init(struct acrn_ioreqs *ioreqs, u64 user_address)
{
	unsigned int slot;
	int ret;

	ret = acrn_pin_page(user_address, &ioreqs->page);
	if (ret)
		return ret;
	ioreqs->slots = page_address(ioreqs->page);
	for (slot = 0; slot < ACRN_IO_REQUEST_MAX; slot++)
		WRITE_ONCE(ioreqs->slots[slot].completion_polling, 0);
	spin_lock_init(&ioreqs->lock);
	INIT_WORK(&ioreqs->work, ioreq_work);
	return 0;
}

/*
 * Nothing uses @ioreqs any more. The page stays pinned unless @unpin: a VM
 * that cannot be destroyed still writes to it.
 */
void acrn_ioreq_deinit(struct acrn_ioreqs *ioreqs, bool unpin)
{
	if (unpin)
		unpin_user_pages_dirty_lock(&ioreqs->page, 1, true);
}
