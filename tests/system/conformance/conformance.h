/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A suite of what device models rely on, by raw ioctls, for any HSM and any
 * hypervisor. It runs on our HSM and on the in-tree one. Use differs.h for
 * checks in which the two differ, and fixture.h for checks that need
 * tests/hypervisor.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include "differs.h"
#include "fixture.h"
#include "raw_vm.h"
#include "tap.h"
#include "tap_group.h"

#define PAGE	    4096UL
#define HPET	    0xfed00000ULL
#define MSI_ADDRESS 0xfee00000ULL

/* Physical CPUs of two User VMs */
extern int cpus[2];

/* Run the checks of @function in a process of their own. */
#define group(function) tap_group(#function, function)

void test_life(void);	    /* life.c: creating and destroying VMs */
void test_memory(void);	    /* memory.c: memory segments */
void test_clients(void);    /* client.c: clients, which answer I/O requests */
void test_ioreqs(void);	    /* ioreq.c: I/O requests of a running User VM */
void test_interrupts(void); /* interrupt.c: injection and statistics */
void test_devices(void);    /* device.c: passthrough, virtual devices */
void test_power(void);	    /* power.c: P- and C-states */
void test_events(void);	    /* event.c: events that the hypervisor reports */
void test_async(void);	    /* async.c: asynchronous doorbells */
void test_remove_cpu(void); /* cpu.c: runs last, as it removes a CPU for good */

#endif /* CONFORMANCE_H */
