// SPDX-License-Identifier: GPL-2.0
/*
 * A data plane that does nothing, in place of acrn_vhost.ko: each write of a
 * guest is taken for a doorbell and completed at once, without a lookup and
 * without a signal. What a doorbell takes on it is the hypervisor's and the
 * HSM's; no data plane can be faster. For measurements only.
 */
#include <linux/err.h>
#include <linux/module.h>

#include "acrn_hsm.h"

static void *floor_attach(struct acrn_vm *vm)
{
	return vm;
}

static void floor_detach(void *data)
{
}

static int floor_ioeventfd(void *data, const struct acrn_ioeventfd *args)
{
	return 0;
}

static int floor_irqfd(void *data, const struct acrn_irqfd *args)
{
	return -EOPNOTSUPP;
}

/* Hot path. Hard-IRQ context of the upcall. */
static enum acrn_doorbell floor_doorbell(void *data,
					 const struct acrn_access *write)
{
	return ACRN_DOORBELL_RUNG;
}

static const struct acrn_dataplane_ops floor_ops = {
	.owner		= THIS_MODULE,
	.attach		= floor_attach,
	.detach		= floor_detach,
	.ioeventfd	= floor_ioeventfd,
	.irqfd		= floor_irqfd,
	.doorbell	= floor_doorbell,
};

static int __init floor_init(void)
{
	return acrn_hsm_register_dataplane(&floor_ops);
}
module_init(floor_init);

static void __exit floor_exit(void)
{
	acrn_hsm_unregister_dataplane(&floor_ops);
}
module_exit(floor_exit);

MODULE_DESCRIPTION("ACRN data plane that only completes, to measure against");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(ACRN_HSM);
