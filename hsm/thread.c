// SPDX-License-Identifier: GPL-2.0
/*
 * The thread of a VM, acrn_ioreq/N for the VM with the id N. It does what the
 * upcall leaves because it is too much, or because it cannot be done in
 * hard-IRQ context. The thread is an ordinary task, which the administrator can
 * pin and give a priority.
 *
 * Nobody waits for the thread: whoever needs its work done calls the same
 * functions.
 *
 * There is no lock: the upcall sets &acrn_thread.pending and the thread clears
 * it.
 */
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "hsm.h"

/* Whether there is work, and no pause for which it has to wait. Any context. */
static bool is_due(const struct acrn_vm *vm)
{
	return READ_ONCE(vm->thread.pending) && !READ_ONCE(vm->share.paused);
}

/*
 * Sleep until there may be work. In the thread; it may be woken without any, so
 * the caller looks again.
 */
static void wait_until_due(const struct acrn_vm *vm)
{
	set_current_state(TASK_IDLE);
	if (!is_due(vm) && !kthread_should_stop())
		schedule();
	__set_current_state(TASK_RUNNING);
}

/* The thread of a VM, until acrn_thread_stop(). Holds no lock. */
static int thread_loop(void *data)
{
	struct acrn_vm *vm = data;
	struct acrn_thread *thread = &vm->thread;

	while (!kthread_should_stop()) {
		wait_until_due(vm);
		if (!is_due(vm))
			continue;
		WRITE_ONCE(thread->pending, false);
		/*
		 * Pairs with acrn_thread_kick(): clear the flag, then look for
		 * work.
		 */
		smp_mb();
		thread->work(vm);
	}
	return 0;
}

/**
 * acrn_thread_start() - Start the thread of a VM
 * @vm:		VM
 * @work:	Called by the thread, once or more after each acrn_thread_kick()
 *
 * Context: Process context, may sleep. Nobody else has the VM yet.
 * Return: 0 or a negative errno
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

/**
 * acrn_thread_stop() - Stop the thread of a VM, if there is one
 * @vm:	VM, whose thread nobody kicks any more
 *
 * The thread must run once more to end. A real-time task that never sleeps may
 * occupy its CPU, so the thread moves to the CPU on which the caller runs.
 *
 * Context: Process context, may sleep. The upcall does not look at the VM any
 *	    more, and no lock is held that @work takes.
 */
void acrn_thread_stop(struct acrn_vm *vm)
{
	struct task_struct *task = vm->thread.task;

	if (!task)
		return;
	set_cpus_allowed_ptr(task, cpumask_of(raw_smp_processor_id()));
	kthread_stop(task);
}

/**
 * acrn_thread_wake_if_due() - Wake the thread of a VM if it has work to do now
 * @vm:	VM
 *
 * Context: Any; called in hard IRQ on the CPU of the upcall.
 */
void acrn_thread_wake_if_due(struct acrn_vm *vm)
{
	if (is_due(vm))
		wake_up_process(vm->thread.task);
}

/**
 * acrn_thread_kick() - Have the thread of a VM do what there is to do
 * @vm:	VM
 *
 * The thread begins at once or, if the VM is paused as it has used up its
 * share, when the pause is over.
 *
 * Context: The upcall, or interrupts off on its CPU.
 */
void acrn_thread_kick(struct acrn_vm *vm)
{
	struct acrn_thread *thread = &vm->thread;

	/*
	 * Pairs with thread_loop(): either the thread finds the work, or this
	 * sees that the flag is clear.
	 */
	smp_mb();
	if (READ_ONCE(thread->pending))
		return;
	WRITE_ONCE(thread->pending, true);
	acrn_thread_wake_if_due(vm);
}
