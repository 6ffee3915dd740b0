// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of what was counted between two samples, as rates; or up to one
 * sample, as sums. The busiest VM, disk or doorbell comes first.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "histogram.h"
#include "table.h"

/**
 * struct row - A line of a table
 * @of:		VM, disk or doorbell
 * @counts:	By how much its counters have increased
 * @latency:	By how much its histogram has
 * @order:	Lines are sorted by this; the largest comes first
 */
struct row {
	const void *of;
	uint64_t counts[DISK_COUNTERS];
	struct histogram latency;
	uint64_t order;
};

_Static_assert((int)DISK_COUNTERS >= (int)VM_COUNTERS,
	       "rows have all counters");

static struct row rows[SAMPLE_DOORBELLS];

static int compare(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? 1 : -1;
	return x->of < y->of ? -1 : 1;
}

/* Seconds between two samples; 1 for sums, which are divided by it as well. */
static double seconds(const struct sample *now, const struct sample *before)
{
	return before ? (now->ns - before->ns) / 1e9 : 1;
}

/*
 * By how much counters have increased. All of a counter that has become smaller
 * is new: it belongs to another VM or disk.
 */
static void subtract(uint64_t *counts, const uint64_t *now,
		     const uint64_t *before, int size)
{
	for (int i = 0; i < size; i++)
		counts[i] = now[i] -
			    (before && before[i] <= now[i] ? before[i] : 0);
}

static void print_latency(FILE *to, const struct histogram *latency)
{
	static const unsigned int percents[] = { 50, 99 };

	for (unsigned int i = 0; i < 2; i++) {
		uint64_t ns = histogram_percentile(latency, percents[i]);

		if (ns)
			fprintf(to, " %7.1f", ns / 1e3);
		else
			fprintf(to, " %7s", "-");
	}
	fprintf(to, "\n");
}

static size_t make_vm_rows(const struct sample *now,
			   const struct sample *before)
{
	for (size_t i = 0; i < now->vm_count; i++) {
		const struct vm_sample *vm = &now->vms[i], *old;

		old = before ? sample_vm(before, vm->id, vm->pid) : NULL;
		rows[i].of = vm;
		subtract(rows[i].counts, vm->counters,
			 old ? old->counters : NULL, VM_COUNTERS);
		rows[i].latency = histogram_since(&vm->latency,
						  old ? &old->latency : NULL);
		rows[i].order = vm_doorbells(rows[i].counts);
	}
	qsort(rows, now->vm_count, sizeof(*rows), compare);
	return now->vm_count;
}

/**
 * table_vms() - Print a line for each VM
 * @to:		Where to
 * @now:	Sample
 * @before:	An earlier one, for rates; or NULL, for sums
 */
void table_vms(FILE *to, const struct sample *now, const struct sample *before)
{
	static const enum vm_counter columns[] = {
		VM_DOORBELLS,	    VM_DOORBELLS_RING, VM_DOORBELLS_DEFERRED,
		VM_REQUESTS_CLIENT, VM_MSIS,	       VM_PAUSES,
	};
	double time = seconds(now, before);
	size_t count = make_vm_rows(now, before);

	fprintf(to, " VM NAME         DOORBELLS  UPCALL    RING  THREAD   TO-DM"
		    "    MSIS  PAUSES  CPU%%   P50us   P99us\n");
	for (size_t i = 0; i < count; i++) {
		const struct vm_sample *vm = rows[i].of;

		fprintf(to, "%3u %-12.12s %9.0f", vm->id,
			*vm->name ? vm->name : "-", rows[i].order / time);
		for (size_t j = 0; j < sizeof(columns) / sizeof(*columns); j++)
			fprintf(to, " %7.0f",
				rows[i].counts[columns[j]] / time);
		if (before)
			fprintf(to, " %5.1f",
				rows[i].counts[VM_UPCALL_US] / time / 1e4);
		else
			fprintf(to, " %5s", "-");
		print_latency(to, &rows[i].latency);
	}
}

static size_t make_disk_rows(const struct sample *now,
			     const struct sample *before)
{
	for (size_t i = 0; i < now->disk_count; i++) {
		const struct disk_sample *disk = &now->disks[i], *old;

		old = before ? sample_disk(before, disk->id, disk->pid) : NULL;
		rows[i].of = disk;
		subtract(rows[i].counts, disk->counters,
			 old ? old->counters : NULL, DISK_COUNTERS);
		rows[i].latency = histogram_since(&disk->latency,
						  old ? &old->latency : NULL);
		rows[i].order = disk_requests(rows[i].counts);
	}
	qsort(rows, now->disk_count, sizeof(*rows), compare);
	return now->disk_count;
}

static void print_vm_id(FILE *to, const struct vm_sample *vm)
{
	if (vm)
		fprintf(to, " %3u", vm->id);
	else
		fprintf(to, "   -");
}

/* As table_vms(), for each disk. Prints nothing when there is none. */
void table_disks(FILE *to, const struct sample *now,
		 const struct sample *before)
{
	static const enum disk_counter columns[] = {
		DISK_READS, DISK_WRITES,      DISK_FLUSHES,    DISK_ERRORS,
		DISK_WAITS, DISK_POLLS_FOUND, DISK_INTERRUPTS,
	};
	double time = seconds(now, before);
	size_t count = make_disk_rows(now, before);

	if (count)
		fprintf(to,
			"\nDISK  VM DEVICE        READS  WRITES FLUSHES  ERRORS"
			"   WAITS  POLLED    IRQS   P50us   P99us\n");
	for (size_t i = 0; i < count; i++) {
		const struct disk_sample *disk = rows[i].of;

		fprintf(to, "%4u", disk->id);
		print_vm_id(to, sample_vm_of(now, disk->pid));
		fprintf(to, " %-10.10s", disk->disk);
		for (size_t j = 0; j < sizeof(columns) / sizeof(*columns); j++)
			fprintf(to, " %7.0f",
				rows[i].counts[columns[j]] / time);
		print_latency(to, &rows[i].latency);
	}
}

/* As table_vms(), for each doorbell. */
void table_doorbells(FILE *to, const struct sample *now,
		     const struct sample *before)
{
	double time = seconds(now, before);

	for (size_t i = 0; i < now->doorbell_count; i++) {
		const struct doorbell_sample *bell = &now->doorbells[i], *old;

		old = before ? sample_doorbell(before, bell) : NULL;
		rows[i].of = bell;
		subtract(&rows[i].order, &bell->rings, old ? &old->rings : NULL,
			 1);
	}
	qsort(rows, now->doorbell_count, sizeof(*rows), compare);
	fprintf(to,
		" VM DOORBELL: SPACE, ADDRESS, LENGTH, DATA     RINGS  ASYNC\n");
	for (size_t i = 0; i < now->doorbell_count; i++) {
		const struct doorbell_sample *bell = rows[i].of;

		fprintf(to, "%3u %-38s %9.0f  %s\n", bell->vm, bell->key,
			rows[i].order / time, bell->async ? "yes" : "no");
	}
}

static void print_disks_of(const struct sample *now, uint64_t pid)
{
	const char *before = " ";

	for (size_t i = 0; i < now->disk_count; i++) {
		if (now->disks[i].pid != pid)
			continue;
		printf("%s%s", before, now->disks[i].disk);
		before = ",";
	}
	printf("%s\n", *before == ' ' ? " -" : "");
}

/* What there is: VMs, their device models and disks on vhost-blk. */
void table_list(const struct sample *now)
{
	printf(" VM NAME         STATE    VCPUS ASYNC     PID DEVICE MODEL"
	       "    DISKS\n");
	for (size_t i = 0; i < now->vm_count; i++) {
		const struct vm_sample *vm = &now->vms[i];

		printf("%3u %-12.12s %-8s %5" PRIu64 " %-5s %7" PRIu64 " %-15s",
		       vm->id, *vm->name ? vm->name : "-", vm->state, vm->vcpus,
		       vm->async_ring ? "yes" : "no", vm->pid,
		       *vm->model ? vm->model : "-");
		print_disks_of(now, vm->pid);
	}
	for (size_t i = 0; i < now->disk_count; i++)
		if (!sample_vm_of(now, now->disks[i].pid))
			printf("  - no VM here; process %" PRIu64
			       " has the disk %s\n",
			       now->disks[i].pid, now->disks[i].disk);
}
