/* SPDX-License-Identifier: GPL-2.0 */
/* On which CPU a task runs, and with which priority. */
#ifndef SCHEDULE_H
#define SCHEDULE_H

#include <sched.h>

#include "raw_vm.h"
#include "tasks.h"

/* Let a task, 0 for the calling one, run on one CPU only. */
static inline void pin_to(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(pid, sizeof(set), &set))
		err(1, "task %d to CPU %d", pid, cpu);
}

/* Let a task run before all those of lower priority, as chrt -f does. */
static inline void set_fifo(pid_t pid, int priority)
{
	const struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(pid, SCHED_FIFO, &param))
		err(1, "SCHED_FIFO %d for task %d", priority, pid);
}

/* The kernel thread of a VM; ends the program if there is none. */
static inline pid_t thread_of(const struct raw_vm *vm)
{
	DIR *proc = opendir("/proc");
	pid_t found = 0;
	char name[32];

	snprintf(name, sizeof(name), "acrn_ioreq/%u\n", vm->vmid);
	if (proc)
		found = next_task(proc, name);
	if (!found)
		errx(1, "VM %u has no kernel thread", vm->vmid);
	closedir(proc);
	return found;
}

#endif /* SCHEDULE_H */
