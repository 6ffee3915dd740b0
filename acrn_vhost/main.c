// SPDX-License-Identifier: GPL-2.0
/*
 * acrn_vhost.ko, the data plane: ioeventfds and irqfds as functions for the HSM.
 *
 * The module parameter "dispatch" says where doorbells are signalled: "irq", in
 * the upcall, or "thread", by the VM's thread in the HSM. The thread keeps the
 * time in hard IRQ short, and takes two thread switches more. PREEMPT_RT
 * kernels have "thread" only, because the lock of an eventfd sleeps there.
 *
 * The dataplane_*() functions are called by the HSM, in the contexts that
 * &struct acrn_dataplane_ops names: dataplane_doorbell() and dataplane_ring()
 * in the upcall or in process context, the others in an ioctl. There is no lock
 * here: what belongs to a VM is constant from attach to detach, and the sets of
 * doorbells and irqfds have their own locks. All else runs in process context.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../ioeventfd/ioeventfd.h"
#include "../irqfd/irqfd.h"
#include "acrn_hsm.h"
#include "acrn_vhost_version.h"

/* Directory of the module. Constant while the module is loaded */
static struct dentry *debugfs_dir;

enum dispatch {
	DISPATCH_IRQ,
	DISPATCH_THREAD,
};

static const char * const dispatch_names[] = {
	[DISPATCH_IRQ] = "irq",
	[DISPATCH_THREAD] = "thread",
};

/* enum dispatch. Read without a lock by each doorbell */
static int dispatch = IS_ENABLED(CONFIG_PREEMPT_RT) ? DISPATCH_THREAD :
						      DISPATCH_IRQ;

/* Set the parameter "dispatch", which takes effect with the next doorbell. */
static int dispatch_set(const char *text, const struct kernel_param *param)
{
	int value = sysfs_match_string(dispatch_names, text);

	if (value < 0)
		return value;
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && value == DISPATCH_IRQ) {
		pr_err("dispatch=irq does not work on PREEMPT_RT kernels\n");
		return -EOPNOTSUPP;
	}
	WRITE_ONCE(dispatch, value);
	return 0;
}

static int dispatch_get(char *text, const struct kernel_param *param)
{
	return sysfs_emit(text, "%s\n", dispatch_names[READ_ONCE(dispatch)]);
}

static const struct kernel_param_ops dispatch_ops = {
	.set = dispatch_set,
	.get = dispatch_get,
};

module_param_cb(dispatch, &dispatch_ops, NULL, 0644);
MODULE_PARM_DESC(dispatch, "where doorbells are signalled: irq or thread");

/**
 * struct dataplane - What the data plane has for a VM, from attach to detach
 * @ioeventfds:	Its doorbells. Constant
 * @irqfds:	Its irqfds. Constant
 */
struct dataplane {
	struct ioeventfd_set *ioeventfds;
	struct irqfd_set *irqfds;
};

static int doorbells_show(struct seq_file *seq, void *unused)
{
	struct dataplane *dp = seq->private;

	ioeventfd_show(dp->ioeventfds, seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(doorbells);

static int irqfds_show(struct seq_file *seq, void *unused)
{
	struct dataplane *dp = seq->private;

	irqfd_show(dp->irqfds, seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(irqfds);

/* The HSM removes these files before it detaches the data plane. */
static void create_files(struct dataplane *dp, struct dentry *dir)
{
	debugfs_create_file("doorbells", 0400, dir, dp, &doorbells_fops);
	debugfs_create_file("irqfds", 0400, dir, dp, &irqfds_fops);
}

/*
 * Create the doorbells and irqfds of a VM, see &struct acrn_dataplane_ops. In
 * an ioctl, may sleep; called once for a VM, so there is no lock.
 */
static void *dataplane_attach(struct acrn_vm *vm)
{
	struct dataplane *dp;

	dp = kzalloc(sizeof(*dp), GFP_KERNEL_ACCOUNT);
	if (!dp)
		return ERR_PTR(-ENOMEM);
	dp->ioeventfds = ioeventfd_set_create(vm);
	if (!dp->ioeventfds)
		goto free_dataplane;
	dp->irqfds = irqfd_set_create(vm);
	if (!dp->irqfds)
		goto destroy_ioeventfds;
	create_files(dp, acrn_hsm_debugfs_dir(vm));
	return dp;

destroy_ioeventfds:
	ioeventfd_set_destroy(dp->ioeventfds);
free_dataplane:
	kfree(dp);
	return ERR_PTR(-ENOMEM);
}

/*
 * Undo dataplane_attach(). The HSM calls no other function for the VM any more.
 * May sleep.
 */
static void dataplane_detach(void *data)
{
	struct dataplane *dp = data;

	irqfd_set_destroy(dp->irqfds);
	ioeventfd_set_destroy(dp->ioeventfds);
	kfree(dp);
}

static int dataplane_ioeventfd(void *data, const struct acrn_ioeventfd *args)
{
	struct dataplane *dp = data;

	return ioeventfd_config(dp->ioeventfds, args);
}

static int dataplane_irqfd(void *data, const struct acrn_irqfd *args)
{
	struct dataplane *dp = data;

	return irqfd_config(dp->irqfds, args);
}

static void dataplane_flush_held(void *data, bool inject)
{
	struct dataplane *dp = data;

	irqfd_flush_held(dp->irqfds, inject);
}

/* Whether doorbells are left to the VM's thread, and this is not the thread. */
static bool is_for_later(void)
{
	return in_hardirq() && READ_ONCE(dispatch) == DISPATCH_THREAD;
}

/*
 * Signal the doorbell that a write of a guest rings, if any, unless that is for
 * the VM's thread. Hot path, in the upcall or in process context, without a
 * lock.
 */
static enum acrn_doorbell dataplane_doorbell(void *data,
					     const struct acrn_access *write)
{
	struct dataplane *dp = data;

	if (is_for_later())
		return ioeventfd_has(dp->ioeventfds, write) ?
		       ACRN_DOORBELL_LATER : ACRN_DOORBELL_NONE;
	return ioeventfd_route(dp->ioeventfds, write) ? ACRN_DOORBELL_RUNG :
							ACRN_DOORBELL_NONE;
}

/*
 * Signal an asynchronous doorbell, unless that is for the VM's thread. Hot
 * path, in the upcall or in process context; the HSM keeps the doorbell from
 * being deassigned.
 */
static bool dataplane_ring(void *data, void *doorbell)
{
	if (is_for_later())
		return false;
	ioeventfd_ring(doorbell);
	return true;
}

static const struct acrn_dataplane_ops dataplane_ops = {
	.owner		= THIS_MODULE,
	.attach		= dataplane_attach,
	.detach		= dataplane_detach,
	.ioeventfd	= dataplane_ioeventfd,
	.irqfd		= dataplane_irqfd,
	.flush_held		= dataplane_flush_held,
	.doorbell	= dataplane_doorbell,
	.ring		= dataplane_ring,
};

static int doorbells_routed_get(void *data, u64 *value)
{
	*value = ioeventfd_total_rings();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(doorbells_routed_fops, doorbells_routed_get, NULL,
			 "%llu\n");

static int msis_injected_get(void *data, u64 *value)
{
	*value = irqfd_total_injected();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(msis_injected_fops, msis_injected_get, NULL,
			 "%llu\n");

/* Load the module: VMs can use the data plane from the first call on. */
static int __init acrn_vhost_init(void)
{
	int ret;

	ret = acrn_hsm_register_dataplane(&dataplane_ops);
	if (ret) {
		pr_err("another data plane is registered with the HSM (%d)\n", ret);
		return ret;
	}
	debugfs_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("doorbells_routed", 0444, debugfs_dir, NULL,
			    &doorbells_routed_fops);
	debugfs_create_file("msis_injected", 0444, debugfs_dir, NULL,
			    &msis_injected_fops);
	return 0;
}
module_init(acrn_vhost_init);

/* Unload the module. A VM that uses it keeps it loaded, so there is none. */
static void __exit acrn_vhost_exit(void)
{
	debugfs_remove(debugfs_dir);
	acrn_hsm_unregister_dataplane(&dataplane_ops);
}
module_exit(acrn_vhost_exit);

MODULE_DESCRIPTION("ACRN data plane: doorbells to eventfds, eventfds to MSIs");
MODULE_LICENSE("GPL");
MODULE_VERSION(ACRN_VHOST_VERSION);
MODULE_IMPORT_NS(ACRN_HSM);
