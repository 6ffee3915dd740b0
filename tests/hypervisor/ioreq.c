// SPDX-License-Identifier: GPL-2.0
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "ioreq.h"
#include "log.h"
#include "mmio.h"
#include "sched.h"
#include "service_vm.h"
#include "vcpu.h"
#include "x86.h"

static struct acrn_io_request *slot_of(struct vcpu *vcpu)
{
	return &vcpu->vm->slots[vcpu->id];
}

/*
 * The vCPU's slot, or NULL with #GP injected if it is not free. The slot lies
 * in memory that the device model can write to at any time: each field is read
 * once, and nothing is believed.
 */
static struct acrn_io_request *take_slot(struct vcpu *vcpu)
{
	struct acrn_io_request *slot = slot_of(vcpu);
	u32 state = READ_ONCE(slot->processed);

	if (state == ACRN_IOREQ_STATE_FREE)
		return slot;
	hv_log_limited("vm %u: vCPU %u: ioreq slot in state %u", vcpu->vm->id,
		       vcpu->id, state);
	guest_inject_error(&vcpu->cpu, VECTOR_GP, 0);
	return NULL;
}

static void spin_until_complete(struct vcpu *vcpu)
{
	struct acrn_io_request *slot = slot_of(vcpu);

	vcpu->polls = true;
	while (READ_ONCE(slot->processed) != ACRN_IOREQ_STATE_COMPLETE)
		sched_spin(vcpu);
	vcpu->polls = false;
}

static void sleep_until_finished(struct vcpu *vcpu)
{
	sched_yield(vcpu);
	spin_lock(&vcpu->vm->lock);
	vcpu->ioreq_done = false;
	spin_unlock(&vcpu->vm->lock);
}

static void release(struct acrn_io_request *slot)
{
	smp_mb();
	WRITE_ONCE(slot->processed, ACRN_IOREQ_STATE_FREE);
}

/*
 * Whether the vCPU gets the answer in its slot. As on ACRN
 * (dm_emulate_io_complete()), one that was woken while its VM is paused goes on
 * without it.
 */
static bool takes_answer(struct vcpu *vcpu, struct acrn_io_request *slot)
{
	if (READ_ONCE(slot->processed) != ACRN_IOREQ_STATE_COMPLETE)
		return false;
	if (!READ_ONCE(vcpu->astray))
		return true;
	release(slot);
	return false;
}

/*
 * Hand a filled slot to the Service VM and wait. @wait is set before that, as
 * the request may be finished before this CPU gets to sleep.
 *
 * A notification lets the vCPU go on whether its request is complete or not.
 * Returns true if it is and the vCPU gets the answer. If it is not complete,
 * the slot stays as it is, as on ACRN.
 */
static bool send(struct vcpu *vcpu, struct acrn_io_request *slot, u64 *counter)
{
	struct vm *vm = vcpu->vm;

	/* As on ACRN, nothing clears the flag in the slot again. */
	if (vm->polling)
		slot->completion_polling = 1;
	slot->kernel_handled = 0;
	spin_lock(&vm->lock);
	(*counter)++;
	if (!vm->polling)
		vcpu->wait = VCPU_WAIT_IOREQ;
	spin_unlock(&vm->lock);

	smp_wmb();
	WRITE_ONCE(slot->processed, ACRN_IOREQ_STATE_PENDING);
	service_vm_upcall();
	if (vm->polling)
		spin_until_complete(vcpu);
	else
		sleep_until_finished(vcpu);
	return takes_answer(vcpu, slot);
}

int ioreq_pio(struct vcpu *vcpu, u16 port, u32 size, bool write, u32 *value)
{
	struct acrn_io_request *slot;
	struct acrn_pio_request *pio;

	if (asyncio_access(vcpu, ACRN_ASYNC_DOORBELL_PIO, port, *value))
		return 0;
	slot = take_slot(vcpu);
	if (!slot)
		return -EFAULT;
	slot->type = ACRN_IOREQ_TYPE_PORTIO;
	pio = &slot->reqs.pio_request;
	pio->direction = write ? ACRN_IOREQ_DIR_WRITE : ACRN_IOREQ_DIR_READ;
	pio->reserved = 0;
	pio->address = port;
	pio->size = size;
	pio->value = write ? *value : 0;
	if (write && port == PM1A_CONTROL_PORT && size == PM1A_CONTROL_SIZE &&
	    (*value & PM1A_SLEEP) == PM1A_SLEEP_S5)
		vm_poweroff(vcpu->vm);
	if (!send(vcpu, slot, &vcpu->vm->stats.pio))
		return 0;
	/*
	 * The value is at the same offset if the HSM made this a PCI request.
	 */
	if (!write)
		*value = READ_ONCE(pio->value);
	release(slot);
	return 0;
}

int ioreq_mmio(struct vcpu *vcpu, struct mmio_access *access)
{
	struct acrn_io_request *slot;
	struct acrn_mmio_request *mmio;

	if (asyncio_access(vcpu, ACRN_ASYNC_DOORBELL_MMIO, access->gpa,
			   access->value))
		return access->write ? 0 : -EINPROGRESS;
	slot = take_slot(vcpu);
	if (!slot)
		return -EFAULT;
	slot->type = ACRN_IOREQ_TYPE_MMIO;
	mmio = &slot->reqs.mmio_request;
	mmio->direction =
		access->write ? ACRN_IOREQ_DIR_WRITE : ACRN_IOREQ_DIR_READ;
	mmio->reserved = 0;
	mmio->address = access->gpa;
	mmio->size = access->size;
	mmio->value = access->write ? access->value : 0;
	if (!send(vcpu, slot, &vcpu->vm->stats.mmio))
		return 0;
	if (!access->write)
		access->value = READ_ONCE(mmio->value);
	release(slot);
	return 0;
}

void ioreq_poll_on(struct vcpu *vcpu)
{
	if (!vcpu->polls)
		return;
	spin_until_complete(vcpu);
	release(slot_of(vcpu));
}

/*
 * Let a vCPU go on after its request. As on ACRN, nothing but completion
 * polling makes a difference: a notification for a vCPU that does not wait is
 * kept, and the vCPU will not wait for its next request. VM's lock held.
 */
static void finish_request(struct vcpu *vcpu)
{
	struct vm_stats *stats = &vcpu->vm->stats;

	if (vcpu->wait == VCPU_WAIT_IOREQ && !vcpu->ioreq_done)
		stats->finished++;
	else
		stats->ignored++;
	if (vcpu->vm->polling)
		return;
	vcpu->ioreq_done = true;
	vcpu_kick(vcpu);
}

int ioreq_finish(struct vm *vm, u64 id)
{
	id = (u16)id;
	if (vm->realtime)
		return -EPERM;
	if (id >= vm->nr_vcpus || !vm->slots)
		return -EINVAL;
	spin_lock(&vm->lock);
	finish_request(vm->vcpus[id]);
	spin_unlock(&vm->lock);
	return 0;
}

/* PENDING is 0, so in a zeroed page every slot would be a pending request. */
void ioreq_free_slots(struct vm *vm)
{
	for (u32 i = 0; vm->slots && i < MAX_VCPUS; i++)
		WRITE_ONCE(vm->slots[i].processed, ACRN_IOREQ_STATE_FREE);
}
