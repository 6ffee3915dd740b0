// SPDX-License-Identifier: GPL-2.0
/*
 * The client: the device model, which answers the requests that the kernel does
 * not. It sleeps in ACRN_IOCTL_ATTACH_IOREQ_CLIENT until it has some, answers them
 * in their slots, and says so with ACRN_IOCTL_NOTIFY_REQUEST_FINISH. A VM has one
 * client at most.
 */
#include <linux/bitops.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "hsm.h"
#include "trace.h"

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

/* The VM's client with a reference, or NULL. */
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

/**
 * acrn_client_pass() - Hand a request to the client
 * @vm:		VM
 * @vcpu:	Whose request
 * @reg:	PCI configuration register that it is for, or NULL
 *
 * Context: Any, hard IRQ not with PREEMPT_RT; &struct acrn_vm_io.lock is held.
 *	    The caller owns the request.
 * Return: false when there is no client
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
	WRITE_ONCE(client->requests, client->requests + 1);
	acrn_stats_inc(&vm->stats.requests_client);
	wake_up_interruptible(&client->wait);
	return true;
}

/* Whether the client has a request of @vcpu's. It is forgotten then. */
static bool take_back(struct acrn_vm_io *io, unsigned int vcpu)
{
	lockdep_assert_held(&io->lock);
	if (io->requests[vcpu].owner != ACRN_OWNER_CLIENT)
		return false;
	WRITE_ONCE(io->client->requests, io->client->requests - 1);
	return true;
}

/*
 * ACRN_IOCTL_NOTIFY_REQUEST_FINISH: the client has answered. -EINVAL when there
 * is no such vCPU or it has no request with the client.
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

/* Answer all that the client has: reads give all ones. The vCPUs to notify. */
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

static void notify_vcpus(struct acrn_vm *vm, unsigned long vcpus)
{
	unsigned int vcpu;

	for_each_set_bit(vcpu, &vcpus, ACRN_IO_REQUEST_MAX)
		acrn_wake_vcpu(vm, vcpu);
}

/* Complete what the client has. Process context. */
void acrn_client_clear(struct acrn_vm *vm)
{
	unsigned long notify;

	spin_lock_irq(&vm->io.lock);
	notify = answer_all(vm);
	spin_unlock_irq(&vm->io.lock);
	notify_vcpus(vm, notify);
}

/* Whoever is attached gets -ENODEV; what it had not answered is completed. */
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

/*
 * The VM was reset: drop what the client has not answered. Process context; no
 * upcall has a request of the VM's.
 */
void acrn_client_reset(struct acrn_vm *vm)
{
	struct acrn_vm_io *io = &vm->io;
	unsigned int vcpu;

	spin_lock_irq(&io->lock);
	for (vcpu = 0; vcpu < vm->vcpu_num; vcpu++)
		if (take_back(io, vcpu))
			/* As in acrn_slot_complete(); the slot is free. */
			smp_store_release(&io->requests[vcpu].owner,
					  ACRN_OWNER_HYPERVISOR);
	spin_unlock_irq(&io->lock);
}
