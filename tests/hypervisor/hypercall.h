/* SPDX-License-Identifier: GPL-2.0 */
/* Hypercalls: <acrn_hypercall.h> says what they are. */
#ifndef HV_HYPERCALL_H
#define HV_HYPERCALL_H

#include "types.h"

/**
 * hypercall() - Carry out a hypercall of the Service VM
 * @id:		As the guest gave it; the low eight bits count
 * @arg0:	First argument
 * @arg1:	Second argument
 *
 * Runs on a CPU of the Service VM, on several at a time. Takes VM locks.
 *
 * Return: 0 or negative errno, the guest's RAX.
 */
s64 hypercall(u64 id, u64 arg0, u64 arg1);

/**
 * typedef hypercall_fn - Handler of one hypercall
 * @arg0:	First argument
 * @arg1:	Second argument
 */
typedef s64 (*hypercall_fn)(u64 arg0, u64 arg1);

/* hc_vm.c: a VM's life, hc_memory.c and hc_io.c: what it is given. */
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

/* hc_ring.c: rings, and doorbells that go there. */
s64 hc_setup_sbuf(u64 vmid, u64 params);
s64 hc_asyncio_assign(u64 vmid, u64 params);
s64 hc_asyncio_deassign(u64 vmid, u64 params);

/* hc_device.c: devices, hc_monitor.c and hc_cpu.c: what there is to know. */
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
