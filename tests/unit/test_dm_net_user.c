// sources: dm/baseline/net_user.c dm/net/net_pairs.c dm/net/net_ctrl.c dm/process/worker.c dm/virtio/virtio.c dm/virtio/virtqueue.c dm/virtio/buffers.c dm/bus/mem.c dm/process/alloc.c dm/process/log.c
// SPDX-License-Identifier: GPL-2.0
/*
 * The device model's network in user space. A pair of sockets stands for each
 * queue of a tap device, and this test is the driver.
 */
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "dm/baseline/net_user.h"
#include "dm/net/tap.h"
#include "tap.h"

#define SIZE	  8
#define RAM_SIZE  0x40000
#define BUFFERS	  0x20000
#define HEADER	  12
#define WAIT_MS	  5000
#define PAIRS	  2
#define CTRL	  (PAIRS * NET_QUEUES)
#define QUEUE(q)  (0x4000 * (q))
#define DESC(q)	  (QUEUE(q))
#define AVAIL(q)  (QUEUE(q) + 0x1000)
#define USED(q)	  (QUEUE(q) + 0x2000)
#define MRG_RXBUF (1ULL << VIRTIO_NET_F_MRG_RXBUF)
#define MQ	  (1ULL << VIRTIO_NET_F_MQ | 1ULL << VIRTIO_NET_F_CTRL_VQ)

/* Queues of the second pair */
#define RX_1 (NET_QUEUES + NET_RX)
#define TX_1 (NET_QUEUES + NET_TX)

static uint8_t ram[RAM_SIZE] __attribute__((aligned(4096)));
static struct vm vm;
static struct net net;
static int peers[PAIRS];
static bool attached[PAIRS] = { true, true };
static int attach_error;
static atomic_uint interrupts;

struct net *net_of(struct virtio_dev *dev)
{
	(void)dev;
	return &net;
}

void net_destroy(struct virtio_dev *dev)
{
	(void)dev;
}

int tap_set_offloads(int fd, uint64_t features)
{
	(void)fd, (void)features;
	return 0;
}

int tap_attach(int fd, bool want)
{
	unsigned int pair = fd == net.taps[1];

	tap_ok(attached[pair] != want, "the tap's queue %u is %s", pair,
	       want ? "attached" : "detached");
	if (attach_error)
		return attach_error;
	attached[pair] = want;
	return 0;
}

static void raise_vector(struct virtio_dev *dev, uint16_t vector, uint8_t isr)
{
	(void)dev, (void)vector, (void)isr;
	interrupts++;
}

static void fatal(void *opaque)
{
	(void)opaque;
	tap_ok(false, "the device fails");
}

static struct vring_desc *desc(unsigned int queue)
{
	return (void *)(ram + DESC(queue));
}

static struct vring_avail *avail(unsigned int queue)
{
	return (void *)(ram + AVAIL(queue));
}

static uint16_t used_idx(unsigned int queue)
{
	struct vring_used *used = (void *)(ram + USED(queue));

	return __atomic_load_n(&used->idx, __ATOMIC_ACQUIRE);
}

static struct vring_used_elem *used(unsigned int queue, unsigned int i)
{
	struct vring_used *ring = (void *)(ram + USED(queue));

	return &ring->ring[i];
}

static void buffer(unsigned int queue, unsigned int i, uint32_t len,
		   uint16_t flags, uint16_t next)
{
	desc(queue)[i] =
		(struct vring_desc){ BUFFERS + 0x1000 * i, len, flags, next };
}

static void offer(unsigned int queue, uint16_t head)
{
	struct vring_avail *ring = avail(queue);

	ring->ring[ring->idx % SIZE] = head;
	__atomic_store_n(&ring->idx, ring->idx + 1, __ATOMIC_RELEASE);
	virtio_notify(&net.pci.virtio, queue);
}

static bool wait_used(unsigned int queue, uint16_t count)
{
	unsigned int ms;

	for (ms = 0; ms < WAIT_MS && used_idx(queue) != count; ms++)
		poll(NULL, 0, 1);
	return used_idx(queue) == count;
}

static bool wait_broken(void)
{
	unsigned int ms;

	for (ms = 0; ms < WAIT_MS && !net.pci.virtio.needs_reset; ms++)
		poll(NULL, 0, 1);
	return net.pci.virtio.needs_reset;
}

/* Negotiate @features and set up the first @queues queues. */
static void start_with(uint64_t features, unsigned int queues)
{
	struct virtio_dev *dev = &net.pci.virtio;
	unsigned int q;

	virtio_set_status(dev, 0);
	memset(ram, 0, sizeof(ram));
	for (q = 0; q < queues; q++) {
		dev->queues[q].config =
			(struct virtqueue_config){ SIZE, DESC(q), AVAIL(q),
						   USED(q) };
		virtio_enable_queue(dev, q);
	}
	virtio_accept(dev, 0, features);
	virtio_accept(dev, 1, 1U << (VIRTIO_F_VERSION_1 - 32));
	virtio_set_status(dev, VIRTIO_CONFIG_S_FEATURES_OK);
	virtio_set_status(dev, VIRTIO_CONFIG_S_FEATURES_OK |
				       VIRTIO_CONFIG_S_DRIVER_OK);
}

static void start(uint64_t features)
{
	start_with(features, NET_QUEUES);
}

static void transmit(void)
{
	uint8_t packet[200];

	start(0);
	tap_ok(net.pci.virtio.running, "the device runs");
	buffer(NET_TX, 0, HEADER, VRING_DESC_F_NEXT, 1);
	buffer(NET_TX, 1, 50, 0, 0);
	memset(ram + BUFFERS + 0x1000, 0x5a, 50);
	offer(NET_TX, 0);
	tap_ok(wait_used(NET_TX, 1), "a packet is sent");
	tap_eq(read(peers[0], packet, sizeof(packet)), HEADER + 50, "its size");
	tap_eq(packet[HEADER + 49], 0x5a, "its contents");
	tap_eq(used(NET_TX, 0)->len, 0, "nothing is written to it");
	tap_ok(interrupts > 0, "the driver is interrupted");
	tap_ok(vm.stats.doorbells_user == 1, "the doorbell is counted");

	virtio_set_status(&net.pci.virtio, 0);
	offer(NET_TX, 0);
	poll(NULL, 0, 20);
	tap_eq(used_idx(NET_TX), 1, "after a reset nothing moves");
}

static void receive(void)
{
	uint8_t packet[HEADER + 100];

	memset(packet, 0xa5, sizeof(packet));
	start(0);
	buffer(NET_RX, 0, 1000, VRING_DESC_F_WRITE, 0);
	tap_eq(write(peers[0], packet, sizeof(packet)), sizeof(packet),
	       "a packet comes before a buffer");
	poll(NULL, 0, 20);
	offer(NET_RX, 0);
	tap_ok(wait_used(NET_RX, 1), "it is received");
	tap_eq(used(NET_RX, 0)->len, sizeof(packet), "whole");
	tap_eq(ram[BUFFERS + HEADER + 99], 0xa5, "its contents");
	tap_eq(ram[BUFFERS + 10] | ram[BUFFERS + 11] << 8, 1, "one buffer");

	buffer(NET_RX, 1, 64, VRING_DESC_F_WRITE, 0);
	buffer(NET_RX, 2, 1000, VRING_DESC_F_WRITE, 0);
	tap_eq(write(peers[0], packet, sizeof(packet)), sizeof(packet),
	       "one that does not fit");
	tap_eq(write(peers[0], packet, 40), 40, "and one that does");
	offer(NET_RX, 1);
	tap_ok(wait_used(NET_RX, 2), "the first is dropped");
	tap_eq(used(NET_RX, 1)->len, 40, "the second is received");
}

static void mergeable(void)
{
	uint8_t packet[HEADER + 100];
	unsigned int i;

	for (i = 0; i < sizeof(packet); i++)
		packet[i] = i;
	start(MRG_RXBUF);
	for (i = 0; i < 3; i++)
		buffer(NET_RX, i, 40, VRING_DESC_F_WRITE, 0);
	tap_eq(write(peers[0], packet, sizeof(packet)), sizeof(packet),
	       "a packet that needs three buffers");
	offer(NET_RX, 0);
	offer(NET_RX, 1);
	poll(NULL, 0, 20);
	tap_eq(used_idx(NET_RX), 0, "two are not enough");
	offer(NET_RX, 2);
	tap_ok(wait_used(NET_RX, 3), "three are");
	tap_eq(ram[BUFFERS + 10] | ram[BUFFERS + 11] << 8, 3,
	       "says the header");
	tap_eq(used(NET_RX, 2)->len, HEADER + 100 - 80,
	       "the rest in the third");
	tap_eq(ram[BUFFERS + 0x2000], 80, "goes on where the second ends");
}

/* The longest IP packet, with two VLAN tags. */
static void longest(void)
{
	static uint8_t packet[HEADER + 14 + 2 * 4 + 65535];
	unsigned int i, received = 0;

	start(MRG_RXBUF);
	for (i = 0; i < SIZE; i++) {
		buffer(NET_RX, i, sizeof(packet) / SIZE + 1, VRING_DESC_F_WRITE,
		       0);
		offer(NET_RX, i);
	}
	tap_eq(write(peers[0], packet, sizeof(packet)), sizeof(packet),
	       "the longest packet");
	tap_ok(wait_used(NET_RX, SIZE), "takes all buffers");
	for (i = 0; i < SIZE; i++)
		received += used(NET_RX, i)->len;
	tap_eq(received, sizeof(packet), "and is received whole");
}

/* A thread that sleeps until the driver offers buffers can be stopped. */
static void stop_while_blocked(void)
{
	uint8_t packet[HEADER + 100] = { 0 };
	clock_t cpu;

	start(MRG_RXBUF);
	buffer(NET_RX, 0, 40, VRING_DESC_F_WRITE, 0);
	offer(NET_RX, 0);
	tap_eq(write(peers[0], packet, sizeof(packet)), sizeof(packet),
	       "packet");
	poll(NULL, 0, 20);
	cpu = clock();
	poll(NULL, 0, 200);
	tap_ok(clock() - cpu < CLOCKS_PER_SEC / 50, "it sleeps");
	virtio_set_status(&net.pci.virtio, 0);
	tap_ok(!net.pci.virtio.running, "stopped while it waits for buffers");
}

static void broken(unsigned int queue, const char *name)
{
	offer(queue, 0);
	tap_ok(wait_broken(), "%s", name);
}

static void hostile(void)
{
	uint8_t packet[HEADER + 100] = { 0 };

	start(0);
	buffer(NET_TX, 0, 10, VRING_DESC_F_NEXT, 0);
	broken(NET_TX, "a loop breaks the device");
	start(0);
	desc(NET_TX)[0] = (struct vring_desc){ RAM_SIZE, 1, 0, 0 };
	broken(NET_TX, "so does a buffer outside of RAM");

	tap_eq(write(peers[0], packet, sizeof(packet)), sizeof(packet),
	       "packet");
	start(MRG_RXBUF);
	buffer(NET_RX, 0, 100, 0, 0);
	broken(NET_RX, "a receive buffer that cannot be written");
	tap_eq(write(peers[0], packet, sizeof(packet)), sizeof(packet),
	       "packet");
	start(MRG_RXBUF);
	buffer(NET_RX, 0, 11, VRING_DESC_F_WRITE, 0);
	broken(NET_RX, "a receive buffer too small for the header");

	start(0);
	tap_ok(!net.pci.virtio.needs_reset, "a reset helps");
	virtio_set_status(&net.pci.virtio, 0);
	virtio_accept(&net.pci.virtio, 1, 1U << (VIRTIO_F_VERSION_1 - 32));
	virtio_set_status(&net.pci.virtio, VIRTIO_CONFIG_S_FEATURES_OK);
	virtio_set_status(&net.pci.virtio, VIRTIO_CONFIG_S_DRIVER_OK);
	tap_ok(net.pci.virtio.needs_reset && !net.pci.virtio.running,
	       "a start without queues");
}

/* Ask for a number of pairs by the control queue. Returns the answer. */
static uint8_t ask_for(uint16_t pairs)
{
	const uint8_t command[] = { VIRTIO_NET_CTRL_MQ,
				    VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, pairs,
				    pairs >> 8 };

	memcpy(ram + BUFFERS + 0x6000, command, sizeof(command));
	ram[BUFFERS + 0x7000] = 0xee;
	buffer(CTRL, 6, sizeof(command), VRING_DESC_F_NEXT, 7);
	buffer(CTRL, 7, 1, VRING_DESC_F_WRITE, 0);
	offer(CTRL, 6);
	return ram[BUFFERS + 0x7000];
}

static void receive_on(unsigned int pair, unsigned int queue)
{
	uint8_t packet[HEADER + 100] = { 0 };
	uint16_t count = used_idx(queue) + 1;

	buffer(queue, 0, 1000, VRING_DESC_F_WRITE, 0);
	offer(queue, 0);
	tap_eq(write(peers[pair], packet, sizeof(packet)), sizeof(packet),
	       "a packet for pair %u", pair);
	tap_ok(wait_used(queue, count), "is received there");
}

static void transmit_on(unsigned int pair, unsigned int queue)
{
	uint8_t packet[200];
	uint16_t count = used_idx(queue) + 1;

	buffer(queue, 1, HEADER + 50, 0, 0);
	offer(queue, 1);
	tap_ok(wait_used(queue, count), "a packet of pair %u is sent", pair);
	tap_eq(read(peers[pair], packet, sizeof(packet)), HEADER + 50,
	       "to the tap's queue of that pair");
}

static void pairs(void)
{
	start_with(MQ, CTRL + 1);
	tap_ok(net.pci.virtio.running && attached[0] && !attached[1],
	       "it begins with one pair");
	receive_on(0, NET_RX);
	buffer(TX_1, 1, HEADER + 50, 0, 0);
	offer(TX_1, 1);
	poll(NULL, 0, 20);
	tap_eq(used_idx(TX_1), 0, "the other does not move");

	tap_eq(ask_for(2), VIRTIO_NET_OK, "two pairs");
	tap_ok(attached[1], "the tap has another queue");
	tap_ok(wait_used(TX_1, 1), "what waited is sent");
	receive_on(1, RX_1);
	receive_on(0, NET_RX);
	tap_eq(ask_for(1), VIRTIO_NET_OK, "one pair again");
	tap_ok(!attached[1], "the tap has one queue");
	receive_on(0, NET_RX);
	transmit_on(0, NET_TX);
	tap_eq(ask_for(2), VIRTIO_NET_OK, "two pairs again");
	receive_on(1, RX_1);
	transmit_on(0, NET_TX);

	tap_eq(ask_for(2), VIRTIO_NET_OK, "as it is");
	tap_eq(ask_for(0), VIRTIO_NET_ERR, "no pair");
	tap_eq(ask_for(3), VIRTIO_NET_ERR, "more than there are");
	tap_eq(ask_for(258), VIRTIO_NET_ERR, "many more");
	tap_eq(ask_for(1), VIRTIO_NET_OK, "one pair");
	attach_error = -EBADFD;
	tap_eq(ask_for(2), VIRTIO_NET_ERR, "a tap that refuses");
	attach_error = 0;
	receive_on(0, NET_RX);
}

/* Drivers that set up fewer queues than there are, or wrong ones. */
static void fewer_queues(void)
{
	struct virtio_dev *dev = &net.pci.virtio;

	start_with(MQ, NET_QUEUES);
	tap_ok(dev->running, "a driver with one pair and no control queue");
	tap_eq(ask_for(1), 0xee, "which is not answered");
	receive_on(0, NET_RX);

	start_with(MQ, NET_QUEUES + 1);
	tap_ok(dev->needs_reset && !dev->running, "half a pair");

	/* Without MQ the control queue follows the first pair. */
	start_with(1ULL << VIRTIO_NET_F_CTRL_VQ, CTRL + 1);
	tap_ok(dev->running, "a driver without MQ");
	receive_on(0, NET_RX);
	offer(RX_1, SIZE);
	tap_ok(dev->needs_reset, "with a control queue");
	offer(TX_1, 0);
	offer(CTRL, 0);
	tap_ok(dev->running, "and doorbells that mean nothing");

	start_with(MQ, CTRL + 1);
	tap_eq(ask_for(2), VIRTIO_NET_OK, "two pairs");
	buffer(CTRL, 6, 1, 0, 0);
	offer(CTRL, 6);
	tap_ok(dev->needs_reset, "a corrupt control queue");
	receive_on(1, RX_1);
	tap_eq(ask_for(1), 0xee, "is not looked at any more");
}

int main(void)
{
	struct virtio_dev *dev = &net.pci.virtio;
	int pair[2], i;

	/* End the test even if a thread does not stop. */
	alarm(60);
	for (i = 0; i < PAIRS; i++) {
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair);
		net.taps[i] = pair[0];
		peers[i] = pair[1];
	}
	net.backend = &net_user_backend;
	net.pairs = PAIRS;
	net.attached = PAIRS;
	net.vm = &vm;
	strcpy(net.tap_name, "test");
	mem_layout(&vm.mem, RAM_SIZE, ram);
	dev->name = net.tap_name;
	dev->ops = net_user_backend.ops;
	dev->offered = MQ | MRG_RXBUF | 1ULL << VIRTIO_F_VERSION_1;
	dev->queue_count = CTRL + 1;
	dev->raise = raise_vector;
	dev->fatal = fatal;
	tap_eq(net_user_backend.create(&net), 0, "created");

	transmit();
	receive();
	mergeable();
	longest();
	stop_while_blocked();
	hostile();
	pairs();
	fewer_queues();
	virtio_set_status(dev, 0);
	net_user_backend.destroy(&net);
	for (i = 0; i < PAIRS; i++) {
		close(net.taps[i]);
		close(peers[i]);
	}
	return tap_done();
}
