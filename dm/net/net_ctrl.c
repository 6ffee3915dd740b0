// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of the control queue. Thread of I/O requests, to which the queue
 * belongs; chains are guest memory, from which each value is read once.
 */
#include <errno.h>
#include <string.h>

#include "net/net_ctrl.h"
#include "virtio/buffers.h"

/**
 * net_ctrl_parse() - Find the command in a chain
 * @chain:	Chain of the control queue
 * @command:	Result
 *
 * Return: 0; -EINVAL if there is no whole header or no room for an answer.
 */
int net_ctrl_parse(const struct virtqueue_chain *chain,
		   struct net_ctrl_command *command)
{
	const size_t header = sizeof(command->header);
	size_t size = buffers_size(chain->iov, chain->out);

	if (size < header || !chain->in)
		return -EINVAL;
	*command = (struct net_ctrl_command){
		.size = size - header,
		.ack = chain->iov[chain->out].iov_base,
	};
	buffers_read(chain->iov, chain->out, 0, &command->header, header);
	buffers_read(chain->iov, chain->out, header, &command->mq,
		     sizeof(command->mq));
	return 0;
}

/* Execute a command. Returns the answer: all but one command are refused. */
static uint8_t execute(const struct net_ctrl_command *command,
		       const struct net_ctrl_ops *ops, void *opaque)
{
	if (command->header.class != VIRTIO_NET_CTRL_MQ ||
	    command->header.cmd != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET ||
	    command->size != sizeof(command->mq) ||
	    ops->set_pairs(opaque, command->mq.virtqueue_pairs))
		return VIRTIO_NET_ERR;
	return VIRTIO_NET_OK;
}

/*
 * Take a command from the queue, execute and answer it. Returns 1; 0 if there
 * is no command; -errno if the queue is corrupt.
 */
static int serve_command(struct virtqueue *vq, const struct net_ctrl_ops *ops,
			 void *opaque)
{
	struct net_ctrl_command command;
	struct virtqueue_chain chain;
	int ret;

	ret = virtqueue_pop(vq, &chain);
	if (ret <= 0)
		return ret;
	ret = net_ctrl_parse(&chain, &command);
	if (ret)
		return ret;
	*command.ack = execute(&command, ops, opaque);
	virtqueue_push(vq, chain.head, sizeof(*command.ack));
	return 1;
}

/**
 * net_ctrl_serve() - Execute the commands in the control queue
 * @vq:		Control queue
 * @ops:	What the commands do
 * @opaque:	Argument of @ops
 *
 * The driver sees the answers together at the end, and can reuse a descriptor
 * only then. More commands than there are descriptors are therefore a fault of
 * the driver.
 *
 * Return: Whether the driver wants an interrupt; -EINVAL or -EFAULT if the
 * queue is corrupt, after which it is of no use.
 */
int net_ctrl_serve(struct virtqueue *vq, const struct net_ctrl_ops *ops,
		   void *opaque)
{
	unsigned int served = 0;
	int ret;

	do {
		ret = serve_command(vq, ops, opaque);
		if (ret < 0)
			return ret;
		served += ret;
		if (served > vq->size)
			return -EINVAL;
	} while (ret || !virtqueue_wait(vq, 0));
	return virtqueue_publish(vq);
}
