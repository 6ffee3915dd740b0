// SPDX-License-Identifier: GPL-2.0
/*
 * Doorbells and interrupts without a vhost device, for queues that a thread of
 * the device model handles. The thread waits for the kick eventfds and signals
 * the call eventfds; doorbells are no I/O requests.
 */
#include <errno.h>

#include "internal.h"

static const struct acrnvhost_backend user_backend = { 0 };

/**
 * acrnvhost_user_open() - Open a device whose queues this process handles
 * @dev:	Result
 * @hsm_fd:	/dev/acrn_hsm, with a VM created on it
 * @queues:	Number of queues, up to 16
 *
 * Return: 0, -EINVAL for too many queues, -ENOMEM, -EMFILE.
 */
int acrnvhost_user_open(struct acrnvhost **dev, int hsm_fd, unsigned int queues)
{
	return acrnvhost_open(dev, hsm_fd, -1, queues, &user_backend);
}

/**
 * acrnvhost_kick_fd() - eventfd that the driver's doorbell signals
 * @dev:	Device
 * @index:	Queue
 *
 * Return: The descriptor, which is the library's; -EINVAL if there is no such
 * queue.
 */
int acrnvhost_kick_fd(struct acrnvhost *dev, unsigned int index)
{
	return index < dev->queue_count ? dev->queues[index].kick : -EINVAL;
}

/**
 * acrnvhost_call_fd() - eventfd that interrupts the driver when it is signalled
 * @dev:	Device
 * @index:	Queue
 *
 * Return: As acrnvhost_kick_fd().
 */
int acrnvhost_call_fd(struct acrnvhost *dev, unsigned int index)
{
	return index < dev->queue_count ? dev->queues[index].call : -EINVAL;
}
