// SPDX-License-Identifier: GPL-2.0
/*
 * All functions here are for whoever starts and stops the thread: the main
 * thread before the VM runs and after it has ended, the thread that handles I/O
 * requests in between. No lock: only one of the two runs at that time.
 */
#include <errno.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "process/worker.h"

/* Make a worker whose thread does not run yet. Returns 0 or -errno. */
int worker_init(struct worker *worker)
{
	*worker = (struct worker){
		.stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
	};
	return worker->stop < 0 ? -errno : 0;
}

/* Undo worker_init(); the thread does not run. */
void worker_deinit(struct worker *worker)
{
	close(worker->stop);
}

/* Run @run(@opaque) in a new thread. Returns 0 or -errno. */
int worker_start(struct worker *worker, void *(*run)(void *opaque),
		 void *opaque)
{
	int ret = -pthread_create(&worker->thread, NULL, run, opaque);

	worker->running = !ret;
	return ret;
}

/* Have the thread end, if it runs, and wait until it has. */
void worker_stop(struct worker *worker)
{
	eventfd_t ignored;

	if (!worker->running)
		return;
	eventfd_write(worker->stop, 1);
	pthread_join(worker->thread, NULL);
	eventfd_read(worker->stop, &ignored);
	worker->running = false;
}
