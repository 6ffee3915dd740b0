/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All counters of VMs and disks at one time, from sysfs, and, for who may read
 * them, the histograms and doorbells from debugfs. The files are described in
 * Documentation/counters.md and Documentation/tracing.md.
 */
#ifndef TOOL_SAMPLE_H
#define TOOL_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than a hypervisor has, or a Service VM will open. */
#define SAMPLE_VMS	 64
#define SAMPLE_DISKS	 512
#define SAMPLE_DOORBELLS 4096

#define LATENCY_BUCKETS 32

enum vm_counter {
	VM_DOORBELLS,
	VM_DOORBELLS_DEFERRED,
	VM_DOORBELLS_RING,
	VM_COOKIES_STALE,
	VM_REQUESTS_OVERLOAD,
	VM_REQUESTS_KERNEL,
	VM_REQUESTS_CLIENT,
	VM_REQUESTS_POLLED,
	VM_UPCALL_US,
	VM_PAUSES,
	VM_MSIS,
	VM_MSIS_FAILED,
	VM_COUNTERS,
};

enum disk_counter {
	DISK_READS,
	DISK_WRITES,
	DISK_FLUSHES,
	DISK_DISCARDS,
	DISK_WRITE_ZEROES,
	DISK_IDS,
	DISK_OTHERS,
	DISK_ERRORS,
	DISK_POLLS,
	DISK_POLLS_FOUND,
	DISK_WAITS,
	DISK_INTERRUPTS,
	DISK_COUNTERS,
};

/* Names of the files, by counter. */
extern const char *const vm_counter_names[VM_COUNTERS];
extern const char *const disk_counter_names[DISK_COUNTERS];

/**
 * struct histogram - How long something took
 * @known:	It can be read
 * @counts:	[i] are those that took 2^i to 2^(i+1) - 1 nanoseconds
 */
struct histogram {
	bool known;
	uint64_t counts[LATENCY_BUCKETS];
};

/**
 * struct vm_sample - A User VM
 * @id:		Number that the hypervisor has given it
 * @pid:	Process of its device model
 * @vcpus:	Number of vCPUs
 * @async_ring:	1 if it has asynchronous doorbells
 * @state:	As sysfs has it
 * @name:	Name that its device model was given; empty when that cannot be
 *		seen
 * @model:	Name of the device model's program
 * @counters:	By enum vm_counter
 * @latency:	Doorbells, if they are measured
 */
struct vm_sample {
	unsigned int id;
	uint64_t pid;
	uint64_t vcpus;
	uint64_t async_ring;
	char state[16];
	char name[32];
	char model[32];
	uint64_t counters[VM_COUNTERS];
	struct histogram latency;
};

/**
 * struct disk_sample - A disk on vhost-blk
 * @id:		Its number
 * @pid:	Its device model
 * @disk:	As sysfs has it
 * @counters:	By enum disk_counter
 * @latency:	Requests, if they are measured
 */
struct disk_sample {
	unsigned int id;
	uint64_t pid;
	char disk[32];
	uint64_t counters[DISK_COUNTERS];
	struct histogram latency;
};

/**
 * struct doorbell_sample - A doorbell
 * @vm:		Its VM's id
 * @key:	Space, address, length and data, as debugfs has them
 * @async:	It is asynchronous
 * @rings:	How often it has rung
 */
struct doorbell_sample {
	unsigned int vm;
	char key[64];
	bool async;
	uint64_t rings;
};

/**
 * struct sample - All of it
 * @ns:		Time of the sample, by CLOCK_MONOTONIC
 * @vms:	VMs
 * @vm_count:	Number of VMs
 * @disks:	Disks
 * @disk_count:	Number of disks
 * @doorbells:	Doorbells
 * @doorbell_count: Number of doorbells
 * @doorbells_error: 0, or the errno that reading them has ended with
 */
struct sample {
	uint64_t ns;
	struct vm_sample vms[SAMPLE_VMS];
	size_t vm_count;
	struct disk_sample disks[SAMPLE_DISKS];
	size_t disk_count;
	struct doorbell_sample doorbells[SAMPLE_DOORBELLS];
	size_t doorbell_count;
	int doorbells_error;
};

void sample_take(struct sample *sample, bool doorbells);
const struct vm_sample *sample_vm(const struct sample *sample, unsigned int id,
				  uint64_t pid);
const struct disk_sample *sample_disk(const struct sample *sample,
				      unsigned int id, uint64_t pid);
const struct doorbell_sample *
sample_doorbell(const struct sample *sample,
		const struct doorbell_sample *doorbell);
const struct vm_sample *sample_vm_of(const struct sample *sample, uint64_t pid);
uint64_t vm_doorbells(const uint64_t *counters);
uint64_t disk_requests(const uint64_t *counters);

#endif /* TOOL_SAMPLE_H */
