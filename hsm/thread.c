// SPDX-License-Identifier: GPL-2.0
/*
 * A VM's thread, acrn_ioreq/N for the VM with the id N: it does what the upcall
 * leaves, because it is too much or cannot be done in hard-IRQ context. It is an
 * ordinary task, for the administrator to see, to pin and to give a priority.
 *
 * Nobody waits for what the thread does: whoever needs it done does it himself.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "hsm.h"

/* Whether there is something to do, and not later. */
static bool is_due(const struct acrn_vm *vm)
{
	return READ_ONCE(vm->thread.pending) && !READ_ONCE(vm->share.paused);
}

static void wait_until_due(const struct acrn_vm *vm)
{
	set_current_state(TASK_IDLE);
	if (!is_due(vm) && !kthread_should_stop())
		schedule();
	__set_current_state(TASK_RUNNING);
}

static int thread_loop(void *data)
{
	struct acrn_vm *vm = data;
	struct acrn_thread *thread = &vm->thread;

	while (!kthread_should_stop()) {
		wait_until_due(vm);
		if (!is_due(vm))
			continue;
		WRITE_ONCE(thread->pending, false);
		/* Pairs with acrn_thread_kick(). */
		smp_mb();
		thread->work(vm);
	}
	return 0;
}

/*
 * Start @vm's thread, which calls @work each time it has been asked. Process
 * context. 0 or a negative errno.
 */
int acrn_thread_start(struct acrn_vm *vm, void (*work)(struct acrn_vm *vm))
{
	struct acrn_thread *thread = &vm->thread;
	struct task_struct *task;

	thread->work = work;
	task = kthread_run(thread_loop, vm, "acrn_ioreq/%u", vm->vmid);
	if (IS_ERR(task))
		return PTR_ERR(task);
	thread->task = task;
	return 0;
}

/*
 * Stop @vm's thread, if there is one. Nobody asks it for anything any more. A
 * real-time task that never sleeps may keep the CPU that the thread waits for, so
 * the thread gets the one where the caller runs. Process context, may sleep.
 */
void acrn_thread_stop(struct acrn_vm *vm)
{
	struct task_struct *task = vm->thread.task;

	if (!task)
		return;
	set_cpus_allowed_ptr(task, cpumask_of(raw_smp_processor_id()));
	kthread_stop(task);
}

/* Have @vm's thread look whether it is due. Any context. */
void acrn_thread_wake_if_due(struct acrn_vm *vm)
{
	if (is_due(vm))
		wake_up_process(vm->thread.task);
}

/*
 * Have @vm's thread do what there is by now: at once, or when the pause is over if
 * there is one. Hard-IRQ context of the upcall, or as call_between_upcalls().
 */
void acrn_thread_kick(struct acrn_vm *vm)
{
	struct acrn_thread *thread = &vm->thread;

	/* Pairs with thread_loop(): either it sees what there is, or this that it looked. */
	smp_mb();
	if (READ_ONCE(thread->pending))
		return;
	WRITE_ONCE(thread->pending, true);
	acrn_thread_wake_if_due(vm);
}
