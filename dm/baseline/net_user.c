// SPDX-License-Identifier: GPL-2.0
/*
 * Packets on the tap device and in the rings begin with the same 12 bytes of
 * virtio-net header, so that offloads need nothing here but the number of
 * buffers that a received packet was spread over.
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
#include "process/log.h"
#include "process/worker.h"

/* After so many packets the other direction has its turn. */
#define BATCH 64

#define HEADER_SIZE sizeof(struct virtio_net_hdr_mrg_rxbuf)
#define NUM_BUFFERS offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers)

/* The largest packet that a tap device gives: of IP, in two VLANs. */
#define VLAN_TAGS  8
#define MAX_PACKET (HEADER_SIZE + ETH_HLEN + VLAN_TAGS + 65535)

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
 * struct net_user_pair - A pair of queues and its thread
 * @net:	Device
 * @index:	Which pair
 * @worker:	Moves the packets; has all that follows to itself but @kicks
 * @kicks:	eventfds: doorbells
 * @queues:	Queues
 * @mergeable:	A packet may be spread over several buffers
 * @chain:	The chain at hand
 * @packet:	A packet from the tap device
 * @packet_size: Its size, 0 if there is none
 * @delivery:	Where @packet goes
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
 * @running:	Number of threads, of the first pairs
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

static void publish(struct net_user_pair *pair, unsigned int queue)
{
	if (virtqueue_publish(&pair->queues[queue]))
		virtio_interrupt(&pair->net->pci.virtio,
				 NET_QUEUES * pair->index + queue);
}

/* One packet to the tap device, which drops what it does not like. */
static int transmit_one(struct net_user_pair *pair)
{
	struct virtqueue_chain *chain = &pair->chain;
	int ret;

	ret = virtqueue_pop(&pair->queues[NET_TX], chain);
	if (ret <= 0)
		return ret;
	/* A packet that the tap device refuses is lost, as on a wire. */
	if (writev(tap_of(pair), chain->iov, chain->out) < 0)
		pair->net->vm->stats.packets_dropped++;
	virtqueue_push(&pair->queues[NET_TX], chain->head, 0);
	return 1;
}

static enum progress transmit(struct net_user_pair *pair)
{
	enum progress progress = PROGRESS_MORE;
	unsigned int i;
	int ret;

	for (i = 0; i < BATCH && progress == PROGRESS_MORE; i++) {
		ret = transmit_one(pair);
		if (ret < 0)
			progress = PROGRESS_BROKEN;
		else if (!ret && virtqueue_wait(&pair->queues[NET_TX], 0))
			progress = PROGRESS_IDLE;
	}
	publish(pair, NET_TX);
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

/* Put the next part of the packet into pair->chain. */
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
	n = fill_chain(chain, pair->packet + *done, pair->packet_size - *done);
	if (!n)
		return -EINVAL;
	*done += n;
	delivery->heads[delivery->count] = chain->head;
	delivery->sizes[delivery->count++] = n;
	return 0;
}

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
 * Give the held packet to the guest. Returns 1; 0 if there are not enough
 * buffers; -errno if the queue is corrupt. A packet that fits into no buffers
 * that this guest can ever give is dropped, which counts as given.
 */
static int deliver(struct net_user_pair *pair)
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

static bool read_packet(struct net_user_pair *pair)
{
	ssize_t n = read(tap_of(pair), pair->packet, MAX_PACKET);

	pair->packet_size = n > (ssize_t)HEADER_SIZE ? n : 0;
	return pair->packet_size;
}

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
		ret = deliver(pair);
		if (ret > 0)
			pair->packet_size = 0;
		else if (ret < 0)
			progress = PROGRESS_BROKEN;
		else if (virtqueue_wait(vq, pair->delivery.count))
			progress = PROGRESS_BLOCKED;
	}
	publish(pair, NET_RX);
	return progress;
}

/* Wait for the device's stop. */
static void wait_for_stop(struct net_user_pair *pair)
{
	struct pollfd stop = { .fd = pair->worker.stop, .events = POLLIN };

	while (poll(&stop, 1, -1) < 1)
		;
}

/*
 * Returns false when there is nothing more to do: the thread is to end, or
 * somebody deleted the tap device.
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

static struct net_user *state_of(struct virtio_dev *dev)
{
	return net_of(dev)->state;
}

static void stop_threads(struct net_user *state, unsigned int left)
{
	while (state->running > left)
		worker_stop(&state->pairs[--state->running].worker);
}

static int start_threads(struct net_user *state, unsigned int count)
{
	struct net_user_pair *pair;
	int ret;

	while (state->running < count) {
		pair = &state->pairs[state->running];
		pair->packet_size = 0;
		ret = worker_start(&pair->worker, net_user_thread, pair);
		if (ret) {
			log_error("%s cannot be started: %s",
				  pair->net->tap_name, strerror(-ret));
			return ret;
		}
		state->running++;
	}
	return 0;
}

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

/* Nobody reads from a tap device's queue while it is attached or detached. */
static int net_user_set_pairs(struct net *net, unsigned int pairs)
{
	struct net_user *state = net->state;
	int ret;

	stop_threads(state, pairs);
	ret = net_attach(net, pairs);
	return ret ? ret : start_threads(state, pairs);
}

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
	stop_threads(state_of(dev), 0);
}

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

static int net_user_create(struct net *net)
{
	struct net_user *state;
	unsigned int i;
	int ret;

	state = calloc(1,
		       sizeof(*state) + net->pairs * sizeof(state->pairs[0]));
	if (!state)
		return -ENOMEM;
	for (i = 0; i < net->pairs; i++) {
		state->pairs[i].net = net;
		state->pairs[i].index = i;
		ret = open_pair(&state->pairs[i]);
		if (ret) {
			log_error("%s: no eventfd: %s", net->tap_name,
				  strerror(-ret));
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
