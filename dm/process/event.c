// SPDX-License-Identifier: GPL-2.0
/*
 * The main thread's loop. The list of sources belongs to the main thread, so
 * there is no lock; what other threads change, @enabled of a source and
 * @stopped of the loop, is atomic, and an eventfd wakes the loop after a
 * change.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "process/event.h"

/* Returns 0 or -errno. */
int event_loop_init(struct event_loop *loop)
{
	*loop = (struct event_loop){ 0 };
	loop->wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return loop->wakeup < 0 ? -errno : 0;
}

/* Undo event_loop_init(). The sources stay open. */
void event_loop_deinit(struct event_loop *loop)
{
	close(loop->wakeup);
}

/* Main thread. Returns 0, or -ENOSPC if there are too many sources. */
int event_add(struct event_loop *loop, struct event_source *source)
{
	if (loop->count == EVENT_MAX_SOURCES)
		return -ENOSPC;
	loop->count++;
	source->next = loop->first;
	loop->first = source;
	return 0;
}

/* Main thread. Does nothing if @source was not added. */
void event_remove(struct event_loop *loop, struct event_source *source)
{
	struct event_source **p = &loop->first;

	while (*p && *p != source)
		p = &(*p)->next;
	if (!*p)
		return;
	*p = source->next;
	loop->count--;
}

/* Have poll() of the loop return. Any thread. */
static void wake(struct event_loop *loop)
{
	/*
	 * The write fails only if the counter is full. Then the loop has not
	 * read it since the last write, and wakes up without this one.
	 */
	eventfd_write(loop->wakeup, 1);
}

/* Have the loop wait for @source, or no longer wait for it. Any thread. */
void event_enable(struct event_loop *loop, struct event_source *source,
		  bool enabled)
{
	if (atomic_exchange(&source->enabled, enabled) != enabled)
		wake(loop);
}

/* Have event_loop_run() return. Any thread. */
void event_loop_stop(struct event_loop *loop)
{
	atomic_store(&loop->stopped, true);
	wake(loop);
}

/*
 * Wait once, and call the owner of each source that is ready. Main thread.
 * Returns 0 or -errno.
 */
static int poll_once(struct event_loop *loop)
{
	struct event_source *ready[EVENT_MAX_SOURCES];
	struct pollfd fds[EVENT_MAX_SOURCES + 1];
	struct event_source *source;
	unsigned int i, count = 0;
	eventfd_t ignored;

	for (source = loop->first; source; source = source->next) {
		if (!atomic_load(&source->enabled))
			continue;
		fds[count].fd = source->fd;
		fds[count].events = POLLIN;
		ready[count++] = source;
	}
	fds[count].fd = loop->wakeup;
	fds[count].events = POLLIN;

	if (poll(fds, count + 1, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[count].revents)
		eventfd_read(loop->wakeup, &ignored);
	for (i = 0; i < count; i++)
		if (fds[i].revents)
			ready[i]->ready(ready[i]->opaque);
	return 0;
}

/*
 * Call the owners of readable sources until event_loop_stop(). Main thread.
 * Returns 0 or -errno.
 */
int event_loop_run(struct event_loop *loop)
{
	int ret = 0;

	while (!ret && !atomic_load(&loop->stopped))
		ret = poll_once(loop);
	return ret;
}
