/* SPDX-License-Identifier: GPL-2.0 */
/* Hypercalls; <acrn_hypercall.h> describes ids and arguments. */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include "types.h"

/**
 * hypercall() - Carry out a hypercall of the Service VM
 * @id:		Id as the Service VM gave it; only the low eight bits are used
 * @arg0:	First argument
 * @arg1:	Second argument
 *
 * Called on a CPU of the Service VM, possibly on several at the same time, with
 * no lock held. Takes VM locks.
 *
 * Return: 0 or a negative errno, for the Service VM's RAX.
 */
s64 hypercall(u64 id, u64 arg0, u64 arg1);

/**
 * typedef hypercall_fn - Handler of one hypercall
 * @arg0:	First argument
 * @arg1:	Second argument
 */
typedef s64 (*hypercall_fn)(u64 arg0, u64 arg1);

/*
 * hc_vm.c, hc_memory.c, hc_io.c: life of a VM, its memory, I/O requests and
 * interrupts
 */
s64 hc_create_vm(u64 params, u64 unused);
s64 hc_destroy_vm(u64 vmid, u64 unused);
s64 hc_start_vm(u64 vmid, u64 unused);
s64 hc_pause_vm(u64 vmid, u64 unused);
s64 hc_reset_vm(u64 vmid, u64 unused);
s64 hc_set_vcpu_regs(u64 vmid, u64 params);
s64 hc_vm_gpa_to_hpa(u64 vmid, u64 params);
s64 hc_set_memory_regions(u64 params, u64 unused);
s64 hc_set_ioreq_buffer(u64 vmid, u64 params);
s64 hc_notify_request_finish(u64 vmid, u64 vcpu);
s64 hc_inject_msi(u64 vmid, u64 params);
s64 hc_set_irqline(u64 vmid, u64 ops);

/* hc_ring.c: rings and asynchronous doorbells */
s64 hc_setup_sbuf(u64 vmid, u64 params);
s64 hc_asyncio_assign(u64 vmid, u64 params);
s64 hc_asyncio_deassign(u64 vmid, u64 params);

/* hc_device.c, hc_monitor.c, hc_cpu.c: devices, their interrupts, CPUs */
s64 hc_set_ptdev_intr(u64 vmid, u64 params);
s64 hc_reset_ptdev_intr(u64 vmid, u64 params);
s64 hc_assign_pcidev(u64 vmid, u64 params);
s64 hc_deassign_pcidev(u64 vmid, u64 params);
s64 hc_assign_mmiodev(u64 vmid, u64 params);
s64 hc_deassign_mmiodev(u64 vmid, u64 params);
s64 hc_create_vdev(u64 vmid, u64 params);
s64 hc_destroy_vdev(u64 vmid, u64 params);
s64 hc_vm_intr_monitor(u64 vmid, u64 params);
s64 hc_pm_get_cpu_state(u64 command, u64 result);
s64 hc_remove_cpu(u64 apic_id, u64 unused);

#endif /* HV_HYPERCALL_H */
