/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The main thread's loop: waits for file descriptors and calls their owners.
 *
 * Sources are added and removed by the main thread while the loop does not
 * run. event_enable() and event_loop_stop() may be called by any thread.
 */
#ifndef DM_EVENT_H
#define DM_EVENT_H

#include <stdatomic.h>
#include <stdbool.h>

/*
 * Enough for standard input, signals, a timer for each disk and the error
 * eventfds of all vhost queues.
 */
#define EVENT_MAX_SOURCES 288

/**
 * struct event_source - A file descriptor to wait for
 * @next:	Next source of the event loop
 * @fd:		File descriptor
 * @ready:	Called by the main thread when @fd is readable or has an error
 * @opaque:	Argument of @ready
 * @enabled:	The loop waits for @fd; set by any thread
 */
struct event_source {
	struct event_source *next;
	int fd;
	void (*ready)(void *opaque);
	void *opaque;
	atomic_bool enabled;
};

/**
 * struct event_loop - The main thread's loop
 * @first:	First source
 * @count:	Number of sources
 * @wakeup:	eventfd: has poll() return, as @enabled of a source or @stopped
 *		has changed
 * @stopped:	event_loop_stop() was called
 */
struct event_loop {
	struct event_source *first;
	unsigned int count;
	int wakeup;
	atomic_bool stopped;
};

int event_loop_init(struct event_loop *loop);
void event_loop_deinit(struct event_loop *loop);
int event_add(struct event_loop *loop, struct event_source *source);
void event_remove(struct event_loop *loop, struct event_source *source);
void event_enable(struct event_loop *loop, struct event_source *source,
		  bool enabled);
int event_loop_run(struct event_loop *loop);
void event_loop_stop(struct event_loop *loop);

#endif /* DM_EVENT_H */
