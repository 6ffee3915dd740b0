/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asynchronous doorbells: guest writes that the hypervisor reports to the
 * Service VM in a ring, so that the vCPU need not wait for an I/O request.
 */
#ifndef HV_ASYNCIO_H
#define HV_ASYNCIO_H

#include "ring.h"

struct vcpu;

/* An element, or the head, of a circular doubly linked list. */
struct link {
	struct link *next;
	struct link *prev;
};

/**
 * struct asyncio_entry - An asynchronous doorbell
 * @link:	Element of &struct asyncio.queue
 * @doorbell:	Address, data and cookie; the entry is free while address and
 *		cookie are both 0
 */
struct asyncio_entry {
	struct link link;
	struct acrn_async_doorbell doorbell;
};

/**
 * struct asyncio - A VM's asynchronous doorbells
 * @lock:	Guards the other fields, and writing to the ring
 * @ring:	Ring in the Service VM's memory, or NULL
 * @queue:	Doorbells that an access is compared with, newest first
 * @entries:	Storage of all doorbells
 *
 * As on ACRN, @entries outlive the VM: the next VM with the same id finds them
 * as they were left. Giving that VM a ring empties only @queue, so a doorbell
 * left behind by its predecessor still occupies an entry, can still be removed,
 * but rings no more.
 */
struct asyncio {
	struct spinlock lock;
	struct acrn_ring *ring;
	struct link queue;
	struct asyncio_entry entries[ACRN_ASYNC_DOORBELLS_MAX];
};

/* Use @ring from now on, with an empty queue of doorbells. Takes the lock. */
void asyncio_init(struct asyncio *asyncio, struct acrn_ring *ring);

/* Use no ring: no doorbell rings until asyncio_init(). Takes the lock. */
void asyncio_forget_ring(struct asyncio *asyncio);

/*
 * Add or remove a doorbell. As on ACRN neither returns whether it did; a
 * refusal is only logged. With @match, a doorbell is refused when one of the
 * same address, type and data exists; without it, as in the first hypervisors
 * that had asynchronous doorbells, nothing is compared. Both take the lock.
 */
void asyncio_add(struct asyncio *asyncio,
		 const struct acrn_async_doorbell *doorbell, bool match);
void asyncio_remove(struct asyncio *asyncio,
		    const struct acrn_async_doorbell *doorbell);

/**
 * asyncio_access() - Ring the asynchronous doorbell that an access matches
 * @vcpu:	vCPU
 * @type:	ACRN_ASYNC_DOORBELL_*
 * @address:	Port, or guest physical address
 * @value:	Value that the guest writes; ignored data when it reads
 *
 * As on ACRN neither the width nor the direction of the access is compared.
 * Waits while the ring is full. Called in the vCPU's thread with no lock held.
 *
 * Return: true when a doorbell rang: the access is done, and the vCPU goes on.
 */
bool asyncio_access(struct vcpu *vcpu, u32 type, u64 address, u64 value);

/*
 * Put @cookie in the ring, whether a doorbell has it or not, and raise the
 * upcall. Takes the lock. Returns false when there is no ring or no room in it.
 */
bool asyncio_forge(struct asyncio *asyncio, u64 cookie);

#endif /* HV_ASYNCIO_H */
