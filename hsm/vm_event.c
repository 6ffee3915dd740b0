// SPDX-License-Identifier: GPL-2.0
/*
 * Events of a User VM that the hypervisor has to tell of: its guest has set the
 * clock, or has come to a triple fault.
 *
 * The hypervisor puts them in a ring and raises the upcall. It writes wherever
 * the header of that ring says, so the ring is a page of the kernel's own. The
 * device model has a second ring in a page of its memory. When there is something
 * in the first one, the upcall asks the VM's thread to copy it to the second one
 * and to signal the device model's eventfd. Where there is no room for an event,
 * ACRN raises no upcall.
 *
 * The device model can write to its page at any time. The header is read and
 * checked once, when the page is set up; from then on only the place up to which
 * the device model has read is taken from it, and compared with no more than
 * where the next element goes. So whatever is there, the kernel writes to an
 * element of the page and to the header's field tail.
 */
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "acrn_hypercall.h"
#include "compat.h"
#include "hsm.h"

#define ELEMENT_SIZE	sizeof(struct acrn_hv_event)
#define ELEMENTS_MAX	((PAGE_SIZE - sizeof(struct acrn_ring)) / ELEMENT_SIZE)

/* Rings for events: a page each. */
struct event_ring {
	struct acrn_ring header;
	struct acrn_hv_event events[ELEMENTS_MAX];
};

static_assert(sizeof(struct event_ring) <= PAGE_SIZE);

static u32 next_offset(u32 offset, u32 size)
{
	offset += ELEMENT_SIZE;
	return offset < size ? offset : 0;
}

/* An event that finds the device model's ring full is lost, as on ACRN. */
static bool put_event(struct acrn_vm_events *events,
		      const struct acrn_hv_event *event)
{
	struct event_ring *ring = page_address(events->page);
	u32 next = next_offset(events->tail, events->size);

	if (next == READ_ONCE(ring->header.head))
		return false;
	ring->events[events->tail / ELEMENT_SIZE] = *event;
	/* The device model may read the element once it sees the tail. */
	smp_store_release(&ring->header.tail, next);
	events->tail = next;
	return true;
}

/* Copy what there is now; what comes meanwhile has an upcall of its own. */
static bool copy_events(struct acrn_vm_events *events)
{
	struct event_ring *ring = events->ring;
	u32 head = ring->header.head;
	bool copied = false;
	u32 tail;

	/* The hypervisor has written the elements before the tail. */
	tail = smp_load_acquire(&ring->header.tail);
	while (head != tail) {
		copied |= put_event(events, &ring->events[head / ELEMENT_SIZE]);
		head = next_offset(head, ring->header.size);
	}
	/* The hypervisor may overwrite the elements once it sees the head. */
	smp_store_release(&ring->header.head, head);
	return copied;
}

/* Deliver what the hypervisor has told of @vm so far. The VM's thread. */
void acrn_vm_event_deliver(struct acrn_vm *vm)
{
	struct acrn_vm_events *events = &vm->events;

	mutex_lock(&events->lock);
	if (events->ring && copy_events(events) && events->eventfd)
		eventfd_signal(events->eventfd);
	mutex_unlock(&events->lock);
}

void acrn_vm_event_init(struct acrn_vm_events *events)
{
	mutex_init(&events->lock);
}

/*
 * Nothing uses @events any more. The hypervisor's ring stays unless @unpin: a VM
 * that cannot be destroyed may still have events.
 */
void acrn_vm_event_deinit(struct acrn_vm_events *events, bool unpin)
{
	if (events->ring) {
		unpin_user_pages_dirty_lock(&events->page, 1, true);
		if (unpin)
			free_page((unsigned long)events->ring);
	}
	if (events->eventfd)
		eventfd_ctx_put(events->eventfd);
}

static int set_up_in_hypervisor(const struct acrn_vm *vm,
				struct acrn_ring *ring, u32 elements)
{
	return acrn_ring_set_up(vm, ACRN_RING_VM_EVENT, ring, elements,
				ELEMENT_SIZE);
}

/*
 * Give the hypervisor its ring. Done once for a VM, and while it does not run:
 * see acrn_hc_setup_sbuf(). The lock of @vm's events is held.
 */
static int create_ring(struct acrn_vm *vm)
{
	struct acrn_vm_events *events = &vm->events;
	struct event_ring *ring;
	int ret;

	if (vm->state == ACRN_VM_RUNNING)
		return -EBUSY;
	ring = (struct event_ring *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!ring)
		return -ENOMEM;
	ret = set_up_in_hypervisor(vm, &ring->header, ELEMENTS_MAX);
	if (ret) {
		free_page((unsigned long)ring);
		return ret;
	}
	events->ring = ring;
	/* Pairs with has_more() of the upcall. */
	smp_store_release(&vm->upcall.events.ring, &ring->header);
	return 0;
}

/*
 * Take size and tail from the device model's header. Each field is read once, as
 * the device model may change it meanwhile.
 */
static int read_header(const struct acrn_ring *header, u32 *size, u32 *tail)
{
	u32 count = READ_ONCE(header->ele_num);

	*size = READ_ONCE(header->size);
	*tail = READ_ONCE(header->tail);
	if (READ_ONCE(header->magic) != ACRN_RING_MAGIC ||
	    READ_ONCE(header->ele_size) != ELEMENT_SIZE ||
	    !count || count > ELEMENTS_MAX || *size != count * ELEMENT_SIZE ||
	    *tail >= *size || *tail % ELEMENT_SIZE)
		return -EINVAL;
	return 0;
}

/* Use @page from now on. Returns the page that is not used any more. */
static struct page *replace_page(struct acrn_vm *vm, struct page *page,
				 int *ret)
{
	struct acrn_vm_events *events = &vm->events;
	u32 size, tail;

	mutex_lock(&events->lock);
	*ret = read_header(page_address(page), &size, &tail);
	if (!*ret && !events->ring)
		*ret = create_ring(vm);
	if (!*ret) {
		events->size = size;
		events->tail = tail;
		swap(events->page, page);
	}
	mutex_unlock(&events->lock);
	return page;
}

/**
 * acrn_vm_event_set_ring() - ACRN_IOCTL_SETUP_VM_EVENT_RING
 * @vm:			User VM. Its state does not change meanwhile.
 * @user_address:	Of a page of the caller that begins with &struct
 *			acrn_ring, for elements of &struct acrn_hv_event
 *
 * The page stays pinned until another takes its place or the VM is destroyed.
 * What has happened before the first one is set up is not told. Process context.
 *
 * Return: 0; -EINVAL when @user_address is not aligned to a page, or the header
 * is not that of such a ring; -EFAULT when there is no memory that can be
 * written to; -EBUSY when the VM runs and has had no ring before; -ENOMEM; or
 * the hypervisor's errno, -ENOTTY from one that has no events. In the event of a
 * failure the former page remains.
 */
int acrn_vm_event_set_ring(struct acrn_vm *vm, u64 user_address)
{
	return acrn_replace_page(vm, user_address, replace_page);
}

/*
 * Whether the hypervisor has events: 0, or its errno. When the device model does
 * not have any yet, they go to @ring from now on, with room for @elements, which
 * has to stay as long as @vm. @vm does not run. Process context.
 */
int acrn_vm_event_probe(struct acrn_vm *vm, struct acrn_ring *ring,
			u32 elements)
{
	int ret = 0;

	mutex_lock(&vm->events.lock);
	if (!vm->events.ring)
		ret = set_up_in_hypervisor(vm, ring, elements);
	mutex_unlock(&vm->events.lock);
	return ret;
}

/**
 * acrn_vm_event_set_fd() - ACRN_IOCTL_SETUP_VM_EVENT_FD
 * @vm:	User VM
 * @fd:	An eventfd of the caller's, which is signalled when there are events in
 *	the device model's ring
 *
 * It takes the place of the former one. Process context.
 *
 * Return: 0, or the errno of eventfd_ctx_fdget()
 */
int acrn_vm_event_set_fd(struct acrn_vm *vm, int fd)
{
	struct eventfd_ctx *eventfd = eventfd_ctx_fdget(fd);

	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	mutex_lock(&vm->events.lock);
	swap(vm->events.eventfd, eventfd);
	mutex_unlock(&vm->events.lock);
	if (eventfd)
		eventfd_ctx_put(eventfd);
	return 0;
}
