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
 * of these is paused until hardly anything is owed: its requests are left to its
 * thread, which begins when the pause is over. All VMs have equal parts, so a
 * VM that takes less than its part is never paused, whatever the others do.
 *
 * In idle time more is paid back, so that upcalls can take IDLE_SHARE of a CPU
 * that nobody wants. The rest is for timers and other interrupts, which wake the
 * tasks that want the CPU. Idle time is that of the kernel's own account, which
 * is looked at only when a VM is about to be paused, and when its pause ends.
 *
 * All of this belongs to one CPU, to which the upcall comes. The handler and the
 * timers that end pauses run there in hard IRQ, and acrn_share_add_vms() with
 * interrupts off, so there is no lock. The functions that say process context run
 * when there are no upcalls for the VM yet or any more. Time is in cycles of the
 * TSC of that CPU.
 */
#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/tick.h>
#include <asm/tsc.h>

#include "hsm.h"
#include "trace.h"

/*
 * Until they owe this much, upcalls can take all of the CPU. So a timer may
 * have to wait for about as long, and for one doorbell that takes longer.
 */
#define BURST_US	1000

/* A pause ends when upcalls owe no more than this */
#define RESIDUE_US	100

/*
 * In percent. Tried on ACRN with a User VM that rings all the time: with 60 the
 * Service VM works, and with 80 it once stood still.
 */
#define IDLE_SHARE	60U

/* Interrupts that are measured when the module is loaded; the fastest one counts */
#define PROBES		32

/* In percent. Written by set_share() at any time, read once by each upcall */
static unsigned int upcall_share = 30;

/* Set the parameter upcall_share. Process context. */
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
 * @share:	The parameter upcall_share, as this upcall or timer has read it
 * @interrupt:	What an interrupt takes besides its handler. Constant
 * @entry:	What the interrupt of the current upcall has taken: @interrupt,
 *		but no more than the time since the last upcall
 * @charged:	Up to when time of the handler has been charged
 * @owed:	Charged and not paid back
 * @taken:	All that was charged since the module was loaded
 * @earned:	What could be paid back since the module was loaded
 * @earned_until: Up to when @earned has what is earned at any time
 * @idle:	Idle time up to which @earned has what is earned in idle time
 * @polled:	Time in which the CPU had nothing to do but to poll for requests,
 *		which is idle time as well
 *
 * Only the upcall and the timers write, on one CPU, so there is no lock. @polled is
 * written by the task that polls, with preemption disabled, on that CPU.
 */
static struct upcall_total {
	unsigned int vms;
	unsigned int share;
	u64 interrupt;
	u64 entry;
	u64 charged;
	u64 owed;
	u64 taken;
	u64 earned;
	u64 earned_until;
	u64 idle;
	u64 polled;
} total;

/* Charge @cycles to all VMs together. In the upcall. */
static void owe(u64 cycles)
{
	total.owed += cycles;
	total.taken += cycles;
}

/* Subtract @amount from @owed, down to 0. In the upcall or a timer. */
static void pay(u64 *owed, u64 amount)
{
	*owed -= min(*owed, amount);
}

/* Pay @amount back of what all VMs together owe. In the upcall or a timer. */
static void earn(u64 amount)
{
	total.earned += amount;
	pay(&total.owed, amount);
}

/*
 * Earn for the time up to @now, whatever the CPU has done. In the upcall or a timer.
 */
static void earn_time(u64 now)
{
	total.share = READ_ONCE(upcall_share);
	earn((now - total.earned_until) * total.share / 100);
	total.earned_until = now;
}

/*
 * What is earned in idle time, in percent of it, beside what is earned at any time.
 * With that upcalls take a part u of an otherwise idle CPU for which
 * u = share + idle_share() * (1 - u), and this is to be IDLE_SHARE. In the upcall
 * or a timer.
 */
static unsigned int idle_share(void)
{
	if (total.share >= IDLE_SHARE)
		return 0;
	return (IDLE_SHARE - total.share) * 100 / (100 - IDLE_SHARE);
}

/*
 * Idle time of this CPU since boot. Where the kernel does not measure it, since its
 * tick never stops (nohz=off), it is only the time in which a device model polled.
 * In the upcall or a timer, on the CPU of the upcall.
 */
static u64 idle_time(void)
{
	int cpu = smp_processor_id();
	u64 us = get_cpu_idle_time_us(cpu, NULL);

	if (us == U64_MAX)
		return total.polled;
	us += get_cpu_iowait_time_us(cpu, NULL);
	return acrn_us_to_cycles(us) + total.polled;
}

/* Earn for idle time since this was last called. In the upcall or a timer. */
static void earn_idle_time(void)
{
	u64 idle = idle_time();

	if (idle <= total.idle)
		return;
	earn((idle - total.idle) * idle_share() / 100);
	total.idle = idle;
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

	earn_time(now);
	total.entry = min(since, total.interrupt);
	owe(total.entry);
	total.charged = now;
	/* To the kernel the way into the handler is idle time. */
	if (is_idle_task(current))
		total.idle += total.entry;
	return since;
}

/*
 * The time, in ns, in which upcalls pay back what they owe: @percent of that time. In
 * the upcall or a timer.
 */
static u64 time_to_pay(unsigned int percent)
{
	return mul_u64_u32_div(total.owed * 100 / percent, NSEC_PER_MSEC, tsc_khz);
}

/*
 * End a pause, or go on with it if upcalls still owe too much: the VM may have rung
 * after the pause began, or the CPU may not have been idle. Called by the timer in
 * hard IRQ, on the CPU of the upcall.
 */
static enum hrtimer_restart end_pause(struct hrtimer *timer)
{
	struct acrn_vm *vm = container_of(timer, struct acrn_vm, share.timer);
	unsigned int percent;

	earn_time(get_cycles());
	earn_idle_time();
	if (total.owed > acrn_us_to_cycles(RESIDUE_US)) {
		percent = total.share;
		if (is_idle_task(current))
			percent += idle_share();
		hrtimer_forward_now(timer, ns_to_ktime(time_to_pay(percent)));
		return HRTIMER_RESTART;
	}
	WRITE_ONCE(vm->share.paused, false);
	acrn_thread_wake_if_due(vm);
	return HRTIMER_NORESTART;
}

/* Pause a VM for as long as it takes if the CPU is idle. In the upcall. */
static void pause(struct acrn_vm *vm)
{
	struct acrn_share *share = &vm->share;
	u64 ns = time_to_pay(total.share + idle_share());

	WRITE_ONCE(share->paused, true);
	WRITE_ONCE(share->pauses, share->pauses + 1);
	/* The timer expires on the CPU that starts it. */
	hrtimer_start(&share->timer, ns_to_ktime(ns),
		      HRTIMER_MODE_REL_PINNED_HARD);
	trace_acrn_pause(vm->vmid, ns);
}

/**
 * acrn_share_is_long() - Find whether an upcall takes long
 * @start:	When it began, in cycles of the TSC
 *
 * A VM that has not used up its share may have much to do at once, and many may
 * wait for the eventfd of each doorbell. Hot path: looked at before all doorbells
 * of a VM in an upcall but the first.
 *
 * Context: The upcall, or its CPU with interrupts off.
 * Return: true if what is left of a VM should be left to its thread
 */
bool acrn_share_is_long(u64 start)
{
	return get_cycles() - start > acrn_us_to_cycles(BURST_US);
}

/* Whether a VM owes more than its part of what all VMs may owe. In the upcall. */
static bool owes_too_much(struct acrn_share *share)
{
	u64 most = acrn_us_to_cycles(BURST_US);

	pay(&share->owed, (total.earned - share->earned) / total.vms);
	share->earned = total.earned;
	return total.owed > most && share->owed > most / total.vms;
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

	if (share->paused)
		return true;
	if (!owes_too_much(share))
		return false;
	earn_idle_time();
	if (!owes_too_much(share))
		return false;
	pause(vm);
	return true;
}

/*
 * Charge the time since the last charge to all VMs together, and return it. In the
 * upcall.
 */
static u64 charge(void)
{
	u64 now = get_cycles();
	u64 cycles = now - total.charged;

	owe(cycles);
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

/* Time of this CPU without that of upcalls. Of use on the CPU of the upcall. */
static u64 time_without_upcalls(void)
{
	unsigned long flags;
	u64 time;

	local_irq_save(flags);
	time = get_cycles() - total.taken;
	local_irq_restore(flags);
	return time;
}

/**
 * acrn_share_idle_begin() - A task begins to poll, as its CPU has nothing to do
 *
 * Context: Process context, preemption disabled until acrn_share_idle_end().
 * Return: what to pass to acrn_share_idle_end()
 */
u64 acrn_share_idle_begin(void)
{
	return time_without_upcalls();
}

/**
 * acrn_share_idle_end() - A task ends to poll: count the time as idle time
 * @mark:	What acrn_share_idle_begin() returned
 *
 * Upcalls came in that time, and what these took is no idle time. They were charged
 * with the way out of the interrupt as well, which may lie behind the end of the poll.
 *
 * Context: Process context, preemption disabled since acrn_share_idle_begin().
 */
void acrn_share_idle_end(u64 mark)
{
	s64 idle = time_without_upcalls() - mark;

	if (smp_processor_id() == ACRN_UPCALL_CPU && idle > 0)
		WRITE_ONCE(total.polled, total.polled + idle);
}

/**
 * acrn_share_init() - Begin with a VM that owes nothing
 * @share:	Share of the VM, zeroed
 *
 * Context: Process context. Nobody else has the VM yet.
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
 * Context: Process context, may sleep. The upcall does not look at the VM any
 *	    more, so nobody starts the timer again.
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

/* The interrupt has come. Hard IRQ. */
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
