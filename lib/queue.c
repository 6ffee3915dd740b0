// SPDX-License-Identifier: GPL-2.0
/*
 * One virtqueue: its three eventfds, its rings in vhost, its doorbell and its
 * interrupt in the HSM.
 *
 * An HSM may or may not reset the counter of the call eventfd when it injects
 * the interrupt; Linux' own one does not. A counter that is not zero therefore
 * does not tell whether the interrupt was injected, but a counter of zero means
 * that none is outstanding. In doubt the library injects once more: a spurious
 * interrupt is harmless, a lost one stops the queue.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <linux/vhost.h>

#include "internal.h"

/* Open the eventfds of a queue. Returns 0 or -errno. */
int acrnvhost_vq_init(struct acrnvhost_vq *queue)
{
	int *fds[] = { &queue->kick, &queue->call, &queue->error };
	unsigned int i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		*fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (*fds[i] < 0) {
			int ret = -errno;

			while (i--)
				close(*fds[i]);
			return ret;
		}
	}
	return 0;
}

/* Close the eventfds of a queue. */
void acrnvhost_vq_deinit(struct acrnvhost_vq *queue)
{
	close(queue->error);
	close(queue->call);
	close(queue->kick);
}

/* Reset the counter of an eventfd. Returns whether it was signalled. */
static bool drain(int fd)
{
	uint64_t count;

	return read(fd, &count, sizeof(count)) == sizeof(count);
}

static struct acrnvhost_vq *get_queue(struct acrnvhost *dev, unsigned int index)
{
	return index < dev->queue_count ? &dev->queues[index] : NULL;
}

/* Assign or deassign the doorbell: the ioeventfd on the kick eventfd. */
static int doorbell_ioctl(struct acrnvhost *dev, struct acrnvhost_vq *queue,
			  __u32 flags)
{
	struct acrn_ioeventfd args = {
		.fd = queue->kick,
		.flags = queue->doorbell.flags | flags,
		.addr = queue->doorbell.addr,
		.len = queue->doorbell.len,
		.data = queue->doorbell.data,
	};

	return acrnvhost_ioctl(dev->hsm_fd, ACRN_IOCTL_IOEVENTFD, &args);
}

/* Assign the doorbell, if the driver can reach it. */
static int assign_doorbell(struct acrnvhost *dev, struct acrnvhost_vq *queue)
{
	int ret;

	if (!queue->config.doorbell)
		return 0;
	ret = doorbell_ioctl(dev, queue, 0);
	queue->doorbell_assigned = !ret;
	return ret;
}

static int deassign_doorbell(struct acrnvhost *dev, struct acrnvhost_vq *queue)
{
	if (!queue->doorbell_assigned)
		return 0;
	queue->doorbell_assigned = false;
	return doorbell_ioctl(dev, queue, ACRN_IOEVENTFD_FLAG_DEASSIGN);
}

/* Assign or deassign the interrupt: the irqfd on the call eventfd. */
static int irqfd_ioctl(struct acrnvhost *dev, struct acrnvhost_vq *queue,
		       __u32 flags)
{
	struct acrn_irqfd args = {
		.fd = queue->call,
		.flags = flags,
		.msi = queue->msi,
	};

	return acrnvhost_ioctl(dev->hsm_fd, ACRN_IOCTL_IRQFD, &args);
}

/*
 * Interrupts that vhost signalled before the irqfd was assigned are in the
 * counter and are injected here. One that is signalled in between is injected
 * by the irqfd, and possibly a second time here.
 */
static int assign_irqfd(struct acrnvhost *dev, struct acrnvhost_vq *queue)
{
	int ret;

	if (!queue->config.msi)
		return 0;
	ret = irqfd_ioctl(dev, queue, 0);
	if (ret)
		return ret;
	queue->irqfd_assigned = true;
	if (drain(queue->call))
		ret = acrnvhost_ioctl(dev->hsm_fd, ACRN_IOCTL_INJECT_MSI,
				      &queue->msi);
	return ret;
}

/*
 * The interrupts in the counter were injected by the irqfd, so it is reset. One
 * that is signalled between that and the ioctl is injected, and also stays in
 * the counter for the next irqfd: it comes twice rather than never.
 */
static int deassign_irqfd(struct acrnvhost *dev, struct acrnvhost_vq *queue)
{
	if (!queue->irqfd_assigned)
		return 0;
	drain(queue->call);
	queue->irqfd_assigned = false;
	return irqfd_ioctl(dev, queue, ACRN_IRQFD_FLAG_DEASSIGN);
}

static int set_vring_file(struct acrnvhost *dev, unsigned long request,
			  unsigned int index, int fd)
{
	struct vhost_vring_file file = { .index = index, .fd = fd };

	return acrnvhost_ioctl(dev->vhost_fd, request, &file);
}

static int set_vring_state(struct acrnvhost *dev, unsigned long request,
			   unsigned int index, __u32 num)
{
	struct vhost_vring_state state = { .index = index, .num = num };

	return acrnvhost_ioctl(dev->vhost_fd, request, &state);
}

/*
 * Tell vhost the size and the addresses of the rings. The rings begin at index
 * 0.
 */
static int set_rings(struct acrnvhost *dev, unsigned int index)
{
	struct acrnvhost_vq *queue = &dev->queues[index];
	struct vhost_vring_addr addr = {
		.index = index,
		.desc_user_addr = (__u64)queue->config.desc,
		.avail_user_addr = (__u64)queue->config.avail,
		.used_user_addr = (__u64)queue->config.used,
	};
	int ret;

	ret = set_vring_state(dev, VHOST_SET_VRING_NUM, index,
			      queue->config.size);
	if (ret)
		return ret;
	ret = set_vring_state(dev, VHOST_SET_VRING_BASE, index, 0);
	if (ret)
		return ret;
	ret = acrnvhost_ioctl(dev->vhost_fd, VHOST_SET_VRING_ADDR, &addr);
	if (ret || !queue->config.busyloop)
		return ret;
	return set_vring_state(dev, VHOST_SET_VRING_BUSYLOOP_TIMEOUT, index,
			       queue->config.busyloop);
}

/* Give vhost the eventfds. The kick comes last: vhost begins to wait for it. */
static int set_eventfds(struct acrnvhost *dev, unsigned int index)
{
	struct acrnvhost_vq *queue = &dev->queues[index];
	int ret;

	ret = set_vring_file(dev, VHOST_SET_VRING_CALL, index, queue->call);
	if (ret)
		return ret;
	ret = set_vring_file(dev, VHOST_SET_VRING_ERR, index, queue->error);
	if (ret)
		return ret;
	return set_vring_file(dev, VHOST_SET_VRING_KICK, index, queue->kick);
}

static int first_error(int ret, int err)
{
	return ret ? ret : err;
}

/* Undo set_eventfds(). Returns the first error. */
static int clear_eventfds(struct acrnvhost *dev, unsigned int index)
{
	int ret, err;

	dev->queues[index].running = false;
	ret = set_vring_file(dev, VHOST_SET_VRING_KICK, index,
			     VHOST_FILE_UNBIND);
	err = set_vring_file(dev, VHOST_SET_VRING_ERR, index,
			     VHOST_FILE_UNBIND);
	ret = first_error(ret, err);
	err = set_vring_file(dev, VHOST_SET_VRING_CALL, index,
			     VHOST_FILE_UNBIND);
	return first_error(ret, err);
}

/*
 * Attach a queue to vhost and the HSM, if acrnvhost_set_queue() was called for
 * it. On failure acrnvhost_vq_stop() undoes what has been done.
 */
int acrnvhost_vq_start(struct acrnvhost *dev, unsigned int index)
{
	struct acrnvhost_vq *queue = &dev->queues[index];
	int ret;

	if (!queue->set)
		return 0;

	drain(queue->kick);
	drain(queue->call);
	drain(queue->error);
	ret = assign_doorbell(dev, queue);
	if (ret)
		return ret;
	ret = assign_irqfd(dev, queue);
	if (ret)
		return ret;
	ret = set_rings(dev, index);
	if (ret)
		return ret;
	queue->running = true;
	return set_eventfds(dev, index);
}

/* Undo as much of acrnvhost_vq_start() as has been done. */
int acrnvhost_vq_stop(struct acrnvhost *dev, unsigned int index)
{
	struct acrnvhost_vq *queue = &dev->queues[index];
	int ret = 0, err;

	if (queue->running)
		ret = clear_eventfds(dev, index);
	err = deassign_doorbell(dev, queue);
	ret = first_error(ret, err);
	err = deassign_irqfd(dev, queue);
	queue->set = false;
	return first_error(ret, err);
}

static void copy_doorbell(struct acrnvhost_vq *queue,
			  const struct acrnvhost_doorbell *doorbell)
{
	if (doorbell)
		queue->doorbell = *doorbell;
	queue->config.doorbell = doorbell ? &queue->doorbell : NULL;
}

static void copy_msi(struct acrnvhost_vq *queue,
		     const struct acrn_msi_entry *msi)
{
	if (msi)
		queue->msi = *msi;
	queue->config.msi = msi ? &queue->msi : NULL;
}

/**
 * acrnvhost_set_queue() - Describe a queue for the next start
 * @dev:	Device, stopped
 * @index:	Queue
 * @config:	The queue as the driver has set it up, copied
 *
 * Return: 0; -EBUSY if the device runs; -EINVAL if there is no such queue.
 */
int acrnvhost_set_queue(struct acrnvhost *dev, unsigned int index,
			const struct acrnvhost_queue *config)
{
	struct acrnvhost_vq *queue = get_queue(dev, index);

	if (!queue)
		return -EINVAL;
	if (dev->running)
		return -EBUSY;
	queue->config = *config;
	copy_doorbell(queue, config->doorbell);
	copy_msi(queue, config->msi);
	queue->set = true;
	return 0;
}

/**
 * acrnvhost_set_doorbell() - The driver moved the doorbell, by moving a BAR
 * @dev:	Device
 * @index:	Queue
 * @doorbell:	New doorbell, or NULL while the driver cannot reach it
 *
 * Return: 0; -EINVAL if there is no such queue; errors of the HSM, after which
 * the queue has no doorbell.
 */
int acrnvhost_set_doorbell(struct acrnvhost *dev, unsigned int index,
			   const struct acrnvhost_doorbell *doorbell)
{
	struct acrnvhost_vq *queue = get_queue(dev, index);
	int ret;

	if (!queue)
		return -EINVAL;
	ret = deassign_doorbell(dev, queue);
	copy_doorbell(queue, doorbell);
	if (!ret && queue->running)
		ret = assign_doorbell(dev, queue);
	/* A doorbell in between is lost, and the driver does not ring again. */
	if (!ret && queue->doorbell_assigned)
		ret = acrnvhost_kick(dev, index);
	return ret;
}

/**
 * acrnvhost_set_msi() - The driver changed or masked the vector of a queue
 * @dev:	Device
 * @index:	Queue
 * @msi:	New message, or NULL while the vector is masked
 *
 * An interrupt that comes while the vector is masked is kept, and sent when the
 * vector is unmasked. To be called before the driver's write is completed, as
 * the driver expects no interrupt of the old vector after its write.
 *
 * Return: 0; -EINVAL if there is no such queue; errors of the HSM, after which
 * the queue has no interrupt.
 */
int acrnvhost_set_msi(struct acrnvhost *dev, unsigned int index,
		      const struct acrn_msi_entry *msi)
{
	struct acrnvhost_vq *queue = get_queue(dev, index);
	int ret;

	if (!queue)
		return -EINVAL;
	if (msi && queue->irqfd_assigned &&
	    msi->msi_addr == queue->msi.msi_addr &&
	    msi->msi_data == queue->msi.msi_data)
		return 0;

	ret = deassign_irqfd(dev, queue);
	copy_msi(queue, msi);
	if (ret || !queue->running)
		return ret;
	return assign_irqfd(dev, queue);
}

/**
 * acrnvhost_msi_pending() - Is an interrupt kept until its vector is unmasked?
 * @dev:	Device
 * @index:	Queue
 *
 * For the pending bit array of MSI-X.
 */
bool acrnvhost_msi_pending(struct acrnvhost *dev, unsigned int index)
{
	struct acrnvhost_vq *queue = get_queue(dev, index);
	struct pollfd poll_call = { .events = POLLIN };

	if (!queue || !queue->running || queue->irqfd_assigned)
		return false;
	poll_call.fd = queue->call;
	return poll(&poll_call, 1, 0) == 1;
}

/**
 * acrnvhost_kick() - Ring the doorbell on behalf of the driver
 * @dev:	Device
 * @index:	Queue
 *
 * For doorbells that came as I/O requests although there is an ioeventfd.
 */
int acrnvhost_kick(struct acrnvhost *dev, unsigned int index)
{
	struct acrnvhost_vq *queue = get_queue(dev, index);

	if (!queue)
		return -EINVAL;
	return eventfd_write(queue->kick, 1) ? -errno : 0;
}

/**
 * acrnvhost_error_fd() - eventfd that vhost signals when a ring is corrupt
 * @dev:	Device
 * @index:	Queue
 *
 * Return: The descriptor, which is the library's and open until the device is
 * closed; -EINVAL if there is no such queue. vhost does not go on with the
 * queue before it is reset.
 */
int acrnvhost_error_fd(struct acrnvhost *dev, unsigned int index)
{
	struct acrnvhost_vq *queue = get_queue(dev, index);

	return queue ? queue->error : -EINVAL;
}
