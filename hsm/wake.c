// SPDX-License-Identifier: GPL-2.0
/*
 * What wakes a vCPU: the notification that its I/O request is complete, and
 * interrupts. The state of the VM decides whether they are sent:
 *
 *	state			notifications	interrupts
 *	created or reset	held back	sent
 *	running			sent		sent
 *	paused, destroyed	held back	held back
 *
 * PAUSE_VM puts the vCPUs to sleep, but ACRN lets a notification wake one that
 * waits for an I/O request, and an interrupt one that has halted. Such a vCPU
 * enters the guest again without a look at the state of its VM, and when the VM is
 * destroyed under it, the hypervisor stops. Therefore nothing is sent from before
 * PAUSE_VM on.
 *
 * Nothing is lost by that: ACRN starts a VM only after its creation or a reset,
 * and both forget all requests and interrupts. What is due is held back for the
 * case that the hypervisor refuses to pause the VM, which then runs on: a
 * notification in &acrn_vm.held, an MSI by the irqfd that it is from. An interrupt
 * that a device model asks for by ioctl is dropped instead: no ioctl runs while
 * the VM may turn out not to be paused.
 *
 * The upcall, the VM's thread and whoever injects MSIs hold no lock. They look at
 * the state and make their hypercall with interrupts off, and
 * acrn_wake_set_state() waits until every CPU has had interrupts on.
 */
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "acrn_hypercall.h"
#include "hsm.h"
#include "trace.h"

/**
 * struct msi_argument - Argument of the hypercall that injects an MSI
 * @msi:	Address and data
 *
 * The hypercall takes its argument from the linear map, where the stack may not
 * be, and the hot path must not allocate memory. So each CPU has its own argument,
 * and uses it with interrupts off.
 */
struct msi_argument {
	struct acrn_msi_entry msi;
} ____cacheline_aligned;

/* One for each CPU. The pointer is constant while the module is loaded */
static struct msi_argument *msi_arguments;

/**
 * acrn_wake_init() - Allocate what interrupts need
 *
 * Context: Process context, when the module is loaded.
 * Return: 0 or -ENOMEM
 */
int acrn_wake_init(void)
{
	msi_arguments = kcalloc(nr_cpu_ids, sizeof(*msi_arguments), GFP_KERNEL);
	return msi_arguments ? 0 : -ENOMEM;
}

/**
 * acrn_wake_deinit() - Undo acrn_wake_init()
 *
 * Context: Process context. There is no VM any more.
 */
void acrn_wake_deinit(void)
{
	kfree(msi_arguments);
}

/**
 * acrn_wake_set_state() - Change the state of a VM
 * @vm:		VM
 * @state:	New state
 *
 * When this returns, no CPU sends anything on account of the former state.
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held for writing,
 *	    or no ioctl can reach the VM.
 */
void acrn_wake_set_state(struct acrn_vm *vm, enum acrn_vm_state state)
{
	WRITE_ONCE(vm->state, state);
	kick_all_cpus_sync();
}

/**
 * acrn_wake_vcpu() - Let a vCPU continue, as its I/O request is complete
 * @vm:		VM
 * @vcpu:	One of its vCPUs
 *
 * A vCPU that polls its slot continues by itself. Hot path.
 *
 * Context: The upcall or process context. Takes no lock; reads the state of the
 *	    VM with interrupts off.
 * Return: 0, also when the notification is held back, or the hypervisor's errno
 */
int acrn_wake_vcpu(struct acrn_vm *vm, unsigned int vcpu)
{
	unsigned long flags;
	int ret = 0;

	if (vm->polling)
		return 0;
	local_irq_save(flags);
	if (READ_ONCE(vm->state) == ACRN_VM_RUNNING)
		ret = acrn_hc_notify_request_finish(vm->vmid, vcpu);
	else
		set_bit(vcpu, &vm->held);
	local_irq_restore(flags);
	return ret;
}

/**
 * acrn_wake_held() - Send the notifications that were held back
 * @vm:	VM, whose state is ACRN_VM_RUNNING again
 *
 * Context: Process context. &struct acrn_file.lock is held for writing, or no
 *	    ioctl can reach the VM.
 */
void acrn_wake_held(struct acrn_vm *vm)
{
	unsigned long vcpus = xchg(&vm->held, 0);
	unsigned int vcpu;

	for_each_set_bit(vcpu, &vcpus, ACRN_IO_REQUEST_MAX)
		acrn_wake_vcpu(vm, vcpu);
}

/**
 * acrn_wake_forget_held() - Drop the notifications that were held back
 * @vm:	VM, which was reset
 *
 * Context: Process context. No request of the VM is left that could complete.
 */
void acrn_wake_forget_held(struct acrn_vm *vm)
{
	vm->held = 0;
}

/*
 * Whether the state of the VM lets interrupts through. Hot path, any context but
 * NMI; takes no lock. Interrupts are off, and stay so until the interrupt has
 * been sent.
 */
static bool takes_interrupts(const struct acrn_vm *vm)
{
	lockdep_assert_irqs_disabled();
	switch (READ_ONCE(vm->state)) {
	case ACRN_VM_CREATED:
	case ACRN_VM_RUNNING:
		return true;
	default:
		return false;
	}
}

/*
 * Make the hypercall that injects an MSI. Hot path, any context; interrupts are
 * off, so that nobody else uses the argument of this CPU.
 */
static int inject(struct acrn_vm *vm, u64 addr, u64 data)
{
	struct acrn_msi_entry *msi = &msi_arguments[smp_processor_id()].msi;

	msi->msi_addr = addr;
	msi->msi_data = data;
	return acrn_hc_inject_msi(vm->vmid, msi);
}

/**
 * acrn_hsm_inject_msi() - Deliver a message signalled interrupt to a User VM
 * @vm:		User VM
 * @addr:	MSI address as the guest programmed it
 * @data:	MSI data as the guest programmed it
 *
 * Hot path.
 *
 * Context: Any but NMI: the context of whoever signals the irqfd. Takes no
 *	    lock; reads the state of the VM with interrupts off.
 * Return: 0; -EAGAIN when the VM is paused and the MSI was not sent; or the
 *	   hypervisor's negative errno
 */
int acrn_hsm_inject_msi(struct acrn_vm *vm, u64 addr, u64 data)
{
	unsigned long flags;
	int ret = -EAGAIN;

	local_irq_save(flags);
	if (takes_interrupts(vm))
		ret = inject(vm, addr, data);
	local_irq_restore(flags);
	if (ret == -EAGAIN)
		return ret;

	atomic64_inc(ret ? &vm->stats.msis_failed : &vm->stats.msis);
	trace_acrn_msi(vm->vmid, addr, data, ret);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(acrn_hsm_inject_msi, ACRN_HSM);

/**
 * acrn_wake_irqline() - ACRN_IOCTL_SET_IRQLINE
 * @vm:		VM
 * @line:	&struct acrn_irqline in eight bytes
 *
 * A line of a VM that is paused is not driven: the reset that has to follow resets
 * the interrupt controllers of the VM.
 *
 * Context: Process context, in an ioctl with &struct acrn_file.lock held.
 *	    Several calls may run at a time.
 * Return: 0 or the hypervisor's errno
 */
int acrn_wake_irqline(struct acrn_vm *vm, u64 line)
{
	unsigned long flags;
	int ret = 0;

	local_irq_save(flags);
	if (takes_interrupts(vm))
		ret = acrn_hc_set_irqline(vm->vmid, line);
	local_irq_restore(flags);
	return ret;
}
