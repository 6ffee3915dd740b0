/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control queue of a network device, on which the driver says how many
 * pairs of queues it uses. All other commands are answered with an error.
 *
 * Used by the thread that handles I/O requests.
 */
#ifndef DM_NET_CTRL_H
#define DM_NET_CTRL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/virtio_net.h>

#include "virtio/virtqueue.h"

/**
 * struct net_ctrl_command - A command of the driver
 * @header:	Class and command
 * @mq:		Argument; zeroes where the chain is shorter
 * @size:	Bytes in the chain behind @header, also if more than in @mq
 * @ack:	Address of the answer, in guest memory
 */
struct net_ctrl_command {
	struct virtio_net_ctrl_hdr header;
	struct virtio_net_ctrl_mq mq;
	size_t size;
	uint8_t *ack;
};

/**
 * struct net_ctrl_ops - What the commands do
 * @set_pairs:	The driver uses so many pairs of queues from now on. Returns 0;
 *		-errno has the command answered with an error.
 */
struct net_ctrl_ops {
	int (*set_pairs)(void *opaque, unsigned int pairs);
};

int net_ctrl_parse(const struct virtqueue_chain *chain,
		   struct net_ctrl_command *command);
int net_ctrl_serve(struct virtqueue *vq, const struct net_ctrl_ops *ops,
		   void *opaque);

#endif /* DM_NET_CTRL_H */
