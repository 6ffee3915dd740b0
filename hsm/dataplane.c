// SPDX-License-Identifier: GPL-2.0
/*
 * The data plane is another module, loaded when a device model first asks for
 * an ioeventfd or irqfd and pinned by each VM that uses it.
 */
#include <linux/err.h>
#include <linux/export.h>
#include <linux/kmod.h>
#include <linux/module.h>
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

static void request_work_fn(struct work_struct *work)
{
	request_module("acrn_vhost");
}

static DECLARE_WORK(request_work, request_work_fn);
/* To queue the work and wait for it. */
static DEFINE_MUTEX(request_lock);

/*
 * As get_registered(); loads the module if need be. One at a time and to the
 * end, also when the caller is killed: while a module is being loaded, some
 * modprobes take it for loaded and return at once. May sleep.
 */
static const struct acrn_dataplane_ops *load(void)
{
	const struct acrn_dataplane_ops *ops;

	mutex_lock(&request_lock);
	ops = get_registered();
	if (!ops) {
		queue_work(system_unbound_wq, &request_work);
		flush_work(&request_work);
		ops = get_registered();
	}
	mutex_unlock(&request_lock);
	return ops;
}

static int attach_locked(struct acrn_vm *vm)
{
	struct acrn_dataplane *dataplane = &vm->dataplane;
	const struct acrn_dataplane_ops *ops;
	void *data;

	lockdep_assert_held(&dataplane->lock);
	if (dataplane->ops)
		return 0;
	ops = load();
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

static bool is_doorbell_like(const struct acrn_ioreq *request)
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
 * Hot path, hard-IRQ context of the upcall or process context of the VM's work.
 * True when @request was a doorbell and only needs to be completed.
 */
bool acrn_dataplane_doorbell(struct acrn_vm *vm,
			     const struct acrn_ioreq *request)
{
	const struct acrn_dataplane_ops *ops = attached_ops(&vm->dataplane);

	if (!ops || !is_doorbell_like(request))
		return false;
	return ops->doorbell(vm->dataplane.data, &request->access);
}
