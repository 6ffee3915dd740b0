/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions. The code is written for the newest
 * kernel; what older ones lack is made up for here, and nowhere else.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/version.h>

/*
 * Since 6.8 a signal counts 1 and says so no longer. Macros of the kernel's own
 * headers still do.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define eventfd_signal(ctx, ...)	eventfd_signal(ctx, 1)
#endif

/* Since 6.12 a page of a VM_PFNMAP area is looked up without handling PTEs. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
struct follow_pfnmap_args {
	struct vm_area_struct *vma;
	unsigned long address;
	unsigned long pfn;
	bool writable;
	spinlock_t *lock;	/* of the page table, held until the end */
	pte_t *ptep;
};

static inline int follow_pfnmap_start(struct follow_pfnmap_args *args)
{
	pte_t pte;
	int ret;

	ret = follow_pte(args->vma->vm_mm, args->address, &args->ptep,
			 &args->lock);
	if (ret)
		return ret;
	__acquire(args->lock);
	pte = ptep_get(args->ptep);
	args->pfn = pte_pfn(pte);
	args->writable = pte_write(pte);
	return 0;
}

static inline void follow_pfnmap_end(struct follow_pfnmap_args *args)
{
	pte_unmap_unlock(args->ptep, args->lock);
}
#endif

/*
 * Since 6.5 a vhost device can have several workers, and a queue knows its own.
 * Before, all queues of a device share one. For who includes vhost.h as well.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
struct vhost_dev;

#define vhost_vq_work_queue(vq, work)	vhost_work_queue((vq)->dev, work)
#define vhost_vq_has_work(vq)		vhost_has_work((vq)->dev)

static inline long vhost_worker_ioctl(struct vhost_dev *dev, unsigned int cmd,
				      void __user *argp)
{
	return -ENOIOCTLCMD;
}
#endif

#endif /* COMPAT_H */
