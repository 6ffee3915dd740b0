/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Spinlocks. No interrupt comes while one is held: hypervisor code runs with
 * the global interrupt flag clear except in cpu_take_interrupts(),
 * cpu_take_nmi() and cpu_idle(), which are called with no lock held.
 */
#ifndef HV_SPINLOCK_H
#define HV_SPINLOCK_H

#include "x86.h"

struct spinlock {
	u32 locked;
};

static inline void spin_lock(struct spinlock *lock)
{
	while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE))
		while (READ_ONCE(lock->locked))
			cpu_relax();
}

static inline void spin_unlock(struct spinlock *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELEASE);
}

#endif /* HV_SPINLOCK_H */
