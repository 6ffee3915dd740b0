// SPDX-License-Identifier: GPL-2.0
/*
 * How large the vhost core's structures are for this module, and where their members
 * are. They are private to vhost.ko, and the module loader does not notice when it
 * has others than the vhost.h that this module was built with; memory would be
 * overwritten. So what is used of them here is told in strings of modinfo such as
 * "vhost_layout=vhost_dev 200" and "vhost_layout=vhost_dev.mutex 8", in bytes, which
 * packaging/check-vhost-layout compares with the types of the vhost.ko that runs.
 */
#include <linux/init.h>
#include <linux/stddef.h>

#include "vhost.h"

/* The assembler makes a string of a number that only the compiler knows. */
#define TELL(what, number) ({						\
	asm volatile(".pushsection .modinfo, \"a\"\n"			\
		     ".ascii \"vhost_layout=" what " \"\n"		\
		     ".asciz \"%c0\"\n"					\
		     ".popsection" : : "i" (number));			\
})

#define SIZE(type)		TELL(#type, sizeof(struct type))
#define PLACE(type, member)	TELL(#type "." #member,			\
				     offsetof(struct type, member))

/* Only compiled: all that it makes are strings. */
static void __used __init tell_device(void)
{
	SIZE(vhost_dev);
	PLACE(vhost_dev, mm);
	PLACE(vhost_dev, mutex);
	PLACE(vhost_dev, vqs);
	PLACE(vhost_dev, nvqs);
	PLACE(vhost_dev, umem);
	PLACE(vhost_dev, iotlb);
	PLACE(vhost_dev, iov_limit);
	PLACE(vhost_dev, use_worker);
	PLACE(vhost_dev, msg_handler);
}

static void __used __init tell_queue(void)
{
	SIZE(vhost_virtqueue);
	PLACE(vhost_virtqueue, dev);
	PLACE(vhost_virtqueue, mutex);
	PLACE(vhost_virtqueue, num);
	PLACE(vhost_virtqueue, desc);
	PLACE(vhost_virtqueue, avail);
	PLACE(vhost_virtqueue, used);
	PLACE(vhost_virtqueue, call_ctx);
	PLACE(vhost_virtqueue, error_ctx);
	PLACE(vhost_virtqueue, poll);
	PLACE(vhost_virtqueue, handle_kick);
	PLACE(vhost_virtqueue, last_avail_idx);
	PLACE(vhost_virtqueue, iov);
	PLACE(vhost_virtqueue, private_data);
	PLACE(vhost_virtqueue, acked_features);
	PLACE(vhost_virtqueue, log);
	PLACE(vhost_virtqueue, is_le);
	PLACE(vhost_virtqueue, busyloop_timeout);
}

static void __used __init tell_parts(void)
{
	SIZE(vhost_poll);
	PLACE(vhost_poll, work);
	PLACE(vhost_poll, dev);
	SIZE(vhost_work);
	PLACE(vhost_work, node);
	PLACE(vhost_work, fn);
	PLACE(vhost_work, flags);
	SIZE(vhost_vring_call);
	PLACE(vhost_vring_call, ctx);
	SIZE(vhost_log);
	PLACE(vhost_log, addr);
	PLACE(vhost_log, len);
}
