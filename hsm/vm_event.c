// SPDX-License-Identifier: GPL-2.0
/*
 * Events of a User VM that the hypervisor reports, such as that the guest has
 * set its clock or has run into a triple fault.
 *
 * The hypervisor puts them in a ring and raises the upcall. It writes wherever
 * the header of that ring says, so the ring is in a page of the kernel's own,
 * and the device model has a second ring in a page of its memory. When there
 * are events in the first ring, the upcall kicks the VM's thread, which copies
 * them to the second ring and signals the eventfd of the device model. ACRN
 * raises no upcall for an event that finds the first ring full.
 *
 * The device model can write to its page at any time. The kernel reads and
 * checks the header once, when the page is set up. Afterwards it reads only the
 * head, and only to compare it with the offset of the next element. So whatever
 * the device model writes there, the kernel writes to an element of the page or
 * to the tail, and nowhere else.
 *
 * All functions run in process context: acrn_vm_event_deliver() in the VM's
 * thread, wake_device_model() in a worker, the others in an ioctl,
 * acrn_vm_event_deinit() also when the file is released. &struct
 * acrn_vm_events.lock, a mutex, guards both rings and the eventfd; init and
 * deinit need none, as nobody else has the VM.
 */
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "acrn_hypercall.h"
#include "compat.h"
#include "hsm.h"

#define ELEMENT_SIZE	sizeof(struct acrn_hv_event)
#define ELEMENTS_MAX	((PAGE_SIZE - sizeof(struct acrn_ring)) / ELEMENT_SIZE)

/*
 * When a VM that is paused has its eventfd signalled first, and how often at
 * most. Each time it takes twice as long: the last is after 51 s more.
 */
#define FIRST_WAKE_UP	(HZ / 10)
#define WAKE_UPS_MAX	10

/**
 * struct event_ring - A ring of events, which fills a page
 * @header:	Header
 * @events:	Elements
 */
struct event_ring {
	struct acrn_ring header;
	struct acrn_hv_event events[ELEMENTS_MAX];
};

static_assert(sizeof(struct event_ring) <= PAGE_SIZE);

/* Offset of the element behind the one at @offset, in a ring of @size bytes. */
static u32 next_offset(u32 offset, u32 size)
{
	offset += ELEMENT_SIZE;
	return offset < size ? offset : 0;
}

/*
 * Put an event in the ring of the device model. An event that finds the ring
 * full is lost, as it is in the ring of the hypervisor. &struct
 * acrn_vm_events.lock is held.
 */
static bool put_event(struct acrn_vm_events *events,
		      const struct acrn_hv_event *event)
{
	struct event_ring *ring = page_address(events->page);
	u32 next = next_offset(events->tail, events->size);

	if (next == READ_ONCE(ring->header.head))
		return false;
	ring->events[events->tail / ELEMENT_SIZE] = *event;
	/* The device model reads the element once it sees the tail. */
	smp_store_release(&ring->header.tail, next);
	events->tail = next;
	return true;
}

/*
 * Copy the events that there are now. An event that comes meanwhile has its own
 * upcall. Returns true if any was copied. In the VM's thread; &struct
 * acrn_vm_events.lock is held.
 */
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

/**
 * acrn_vm_event_deliver() - Pass the events of a VM on to the device model
 * @vm:	VM
 *
 * Context: The VM's thread, may sleep. Takes &struct acrn_vm_events.lock.
 */
void acrn_vm_event_deliver(struct acrn_vm *vm)
{
	struct acrn_vm_events *events = &vm->events;

	mutex_lock(&events->lock);
	if (events->ring && copy_events(events) && events->eventfd)
		eventfd_signal(events->eventfd);
	mutex_unlock(&events->lock);
}

/* Signal the eventfd though there is no event. In a worker, may sleep. */
static void wake_device_model(struct work_struct *work)
{
	struct acrn_vm_events *events =
		container_of(work, struct acrn_vm_events, wake_up.work);

	mutex_lock(&events->lock);
	if (events->eventfd)
		eventfd_signal(events->eventfd);
	mutex_unlock(&events->lock);
	if (++events->wake_ups < WAKE_UPS_MAX)
		schedule_delayed_work(&events->wake_up,
				      FIRST_WAKE_UP << events->wake_ups);
}

/**
 * acrn_vm_event_paused() - Have the device model notice that it is to end
 * @vm:	VM that has been paused
 *
 * acrn-dm pauses its VM when this powers off or reboots, and then waits for the
 * thread that reads the eventfd. That thread looks whether it is to end after
 * each event. To wake it acrn-dm sends SIGCONT, which is without effect unless
 * a virtio-blk of the VM has installed a handler (vm_event_deinit() in ACRN's
 * vm_event.c, blockif_init() in block_if.c): the others wait for ever. So the
 * eventfd is signalled without an event until the VM is destroyed, which the
 * reader takes for one whose ring is empty.
 *
 * Context: Process context, may sleep: an ioctl with &struct acrn_file.lock
 *	    held for writing.
 */
void acrn_vm_event_paused(struct acrn_vm *vm)
{
	struct acrn_vm_events *events = &vm->events;

	cancel_delayed_work_sync(&events->wake_up);
	events->wake_ups = 0;
	schedule_delayed_work(&events->wake_up, FIRST_WAKE_UP);
}

/**
 * acrn_vm_event_reset() - End what acrn_vm_event_paused() has begun
 * @vm:	VM that has been reset: its device model goes on
 *
 * Context: Process context, may sleep: an ioctl with &struct acrn_file.lock
 *	    held for writing.
 */
void acrn_vm_event_reset(struct acrn_vm *vm)
{
	cancel_delayed_work_sync(&vm->events.wake_up);
}

/**
 * acrn_vm_event_init() - Begin with a VM whose events nobody wants
 * @events:	Events of the VM, zeroed
 *
 * Context: Process context. Nobody else has the VM yet.
 */
void acrn_vm_event_init(struct acrn_vm_events *events)
{
	mutex_init(&events->lock);
	INIT_DELAYED_WORK(&events->wake_up, wake_device_model);
}

/**
 * acrn_vm_event_deinit() - Undo acrn_vm_event_init()
 * @events:	Events that nobody uses any more
 * @unpin:	False if the ring of the hypervisor must stay: the VM could not be
 *		destroyed, and may still have events
 *
 * Context: Process context, may sleep. Nobody else uses the VM any more.
 */
void acrn_vm_event_deinit(struct acrn_vm_events *events, bool unpin)
{
	cancel_delayed_work_sync(&events->wake_up);
	if (events->ring) {
		unpin_user_pages_dirty_lock(&events->page, 1, true);
		if (unpin)
			free_page((unsigned long)events->ring);
	}
	if (events->eventfd)
		eventfd_ctx_put(events->eventfd);
}

/* Give the hypervisor @ring for events. &struct acrn_vm_events.lock is held. */
static int set_up_in_hypervisor(const struct acrn_vm *vm,
				struct acrn_ring *ring, u32 elements)
{
	return acrn_ring_set_up(vm, ACRN_RING_VM_EVENT, ring, elements,
				ELEMENT_SIZE);
}

/*
 * Give the hypervisor its ring. This is done once for a VM, and while the VM
 * does not run, see acrn_hc_setup_sbuf(). A VM that is paused may run, if the
 * hypervisor pauses none of its severity. &struct acrn_vm_events.lock is held.
 */
static int create_ring(struct acrn_vm *vm)
{
	struct acrn_vm_events *events = &vm->events;
	struct event_ring *ring;
	int ret;

	if (vm->state != ACRN_VM_CREATED)
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
 * Read size and tail from the header of the device model's ring. Each field is
 * read once, as the device model may change it at any time.
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

/*
 * Use @page from now on, see acrn_replace_page(). In an ioctl, may sleep; takes
 * &struct acrn_vm_events.lock.
 */
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
 * @vm:			User VM
 * @user_address:	User address of a page that begins with &struct
 *			acrn_ring, for elements of &struct acrn_hv_event
 *
 * The page stays pinned until another one replaces it or the VM is destroyed.
 * Events from before the first page was set up are lost. After a failure the
 * former page remains in use.
 *
 * Context: Process context, may sleep. &struct acrn_file.lock is held.
 * Return: 0; -EINVAL when @user_address is not aligned to a page or the header
 *	   is not that of such a ring; -EFAULT when there is no writable memory;
 *	   -EBUSY when the VM has been started or paused, and has had no ring
 *	   before; -ENOMEM; or the hypervisor's errno, which is -ENOTTY if it has
 *	   no events
 */
int acrn_vm_event_set_ring(struct acrn_vm *vm, u64 user_address)
{
	return acrn_replace_page(vm, user_address, replace_page);
}

/**
 * acrn_vm_event_probe() - Find whether the hypervisor has events of VMs
 * @vm:		VM, not running
 * @ring:	Ring for the events of the VM, as long as the device model has
 *		none; in a page of the kernel's own that stays as long as the VM
 * @elements:	Number of elements that @ring has room for
 *
 * Context: Process context, may sleep: an ioctl with &struct acrn_file.lock
 *	    held. Takes &struct acrn_vm_events.lock.
 * Return: 0 if it has; -ENOMEM; or the hypervisor's errno
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
 * @fd:	Descriptor of an eventfd as the ioctl has it, in 64 bits. The eventfd
 *	replaces the former one, and is signalled when there are events in the
 *	ring of the device model
 *
 * Context: Process context, may sleep: an ioctl with &struct acrn_file.lock
 *	    held. Takes &struct acrn_vm_events.lock.
 * Return: 0; -EBADF if @fd is no descriptor, or another errno of eventfd_ctx_fdget()
 */
int acrn_vm_event_set_fd(struct acrn_vm *vm, u64 fd)
{
	struct eventfd_ctx *eventfd;

	if (fd > INT_MAX)
		return -EBADF;
	eventfd = eventfd_ctx_fdget(fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	mutex_lock(&vm->events.lock);
	swap(vm->events.eventfd, eventfd);
	mutex_unlock(&vm->events.lock);
	if (eventfd)
		eventfd_ctx_put(eventfd);
	return 0;
}
