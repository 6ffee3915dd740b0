// SPDX-License-Identifier: GPL-2.0
/*
 * The upcalls' share of their CPU. Guests can ring without end, and each upcall
 * comes before whatever else wants to run there.
 *
 * Each upcall is charged with the time that its handler takes and with what the
 * interrupt takes besides, from the interrupted task and back to it: what an
 * interrupt of this machine's takes is measured when the module is loaded. The
 * part of the time that the parameter says pays that back. Once upcalls owe more
 * than BURST_US, a VM that has taken more than its part of these is paused until
 * all is paid: what it asks meanwhile is left to its thread, which does not begin
 * before that. The VMs' parts are equal, so that a VM that takes less than its
 * part is never paused, whatever the others do.
 *
 * An upcall that interrupts the idle task keeps nobody from anything: as long as
 * upcalls do, they may take IDLE_SHARE. What that leaves is for timers and other
 * interrupts, from which tasks come that want the CPU.
 *
 * All of it belongs to the upcall, which comes to one CPU, so that there is
 * nothing to lock. Time is in cycles of that CPU's TSC.
 */
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <asm/tsc.h>

#include "hsm.h"
#include "trace.h"

/*
 * While upcalls owe no more, all of the CPU is theirs, so that this is also how
 * long a timer may have to wait, in the order of magnitude.
 */
#define BURST_US	1000

/*
 * In percent, unless the parameter gives more. Tried on ACRN with a User VM that
 * rings all the time: with 80 the Service VM stood still, with 50 it did not.
 */
#define IDLE_SHARE	50U

#define PROBES		32

static unsigned int upcall_share = 30;

static int set_share(const char *text, const struct kernel_param *param)
{
	return param_set_uint_minmax(text, param, 1, 100);
}

static const struct kernel_param_ops share_ops = {
	.set = set_share,
	.get = param_get_uint,
};

module_param_cb(upcall_share, &share_ops, &upcall_share, 0644);
MODULE_PARM_DESC(upcall_share, "percentage of their CPU that upcalls may take");

/**
 * struct upcall_total - What upcalls take, all VMs together
 * @vms:	How many VMs there are
 * @share:	What upcalls may take at present, in percent
 * @interrupt:	What an interrupt takes besides its handler. Constant
 * @entry:	The same of the upcall under way: no more than was since the last
 * @began:	When the upcall began
 * @charged:	Up to when its time has been charged
 * @owed:	Charged and not paid back
 */
static struct upcall_total {
	unsigned int vms;
	unsigned int share;
	u64 interrupt;
	u64 entry;
	u64 began;
	u64 charged;
	u64 owed;
} total;

static u64 burst(void)
{
	return (u64)tsc_khz * BURST_US / 1000;
}

/* What is paid back in @cycles. */
static u64 payment(u64 cycles)
{
	return cycles * total.share / 100;
}

/* How long it takes to pay @owed back. */
static u64 time_to_pay(u64 owed)
{
	return owed * 100 / total.share;
}

static void pay(u64 *owed, u64 amount)
{
	*owed -= min(*owed, amount);
}

/* Soft interrupts run on the idle task's stack as well, and are no idle time. */
static bool interrupts_idle_task(void)
{
	return is_idle_task(current) && !in_serving_softirq();
}

/* An upcall has begun at @now. Hot path. Returns the time since the last one. */
u64 acrn_share_begin(u64 now)
{
	u64 since = now - total.charged;

	total.share = READ_ONCE(upcall_share);
	if (interrupts_idle_task())
		total.share = max(total.share, IDLE_SHARE);
	pay(&total.owed, payment(now - total.began));
	total.began = now;
	total.entry = min(since, total.interrupt);
	total.owed += total.entry;
	total.charged = now;
	return since;
}

static enum hrtimer_restart end_pause(struct hrtimer *timer)
{
	struct acrn_vm *vm = container_of(timer, struct acrn_vm, share.timer);

	WRITE_ONCE(vm->share.paused, false);
	acrn_thread_wake_if_due(vm);
	return HRTIMER_NORESTART;
}

/* The timer comes to the CPU that starts it, so that no upcall comes between. */
static void pause(struct acrn_vm *vm)
{
	struct acrn_share *share = &vm->share;
	u64 ns = mul_u64_u32_div(time_to_pay(total.owed), NSEC_PER_MSEC,
				 tsc_khz);

	WRITE_ONCE(share->paused, true);
	WRITE_ONCE(share->pauses, share->pauses + 1);
	hrtimer_start(&share->timer, ns_to_ktime(ns),
		      HRTIMER_MODE_REL_PINNED_HARD);
	trace_acrn_pause(vm->vmid, ns);
}

/**
 * acrn_share_used_up() - Whether a VM has to wait
 * @vm:		VM that has something for the upcall
 *
 * Hot path, in the upcall, at most once in each for a VM.
 *
 * Return: true if it is paused. Its thread begins when the pause is over.
 */
bool acrn_share_used_up(struct acrn_vm *vm)
{
	struct acrn_share *share = &vm->share;
	u64 now = total.charged;

	if (share->paused)
		return true;
	pay(&share->owed, payment(now - share->paid) / total.vms);
	share->paid = now;
	if (total.owed <= burst() || share->owed <= burst() / total.vms)
		return false;
	pause(vm);
	return true;
}

/* The upcall's time since the last charge. */
static u64 charge(void)
{
	u64 now = get_cycles();
	u64 cycles = now - total.charged;

	total.owed += cycles;
	total.charged = now;
	return cycles;
}

/* What the upcall has done since the last charge was for @vm. Hot path. */
void acrn_share_charge(struct acrn_vm *vm)
{
	struct acrn_share *share = &vm->share;
	u64 cycles = charge() + total.entry;

	share->owed += cycles;
	WRITE_ONCE(share->taken, share->taken + cycles);
}

/* The upcall is at its end. Hot path. */
void acrn_share_end(void)
{
	charge();
}

void acrn_share_init(struct acrn_share *share)
{
	hrtimer_init(&share->timer, CLOCK_MONOTONIC,
		     HRTIMER_MODE_REL_PINNED_HARD);
	share->timer.function = end_pause;
}

/* Nothing is charged to the VM any more. Process context. */
void acrn_share_deinit(struct acrn_share *share)
{
	hrtimer_cancel(&share->timer);
}

/* There are @count VMs more, or less, for the upcall. As in the upcall. */
void acrn_share_add_vms(int count)
{
	total.vms += count;
}

/* An interrupt that the CPU sends itself. */
struct probe {
	struct irq_work work;
	bool done;
};

static void probe_handler(struct irq_work *work)
{
	WRITE_ONCE(container_of(work, struct probe, work)->done, true);
}

static u64 probe_interrupt(void)
{
	struct probe probe = { };
	u64 cycles;

	probe.work = IRQ_WORK_INIT_HARD(probe_handler);
	preempt_disable();
	cycles = get_cycles();
	irq_work_queue(&probe.work);
	while (!READ_ONCE(probe.done))
		cpu_relax();
	cycles = get_cycles() - cycles;
	preempt_enable();
	irq_work_sync(&probe.work);
	return cycles;
}

/*
 * Measure what an interrupt takes, exits to the hypervisor included. Process
 * context, before there are upcalls.
 */
void acrn_share_measure(void)
{
	unsigned int i;

	total.interrupt = U64_MAX;
	for (i = 0; i < PROBES; i++)
		total.interrupt = min(total.interrupt, probe_interrupt());
}
