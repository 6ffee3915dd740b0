// SPDX-License-Identifier: GPL-2.0
/*
 * Packets of the tap device and in the rings begin with the same 12 bytes of
 * virtio-net header. All that is changed in it is the number of chains that a
 * received packet takes.
 *
 * What net_user_thread() calls runs in the thread of a pair, to which struct
 * net_user_pair belongs while it runs, so that there is no lock. The main
 * thread creates the backend before the VM runs. All else runs in the thread
 * that handles I/O requests, which starts and stops the threads of pairs; when
 * that thread has ended, the main thread stops those that are left and destroys
 * the backend.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <linux/if_ether.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "baseline/net_user.h"
#include "net/tap.h"
#include "process/alloc.h"
#include "process/log.h"
#include "process/worker.h"
#include "virtio/buffers.h"

/* Number of packets in one direction before the other one has its turn. */
#define BATCH 64

#define HEADER_SIZE sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define NUM_BUFFERS offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers)

/* The largest packet of a tap device: 64 KiB of IP, with two VLAN tags. */
#define VLAN_TAGS  8
#define MAX_PACKET (HEADER_SIZE + ETH_HLEN + VLAN_TAGS + 65535)

/* Why a thread has stopped moving packets in one direction, for now. */
enum progress {
	PROGRESS_IDLE,	  /* there are no packets */
	PROGRESS_BLOCKED, /* a packet waits until the guest gives buffers */
	PROGRESS_MORE,	  /* the batch has ended; there may be more */
	PROGRESS_BROKEN,  /* the queue is corrupt */
};

/**
 * struct delivery - A received packet on its way into the guest's buffers
 * @count:	Number of chains that it takes
 * @heads:	Heads of the chains
 * @sizes:	Bytes that were written to each chain
 * @num_buffers: Addresses of the two bytes of num_buffers in the guest's header
 */
struct delivery {
	unsigned int count;
	uint16_t heads[VIRTQUEUE_MAX_SIZE];
	uint32_t sizes[VIRTQUEUE_MAX_SIZE];
	uint8_t *num_buffers[2];
};

/**
 * struct net_user_pair - A pair of queues and its thread
 * @net:	Device
 * @index:	Number of the pair
 * @worker:	Thread, the only user of all other fields but @kicks while it
 *		runs
 * @kicks:	eventfds: doorbells
 * @queues:	Queues
 * @mergeable:	A packet may be spread over several chains
 * @chain:	Chain that was popped last
 * @packet:	Packet from the tap device
 * @packet_size: Bytes in @packet, 0 if there is none
 * @delivery:	Chains that @packet is written to
 */
struct net_user_pair {
	struct net *net;
	unsigned int index;
	struct worker worker;
	int kicks[NET_QUEUES];
	struct virtqueue queues[NET_QUEUES];
	bool mergeable;
	struct virtqueue_chain chain;
	uint8_t packet[MAX_PACKET];
	size_t packet_size;
	struct delivery delivery;
};

/**
 * struct net_user - State of this backend
 * @running:	Number of pairs whose threads run, which are the first ones
 * @pairs:	Pairs of queues
 */
struct net_user {
	unsigned int running;
	struct net_user_pair pairs[];
};

static int tap_of(const struct net_user_pair *pair)
{
	return pair->net->taps[pair->index];
}

/*
 * Show the driver what was used, and interrupt it if it wants. Thread of the
 * pair.
 */
static void publish_used(struct net_user_pair *pair, unsigned int queue)
{
	if (virtqueue_publish(&pair->queues[queue]))
		virtio_interrupt(&pair->net->pci.virtio,
				 NET_QUEUES * pair->index + queue);
}

/*
 * Give the next packet of the guest to the tap device. Returns 1; 0 if there is
 * none; -errno if the queue is corrupt. Thread of the pair.
 */
static int transmit_packet(struct net_user_pair *pair)
{
	struct virtqueue_chain *chain = &pair->chain;
	int ret;

	ret = virtqueue_pop(&pair->queues[NET_TX], chain);
	if (ret <= 0)
		return ret;
	/*
	 * A packet that the tap device refuses is lost, as one may be on a
	 * wire.
	 */
	if (writev(tap_of(pair), chain->iov, chain->out) < 0)
		pair->net->vm->stats.packets_dropped++;
	virtqueue_push(&pair->queues[NET_TX], chain->head, 0);
	return 1;
}

/*
 * Give packets of the guest to the tap device, up to a batch. Thread of the
 * pair.
 */
static enum progress transmit(struct net_user_pair *pair)
{
	enum progress progress = PROGRESS_MORE;
	unsigned int i;
	int ret;

	for (i = 0; i < BATCH && progress == PROGRESS_MORE; i++) {
		ret = transmit_packet(pair);
		if (ret < 0)
			progress = PROGRESS_BROKEN;
		else if (!ret && virtqueue_wait(&pair->queues[NET_TX], 0))
			progress = PROGRESS_IDLE;
	}
	publish_used(pair, NET_TX);
	return progress;
}

/*
 * Returns the address of byte @offset in the writable buffers, NULL behind
 * them. Thread of the pair.
 */
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

/*
 * Write the next part of the packet, from @done on, to the chain. Returns 0, or
 * -EINVAL if the chain has no room. Thread of the pair.
 */
static int add_chain(struct net_user_pair *pair, size_t *done)
{
	const struct virtqueue_chain *chain = &pair->chain;
	struct delivery *delivery = &pair->delivery;
	size_t n;

	if (!delivery->count) {
		delivery->num_buffers[0] = chain_byte(chain, NUM_BUFFERS);
		delivery->num_buffers[1] = chain_byte(chain, NUM_BUFFERS + 1);
		if (!delivery->num_buffers[1])
			return -EINVAL;
	}
	n = buffers_write(&chain->iov[chain->out], chain->in, 0,
			  pair->packet + *done, pair->packet_size - *done);
	if (!n)
		return -EINVAL;
	*done += n;
	delivery->heads[delivery->count] = chain->head;
	delivery->sizes[delivery->count++] = n;
	return 0;
}

/* The whole packet is in its chains: tell how many there are, and push them. */
static void finish_delivery(struct net_user_pair *pair)
{
	const struct delivery *delivery = &pair->delivery;
	unsigned int i;

	*delivery->num_buffers[0] = delivery->count;
	*delivery->num_buffers[1] = delivery->count >> 8;
	for (i = 0; i < delivery->count; i++)
		virtqueue_push(&pair->queues[NET_RX], delivery->heads[i],
			       delivery->sizes[i]);
}

/*
 * Give the packet from the tap device to the guest. Returns 1; 0 if there are
 * not enough buffers, in which case they stay in the ring; -errno if the queue
 * is corrupt. Also returns 1 for a packet that is too large for a full ring, or
 * for one chain without mergeable buffers: it is dropped. Thread of the pair.
 */
static int deliver_packet(struct net_user_pair *pair)
{
	struct virtqueue *vq = &pair->queues[NET_RX];
	unsigned int max = pair->mergeable ? vq->size : 1;
	struct delivery *delivery = &pair->delivery;
	size_t done = 0;
	int ret = 1;

	delivery->count = 0;
	while (done < pair->packet_size && delivery->count < max) {
		ret = virtqueue_pop(vq, &pair->chain);
		if (ret <= 0)
			break;
		ret = add_chain(pair, &done);
		if (ret < 0)
			return ret;
		ret = 1;
	}
	if (ret <= 0 || done < pair->packet_size)
		virtqueue_unpop(vq, delivery->count);
	else
		finish_delivery(pair);
	return ret;
}

/*
 * Read the next packet of the tap device, if there is one. Thread of the pair.
 */
static bool read_packet(struct net_user_pair *pair)
{
	ssize_t n = read(tap_of(pair), pair->packet, MAX_PACKET);

	pair->packet_size = n > (ssize_t)HEADER_SIZE ? n : 0;
	return pair->packet_size;
}

/*
 * Give packets of the tap device to the guest, up to a batch. Thread of the
 * pair.
 */
static enum progress receive(struct net_user_pair *pair)
{
	struct virtqueue *vq = &pair->queues[NET_RX];
	enum progress progress = PROGRESS_MORE;
	unsigned int i;
	int ret;

	for (i = 0; i < BATCH && progress == PROGRESS_MORE; i++) {
		if (!pair->packet_size && !read_packet(pair)) {
			progress = PROGRESS_IDLE;
			break;
		}
		ret = deliver_packet(pair);
		if (ret > 0)
			pair->packet_size = 0;
		else if (ret < 0)
			progress = PROGRESS_BROKEN;
		else if (virtqueue_wait(vq, pair->delivery.count))
			progress = PROGRESS_BLOCKED;
	}
	publish_used(pair, NET_RX);
	return progress;
}

/* Wait until the thread is to end. */
static void wait_for_stop(struct net_user_pair *pair)
{
	struct pollfd stop = { .fd = pair->worker.stop, .events = POLLIN };

	while (poll(&stop, 1, -1) < 1)
		;
}

/*
 * Wait for a doorbell or for a packet. Returns false if the thread is to end,
 * or if the tap device was deleted. Thread of the pair.
 */
static bool wait_for_work(struct net_user_pair *pair, enum progress tx,
			  enum progress rx)
{
	bool more = tx == PROGRESS_MORE || rx == PROGRESS_MORE;
	struct pollfd fds[] = {
		{ .fd = pair->worker.stop, .events = POLLIN },
		{ .fd = pair->kicks[NET_TX], .events = POLLIN },
		{ .fd = pair->kicks[NET_RX], .events = POLLIN },
		{ .fd = rx == PROGRESS_BLOCKED ? -1 : tap_of(pair),
		  .events = POLLIN },
	};
	eventfd_t ignored;
	unsigned int i;

	poll(fds, sizeof(fds) / sizeof(fds[0]), more ? 0 : -1);
	for (i = 0; i < NET_QUEUES; i++)
		eventfd_read(pair->kicks[i], &ignored);
	if (fds[3].revents & (POLLERR | POLLHUP | POLLNVAL)) {
		log_guest("%s has been deleted", pair->net->tap_name);
		return false;
	}
	return !fds[0].revents;
}

/*
 * The thread of a pair. After a corrupt ring, or when the tap device is gone,
 * it does nothing until it is stopped.
 */
static void *net_user_thread(void *opaque)
{
	struct net_user_pair *pair = opaque;
	enum progress tx, rx;

	do {
		tx = transmit(pair);
		rx = receive(pair);
		if (tx == PROGRESS_BROKEN || rx == PROGRESS_BROKEN) {
			virtio_broken(&pair->net->pci.virtio,
				      "the guest made a corrupt ring");
			break;
		}
	} while (wait_for_work(pair, tx, rx));
	wait_for_stop(pair);
	return NULL;
}

static struct net_user *net_user_of(struct virtio_dev *dev)
{
	return net_of(dev)->state;
}

/* Stop the threads of all pairs but the first @left. */
static void stop_threads(struct net_user *state, unsigned int left)
{
	while (state->running > left)
		worker_stop(&state->pairs[--state->running].worker);
}

/*
 * Start threads until @count run. Returns 0 or -errno, with a message printed.
 */
static int start_threads(struct net_user *state, unsigned int count)
{
	struct net_user_pair *pair;
	int ret;

	while (state->running < count) {
		pair = &state->pairs[state->running];
		pair->packet_size = 0;
		ret = worker_start(&pair->worker, net_user_thread, pair);
		if (ret) {
			log_error("%s: cannot start a thread: %s",
				  pair->net->tap_name, strerror(-ret));
			return ret;
		}
		state->running++;
	}
	return 0;
}

/* Take over the queues of a pair, whose thread does not run. 0 or -EPROTO. */
static int init_queues(struct net_user_pair *pair)
{
	struct net *net = pair->net;
	struct virtio_dev *dev = &net->pci.virtio;
	struct virtio_queue *queues = &dev->queues[NET_QUEUES * pair->index];
	unsigned int i;
	int ret;

	pair->mergeable = virtio_has(dev, VIRTIO_NET_F_MRG_RXBUF);
	for (i = 0; i < NET_QUEUES; i++) {
		ret = virtqueue_init(&pair->queues[i], &net->vm->mem,
				     &queues[i].config,
				     virtio_has(dev, VIRTIO_RING_F_EVENT_IDX));
		if (ret)
			return -EPROTO;
	}
	return 0;
}

/*
 * For struct net_backend. Queues of the tap device are attached and detached
 * while no thread reads from them.
 */
static int net_user_set_pairs(struct net *net, unsigned int pairs)
{
	struct net_user *state = net->state;
	int ret;

	stop_threads(state, pairs);
	ret = net_attach(net, pairs);
	return ret ? ret : start_threads(state, pairs);
}

/* For struct virtio_ops: begin with one pair. */
static int net_user_start(struct virtio_dev *dev)
{
	struct net *net = net_of(dev);
	struct net_user *state = net->state;
	unsigned int i;
	int ret;

	ret = net_starting(net);
	for (i = 0; !ret && i < net->usable; i++)
		ret = init_queues(&state->pairs[i]);
	return ret ? ret : net_user_set_pairs(net, 1);
}

static void net_user_stop(struct virtio_dev *dev)
{
	stop_threads(net_user_of(dev), 0);
}

/* For struct virtio_ops: pass a doorbell on to the thread of its pair. */
static void net_user_notify(struct virtio_dev *dev, unsigned int queue)
{
	struct net *net = net_of(dev);
	struct net_user *state = net->state;

	if (net_notify(net, queue))
		return;
	net->vm->stats.doorbells_user++;
	eventfd_write(
		state->pairs[queue / NET_QUEUES].kicks[queue % NET_QUEUES], 1);
}

static const struct virtio_ops net_user_ops = {
	.start = net_user_start,
	.stop = net_user_stop,
	.notify = net_user_notify,
	.destroy = net_destroy,
};

static void close_pairs(struct net_user *state, unsigned int count)
{
	while (count--) {
		close(state->pairs[count].kicks[NET_TX]);
		close(state->pairs[count].kicks[NET_RX]);
		worker_deinit(&state->pairs[count].worker);
	}
}

static void net_user_destroy(struct net *net)
{
	close_pairs(net->state, net->pairs);
	free(net->state);
}

/*
 * Make the worker of a pair of queues and the eventfds by which it is told of
 * doorbells. Called by the main thread before the VM runs.
 */
static int open_pair(struct net_user_pair *pair)
{
	unsigned int i;
	int ret = worker_init(&pair->worker);

	if (ret)
		return ret;
	for (i = 0; i < NET_QUEUES; i++) {
		pair->kicks[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (pair->kicks[i] < 0) {
			ret = -errno;
			while (i--)
				close(pair->kicks[i]);
			worker_deinit(&pair->worker);
			return ret;
		}
	}
	return 0;
}

/* For struct net_backend: make what the pairs need. Main thread. */
static int net_user_create(struct net *net)
{
	struct net_user *state;
	unsigned int i;
	int ret;

	state = alloc_zeroed(sizeof(*state) +
			     net->pairs * sizeof(state->pairs[0]));
	if (!state)
		return -ENOMEM;
	for (i = 0; i < net->pairs; i++) {
		state->pairs[i].net = net;
		state->pairs[i].index = i;
		ret = open_pair(&state->pairs[i]);
		if (ret) {
			log_error("%s: cannot make an eventfd: %s",
				  net->tap_name, strerror(-ret));
			close_pairs(state, i);
			free(state);
			return ret;
		}
	}
	net->state = state;
	return 0;
}

const struct net_backend net_user_backend = {
	.ops = &net_user_ops,
	.create = net_user_create,
	.destroy = net_user_destroy,
	.set_pairs = net_user_set_pairs,
};
