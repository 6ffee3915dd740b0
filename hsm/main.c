// SPDX-License-Identifier: GPL-2.0
/*
 * acrn_hsm.ko, the Hypervisor Service Module of ACRN, by which the Service VM
 * creates and serves User VMs. This file loads and unloads the module, in
 * process context; the kernel does not load and unload a module at the same
 * time.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kobject.h>
#include <linux/module.h>
#include <asm/hypervisor.h>
#include <asm/processor.h>

#include "acrn_hypercall.h"
#include "acrn_vhost_version.h"
#include "hsm.h"

static struct miscdevice hsm_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "acrn_hsm",
	.fops	= &acrn_hsm_fops,
	.groups	= acrn_hsm_groups,
};

/*
 * Whether the HSM of the kernel tree is loaded or built in. There is one
 * upcall: an HSM that hooks it takes it away from the other. May sleep.
 */
static bool in_tree_hsm_present(void)
{
	struct kobject *kobj;

	if (IS_BUILTIN(CONFIG_ACRN_HSM))
		return true;
	kobj = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, "acrn");
	kobject_put(kobj);
	return kobj;
}

/*
 * Find out whether the HSM can work on this machine. Returns 0 or a negative
 * errno, with a message.
 */
static int __init check_environment(void)
{
	if (!hypervisor_is_type(X86_HYPER_ACRN)) {
		pr_err("this machine does not run on the ACRN hypervisor\n");
		return -ENODEV;
	}
	if (!(cpuid_eax(ACRN_CPUID_LEAF_FEATURES) & ACRN_CPUID_PRIVILEGED_VM)) {
		pr_err("this VM is not ACRN's Service VM\n");
		return -EPERM;
	}
	if (in_tree_hsm_present()) {
		pr_err("the kernel's own HSM is in use: %s\n",
		       IS_BUILTIN(CONFIG_ACRN_HSM) ?
		       "it is built in, build it as a module" :
		       "unload the module acrn");
		return -EBUSY;
	}
	return 0;
}

/*
 * Load the module. The upcall is hooked before there is a device to create a VM
 * by, and whatever has been set up is taken down again when a later step fails.
 */
static int __init hsm_init(void)
{
	int ret;

	ret = check_environment();
	if (ret)
		return ret;
	ret = acrn_wake_init();
	if (ret)
		return ret;
	acrn_platform_init();
	acrn_share_measure();
	acrn_debugfs_init();
	acrn_upcall_hook();
	ret = misc_register(&hsm_device);
	if (ret)
		goto unhook_upcall;
	return 0;

unhook_upcall:
	acrn_upcall_unhook();
	acrn_debugfs_exit();
	acrn_wake_deinit();
	return ret;
}
module_init(hsm_init);

/*
 * Unload the module. An open file keeps it loaded, so there is no VM any more.
 */
static void __exit hsm_exit(void)
{
	misc_deregister(&hsm_device);
	acrn_dataplane_exit();
	acrn_upcall_unhook();
	acrn_debugfs_exit();
	acrn_wake_deinit();
}
module_exit(hsm_exit);

MODULE_AUTHOR("acrn_vhost developers");
MODULE_DESCRIPTION("ACRN Hypervisor Service Module");
MODULE_LICENSE("GPL");
MODULE_VERSION(ACRN_VHOST_VERSION);
