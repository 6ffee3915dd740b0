// SPDX-License-Identifier: GPL-2.0
/*
 * The packets are moved by a thread of this process, one per device, that lives
 * while the driver has the device running.
 *
 * Packets on the tap device and in the rings begin with the same 12 bytes of
 * virtio-net header, so that offloads need nothing here but the number of
 * buffers that a received packet was spread over.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "log.h"
#include "net.h"
#include "tap.h"

/* The largest packet that a tap device gives, its header included. */
#define MAX_PACKET (sizeof(struct virtio_net_hdr_mrg_rxbuf) + 65536)

/* After so many packets the other direction has its turn. */
#define BATCH 64

#define HEADER_SIZE sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define NUM_BUFFERS offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers)

/* How a direction came to its end for now. */
enum progress {
	PROGRESS_IDLE,	  /* nothing to do */
	PROGRESS_BLOCKED, /* a packet is held until the guest gives buffers */
	PROGRESS_MORE,	  /* the batch is full */
	PROGRESS_BROKEN,  /* the guest has made a mess of the queue */
};

/**
 * struct delivery - A received packet on its way into the guest's buffers
 * @count:	Chains that it takes
 * @heads:	Their heads
 * @sizes:	Bytes in each
 * @num_buffers: The two bytes of the field in the guest's header
 */
struct delivery {
	unsigned int count;
	uint16_t heads[VIRTQUEUE_MAX_SIZE];
	uint32_t sizes[VIRTQUEUE_MAX_SIZE];
	uint8_t *num_buffers[2];
};

/**
 * struct net_user - State of this backend
 * @net:	Device
 * @thread:	Moves the packets; has all that follows to itself but the
 *		eventfds
 * @stop:	eventfd: the thread is to end
 * @kicks:	eventfds: doorbells
 * @queues:	Queues
 * @mergeable:	A packet may be spread over several buffers
 * @chain:	The chain at hand
 * @packet:	A packet from the tap device
 * @packet_size: Its size, 0 if there is none
 * @delivery:	Where @packet goes
 */
struct net_user {
	struct net *net;
	pthread_t thread;
	int stop;
	int kicks[NET_QUEUES];
	struct virtqueue queues[NET_QUEUES];
	bool mergeable;
	struct virtqueue_chain chain;
	uint8_t packet[MAX_PACKET];
	size_t packet_size;
	struct delivery delivery;
};

static void publish(struct net_user *state, unsigned int queue)
{
	if (virtqueue_publish(&state->queues[queue]))
		virtio_interrupt(&state->net->pci.virtio, queue);
}

/* One packet to the tap device, which drops what it does not like. */
static int transmit_one(struct net_user *state)
{
	struct virtqueue_chain *chain = &state->chain;
	int ret;

	ret = virtqueue_pop(&state->queues[NET_TX], chain);
	if (ret <= 0)
		return ret;
	/* A packet that the tap device refuses is lost, as on a wire. */
	if (writev(state->net->tap, chain->iov, chain->out) < 0)
		state->net->vm->stats.packets_dropped++;
	virtqueue_push(&state->queues[NET_TX], chain->head, 0);
	return 1;
}

static enum progress transmit(struct net_user *state)
{
	enum progress progress = PROGRESS_MORE;
	unsigned int i;
	int ret;

	for (i = 0; i < BATCH && progress == PROGRESS_MORE; i++) {
		ret = transmit_one(state);
		if (ret < 0)
			progress = PROGRESS_BROKEN;
		else if (!ret && virtqueue_wait(&state->queues[NET_TX], 0))
			progress = PROGRESS_IDLE;
	}
	publish(state, NET_TX);
	return progress;
}

/* The byte at @offset in the chain's writable buffers, NULL behind the end. */
static uint8_t *chain_byte(const struct virtqueue_chain *chain, size_t offset)
{
	unsigned int i;

	for (i = chain->out; i < chain->out + chain->in; i++) {
		if (offset < chain->iov[i].iov_len)
			return (uint8_t *)chain->iov[i].iov_base + offset;
		offset -= chain->iov[i].iov_len;
	}
	return NULL;
}

static size_t fill_chain(const struct virtqueue_chain *chain,
			 const uint8_t *data, size_t size)
{
	size_t done = 0;
	unsigned int i;

	for (i = chain->out; i < chain->out + chain->in; i++) {
		size_t n = chain->iov[i].iov_len;

		if (n > size - done)
			n = size - done;
		memcpy(chain->iov[i].iov_base, data + done, n);
		done += n;
	}
	return done;
}

/* Put the next part of the packet into state->chain. */
static int add_chain(struct net_user *state, size_t *done)
{
	const struct virtqueue_chain *chain = &state->chain;
	struct delivery *delivery = &state->delivery;
	size_t n;

	if (!delivery->count) {
		delivery->num_buffers[0] = chain_byte(chain, NUM_BUFFERS);
		delivery->num_buffers[1] = chain_byte(chain, NUM_BUFFERS + 1);
		if (!delivery->num_buffers[1])
			return -EINVAL;
	}
	n = fill_chain(chain, state->packet + *done,
		       state->packet_size - *done);
	if (!n)
		return -EINVAL;
	*done += n;
	delivery->heads[delivery->count] = chain->head;
	delivery->sizes[delivery->count++] = n;
	return 0;
}

static void finish_delivery(struct net_user *state)
{
	const struct delivery *delivery = &state->delivery;
	unsigned int i;

	*delivery->num_buffers[0] = delivery->count;
	*delivery->num_buffers[1] = delivery->count >> 8;
	for (i = 0; i < delivery->count; i++)
		virtqueue_push(&state->queues[NET_RX], delivery->heads[i],
			       delivery->sizes[i]);
}

/*
 * Give the held packet to the guest. Returns 1; 0 if there are not enough
 * buffers; -errno if the queue is corrupt. A packet that fits into no buffers
 * that this guest can ever give is dropped, which counts as given.
 */
static int deliver(struct net_user *state)
{
	struct virtqueue *vq = &state->queues[NET_RX];
	unsigned int max = state->mergeable ? vq->size : 1;
	struct delivery *delivery = &state->delivery;
	size_t done = 0;
	int ret = 1;

	delivery->count = 0;
	while (done < state->packet_size && delivery->count < max) {
		ret = virtqueue_pop(vq, &state->chain);
		if (ret <= 0)
			break;
		ret = add_chain(state, &done);
		if (ret < 0)
			return ret;
		ret = 1;
	}
	if (ret <= 0 || done < state->packet_size)
		virtqueue_unpop(vq, delivery->count);
	else
		finish_delivery(state);
	return ret;
}

static bool read_packet(struct net_user *state)
{
	ssize_t n = read(state->net->tap, state->packet, MAX_PACKET);

	state->packet_size = n > (ssize_t)HEADER_SIZE ? n : 0;
	return state->packet_size;
}

static enum progress receive(struct net_user *state)
{
	struct virtqueue *vq = &state->queues[NET_RX];
	enum progress progress = PROGRESS_MORE;
	unsigned int i;
	int ret;

	for (i = 0; i < BATCH && progress == PROGRESS_MORE; i++) {
		if (!state->packet_size && !read_packet(state)) {
			progress = PROGRESS_IDLE;
			break;
		}
		ret = deliver(state);
		if (ret > 0)
			state->packet_size = 0;
		else if (ret < 0)
			progress = PROGRESS_BROKEN;
		else if (virtqueue_wait(vq, state->delivery.count))
			progress = PROGRESS_BLOCKED;
	}
	publish(state, NET_RX);
	return progress;
}

/* Wait for the device's stop. */
static void wait_for_stop(struct net_user *state)
{
	struct pollfd stop = { .fd = state->stop, .events = POLLIN };

	while (poll(&stop, 1, -1) < 1)
		;
}

/*
 * Returns false when there is nothing more to do: the thread is to end, or
 * somebody deleted the tap device.
 */
static bool wait_for_work(struct net_user *state, enum progress tx,
			  enum progress rx)
{
	bool more = tx == PROGRESS_MORE || rx == PROGRESS_MORE;
	struct pollfd fds[] = {
		{ .fd = state->stop, .events = POLLIN },
		{ .fd = state->kicks[NET_TX], .events = POLLIN },
		{ .fd = state->kicks[NET_RX], .events = POLLIN },
		{ .fd = rx == PROGRESS_BLOCKED ? -1 : state->net->tap,
		  .events = POLLIN },
	};
	eventfd_t ignored;
	unsigned int i;

	poll(fds, sizeof(fds) / sizeof(fds[0]), more ? 0 : -1);
	for (i = 0; i < NET_QUEUES; i++)
		eventfd_read(state->kicks[i], &ignored);
	if (fds[3].revents & (POLLERR | POLLHUP | POLLNVAL)) {
		log_guest("%s has been deleted", state->net->tap_name);
		return false;
	}
	return !fds[0].revents;
}

static void *net_user_thread(void *opaque)
{
	struct net_user *state = opaque;
	enum progress tx, rx;

	do {
		tx = transmit(state);
		rx = receive(state);
		if (tx == PROGRESS_BROKEN || rx == PROGRESS_BROKEN) {
			virtio_broken(&state->net->pci.virtio,
				      "the guest made a corrupt ring");
			break;
		}
	} while (wait_for_work(state, tx, rx));
	wait_for_stop(state);
	return NULL;
}

static struct net_user *state_of(struct virtio_dev *dev)
{
	return net_of(dev)->state;
}

static int init_queues(struct net_user *state)
{
	struct virtio_dev *dev = &state->net->pci.virtio;
	bool event_idx = virtio_has(dev, VIRTIO_RING_F_EVENT_IDX);
	unsigned int i;

	for (i = 0; i < NET_QUEUES; i++)
		if (!dev->queues[i].enabled ||
		    virtqueue_init(&state->queues[i], &state->net->vm->mem,
				   &dev->queues[i].config, event_idx))
			return -EPROTO;
	return 0;
}

static int net_user_start(struct virtio_dev *dev)
{
	struct net_user *state = state_of(dev);
	int ret;

	ret = init_queues(state);
	if (ret)
		return ret;
	state->mergeable = virtio_has(dev, VIRTIO_NET_F_MRG_RXBUF);
	state->packet_size = 0;
	ret = tap_set_offloads(state->net->tap, dev->accepted);
	if (!ret)
		ret = -pthread_create(&state->thread, NULL, net_user_thread,
				      state);
	if (ret)
		log_error("%s cannot be started: %s", dev->name,
			  strerror(-ret));
	return ret;
}

static void net_user_stop(struct virtio_dev *dev)
{
	struct net_user *state = state_of(dev);
	eventfd_t ignored;

	eventfd_write(state->stop, 1);
	pthread_join(state->thread, NULL);
	eventfd_read(state->stop, &ignored);
}

static void net_user_notify(struct virtio_dev *dev, unsigned int queue)
{
	struct net_user *state = state_of(dev);

	state->net->vm->stats.doorbells_user++;
	eventfd_write(state->kicks[queue], 1);
}

static const struct virtio_ops net_user_ops = {
	.start = net_user_start,
	.stop = net_user_stop,
	.notify = net_user_notify,
};

static void net_user_destroy(struct net *net)
{
	struct net_user *state = net->state;

	close(state->kicks[NET_TX]);
	close(state->kicks[NET_RX]);
	close(state->stop);
	free(state);
}

static int net_user_create(struct net *net)
{
	struct net_user *state = calloc(1, sizeof(*state));
	int *fds[] = { &state->stop, &state->kicks[0], &state->kicks[1] };
	unsigned int i;
	int ret;

	if (!state)
		return -ENOMEM;
	state->net = net;
	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		*fds[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (*fds[i] < 0) {
			ret = -errno;
			log_error("%s: no eventfd: %s", net->tap_name,
				  strerror(-ret));
			while (i--)
				close(*fds[i]);
			free(state);
			return ret;
		}
	}
	net->state = state;
	return 0;
}

static uint64_t net_user_features(struct net *net, uint64_t wanted)
{
	(void)net;
	return wanted;
}

const struct net_backend net_user_backend = {
	.ops = &net_user_ops,
	.create = net_user_create,
	.destroy = net_user_destroy,
	.features = net_user_features,
};
