/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The User VM: memory, buses, devices, and how it ends.
 *
 * Threads: the main thread runs the event loop (signals, console input, errors
 * of vhost, sizes of disks). One thread handles the I/O requests of all vCPUs,
 * and resets the VM. Devices whose queues this process handles have more
 * threads: a network with vhost=off one for each pair of queues that the guest
 * uses, a disk with backend=uring one for each queue.
 */
#ifndef DM_VM_H
#define DM_VM_H

#include <pthread.h>
#include <stdatomic.h>

#include "boot/loader.h"
#include "bus/bus.h"
#include "bus/mem.h"
#include "bus/pci.h"
#include "machine/hsm.h"
#include "process/event.h"
#include "process/stats.h"

/* What is to become of the VM. Of several requests the highest one counts. */
enum vm_request {
	VM_RUN,
	VM_REBOOT,
	VM_POWER_OFF,
	VM_CRASHED,
	VM_STOP,
	VM_ERROR,
};

/**
 * struct vm_device - A device, as far as the VM has to do with it
 * @next:	Device that was added before
 * @reset:	The VM is reset. Thread of I/O requests.
 * @destroy:	Undo the device's creation and free it. Main thread, when no
 *		I/O requests are handled.
 */
struct vm_device {
	struct vm_device *next;
	void (*reset)(struct vm_device *device);
	void (*destroy)(struct vm_device *device);
};

/**
 * struct vm - A User VM
 * @hsm:	The VM of the hypervisor
 * @mem:	RAM
 * @loader:	Files that it boots from
 * @lapic_ids:	Id of each vCPU's local APIC, which is that of the physical CPU
 *		that the vCPU runs on
 * @pio:	I/O ports
 * @mmio:	Memory-mapped registers
 * @pci:	PCI bus 0
 * @events:	Main thread's loop
 * @stats:	Counters
 * @devices:	Device that was added last
 * @request:	enum vm_request; set by any thread
 * @thread:	Handles I/O requests
 */
struct vm {
	struct hsm hsm;
	struct guest_mem mem;
	struct loader loader;
	uint8_t lapic_ids[HSM_MAX_VCPUS];
	struct bus pio;
	struct bus mmio;
	struct pci_bus pci;
	struct event_loop events;
	struct stats stats;
	struct vm_device *devices;
	atomic_int request;
	pthread_t thread;
};

int vm_create(struct vm *vm, const char *name, uint64_t cpus, uint64_t memory,
	      bool hugepages, bool completion_polling);
void vm_destroy(struct vm *vm);
void vm_add_device(struct vm *vm, struct vm_device *device);
int vm_start(struct vm *vm);
int vm_reset(struct vm *vm);
void vm_request(struct vm *vm, enum vm_request request);
enum vm_request vm_requested(struct vm *vm);
void vm_inject_msi(struct vm *vm, const struct acrn_msi_entry *msi);

#endif /* DM_VM_H */
