/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asynchronous doorbells: accesses that the Service VM learns of from a ring,
 * and for which the vCPU does not wait.
 */
#ifndef HV_ASYNCIO_H
#define HV_ASYNCIO_H

#include "ring.h"

struct vcpu;

/* An element of a list whose ends both lead to its head. */
struct link {
	struct link *next;
	struct link *prev;
};

/**
 * struct asyncio_entry - An asynchronous doorbell
 * @link:	In &struct asyncio.queue
 * @doorbell:	What it is; unused when address and cookie are 0
 */
struct asyncio_entry {
	struct link link;
	struct acrn_async_doorbell doorbell;
};

/**
 * struct asyncio - A VM's asynchronous doorbells
 * @lock:	Guards the rest, and what is written to the ring
 * @ring:	In the Service VM's memory, or NULL
 * @queue:	Those that are looked through, the last that was added first
 * @entries:	All of them
 *
 * As on ACRN, @entries are there from one VM with an id to the next. What gives
 * the next one a ring empties @queue alone: what a VM has left behind takes up
 * room from then on and is found only to be removed.
 */
struct asyncio {
	struct spinlock lock;
	struct acrn_ring *ring;
	struct link queue;
	struct asyncio_entry entries[ACRN_ASYNC_DOORBELLS_MAX];
};

/* A ring for a VM, or with NULL none any longer. */
void asyncio_init(struct asyncio *asyncio, struct acrn_ring *ring);
void asyncio_forget_ring(struct asyncio *asyncio);

/*
 * Neither tells whether it has done anything. @match: doorbells of one address
 * can differ in their data, and are not to be in conflict.
 */
void asyncio_add(struct asyncio *asyncio,
		 const struct acrn_async_doorbell *doorbell, bool match);
void asyncio_remove(struct asyncio *asyncio,
		    const struct acrn_async_doorbell *doorbell);

/**
 * asyncio_access() - Offer an access to the asynchronous doorbells
 * @vcpu:	vCPU
 * @type:	ACRN_ASYNC_DOORBELL_*
 * @address:	Port or address
 * @value:	What is written; anything when the guest reads
 *
 * Neither width nor direction matter. Waits while the ring is full. In the
 * vCPU's thread, no lock held.
 *
 * Return: true when a doorbell has rung, and the guest is to go on.
 */
bool asyncio_access(struct vcpu *vcpu, u32 type, u64 address, u64 value);

/* Ring as if there were a doorbell with @cookie; false: no ring, or no room. */
bool asyncio_forge(struct asyncio *asyncio, u64 cookie);

#endif /* HV_ASYNCIO_H */
