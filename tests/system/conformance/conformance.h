/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One suite for any HSM and any hypervisor: what device models rely on, by raw
 * ioctls. It runs on our HSM and on the in-tree one; differs.h is for what the
 * two do differently, fixture.h for what only tests/hypervisor can show.
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

/* The checks of @function, in a process of their own. */
#define group(function) tap_group(#function, function)

void test_life(void);	    /* life.c: making and ending VMs */
void test_memory(void);	    /* memory.c: segments */
void test_clients(void);    /* client.c: who answers I/O requests */
void test_ioreqs(void);	    /* ioreq.c: requests of a User VM that runs */
void test_interrupts(void); /* interrupt.c: into the VM, and statistics */
void test_devices(void);    /* device.c: passthrough, virtual devices */
void test_power(void);	    /* power.c: P- and C-states */
void test_events(void);	    /* event.c: what the hypervisor tells of a VM */
void test_async(void);	    /* async.c: asynchronous doorbells */
void test_remove_cpu(void); /* cpu.c: takes a CPU for good, to be the last */

#endif /* CONFORMANCE_H */
