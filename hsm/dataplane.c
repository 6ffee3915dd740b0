// SPDX-License-Identifier: GPL-2.0
/*
 * The data plane is another module, loaded when a device model first asks for
 * an ioeventfd or irqfd and pinned by each VM that uses it.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "hsm.h"

/* The one that is registered, or NULL. Guarded by registration_lock. */
static const struct acrn_dataplane_ops *registered;
static DEFINE_MUTEX(registration_lock);

/**
 * acrn_hsm_register_dataplane() - Offer to serve VMs
 * @ops:	What to call; must stay until unregistered
 *
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
 * acrn_hsm_unregister_dataplane() - Take the offer back
 * @ops:	As registered
 *
 * For the exit of the module that owns @ops, which implies that no VM uses it.
 */
void acrn_hsm_unregister_dataplane(const struct acrn_dataplane_ops *ops)
{
	mutex_lock(&registration_lock);
	if (registered == ops)
		registered = NULL;
	mutex_unlock(&registration_lock);
}
EXPORT_SYMBOL_NS_GPL(acrn_hsm_unregister_dataplane, ACRN_HSM);

/* NULL, or a reference to the data plane's module goes with the result. */
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
 * struct loader - Loads the data plane's module when somebody asks for it
 * @work:	Does it: once at a time and to the end, also when all who asked
 *		have been killed. While a module is being loaded, some modprobes
 *		take it for loaded and return at once.
 * @lock:	Guards @last_ticket and @done_ticket
 * @last_ticket: How often somebody asked
 * @done_ticket: Which of these came before the last attempt that has ended
 * @wait:	Where they wait
 */
static struct loader {
	struct work_struct work;
	spinlock_t lock;	/* last_ticket, done_ticket */
	u64 last_ticket;
	u64 done_ticket;
	wait_queue_head_t wait;
} loader;

static bool is_registered(void)
{
	bool is;

	mutex_lock(&registration_lock);
	is = registered;
	mutex_unlock(&registration_lock);
	return is;
}

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

static u64 queue_load(void)
{
	u64 ticket;

	spin_lock(&loader.lock);
	ticket = ++loader.last_ticket;
	spin_unlock(&loader.lock);
	/* Also when it runs: it may have begun before. */
	queue_work(system_unbound_wq, &loader.work);
	return ticket;
}

/*
 * Have the data plane loaded, if it can be. Called without a lock, as modprobe
 * takes its time.
 *
 * Return: 0, whether or not there is one then; -EINTR when killed
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

/* No file is open any more; who asked may have been killed. May sleep. */
void acrn_dataplane_exit(void)
{
	flush_work(&loader.work);
}

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
	/* Pairs with attached_ops(); the upcall may run right away. */
	smp_store_release(&dataplane->ops, ops);
	return 0;
}

/* NULL until the VM is attached, after that always the same. */
static const struct acrn_dataplane_ops *
attached_ops(const struct acrn_dataplane *dataplane)
{
	/* Pairs with attach_locked(). */
	return smp_load_acquire(&dataplane->ops);
}

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

void acrn_dataplane_init(struct acrn_dataplane *dataplane)
{
	mutex_init(&dataplane->lock);
}

/* The upcall no longer sees the VM, and no ioctl is under way. May sleep. */
void acrn_dataplane_detach(struct acrn_dataplane *dataplane)
{
	const struct acrn_dataplane_ops *ops = dataplane->ops;

	if (!ops)
		return;
	ops->detach(dataplane->data);
	dataplane->ops = NULL;
	module_put(ops->owner);
}

/* ACRN_IOCTL_IOEVENTFD. -EOPNOTSUPP when there is no data plane. */
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

/* ACRN_IOCTL_IRQFD. -EOPNOTSUPP when there is no data plane. */
int acrn_dataplane_irqfd(struct acrn_vm *vm, const struct acrn_irqfd *args)
{
	struct acrn_dataplane *dataplane = &vm->dataplane;
	int ret;

	ret = attach(vm);
	if (ret)
		return ret;
	return attached_ops(dataplane)->irqfd(dataplane->data, args);
}

/* What irqfds have held back is injected, or forgotten. Process context. */
void acrn_dataplane_flush_held(struct acrn_vm *vm, bool inject)
{
	const struct acrn_dataplane_ops *ops = attached_ops(&vm->dataplane);

	if (ops)
		ops->flush_held(vm->dataplane.data, inject);
}

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

/*
 * Hot path, hard-IRQ context of the upcall or process context. A doorbell that has
 * been signalled only needs to be completed.
 */
enum acrn_doorbell acrn_dataplane_doorbell(struct acrn_vm *vm,
					   const struct acrn_slot_request *request)
{
	const struct acrn_dataplane_ops *ops = attached_ops(&vm->dataplane);

	if (!ops || !is_doorbell_like(request))
		return ACRN_DOORBELL_NONE;
	return ops->doorbell(vm->dataplane.data, &request->access);
}

/*
 * Hot path, as above. An asynchronous doorbell was rung. False when it has to
 * be signalled in process context.
 */
bool acrn_dataplane_ring(struct acrn_vm *vm, void *doorbell)
{
	return attached_ops(&vm->dataplane)->ring(vm->dataplane.data, doorbell);
}
