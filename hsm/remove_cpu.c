// SPDX-License-Identifier: GPL-2.0
/*
 * The attribute remove_cpu of the device. Writing the number of a CPU to it
 * takes that CPU from the Service VM for good and leaves it to User VMs.
 *
 * All functions run in process context, in the task that writes. The kernel's
 * CPU hotplug lock orders them with others that bring CPUs online and offline.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/kconfig.h>
#include <linux/kstrtox.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <linux/sysfs.h>

#include "acrn_hypercall.h"
#include "hsm.h"

/*
 * Give a CPU that is offline to the hypervisor. It cannot come online
 * meanwhile, as the CPU hotplug lock is held for reading. May sleep.
 */
static int give_cpu(unsigned int cpu)
{
	int ret = -EBUSY;

	cpus_read_lock();
	if (!cpu_online(cpu))
		ret = acrn_hc_remove_cpu(cpu_physical_id(cpu));
	cpus_read_unlock();
	return ret;
}

/*
 * Take a CPU offline, if it is not, and give it to the hypervisor. If that
 * fails, the CPU comes online again. Process context, may sleep.
 */
static int take_offline_and_give(unsigned int cpu)
{
	bool was_online = cpu_online(cpu);
	int ret;

	if (was_online) {
		/* 1 if somebody else was quicker, which give_cpu() deals with */
		ret = remove_cpu(cpu);
		if (ret < 0)
			return ret;
	}
	ret = give_cpu(cpu);
	if (ret && was_online && add_cpu(cpu) < 0)
		pr_err("CPU %u stays offline, but the hypervisor does not take it\n",
		       cpu);
	return ret;
}

/*
 * Somebody has written the number of a CPU to remove_cpu. May sleep.
 *
 * Fails with -EINVAL for a CPU that does not exist or cannot go offline. CPU 0
 * cannot: the upcall comes there. Fails with -EBUSY when somebody brings the
 * CPU online at the same time.
 */
static ssize_t remove_cpu_store(struct device *dev,
				struct device_attribute *attr,
				const char *buf, size_t count)
{
	unsigned int cpu;
	int ret;

	if (kstrtouint(buf, 0, &cpu))
		return -EINVAL;
	if (!cpu || cpu >= nr_cpu_ids || !cpu_possible(cpu) ||
	    !cpu_is_hotpluggable(cpu))
		return -EINVAL;
	ret = take_offline_and_give(cpu);
	return ret ?: count;
}
static DEVICE_ATTR_WO(remove_cpu);

static umode_t is_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	return IS_ENABLED(CONFIG_HOTPLUG_CPU) ? attr->mode : 0;
}

static struct attribute *attributes[] = {
	&dev_attr_remove_cpu.attr,
	NULL
};

static const struct attribute_group group = {
	.attrs		= attributes,
	.is_visible	= is_visible,
};

const struct attribute_group *acrn_hsm_groups[] = {
	&group,
	NULL
};
