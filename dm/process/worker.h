/* SPDX-License-Identifier: GPL-2.0 */
/* A thread that handles queues while the driver has a device running. */
#ifndef DM_WORKER_H
#define DM_WORKER_H

#include <pthread.h>
#include <stdbool.h>

/**
 * struct worker - A thread that can be started and stopped
 * @stop:	eventfd, readable when the thread is to end
 * @running:	The thread is there
 * @thread:	Thread
 *
 * But for @stop, for the thread that starts it.
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
