// SPDX-License-Identifier: GPL-2.0
#include "asyncio.h"
#include "log.h"
#include "sched.h"
#include "service_vm.h"
#include "string.h"
#include "vcpu.h"

static struct asyncio_entry *to_entry(struct link *link)
{
	return container_of(link, struct asyncio_entry, link);
}

static void link_insert(struct link *link, struct link *after)
{
	link->prev = after;
	link->next = after->next;
	after->next->prev = link;
	after->next = link;
}

static void link_remove(struct link *link)
{
	link->next->prev = link->prev;
	link->prev->next = link->next;
}

void asyncio_init(struct asyncio *asyncio, struct acrn_ring *ring)
{
	spin_lock(&asyncio->lock);
	asyncio->queue = (struct link){ &asyncio->queue, &asyncio->queue };
	asyncio->ring = ring;
	spin_unlock(&asyncio->lock);
}

void asyncio_forget_ring(struct asyncio *asyncio)
{
	spin_lock(&asyncio->lock);
	asyncio->ring = NULL;
	spin_unlock(&asyncio->lock);
}

/*
 * The first element of the queue. ACRN makes the list head when a VM id first
 * gets a ring; assigning a doorbell before that makes it follow a null pointer,
 * so here it is a panic. Lock held.
 */
static struct link *queue_first(const struct asyncio *asyncio)
{
	if (!asyncio->queue.next)
		panic("asynchronous doorbells of a VM that never had a ring");
	return asyncio->queue.next;
}

static bool matches(const struct acrn_async_doorbell *doorbell, u32 type,
		    u64 address)
{
	return doorbell->type == type && doorbell->address == address;
}

static bool is_conflict(struct asyncio *asyncio,
			const struct acrn_async_doorbell *new)
{
	for (struct link *link = queue_first(asyncio); link != &asyncio->queue;
	     link = link->next) {
		const struct acrn_async_doorbell *old =
			&to_entry(link)->doorbell;

		if (matches(old, new->type, new->address) &&
		    (!old->match_data || !new->match_data ||
		     old->data == new->data))
			return true;
	}
	return false;
}

static struct asyncio_entry *find_free(struct asyncio *asyncio)
{
	for (u32 i = 0; i < ARRAY_SIZE(asyncio->entries); i++) {
		struct asyncio_entry *entry = &asyncio->entries[i];

		if (!entry->doorbell.address && !entry->doorbell.cookie)
			return entry;
	}
	return NULL;
}

void asyncio_add(struct asyncio *asyncio,
		 const struct acrn_async_doorbell *doorbell, bool match)
{
	struct asyncio_entry *entry = NULL;

	if (!doorbell->address)
		return;
	spin_lock(&asyncio->lock);
	queue_first(asyncio);
	if (!match || !is_conflict(asyncio, doorbell))
		entry = find_free(asyncio);
	if (entry) {
		entry->doorbell = *doorbell;
		link_insert(&entry->link, &asyncio->queue);
	}
	spin_unlock(&asyncio->lock);
	if (!entry)
		hv_log_limited(
			"asynchronous doorbell at 0x%llx: no room, or a conflict",
			doorbell->address);
}

/* Whether a hypercall that removes @b means @a: every field counts. */
static bool is_same(const struct acrn_async_doorbell *a,
		    const struct acrn_async_doorbell *b)
{
	return matches(a, b->type, b->address) && a->cookie == b->cookie &&
	       !a->match_data == !b->match_data && a->data == b->data;
}

void asyncio_remove(struct asyncio *asyncio,
		    const struct acrn_async_doorbell *doorbell)
{
	bool found = false;

	if (!doorbell->address)
		return;
	spin_lock(&asyncio->lock);
	for (u32 i = 0; !found && i < ARRAY_SIZE(asyncio->entries); i++) {
		struct asyncio_entry *entry = &asyncio->entries[i];

		found = is_same(&entry->doorbell, doorbell);
		if (found) {
			link_remove(&entry->link);
			memset(entry, 0, sizeof(*entry));
		}
	}
	spin_unlock(&asyncio->lock);
	if (!found)
		hv_log_limited("asynchronous doorbell at 0x%llx: there is none",
			       doorbell->address);
}

/*
 * The doorbell that an access rings, or NULL. The lock is dropped on return, so
 * the entry may be removed or used for another doorbell at any time.
 */
static struct asyncio_entry *find_doorbell(struct asyncio *asyncio, u32 type,
					   u64 address, u64 value)
{
	struct asyncio_entry *found = NULL;

	if (!READ_ONCE(asyncio->ring) || !address)
		return NULL;
	spin_lock(&asyncio->lock);
	for (struct link *link = queue_first(asyncio);
	     !found && link != &asyncio->queue; link = link->next) {
		const struct acrn_async_doorbell *doorbell =
			&to_entry(link)->doorbell;

		if (matches(doorbell, type, address) &&
		    (!doorbell->match_data || doorbell->data == value))
			found = to_entry(link);
	}
	spin_unlock(&asyncio->lock);
	return found;
}

bool asyncio_forge(struct asyncio *asyncio, u64 cookie)
{
	bool done;

	spin_lock(&asyncio->lock);
	done = asyncio->ring &&
	       ring_put(asyncio->ring, &cookie, sizeof(cookie));
	spin_unlock(&asyncio->lock);
	if (done)
		service_vm_upcall();
	return done;
}

/*
 * As on ACRN the cookie is read without the lock. If the doorbell is removed
 * between find_doorbell() and that read, the cookie is 0 or that of another
 * doorbell; and while the vCPU waits for room in the ring, the doorbell may be
 * removed long before its cookie is put there.
 */
bool asyncio_access(struct vcpu *vcpu, u32 type, u64 address, u64 value)
{
	struct vm *vm = vcpu->vm;
	struct asyncio_entry *entry =
		find_doorbell(&vm->asyncio, type, address, value);
	u64 cookie;

	if (!entry)
		return false;
	cookie = READ_ONCE(entry->doorbell.cookie);
	while (!asyncio_forge(&vm->asyncio, cookie))
		sched_spin(vcpu);
	spin_lock(&vm->lock);
	vm->stats.async++;
	spin_unlock(&vm->lock);
	return true;
}
