/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control queue of a network device: the driver says how many pairs of
 * queues it uses. No other command is known.
 */
#ifndef DM_NET_CTRL_H
#define DM_NET_CTRL_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/virtio_net.h>

#include "virtio/virtqueue.h"

/**
 * struct net_ctrl_command - A command as the driver gave it
 * @header:	Class and command
 * @mq:		What follows, as far as it is there
 * @size:	Bytes that follow @header; may be more than @mq
 * @ack:	Where the answer belongs, in guest memory
 */
struct net_ctrl_command {
	struct virtio_net_ctrl_hdr header;
	struct virtio_net_ctrl_mq mq;
	size_t size;
	uint8_t *ack;
};

/**
 * struct net_ctrl_ops - What the commands do
 * @set_pairs:	Use so many pairs of queues. Returns 0 or -errno, which the
 *		driver learns as a refusal.
 */
struct net_ctrl_ops {
	int (*set_pairs)(void *opaque, unsigned int pairs);
};

int net_ctrl_parse(const struct virtqueue_chain *chain,
		   struct net_ctrl_command *command);
int net_ctrl_serve(struct virtqueue *vq, const struct net_ctrl_ops *ops,
		   void *opaque);

#endif /* DM_NET_CTRL_H */
