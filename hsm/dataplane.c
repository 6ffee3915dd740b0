// SPDX-License-Identifier: GPL-2.0
/*
 * The data plane is another module, acrn_vhost.ko. It is loaded when a device
 * model first asks for an ioeventfd or an irqfd, and each VM that uses it holds
 * a reference to it until the VM is destroyed.
 *
 * registration_lock guards which module is the data plane, and &struct
 * acrn_dataplane.lock makes it be attached to a VM once. After that the
 * functions of the data plane are constant for the VM, and are called without a
 * lock. All functions here run in process context, but for
 * acrn_dataplane_doorbell(), its is_doorbell_like(), and acrn_dataplane_ring(),
 * which the upcall calls as well.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "hsm.h"

/* Functions of the registered data plane, or NULL; under registration_lock */
static const struct acrn_dataplane_ops *registered;
static DEFINE_MUTEX(registration_lock);

/**
 * acrn_hsm_register_dataplane() - Register the data plane
 * @ops:	Its functions, which must stay until it is unregistered
 *
 * Context: Process context, may sleep. Takes registration_lock.
 * Return: 0, or -EBUSY when there is a data plane already
 */
int acrn_hsm_register_dataplane(const struct acrn_dataplane_ops *ops)
{
	int ret = 0;

	mutex_lock(&registration_lock);
	if (registered)
		ret = -EBUSY;
	else
		registered = ops;
	mutex_unlock(&registration_lock);
	return ret;
}
EXPORT_SYMBOL_NS_GPL(acrn_hsm_register_dataplane, ACRN_HSM);

/**
 * acrn_hsm_unregister_dataplane() - Undo acrn_hsm_register_dataplane()
 * @ops:	Functions that were registered
 *
 * Context: Process context, may sleep. The module that owns @ops is being
 *	    unloaded, so no VM uses it.
 */
void acrn_hsm_unregister_dataplane(const struct acrn_dataplane_ops *ops)
{
	mutex_lock(&registration_lock);
	if (registered == ops)
		registered = NULL;
	mutex_unlock(&registration_lock);
}
EXPORT_SYMBOL_NS_GPL(acrn_hsm_unregister_dataplane, ACRN_HSM);

/*
 * The registered functions with a reference to their module, or NULL. In an
 * ioctl, may sleep; takes registration_lock.
 */
static const struct acrn_dataplane_ops *get_registered(void)
{
	const struct acrn_dataplane_ops *ops;

	mutex_lock(&registration_lock);
	ops = registered;
	if (ops && !try_module_get(ops->owner))
		ops = NULL;
	mutex_unlock(&registration_lock);
	return ops;
}

/**
 * struct loader - Loads the module of the data plane
 * @work:	Runs modprobe. A workqueue does so, for two reasons: only one
 *		modprobe runs at a time, since some return at once when another
 *		is loading the module; and it runs to its end although whoever
 *		asked may be killed
 * @lock:	Guards @last_ticket and @done_ticket
 * @last_ticket: Number of times that somebody has asked for the module
 * @done_ticket: Of these, the last one before the last attempt that has ended began
 * @wait:	Where those wait who have asked
 */
static struct loader {
	struct work_struct work;
	spinlock_t lock;	/* last_ticket, done_ticket */
	u64 last_ticket;
	u64 done_ticket;
	wait_queue_head_t wait;
} loader;

/* Whether there is a data plane at this moment. May sleep. */
static bool is_registered(void)
{
	bool is;

	mutex_lock(&registration_lock);
	is = registered;
	mutex_unlock(&registration_lock);
	return is;
}

/*
 * Run modprobe, and wake those who asked before it began. Runs in a workqueue,
 * sleeps; holds the lock of the loader only to read and write the tickets.
 */
static void load_work(struct work_struct *work)
{
	u64 ticket;

	spin_lock(&loader.lock);
	ticket = loader.last_ticket;
	spin_unlock(&loader.lock);

	if (!is_registered())
		request_module("acrn_vhost");

	spin_lock(&loader.lock);
	loader.done_ticket = ticket;
	spin_unlock(&loader.lock);
	wake_up_all(&loader.wait);
}

static struct loader loader = {
	.work = __WORK_INITIALIZER(loader.work, load_work),
	.lock = __SPIN_LOCK_UNLOCKED(loader.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(loader.wait),
};

/*
 * Ask for the module. Returns the ticket to wait for. Takes the loader's lock.
 */
static u64 queue_load(void)
{
	u64 ticket;

	spin_lock(&loader.lock);
	ticket = ++loader.last_ticket;
	spin_unlock(&loader.lock);
	/* Queued again if it is running, as that attempt began before. */
	queue_work(system_unbound_wq, &loader.work);
	return ticket;
}

/**
 * acrn_dataplane_load() - Load the module of the data plane, if there is none yet
 *
 * Context: Process context, may sleep for as long as modprobe takes. No lock
 *	    is held.
 * Return: 0, also when there is no such module; -EINTR when the caller was killed
 */
int acrn_dataplane_load(void)
{
	u64 ticket;

	if (is_registered())
		return 0;
	ticket = queue_load();
	return wait_event_killable(loader.wait,
				   READ_ONCE(loader.done_ticket) >= ticket) ?
	       -EINTR : 0;
}

/**
 * acrn_dataplane_exit() - Wait for modprobe
 *
 * It may still run for somebody who was killed.
 *
 * Context: Process context, may sleep. /dev/acrn_hsm cannot be opened any more.
 */
void acrn_dataplane_exit(void)
{
	flush_work(&loader.work);
}

/*
 * Attach the data plane to a VM, unless it is. In an ioctl, may sleep. &struct
 * acrn_dataplane.lock is held, so that it is done once.
 */
static int attach_locked(struct acrn_vm *vm)
{
	struct acrn_dataplane *dataplane = &vm->dataplane;
	const struct acrn_dataplane_ops *ops;
	void *data;

	lockdep_assert_held(&dataplane->lock);
	if (dataplane->ops)
		return 0;
	ops = get_registered();
	if (!ops)
		return -EOPNOTSUPP;
	data = ops->attach(vm);
	if (IS_ERR(data)) {
		module_put(ops->owner);
		return PTR_ERR(data);
	}
	dataplane->data = data;
	/* Pairs with attached_ops(): the upcall may use both from here on. */
	smp_store_release(&dataplane->ops, ops);
	return 0;
}

/*
 * Functions of the data plane; NULL before it is attached, constant afterwards.
 * Hot path, any context, no lock needed.
 */
static const struct acrn_dataplane_ops *
attached_ops(const struct acrn_dataplane *dataplane)
{
	/* Pairs with attach_locked(). */
	return smp_load_acquire(&dataplane->ops);
}

/*
 * Attach the data plane to a VM, unless it is. In an ioctl, may sleep; takes
 * &struct acrn_dataplane.lock only if it is not attached yet.
 */
static int attach(struct acrn_vm *vm)
{
	struct acrn_dataplane *dataplane = &vm->dataplane;
	int ret;

	if (attached_ops(dataplane))
		return 0;
	ret = mutex_lock_killable(&dataplane->lock);
	if (ret)
		return ret;
	ret = attach_locked(vm);
	mutex_unlock(&dataplane->lock);
	return ret;
}

/**
 * acrn_dataplane_init() - Begin with a VM that no data plane is attached to
 * @dataplane:	The VM's part of it, zeroed
 *
 * Context: Process context. Nobody else has the VM yet.
 */
void acrn_dataplane_init(struct acrn_dataplane *dataplane)
{
	mutex_init(&dataplane->lock);
}

/**
 * acrn_dataplane_detach() - Detach the data plane from a VM, if it is attached
 * @dataplane:	The VM's part of it
 *
 * Context: Process context, may sleep. The upcall does not look at the VM any
 *	    more, its thread has ended, and no ioctl is using the VM.
 */
void acrn_dataplane_detach(struct acrn_dataplane *dataplane)
{
	const struct acrn_dataplane_ops *ops = dataplane->ops;

	if (!ops)
		return;
	ops->detach(dataplane->data);
	dataplane->ops = NULL;
	module_put(ops->owner);
}

/**
 * acrn_dataplane_ioeventfd() - ACRN_IOCTL_IOEVENTFD
 * @vm:		VM
 * @args:	From user space, not trusted
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held, so that
 *	    the VM stays; several calls may run at a time.
 * Return: 0; -EOPNOTSUPP when there is no data plane; -EINTR when the caller
 *	   was killed; or the errno of &acrn_dataplane_ops.attach or
 *	   &acrn_dataplane_ops.ioeventfd
 */
int acrn_dataplane_ioeventfd(struct acrn_vm *vm,
			     const struct acrn_ioeventfd *args)
{
	struct acrn_dataplane *dataplane = &vm->dataplane;
	int ret;

	ret = attach(vm);
	if (ret)
		return ret;
	return attached_ops(dataplane)->ioeventfd(dataplane->data, args);
}

/**
 * acrn_dataplane_irqfd() - ACRN_IOCTL_IRQFD
 * @vm:		VM
 * @args:	From user space, not trusted
 *
 * Context: As acrn_dataplane_ioeventfd().
 * Return: as acrn_dataplane_ioeventfd(), but of &acrn_dataplane_ops.irqfd
 */
int acrn_dataplane_irqfd(struct acrn_vm *vm, const struct acrn_irqfd *args)
{
	struct acrn_dataplane *dataplane = &vm->dataplane;
	int ret;

	ret = attach(vm);
	if (ret)
		return ret;
	return attached_ops(dataplane)->irqfd(dataplane->data, args);
}

/**
 * acrn_dataplane_flush_held() - Deal with the MSIs that irqfds have held back
 * @vm:		VM, which was paused
 * @inject:	Inject them, as the VM runs on; otherwise drop them, as it was reset
 *
 * Context: Process context. &struct acrn_file.lock is held for writing, or no
 *	    ioctl can reach the VM.
 */
void acrn_dataplane_flush_held(struct acrn_vm *vm, bool inject)
{
	const struct acrn_dataplane_ops *ops = attached_ops(&vm->dataplane);

	if (ops)
		ops->flush_held(vm->dataplane.data, inject);
}

/*
 * Whether @request is a write to a port or an address, of a width that is
 * possible. Hot path, in the upcall or in process context; the caller owns the
 * request.
 */
static bool is_doorbell_like(const struct acrn_slot_request *request)
{
	const struct acrn_access *access = &request->access;

	if (!request->write)
		return false;
	switch (access->type) {
	case ACRN_IOREQ_TYPE_PORTIO:
	case ACRN_IOREQ_TYPE_MMIO:
		return access->size == 1 || access->size == 2 ||
		       access->size == 4 || access->size == 8;
	default:
		return false;
	}
}

/**
 * acrn_dataplane_doorbell() - Signal the doorbell that a request rings, if any
 * @vm:		VM
 * @request:	Request, which the caller owns
 *
 * Hot path.
 *
 * Context: The upcall, or the VM's thread or whoever acts for it; on PREEMPT_RT
 *	    not the upcall. No lock is needed; the thread holds &struct
 *	    acrn_vm_io.deferred_lock.
 * Return: what became of the request; one that has rung a doorbell is left to be
 *	   completed
 */
enum acrn_doorbell acrn_dataplane_doorbell(struct acrn_vm *vm,
					   const struct acrn_slot_request *request)
{
	const struct acrn_dataplane_ops *ops = attached_ops(&vm->dataplane);

	if (!ops || !is_doorbell_like(request))
		return ACRN_DOORBELL_NONE;
	return ops->doorbell(vm->dataplane.data, &request->access);
}

/**
 * acrn_dataplane_ring() - Signal an asynchronous doorbell
 * @vm:		VM
 * @doorbell:	As the data plane has passed it to acrn_hsm_async_assign()
 *
 * Hot path.
 *
 * Context: The upcall or process context; on PREEMPT_RT not the upcall. The
 *	    lock &acrn_async.lock is held, which keeps the doorbell from being
 *	    freed.
 * Return: false if the doorbell was not signalled, as that has to be done in
 *	   process context
 */
bool acrn_dataplane_ring(struct acrn_vm *vm, void *doorbell)
{
	return attached_ops(&vm->dataplane)->ring(vm->dataplane.data, doorbell);
}
