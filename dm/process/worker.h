/* SPDX-License-Identifier: GPL-2.0 */
/* Threads that handle queues while the driver has the device running. */
#ifndef DM_WORKER_H
#define DM_WORKER_H

#include <pthread.h>
#include <stdbool.h>

/**
 * struct worker - A thread that can be started and stopped
 * @stop:	eventfd: the thread is to end as soon as it is readable
 * @running:	The thread was started and has not been stopped
 * @thread:	Thread
 *
 * The thread itself uses @stop only; all else belongs to whoever starts it.
 */
struct worker {
	int stop;
	bool running;
	pthread_t thread;
};

int worker_init(struct worker *worker);
void worker_deinit(struct worker *worker);
int worker_start(struct worker *worker, void *(*run)(void *opaque),
		 void *opaque);
void worker_stop(struct worker *worker);

#endif /* DM_WORKER_H */
