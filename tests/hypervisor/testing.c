// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "../include/hv_test.h"
#include "asyncio.h"
#include "hypercall.h"
#include "log.h"
#include "service_vm.h"
#include "spinlock.h"
#include "string.h"
#include "testing.h"
#include "trace.h"
#include "vm.h"

#define FAULT_ID(fault)	   ((fault)&0xff)
#define FAULT_FROM(fault)  ((fault) >> 8 & 0xfff)
#define FAULT_CALLS(fault) ((fault) >> 20 & 0xfff)
#define FAULT_ERRNO(fault) ((fault) >> 32)
#define FAULT_FROM_ONE	   BIT(8)
#define FAULT_CALLS_ONE	   BIT(20)

#define ARGUMENT_SIZE (HV_ARGUMENT_MSRS * sizeof(u64))

/* Not locked: only one test at a time uses these. */
static u64 call_args[2];
static s64 call_result;
static u32 asyncio_size = HV_ASYNCIO_SIZE;

/* Guards the variables that follow. */
static struct spinlock testing_lock;
static u64 fault;
static bool upcalls_held, upcall_due;
static u64 argument_info;
static u64 argument_words[HV_ARGUMENT_MSRS];

s64 testing_fault(u64 id)
{
	s64 ret = 0;

	if (!READ_ONCE(fault))
		return 0;
	spin_lock(&testing_lock);
	if (fault && FAULT_ID(fault) == (id & 0xff)) {
		if (FAULT_FROM(fault) > 1) {
			fault -= FAULT_FROM_ONE;
		} else {
			ret = -(s64)FAULT_ERRNO(fault);
			fault -= FAULT_CALLS_ONE;
		}
		if (!FAULT_CALLS(fault))
			fault = 0;
	}
	spin_unlock(&testing_lock);
	return ret;
}

static void log_argument(u64 id, u64 vmid, const u8 *bytes, u32 size)
{
	static const char digits[] = "0123456789abcdef";
	char text[ARGUMENT_SIZE * 2 + 1];

	for (u32 i = 0; i < size; i++) {
		text[i * 2] = digits[bytes[i] >> 4];
		text[i * 2 + 1] = digits[bytes[i] & 15];
	}
	text[size * 2] = '\0';
	hv_log("vm %llu: hypercall 0x%llx: %s", vmid, id & 0xff, text);
}

void testing_record(u64 id, u64 vmid, const void *argument, u32 size)
{
	log_argument(id, vmid, argument, size);
	spin_lock(&testing_lock);
	argument_info = (id & 0xff) | (vmid & 0xffff) << 16 | (u64)size << 32;
	memset(argument_words, 0, sizeof(argument_words));
	memcpy(argument_words, argument, size);
	spin_unlock(&testing_lock);
}

u32 testing_asyncio_size(void)
{
	return READ_ONCE(asyncio_size);
}

int testing_read_msr(u32 msr, u64 *value)
{
	u32 word = msr - HV_MSR_ARGUMENT;

	if (msr == HV_MSR_FAULT)
		*value = READ_ONCE(fault);
	else if (msr == HV_MSR_TRACE)
		*value = trace_address();
	else if (msr == HV_MSR_CALL)
		*value = call_result;
	else if (msr == HV_MSR_ASYNCIO_SIZE)
		*value = asyncio_size;
	else if (msr == HV_MSR_ARGUMENT_INFO)
		*value = READ_ONCE(argument_info);
	else if (word < HV_ARGUMENT_MSRS)
		*value = READ_ONCE(argument_words[word]);
	else
		return -EINVAL;
	return 0;
}

static int set_fault(u64 value)
{
	/* testing_fault() counts down to 1 and 0; it would never get there. */
	if (value && (!FAULT_FROM(value) || !FAULT_CALLS(value)))
		return -EINVAL;
	spin_lock(&testing_lock);
	fault = value;
	spin_unlock(&testing_lock);
	return 0;
}

static int set_asyncio_size(u64 value)
{
	if (value && value != HV_ASYNCIO_SIZE && value != HV_ASYNCIO_SIZE_OLD)
		return -EINVAL;
	WRITE_ONCE(asyncio_size, value);
	return 0;
}

static int forge(u64 cookie)
{
	struct vm *vm = vm_get(call_args[0]);
	bool done;

	if (!vm)
		return -EINVAL;
	done = asyncio_forge(&vm->asyncio, cookie);
	vm_put(vm);
	return done ? 0 : -EINVAL;
}

bool testing_holds_upcall(void)
{
	bool held;

	if (!READ_ONCE(upcalls_held))
		return false;
	spin_lock(&testing_lock);
	held = upcalls_held;
	upcall_due |= held;
	spin_unlock(&testing_lock);
	return held;
}

static int hold_upcalls(u64 value)
{
	bool due;

	if (value > 1)
		return -EINVAL;
	spin_lock(&testing_lock);
	upcalls_held = value;
	due = !value && upcall_due;
	upcall_due &= !due;
	spin_unlock(&testing_lock);
	if (due)
		service_vm_upcall();
	return 0;
}

static int send_event(u32 type)
{
	struct acrn_hv_event event = { .type = type };
	struct vm *vm = vm_get(call_args[0]);

	if (!vm)
		return -EINVAL;
	memcpy(event.data, &call_args[1], sizeof(call_args[1]));
	vm_event_send(vm, &event);
	vm_put(vm);
	return 0;
}

int testing_write_msr(u32 msr, u64 value)
{
	switch (msr) {
	case HV_MSR_FAULT:
		return set_fault(value);
	case HV_MSR_CALL:
		call_result = hypercall(value, call_args[0], call_args[1]);
		return 0;
	case HV_MSR_CALL_ARG0:
	case HV_MSR_CALL_ARG1:
		call_args[msr - HV_MSR_CALL_ARG0] = value;
		return 0;
	case HV_MSR_ASYNCIO_SIZE:
		return set_asyncio_size(value);
	case HV_MSR_FORGE:
		return forge(value);
	case HV_MSR_EVENT:
		return send_event(value);
	case HV_MSR_FORGET_POLLING:
		vm_forget_polling();
		return 0;
	case HV_MSR_HOLD_UPCALLS:
		return hold_upcalls(value);
	case HV_MSR_TRACE:
		if (value > 1)
			return -EINVAL;
		trace_switch(value);
		return 0;
	default:
		return -EINVAL;
	}
}
