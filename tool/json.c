// SPDX-License-Identifier: GPL-2.0
/*
 * Strings need no escapes: those of the kernel are plain words, and process.c
 * takes care of the others.
 */
#include <inttypes.h>
#include <stdio.h>

#include "histogram.h"
#include "json.h"

static void print_counters(const uint64_t *counters, const char *const *names,
			   int size)
{
	for (int i = 0; i < size; i++)
		printf(", \"%s\": %" PRIu64, names[i], counters[i]);
}

static void print_latency(const struct histogram *latency)
{
	uint64_t p50 = histogram_percentile(latency, 50);

	if (p50)
		printf(", \"latency_p50_ns\": %" PRIu64
		       ", \"latency_p99_ns\": %" PRIu64,
		       p50, histogram_percentile(latency, 99));
}

static void print_vm(const struct vm_sample *vm)
{
	printf("{\"id\": %u, \"name\": \"%s\", \"pid\": %" PRIu64
	       ", \"device_model\": \"%s\", \"state\": \"%s\""
	       ", \"vcpus\": %" PRIu64 ", \"async_ring\": %" PRIu64,
	       vm->id, vm->name, vm->pid, vm->model, vm->state, vm->vcpus,
	       vm->async_ring);
	print_counters(vm->counters, vm_counter_names, VM_COUNTERS);
	print_latency(&vm->latency);
	printf("}");
}

static void print_disk(const struct disk_sample *disk)
{
	printf("{\"id\": %u, \"pid\": %" PRIu64 ", \"disk\": \"%s\"", disk->id,
	       disk->pid, disk->disk);
	print_counters(disk->counters, disk_counter_names, DISK_COUNTERS);
	print_latency(&disk->latency);
	printf("}");
}

static void print_doorbell(const struct doorbell_sample *bell)
{
	printf("{\"vm\": %u, \"doorbell\": \"%s\", \"rings\": %" PRIu64
	       ", \"async\": %s}",
	       bell->vm, bell->key, bell->rings,
	       bell->async ? "true" : "false");
}

static void print_separator(size_t i)
{
	printf("%s", i ? ", " : "");
}

/**
 * json_print() - Print all sums of a sample as one object on one line
 * @sample:	Sample
 */
void json_print(const struct sample *sample)
{
	printf("{\"vms\": [");
	for (size_t i = 0; i < sample->vm_count; i++) {
		print_separator(i);
		print_vm(&sample->vms[i]);
	}
	printf("], \"disks\": [");
	for (size_t i = 0; i < sample->disk_count; i++) {
		print_separator(i);
		print_disk(&sample->disks[i]);
	}
	printf("], \"doorbells\": [");
	for (size_t i = 0; i < sample->doorbell_count; i++) {
		print_separator(i);
		print_doorbell(&sample->doorbells[i]);
	}
	printf("]}\n");
}
