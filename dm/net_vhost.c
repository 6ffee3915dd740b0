// SPDX-License-Identifier: GPL-2.0
/* The packets are moved by vhost-net; see acrnvhost.h for how it is attached.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <linux/virtio_config.h>
#include <acrnvhost.h>

#include "log.h"
#include "net.h"
#include "tap.h"

#define DOORBELL_SIZE 2

/**
 * struct net_vhost - State of this backend
 * @net:	Device
 * @vhost:	vhost device
 * @features:	What it can do
 * @errors:	A queue was found to be corrupt
 */
struct net_vhost {
	struct net *net;
	struct acrnvhost *vhost;
	uint64_t features;
	struct event_source errors[NET_QUEUES];
};

static struct net_vhost *state_of(struct virtio_dev *dev)
{
	return net_of(dev)->state;
}

static bool get_doorbell(struct net *net, unsigned int queue,
			 struct acrnvhost_doorbell *doorbell)
{
	uint64_t gpa;

	if (!virtio_pci_doorbell(&net->pci, queue, &gpa))
		return false;
	*doorbell = (struct acrnvhost_doorbell){ .addr = gpa,
						 .len = DOORBELL_SIZE };
	return true;
}

static int set_queue(struct net_vhost *state, unsigned int index)
{
	struct net *net = state->net;
	struct virtio_queue *queue = &net->pci.virtio.queues[index];
	struct acrnvhost_queue config = { .size = queue->config.size };
	struct acrnvhost_doorbell doorbell;
	struct virtqueue_rings rings;
	struct acrn_msi_entry msi;

	if (!queue->enabled ||
	    virtqueue_map(&net->vm->mem, &queue->config, &rings))
		return -EPROTO;
	config.desc = rings.desc;
	config.avail = rings.avail;
	config.used = rings.used;
	if (get_doorbell(net, index, &doorbell))
		config.doorbell = &doorbell;
	if (virtio_pci_message(&net->pci, index, &msi))
		config.msi = &msi;
	return acrnvhost_set_queue(state->vhost, index, &config);
}

static int start_vhost(struct net_vhost *state)
{
	const struct guest_mem *mem = &state->net->vm->mem;
	struct acrnvhost_region
		regions[sizeof(mem->regions) / sizeof(mem->regions[0])];
	unsigned int i;

	for (i = 0; i < mem->count; i++)
		regions[i] = (struct acrnvhost_region){
			.gpa = mem->regions[i].gpa,
			.size = mem->regions[i].size,
			.va = mem->regions[i].va,
		};
	return acrnvhost_start(
		state->vhost, state->net->pci.virtio.accepted & state->features,
		regions, mem->count);
}

static int explain_start(int ret, const char *name)
{
	log_error(
		"%s cannot be attached to vhost-net: %s%s", name,
		strerror(-ret),
		ret == -ENOTTY || ret == -ENOENT || ret == -ENODEV
			? "; is the module acrn_vhost there? (vhost=off works "
			  "without)"
			: "");
	return ret;
}

/*
 * The guest places doorbells and writes messages, so that those which collide
 * or are none are its own fault. All else that vhost and the HSM refuse is
 * wrong with the Service VM.
 */
static int net_vhost_start(struct virtio_dev *dev)
{
	struct net_vhost *state = state_of(dev);
	unsigned int i;
	int ret;

	for (i = 0; i < NET_QUEUES; i++) {
		ret = set_queue(state, i);
		if (ret)
			return ret;
	}
	ret = tap_set_offloads(state->net->tap, dev->accepted);
	if (ret)
		return explain_start(ret, dev->name);
	ret = start_vhost(state);
	if (ret == -EEXIST || ret == -EINVAL)
		return -EPROTO;
	return ret ? explain_start(ret, dev->name) : 0;
}

static void net_vhost_stop(struct virtio_dev *dev)
{
	int ret = acrnvhost_stop(state_of(dev)->vhost);

	if (ret)
		log_guest("%s: vhost-net was not stopped well: %s", dev->name,
			  strerror(-ret));
}

/* Passed on: the width of the access, for one, may not be the usual one. */
static void net_vhost_notify(struct virtio_dev *dev, unsigned int queue)
{
	struct net_vhost *state = state_of(dev);

	state->net->vm->stats.doorbells_to_dm++;
	acrnvhost_kick(state->vhost, queue);
}

static void net_vhost_vector_changed(struct virtio_dev *dev, unsigned int queue)
{
	struct net *net = net_of(dev);
	struct acrn_msi_entry msi;
	int ret;

	ret = acrnvhost_set_msi(
		state_of(dev)->vhost, queue,
		virtio_pci_message(&net->pci, queue, &msi) ? &msi : NULL);
	if (ret)
		log_guest("%s: the interrupt of queue %u is not set: %s",
			  dev->name, queue, strerror(-ret));
}

static bool net_vhost_vector_pending(struct virtio_dev *dev, unsigned int queue)
{
	return acrnvhost_msi_pending(state_of(dev)->vhost, queue);
}

static void net_vhost_doorbells_moved(struct virtio_dev *dev)
{
	struct net_vhost *state = state_of(dev);
	struct acrnvhost_doorbell doorbell;
	unsigned int i;
	int ret;

	for (i = 0; i < NET_QUEUES; i++) {
		ret = acrnvhost_set_doorbell(
			state->vhost, i,
			get_doorbell(state->net, i, &doorbell) ? &doorbell
							       : NULL);
		if (ret)
			log_guest("%s: the doorbell of queue %u is not set: %s",
				  dev->name, i, strerror(-ret));
	}
}

static const struct virtio_ops net_vhost_ops = {
	.start = net_vhost_start,
	.stop = net_vhost_stop,
	.notify = net_vhost_notify,
	.vector_changed = net_vhost_vector_changed,
	.vector_pending = net_vhost_vector_pending,
	.doorbells_moved = net_vhost_doorbells_moved,
};

/* Main thread. */
static void queue_corrupt(void *opaque)
{
	struct net_vhost *state = opaque;
	eventfd_t ignored;
	unsigned int i;

	for (i = 0; i < NET_QUEUES; i++)
		eventfd_read(state->errors[i].fd, &ignored);
	virtio_broken(&state->net->pci.virtio, "vhost found its rings corrupt");
}

static int watch_errors(struct net_vhost *state)
{
	struct event_loop *events = &state->net->vm->events;
	unsigned int i;
	int ret;

	for (i = 0; i < NET_QUEUES; i++) {
		state->errors[i] = (struct event_source){
			.fd = acrnvhost_error_fd(state->vhost, i),
			.ready = queue_corrupt,
			.opaque = state,
			.enabled = true,
		};
		ret = event_add(events, &state->errors[i]);
		if (ret) {
			while (i--)
				event_remove(events, &state->errors[i]);
			return ret;
		}
	}
	return 0;
}

static void net_vhost_destroy(struct net *net)
{
	struct net_vhost *state = net->state;
	unsigned int i;

	for (i = 0; i < NET_QUEUES; i++)
		event_remove(&net->vm->events, &state->errors[i]);
	acrnvhost_close(state->vhost);
	free(state);
}

static void explain_open(int err, const char *tap)
{
	log_error("%s: cannot open /dev/vhost-net: %s%s", tap, strerror(err),
		  err == ENOENT || err == ENODEV || err == ENXIO
			  ? "; load the module vhost_net, or say vhost=off to "
			    "do without"
			  : "");
}

static int net_vhost_create(struct net *net)
{
	struct net_vhost *state;
	__u64 features;
	int ret;

	state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->net = net;
	ret = acrnvhost_net_open(&state->vhost, net->vm->hsm.fd, net->tap);
	if (ret) {
		explain_open(-ret, net->tap_name);
		goto free;
	}
	ret = acrnvhost_features(state->vhost, &features);
	if (!ret && !(features & 1ULL << VIRTIO_F_VERSION_1))
		ret = -EOPNOTSUPP;
	if (!ret)
		ret = watch_errors(state);
	if (ret) {
		log_error("%s: /dev/vhost-net does not serve: %s",
			  net->tap_name, strerror(-ret));
		goto close;
	}
	state->features = features;
	net->state = state;
	return 0;

close:
	acrnvhost_close(state->vhost);
free:
	free(state);
	return ret;
}

static uint64_t net_vhost_features(struct net *net, uint64_t wanted)
{
	struct net_vhost *state = net->state;

	return wanted & state->features;
}

const struct net_backend net_vhost_backend = {
	.ops = &net_vhost_ops,
	.create = net_vhost_create,
	.destroy = net_vhost_destroy,
	.features = net_vhost_features,
};
