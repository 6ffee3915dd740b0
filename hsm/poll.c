// SPDX-License-Identifier: GPL-2.0
/*
 * The device model polls for the next request of its VM before it sleeps.
 *
 * A vCPU that gets its answer continues, and often makes its next request at
 * once. If the device model sleeps until then, that request has to wait for a
 * wakeup and a context switch and, if the CPU has halted, for exits to the
 * hypervisor. So if a request came within the time that the parameter
 * client_poll_us gives, the next wait begins with polling for at most this time.
 * Otherwise the device model sleeps at once, so that one that is seldom needed
 * does not poll.
 *
 * It polls for as long as it is the only task that wants its CPU, so no other
 * task gets less of a CPU. On the CPU of the upcall this time counts as idle
 * time, see share.c.
 *
 * All functions run in ACRN_IOCTL_ATTACH_IOREQ_CLIENT, in process context, and
 * take no lock. Several threads may wait for one client. Then what they learn is
 * that of any of them, and all stop polling when there is a request, as all
 * would wake.
 */
#include <linux/moduleparam.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/stat.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "hsm.h"

/* In microseconds. A longer poll hardly saves more than the time it takes. */
#define POLL_US_MAX	10000

/* Written by set_poll_us() at any time, read without a lock */
static unsigned int client_poll_us = 200;

/* Set the parameter client_poll_us. Process context. */
static int set_poll_us(const char *text, const struct kernel_param *param)
{
	return param_set_uint_minmax(text, param, 0, POLL_US_MAX);
}

static const struct kernel_param_ops poll_us_ops = {
	.set = set_poll_us,
	.get = param_get_uint,
};

module_param_cb(client_poll_us, &poll_us_ops, &client_poll_us, 0644);
MODULE_PARM_DESC(client_poll_us, "microseconds for which a device model polls for the next request; 0: never");

/* The longest time to poll, in cycles of the TSC. */
static u64 limit(void)
{
	return acrn_us_to_cycles(READ_ONCE(client_poll_us));
}

/* Whether the CPU is wanted by another task, or the task by a signal. */
static bool is_wanted(void)
{
	return need_resched() || !single_task_running() ||
	       signal_pending(current);
}

/**
 * acrn_poll() - Poll for a request, if that is likely to pay
 * @client:	Client, of which the caller has a reference
 * @start:	TSC when the caller began to wait
 *
 * Returns at any time, so the caller has to look for a request afterwards.
 *
 * Context: Process context, no lock held. Disables preemption while it polls,
 *	    and stops as soon as the CPU is to be given to another task.
 */
void acrn_poll(struct acrn_client *client, u64 start)
{
	u64 most = limit(), mark;

	if (!most || !READ_ONCE(client->prompt) ||
	    acrn_client_has_news(client) || is_wanted())
		return;
	preempt_disable();
	mark = acrn_share_idle_begin();
	WRITE_ONCE(client->polling, true);
	while (!acrn_client_has_news(client) && get_cycles() - start < most &&
	       !is_wanted())
		cpu_relax();
	WRITE_ONCE(client->polling, false);
	acrn_share_idle_end(mark);
	preempt_enable();
}

/**
 * acrn_poll_learn() - Learn from a wait whether to poll in the next one
 * @client:	Client, of which the caller has a reference
 * @start:	TSC when the caller began to wait
 *
 * What counts is when the request came. If the caller slept, it returns later by
 * the wakeup, which polling would have saved.
 *
 * Context: Process context, no lock held.
 */
void acrn_poll_learn(struct acrn_client *client, u64 start)
{
	s64 wait = READ_ONCE(client->arrived) - start;

	if (READ_ONCE(client->requests))
		WRITE_ONCE(client->prompt, wait < (s64)limit());
}
