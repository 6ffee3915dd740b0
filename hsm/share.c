// SPDX-License-Identifier: GPL-2.0
/*
 * The share that upcalls have of their CPU. Guests can ring without end, and an
 * upcall interrupts whatever else runs on that CPU.
 *
 * Each upcall is charged with the time that its handler takes, and with the
 * time that the interrupt takes besides: from the interrupted task to the
 * handler and back. The latter is measured when the module is loaded. As time
 * goes by, the charge is paid back, at the rate that the parameter upcall_share
 * gives. Once upcalls owe more than BURST_US, a VM that owes more than its part
 * of these is paused until all is paid back: its requests are left to its
 * thread, which begins when the pause is over. All VMs have equal parts, so a
 * VM that takes less than its part is never paused, whatever the others do.
 *
 * An upcall that interrupts the idle task takes the CPU from nobody. It pays
 * back at the rate IDLE_SHARE if that is more. The rest is for timers and other
 * interrupts, which wake the tasks that want the CPU.
 *
 * All of this belongs to the upcall, which comes to one CPU, so there is no
 * lock. Time is in cycles of the TSC of that CPU.
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
 * Until they owe this much, upcalls can take all of the CPU. So a timer may
 * have to wait for about as long.
 */
#define BURST_US	1000

/*
 * In percent. Tried on ACRN with a User VM that rings all the time: with 80 the
 * Service VM stood still, with 50 it did not.
 */
#define IDLE_SHARE	50U

/* Interrupts that are measured when the module is loaded; the fastest one counts */
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
 * struct upcall_total - What upcalls cost for all VMs together
 * @vms:	Number of VMs
 * @share:	Share of the CPU that upcalls may take at present, in percent
 * @interrupt:	What an interrupt takes besides its handler. Constant
 * @entry:	What the interrupt of the current upcall has taken: @interrupt,
 *		but no more than the time since the last upcall
 * @began:	When the current or last upcall began
 * @charged:	Up to when time of the handler has been charged
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

/* The amount that is paid back in a time of @cycles. */
static u64 payment(u64 cycles)
{
	return cycles * total.share / 100;
}

/* The time that it takes to pay @owed back. */
static u64 time_to_pay(u64 owed)
{
	return owed * 100 / total.share;
}

static void pay(u64 *owed, u64 amount)
{
	*owed -= min(*owed, amount);
}

/*
 * Soft interrupts may run while the idle task is current, but that is no idle
 * time.
 */
static bool interrupts_idle_task(void)
{
	return is_idle_task(current) && !in_serving_softirq();
}

/**
 * acrn_share_begin() - An upcall begins
 * @now:	TSC
 *
 * Hot path.
 *
 * Context: The upcall.
 * Return: cycles since the end of the last upcall
 */
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

/*
 * The timer expires on the CPU that starts it, which is that of the upcall, so
 * end_pause() never runs at the same time as an upcall.
 */
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
 * acrn_share_used_up() - Find whether a VM has used up its share
 * @vm:	VM that has something for the upcall
 *
 * Hot path, at most once for a VM in each upcall. Pauses the VM if it has.
 *
 * Context: The upcall.
 * Return: true if the VM is paused: its thread begins when the pause is over
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

/* Charge the time since the last charge to all VMs together, and return it. */
static u64 charge(void)
{
	u64 now = get_cycles();
	u64 cycles = now - total.charged;

	total.owed += cycles;
	total.charged = now;
	return cycles;
}

/**
 * acrn_share_charge() - Charge the time since the last charge to a VM
 * @vm:	VM that the upcall has dealt with since
 *
 * The interrupt itself is charged to the VM as well. Hot path.
 *
 * Context: The upcall.
 */
void acrn_share_charge(struct acrn_vm *vm)
{
	struct acrn_share *share = &vm->share;
	u64 cycles = charge() + total.entry;

	share->owed += cycles;
	WRITE_ONCE(share->taken, share->taken + cycles);
}

/**
 * acrn_share_end() - The upcall ends
 *
 * Hot path.
 *
 * Context: The upcall.
 */
void acrn_share_end(void)
{
	charge();
}

/**
 * acrn_share_init() - Begin with a VM that owes nothing
 * @share:	Share of the VM, zeroed
 *
 * Context: Process context.
 */
void acrn_share_init(struct acrn_share *share)
{
	hrtimer_init(&share->timer, CLOCK_MONOTONIC,
		     HRTIMER_MODE_REL_PINNED_HARD);
	share->timer.function = end_pause;
}

/**
 * acrn_share_deinit() - End a pause for good
 * @share:	Share of a VM that no upcall looks at any more
 *
 * Context: Process context, may sleep.
 */
void acrn_share_deinit(struct acrn_share *share)
{
	hrtimer_cancel(&share->timer);
}

/**
 * acrn_share_add_vms() - Change the number of VMs among which the share is divided
 * @count:	Number of VMs that are added; negative for VMs that are removed
 *
 * Context: Interrupts off on the CPU of the upcall.
 */
void acrn_share_add_vms(int count)
{
	total.vms += count;
}

/**
 * struct probe - An interrupt that a CPU sends itself
 * @work:	The interrupt
 * @done:	Its handler has run
 */
struct probe {
	struct irq_work work;
	bool done;
};

static void probe_handler(struct irq_work *work)
{
	WRITE_ONCE(container_of(work, struct probe, work)->done, true);
}

/*
 * Return the cycles from sending this CPU an interrupt until its handler has
 * returned. Process context.
 */
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

/**
 * acrn_share_measure() - Measure how long an interrupt takes besides its handler
 *
 * That includes exits to the hypervisor.
 *
 * Context: Process context, before there are upcalls.
 */
void acrn_share_measure(void)
{
	unsigned int i;

	total.interrupt = U64_MAX;
	for (i = 0; i < PROBES; i++)
		total.interrupt = min(total.interrupt, probe_interrupt());
}
