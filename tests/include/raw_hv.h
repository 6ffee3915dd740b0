/* SPDX-License-Identifier: GPL-2.0 */
/* Access to the registers of the fixture, for tests in the Service VM. */
#ifndef RAW_HV_H
#define RAW_HV_H

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "acrn_hypercall.h"
#include "hv_test.h"

static inline int hv_open_msr(void)
{
	int fd = open("/dev/cpu/0/msr", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		err(1, "/dev/cpu/0/msr");
	return fd;
}

static inline uint64_t hv_read_msr(uint32_t msr)
{
	int fd = hv_open_msr();
	uint64_t value;

	if (pread(fd, &value, sizeof(value), msr) != sizeof(value))
		err(1, "MSR %#x", msr);
	close(fd);
	return value;
}

static inline void hv_write_msr(uint32_t msr, uint64_t value)
{
	int fd = hv_open_msr();

	if (pwrite(fd, &value, sizeof(value), msr) != sizeof(value))
		err(1, "MSR %#x", msr);
	close(fd);
}

/* Whether this is the fixture. No other machine has its registers. */
static inline bool hv_is_fixture(void)
{
	int fd = open("/dev/cpu/0/msr", O_RDONLY | O_CLOEXEC);
	uint64_t value;
	bool is;

	if (fd < 0)
		return false;
	is = pread(fd, &value, sizeof(value), HV_MSR_FAULT) == sizeof(value);
	close(fd);
	return is;
}

/* On the fixture: let VMs poll only if they are created to, see hv_test.h. */
static inline void hv_forget_polling(void)
{
	static int fixture = -1;

	if (fixture < 0)
		fixture = hv_is_fixture();
	if (fixture)
		hv_write_msr(HV_MSR_FORGET_POLLING, 0);
}

static inline int64_t hv_call(uint32_t id, uint64_t arg0, uint64_t arg1)
{
	hv_write_msr(HV_MSR_CALL_ARG0, arg0);
	hv_write_msr(HV_MSR_CALL_ARG1, arg1);
	hv_write_msr(HV_MSR_CALL, id);
	return hv_read_msr(HV_MSR_CALL);
}

/*
 * Destroy the VMs that the HSM has left behind, so that their ids can be used
 * again: all VMs but those whose ids are in the bit mask @keep.
 */
static inline void hv_reap(uint32_t keep)
{
	if (!hv_is_fixture())
		return;
	for (unsigned int vmid = 1; vmid <= 16; vmid++) {
		if (keep >> vmid & 1)
			continue;
		hv_call(ACRN_HC_PAUSE_VM, vmid, 0);
		hv_call(ACRN_HC_DESTROY_VM, vmid, 0);
	}
}

/*
 * Let @calls hypercalls with this id fail with @error, beginning with number
 * @from.
 */
static inline void hv_fault(uint32_t id, unsigned int from, unsigned int calls,
			    int error)
{
	hv_write_msr(HV_MSR_FAULT, HV_FAULT(id, from, calls, error));
}

/* Whether all these calls have failed. Lets no further one fail. */
static inline bool hv_fault_done(void)
{
	uint64_t left = hv_read_msr(HV_MSR_FAULT);

	hv_write_msr(HV_MSR_FAULT, 0);
	return !left;
}

/* Whether the last hypercall about a device was this, with this argument. */
static inline bool hv_saw(uint32_t id, uint16_t vmid, const void *argument,
			  size_t size)
{
	uint64_t info = hv_read_msr(HV_MSR_ARGUMENT_INFO);
	uint64_t words[HV_ARGUMENT_MSRS];

	for (unsigned int i = 0; i < HV_ARGUMENT_MSRS; i++)
		words[i] = hv_read_msr(HV_MSR_ARGUMENT + i);
	return HV_ARGUMENT_ID(info) == (id & 0xff) &&
	       HV_ARGUMENT_VMID(info) == vmid &&
	       HV_ARGUMENT_SIZE(info) == size && !memcmp(words, argument, size);
}

#endif /* RAW_HV_H */
