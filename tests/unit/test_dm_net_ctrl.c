// sources: dm/net/net_ctrl.c dm/virtio/virtqueue.c dm/virtio/buffers.c dm/bus/mem.c dm/process/log.c
// SPDX-License-Identifier: GPL-2.0
/* The control queue of the device model's network devices. */
#include <stdint.h>
#include <string.h>
#include <linux/virtio_ring.h>

#include "dm/net/net_ctrl.h"
#include "tap.h"

#define SIZE	 8
#define RAM_SIZE 0x10000
#define DESC	 0x1000
#define AVAIL	 0x2000
#define USED	 0x3000
#define DATA	 0x8000
#define ACK	 0x9000

/* Value of the answer before there is one: neither VIRTIO_NET_OK nor _ERR */
#define NO_ACK 0xee

static uint8_t ram[RAM_SIZE];
static struct guest_mem mem;
static struct virtqueue vq;
static unsigned int pairs_set, calls;
static int refuse;

static struct vring_desc *const desc = (void *)(ram + DESC);
static struct vring_avail *const avail = (void *)(ram + AVAIL);
static struct vring_used *const used = (void *)(ram + USED);

static int set_pairs(void *opaque, unsigned int pairs)
{
	tap_ok(opaque == &vq, "the argument is passed on");
	pairs_set = pairs;
	calls++;
	return refuse;
}

static const struct net_ctrl_ops ops = { .set_pairs = set_pairs };

static void start(void)
{
	const struct virtqueue_config config = { SIZE, DESC, AVAIL, USED };

	memset(ram, 0, sizeof(ram));
	ram[ACK] = NO_ACK;
	calls = 0;
	refuse = 0;
	virtqueue_init(&vq, &mem, &config, false);
}

static int serve(void)
{
	return net_ctrl_serve(&vq, &ops, &vq);
}

static void offer(uint16_t head)
{
	avail->ring[avail->idx++ % SIZE] = head;
}

static void set(unsigned int i, uint64_t addr, uint32_t len, uint16_t flags,
		uint16_t next)
{
	desc[i] = (struct vring_desc){ addr, len, flags, next };
}

/* Offer a command of @len bytes in one buffer, with another for the answer. */
static void command(const char *bytes, uint32_t len)
{
	start();
	memcpy(ram + DATA, bytes, len);
	set(0, DATA, len, VRING_DESC_F_NEXT, 1);
	set(1, ACK, 1, VRING_DESC_F_WRITE, 0);
	offer(0);
}

static void good(void)
{
	command("\4\0\2\0", 4);
	tap_eq(serve(), 1, "a command; the driver is interrupted");
	tap_eq(ram[ACK], VIRTIO_NET_OK, "is done");
	tap_eq(pairs_set, 2, "with its argument");
	tap_ok(used->idx == 1 && used->ring[0].id == 0 &&
		       used->ring[0].len == 1,
	       "and given back");
	tap_eq(serve(), 0, "nothing more");

	command("\4\0\2\1", 4);
	tap_ok(serve() == 1 && pairs_set == 0x102, "little endian");
	refuse = -EINVAL;
	offer(0);
	tap_eq(serve(), 1, "a command that is refused");
	tap_eq(ram[ACK], VIRTIO_NET_ERR, "says so");

	/* Linux' driver: header, argument, answer; others cut as they like. */
	start();
	memcpy(ram + DATA, "\4\0\3\0", 4);
	set(0, DATA, 1, VRING_DESC_F_NEXT, 2);
	set(2, DATA + 1, 2, VRING_DESC_F_NEXT, 3);
	set(3, DATA + 3, 1, VRING_DESC_F_NEXT, 1);
	set(1, ACK, 7, VRING_DESC_F_WRITE, 0);
	offer(0);
	tap_ok(serve() == 1 && pairs_set == 3 && ram[ACK] == VIRTIO_NET_OK,
	       "a command in pieces");

	start();
	avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	memcpy(ram + DATA, "\4\0\1\0", 4);
	set(0, DATA, 4, VRING_DESC_F_NEXT, 1);
	set(1, ACK, 1, VRING_DESC_F_WRITE, 0);
	offer(0);
	tap_ok(serve() == 0 && ram[ACK] == VIRTIO_NET_OK, "no interrupt");
}

static void unknown_command(const char *bytes, uint32_t len, const char *name)
{
	command(bytes, len);
	tap_ok(serve() == 1 && !calls && ram[ACK] == VIRTIO_NET_ERR, "%s",
	       name);
}

static void unknown(void)
{
	unknown_command("\0\0\1", 3, "another class");
	unknown_command("\4\1\2\0", 4, "another command");
	unknown_command("\4\0", 2, "no argument");
	unknown_command("\4\0\2", 3, "half an argument");
	unknown_command("\4\0\2\0\0", 5, "more than an argument");
}

static void corrupt(int want, const char *name)
{
	tap_ok(serve() == -want && !calls && ram[ACK] == NO_ACK && !used->idx,
	       "%s", name);
}

static void hostile(void)
{
	command("\4\0\2\0", 4);
	desc[0].flags = 0;
	corrupt(EINVAL, "no room for an answer");
	command("\4\0\2\0", 4);
	desc[1].len = 0;
	corrupt(EINVAL, "an empty one");
	command("\4", 1);
	corrupt(EINVAL, "half a header");
	command("\4\0\2\0", 4);
	desc[0].flags = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE;
	corrupt(EINVAL, "nothing to read");
	command("\4\0\2\0", 4);
	desc[0].addr = RAM_SIZE - 2;
	corrupt(EFAULT, "a command across the end of RAM");
	command("\4\0\2\0", 4);
	desc[1].addr = RAM_SIZE;
	corrupt(EFAULT, "an answer outside of RAM");
	command("\4\0\2\0", 4);
	desc[1] = (struct vring_desc){ ACK, 1,
				       VRING_DESC_F_WRITE | VRING_DESC_F_NEXT,
				       1 };
	corrupt(EINVAL, "a loop");
	command("\4\0\2\0", 4);
	avail->idx = SIZE + 1;
	corrupt(EINVAL, "more commands than the queue holds");
}

/* Offer another command for each that is served, as another vCPU could. */
static int offer_more(void *opaque, unsigned int pairs)
{
	(void)opaque, (void)pairs;
	offer(0);
	return ++calls > 1000 ? -EINTR : 0;
}

static void endless(void)
{
	const struct net_ctrl_ops more = { .set_pairs = offer_more };

	command("\4\0\2\0", 4);
	tap_eq(-net_ctrl_serve(&vq, &more, NULL), EINVAL,
	       "commands without an end");
	tap_ok(calls <= SIZE + 1, "are soon seen to be so");

	command("\4\0\1\0", 4);
	for (int i = 1; i < SIZE; i++)
		offer(0);
	tap_ok(serve() == 1 && calls == SIZE, "a full queue is none");
	tap_eq(used->idx, SIZE, "and all of it is served");
}

int main(void)
{
	mem_layout(&mem, RAM_SIZE, ram);
	good();
	unknown();
	hostile();
	endless();
	return tap_done();
}
