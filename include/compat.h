/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Differences between kernel versions. The code is written for the newest
 * kernel, and this file alone provides what older kernels lack.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/version.h>

/*
 * Before 6.8 the caller of eventfd_signal() says by how much to increase the
 * count. The kernel's own headers call it with that argument, so the macro
 * takes any.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define eventfd_signal(ctx, ...)	eventfd_signal(ctx, 1)
#endif

/* Before 6.12 there is follow_pte() in place of follow_pfnmap_start(). */
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
 * Before 6.5 all queues of a vhost device share one worker; since then a queue
 * can have a worker of its own. There, the worker of a queue is that of the vhost
 * device to which its doorbells go. These macros are for files that include
 * vhost.h as well.
 */
#define VHOST_MAKES_WORKERS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))

#if !VHOST_MAKES_WORKERS
struct vhost_dev;

#define vhost_vq_work_queue(vq, work)	vhost_work_queue((vq)->poll.dev, work)
#define vhost_vq_has_work(vq)		vhost_has_work((vq)->poll.dev)

static inline long vhost_worker_ioctl(struct vhost_dev *dev, unsigned int cmd,
				      void __user *argp)
{
	return -ENOIOCTLCMD;
}
#endif

#endif /* COMPAT_H */
