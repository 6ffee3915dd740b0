// SPDX-License-Identifier: GPL-2.0
/*
 * The client is the device model in the part of the one that answers I/O requests.
 * It sleeps in ACRN_IOCTL_ATTACH_IOREQ_CLIENT until it has requests, writes the
 * answers to their slots, and reports each with ACRN_IOCTL_NOTIFY_REQUEST_FINISH. A
 * VM has one client at most.
 *
 * All functions here run in process context, in an ioctl, but for
 * acrn_client_pass(), by which the upcall or the VM's thread hands a request
 * over. &struct acrn_vm_io.lock guards the client, and which requests it has.
 * It is taken with interrupts off, as the upcall takes it in hard IRQ. The
 * structure itself is reference counted, since whoever waits holds no lock.
 */
#include <linux/bitops.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <asm/tsc.h>

#include "hsm.h"
#include "trace.h"

/* Free a client with its last reference, which may be that of whoever waits. */
static void client_free(struct kref *ref)
{
	kfree(container_of(ref, struct acrn_client, ref));
}

/**
 * acrn_client_put() - Drop a reference to a client
 * @client:	Client, freed with the last reference
 *
 * Context: Process context: an ioctl. No lock needed, as the count is atomic.
 */
void acrn_client_put(struct acrn_client *client)
{
	kref_put(&client->ref, client_free);
}

/**
 * acrn_client_create() - ACRN_IOCTL_CREATE_IOREQ_CLIENT
 * @vm:	VM
 *
 * Context: Process context: an ioctl with &struct acrn_file.lock held. Takes
 *	    &struct acrn_vm_io.lock.
 * Return: 0; -EEXIST when the VM has a client; -ENOMEM
 */
int acrn_client_create(struct acrn_vm *vm)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_client *client;
	int ret = 0;

	client = kzalloc(sizeof(*client), GFP_KERNEL);
	if (!client)
		return -ENOMEM;
	kref_init(&client->ref);
	init_waitqueue_head(&client->wait);

	spin_lock_irq(&io->lock);
	if (io->client)
		ret = -EEXIST;
	else
		io->client = client;
	spin_unlock_irq(&io->lock);
	if (ret)
		acrn_client_put(client);
	return ret;
}

/**
 * acrn_client_get() - Take a reference to the client of a VM
 * @vm:	VM
 *
 * Context: Process context: an ioctl with &struct acrn_file.lock held. Takes
 *	    &struct acrn_vm_io.lock.
 * Return: the client, for acrn_client_put(); NULL when the VM has none
 */
struct acrn_client *acrn_client_get(struct acrn_vm *vm)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_client *client;

	spin_lock_irq(&io->lock);
	client = io->client;
	if (client)
		kref_get(&client->ref);
	spin_unlock_irq(&io->lock);
	return client;
}

/**
 * acrn_client_wait() - Wait until a client has a request to answer
 * @client:	Client, of which the caller has a reference
 *
 * Context: Process context, no lock held.
 * Return: 0, also after a signal, since device models stop serving their VM upon
 *	   anything else; -ENODEV when the client was destroyed
 */
int acrn_client_wait(struct acrn_client *client)
{
	u64 start = get_cycles();

	acrn_poll(client, start);
	wait_event_interruptible(client->wait, acrn_client_has_news(client));
	acrn_poll_learn(client, start);
	return READ_ONCE(client->gone) ? -ENODEV : 0;
}

/**
 * acrn_client_pass() - Hand a request to the client
 * @vm:		VM
 * @vcpu:	vCPU that the request is from
 * @reg:	PCI configuration register that the request accesses, or NULL
 *		when it is handed over as it is
 *
 * Context: The upcall, or the VM's thread or whoever acts for it; on PREEMPT_RT
 *	    not the upcall. &struct acrn_vm_io.lock is held, and the caller owns
 *	    the request.
 * Return: true, upon which the client owns the request; false when there is no
 *	   client
 */
bool acrn_client_pass(struct acrn_vm *vm, unsigned int vcpu,
		      const struct acrn_pci_register *reg)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_client *client = io->client;

	lockdep_assert_held(&io->lock);
	if (!client)
		return false;
	acrn_slot_pass(&io->slots[vcpu], &io->requests[vcpu], reg);
	WRITE_ONCE(client->arrived, get_cycles());
	WRITE_ONCE(client->requests, client->requests + 1);
	acrn_stats_inc(&vm->stats.requests_client);
	if (READ_ONCE(client->polling))
		acrn_stats_inc(&vm->stats.requests_polled);
	/* Pairs with the wait queue: whoever goes to sleep there then looks again. */
	if (wq_has_sleeper(&client->wait))
		wake_up_interruptible(&client->wait);
	return true;
}

/*
 * Take the request of @vcpu from the client. False when the client has none. The
 * caller must change the owner of the request before it releases the lock.
 */
static bool take_back(struct acrn_vm_io *io, unsigned int vcpu)
{
	lockdep_assert_held(&io->lock);
	if (io->requests[vcpu].owner != ACRN_OWNER_CLIENT)
		return false;
	WRITE_ONCE(io->client->requests, io->client->requests - 1);
	return true;
}

/**
 * acrn_client_finish() - ACRN_IOCTL_NOTIFY_REQUEST_FINISH
 * @vm:		VM
 * @vcpu:	Number from user space of the vCPU whose request the client has
 *		answered
 *
 * Context: Process context: an ioctl with &struct acrn_file.lock held. Takes
 *	    &struct acrn_vm_io.lock.
 * Return: 0; -EINVAL when there is no such vCPU or the client has no request of it;
 *	   or the hypervisor's errno
 */
int acrn_client_finish(struct acrn_vm *vm, u32 vcpu)
{
	struct acrn_vm_io *io = &vm->io;
	bool had;
	int ret;

	if (vcpu >= vm->vcpu_num)
		return -EINVAL;
	vcpu = array_index_nospec(vcpu, vm->vcpu_num);
	spin_lock_irq(&io->lock);
	had = take_back(io, vcpu);
	if (had)
		acrn_slot_complete(&io->slots[vcpu],
				   &io->requests[vcpu]);
	spin_unlock_irq(&io->lock);
	if (!had)
		return -EINVAL;
	ret = acrn_wake_vcpu(vm, vcpu);
	trace_acrn_complete(vm->vmid, vcpu);
	return ret;
}

/*
 * Answer all requests that the client has: reads return all ones. Returns the vCPUs
 * that have to be notified. &struct acrn_vm_io.lock is held.
 */
static unsigned long answer_all(struct acrn_vm *vm)
{
	struct acrn_vm_io *io = &vm->io;
	unsigned long notify = 0;
	unsigned int vcpu;

	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++) {
		if (!take_back(io, vcpu))
			continue;
		acrn_slot_answer(&io->slots[vcpu], &io->requests[vcpu],
				 ACRN_UNCLAIMED);
		__set_bit(vcpu, &notify);
	}
	return notify;
}

/*
 * Have each vCPU in the mask @vcpus continue. Process context, no lock needed.
 */
static void notify_vcpus(struct acrn_vm *vm, unsigned long vcpus)
{
	unsigned int vcpu;

	for_each_set_bit(vcpu, &vcpus, ACRN_IO_REQUEST_MAX)
		acrn_wake_vcpu(vm, vcpu);
}

/**
 * acrn_client_clear() - Answer the requests that the client has not answered
 * @vm:	VM
 *
 * Reads return all ones, as on a bus where no device answers.
 *
 * Context: Process context: an ioctl with &struct acrn_file.lock held, or no
 *	    ioctl can reach the VM. Takes &struct acrn_vm_io.lock.
 */
void acrn_client_clear(struct acrn_vm *vm)
{
	unsigned long notify;

	spin_lock_irq(&vm->io.lock);
	notify = answer_all(vm);
	spin_unlock_irq(&vm->io.lock);
	notify_vcpus(vm, notify);
}

/**
 * acrn_client_destroy() - Remove the client of a VM, if it has one
 * @vm:	VM
 *
 * acrn_client_wait() returns -ENODEV to whoever waits for requests. Requests that
 * the client had not answered are answered as by acrn_client_clear().
 *
 * Context: As acrn_client_clear().
 */
void acrn_client_destroy(struct acrn_vm *vm)
{
	struct acrn_vm_io *io = &vm->io;
	struct acrn_client *client;
	unsigned long notify = 0;

	spin_lock_irq(&io->lock);
	client = io->client;
	if (client) {
		notify = answer_all(vm);
		WRITE_ONCE(client->gone, true);
		io->client = NULL;
	}
	spin_unlock_irq(&io->lock);
	if (!client)
		return;
	notify_vcpus(vm, notify);
	wake_up_interruptible_all(&client->wait);
	acrn_client_put(client);
}

/**
 * acrn_client_reset() - Forget the requests that the client has not answered
 * @vm:	VM, which was reset: the hypervisor has freed the slots
 *
 * Context: Process context. The upcall is not dealing with a request of the VM.
 */
void acrn_client_reset(struct acrn_vm *vm)
{
	struct acrn_vm_io *io = &vm->io;
	unsigned int vcpu;

	spin_lock_irq(&io->lock);
	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++)
		if (take_back(io, vcpu))
			/* As in acrn_slot_complete(), but the slot is free. */
			smp_store_release(&io->requests[vcpu].owner,
					  ACRN_OWNER_HYPERVISOR);
	spin_unlock_irq(&io->lock);
}
