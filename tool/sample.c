// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "files.h"
#include "process.h"
#include "sample.h"

#define VMS   "/sys/class/misc/acrn_hsm"
#define DISKS "/sys/class/misc/vhost-blk"
#define DEBUG "/sys/kernel/debug"

const char *const vm_counter_names[VM_COUNTERS] = {
	[VM_DOORBELLS] = "doorbells",
	[VM_DOORBELLS_DEFERRED] = "doorbells_deferred",
	[VM_DOORBELLS_RING] = "doorbells_ring",
	[VM_COOKIES_STALE] = "cookies_stale",
	[VM_REQUESTS_OVERLOAD] = "requests_overload",
	[VM_REQUESTS_KERNEL] = "requests_kernel",
	[VM_REQUESTS_CLIENT] = "requests_client",
	[VM_REQUESTS_POLLED] = "requests_polled",
	[VM_UPCALL_US] = "upcall_us",
	[VM_PAUSES] = "pauses",
	[VM_MSIS] = "msis",
	[VM_MSIS_FAILED] = "msis_failed",
};

const char *const disk_counter_names[DISK_COUNTERS] = {
	[DISK_READS] = "reads",
	[DISK_WRITES] = "writes",
	[DISK_FLUSHES] = "flushes",
	[DISK_DISCARDS] = "discards",
	[DISK_WRITE_ZEROES] = "write_zeroes",
	[DISK_IDS] = "ids",
	[DISK_OTHERS] = "others",
	[DISK_ERRORS] = "errors",
	[DISK_POLLS] = "polls",
	[DISK_POLLS_FOUND] = "polls_found",
	[DISK_WAITS] = "waits",
	[DISK_INTERRUPTS] = "interrupts",
};

static void read_histogram(struct histogram *histogram, const char *folder,
			   unsigned int id)
{
	FILE *file = files_open(DEBUG "/%s%u/latency", folder, id);
	unsigned int i = 0;

	if (!file)
		return;
	while (i < LATENCY_BUCKETS &&
	       fscanf(file, "%*u %" SCNu64, &histogram->counts[i]) == 1)
		i++;
	histogram->known = i == LATENCY_BUCKETS;
	fclose(file);
}

/*
 * False when the VM ends meanwhile. A counter that the modules do not have is
 * 0: they may be older than this program until they are loaded again.
 */
static bool read_vm(struct vm_sample *vm, unsigned int id)
{
	bool there = true;

	*vm = (struct vm_sample){ .id = id };
	there &= files_number(&vm->pid, VMS "/vm%u/pid", id);
	there &= files_number(&vm->vcpus, VMS "/vm%u/vcpus", id);
	there &= files_number(&vm->async_ring, VMS "/vm%u/async_ring", id);
	there &=
		files_word(vm->state, sizeof(vm->state), VMS "/vm%u/state", id);
	for (int i = 0; i < VM_COUNTERS; i++)
		files_number(&vm->counters[i], VMS "/vm%u/%s", id,
			     vm_counter_names[i]);
	read_histogram(&vm->latency, "acrn_hsm/vm", id);
	process_name(vm->pid, vm->model, sizeof(vm->model));
	process_vm_name(vm->pid, vm->name, sizeof(vm->name));
	return there && files_exist(VMS "/vm%u", id);
}

/* As read_vm(), for a disk */
static bool read_disk(struct disk_sample *disk, unsigned int id)
{
	bool there = true;

	*disk = (struct disk_sample){ .id = id };
	there &= files_number(&disk->pid, DISKS "/%u/pid", id);
	there &= files_word(disk->disk, sizeof(disk->disk), DISKS "/%u/disk",
			    id);
	for (int i = 0; i < DISK_COUNTERS; i++)
		files_number(&disk->counters[i], DISKS "/%u/%s", id,
			     disk_counter_names[i]);
	read_histogram(&disk->latency, "vhost_blk/", id);
	return there && files_exist(DISKS "/%u", id);
}

static bool parse_doorbell(struct doorbell_sample *doorbell, const char *line)
{
	const char *rings = strstr(line, " rings=");
	char async[4];

	if (!rings || sscanf(rings, " rings=%" SCNu64 " async=%3s",
			     &doorbell->rings, async) != 2)
		return false;
	snprintf(doorbell->key, sizeof(doorbell->key), "%.*s",
		 (int)(rings - line), line);
	doorbell->async = !strcmp(async, "yes");
	return true;
}

static void read_doorbells(struct sample *sample, unsigned int vm)
{
	FILE *file = files_open(DEBUG "/acrn_hsm/vm%u/doorbells", vm);
	struct doorbell_sample *doorbell;
	char line[128];

	if (!file) {
		/* No debugfs, or a VM that has none or has just ended? */
		if (errno != ENOENT || !files_exist(DEBUG "/acrn_hsm"))
			sample->doorbells_error = errno;
		return;
	}
	while (sample->doorbell_count < SAMPLE_DOORBELLS &&
	       fgets(line, sizeof(line), file)) {
		doorbell = &sample->doorbells[sample->doorbell_count];
		doorbell->vm = vm;
		sample->doorbell_count += parse_doorbell(doorbell, line);
	}
	fclose(file);
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

/**
 * sample_take() - Read all counters
 * @sample:	Where to
 * @doorbells:	Those of each doorbell, too
 *
 * What ends meanwhile is left out.
 */
void sample_take(struct sample *sample, bool doorbells)
{
	unsigned int ids[SAMPLE_DISKS];
	size_t count;

	sample->vm_count = sample->disk_count = sample->doorbell_count = 0;
	sample->doorbells_error = 0;
	sample->ns = now();
	count = files_numbered(VMS, "vm", ids, SAMPLE_VMS);
	for (size_t i = 0; i < count; i++)
		sample->vm_count +=
			read_vm(&sample->vms[sample->vm_count], ids[i]);
	if (doorbells)
		for (size_t i = 0; i < sample->vm_count; i++)
			read_doorbells(sample, sample->vms[i].id);
	count = files_numbered(DISKS, "", ids, SAMPLE_DISKS);
	for (size_t i = 0; i < count; i++)
		sample->disk_count +=
			read_disk(&sample->disks[sample->disk_count], ids[i]);
}

/* The same VM in another sample, or NULL; another VM may have got its id. */
const struct vm_sample *sample_vm(const struct sample *sample, unsigned int id,
				  uint64_t pid)
{
	for (size_t i = 0; i < sample->vm_count; i++)
		if (sample->vms[i].id == id && sample->vms[i].pid == pid)
			return &sample->vms[i];
	return NULL;
}

/* The same disk in another sample, or NULL. */
const struct disk_sample *sample_disk(const struct sample *sample,
				      unsigned int id, uint64_t pid)
{
	for (size_t i = 0; i < sample->disk_count; i++)
		if (sample->disks[i].id == id && sample->disks[i].pid == pid)
			return &sample->disks[i];
	return NULL;
}

/* The same doorbell in another sample, or NULL. */
const struct doorbell_sample *
sample_doorbell(const struct sample *sample,
		const struct doorbell_sample *doorbell)
{
	for (size_t i = 0; i < sample->doorbell_count; i++)
		if (sample->doorbells[i].vm == doorbell->vm &&
		    !strcmp(sample->doorbells[i].key, doorbell->key))
			return &sample->doorbells[i];
	return NULL;
}

/* The VM of a device model, or NULL when it has none. */
const struct vm_sample *sample_vm_of(const struct sample *sample, uint64_t pid)
{
	for (size_t i = 0; i < sample->vm_count; i++)
		if (sample->vms[i].pid == pid)
			return &sample->vms[i];
	return NULL;
}

/* All doorbells, whichever way they went. */
uint64_t vm_doorbells(const uint64_t *counters)
{
	return counters[VM_DOORBELLS] + counters[VM_DOORBELLS_DEFERRED] +
	       counters[VM_DOORBELLS_RING];
}

/* Requests of all kinds. */
uint64_t disk_requests(const uint64_t *counters)
{
	uint64_t sum = 0;

	for (int i = DISK_READS; i <= DISK_OTHERS; i++)
		sum += counters[i];
	return sum;
}
