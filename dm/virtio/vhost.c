// SPDX-License-Identifier: GPL-2.0
/*
 * A virtio device on vhost devices. The main thread creates and destroys it,
 * when no I/O requests are handled, and its event loop calls error_signalled().
 * All else runs in the thread that handles I/O requests, to which struct vhost
 * belongs. The one thing that both threads touch are the error eventfds: the
 * lock of struct vhost makes the main thread act on errors of the device as it
 * is now, not of before a reset.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <linux/virtio_config.h>
#include <acrnvhost.h>

#include "process/alloc.h"
#include "process/log.h"
#include "virtio/vhost.h"

#define DOORBELL_SIZE 2

/*
 * Describe the doorbell of a queue. Returns false while the BAR is not mapped.
 */
static bool get_doorbell(struct vhost *vhost, unsigned int queue,
			 struct acrnvhost_doorbell *doorbell)
{
	uint64_t gpa;

	if (!virtio_pci_doorbell(vhost->setup.pci, queue, &gpa))
		return false;
	*doorbell = (struct acrnvhost_doorbell){ .addr = gpa,
						 .len = DOORBELL_SIZE };
	return true;
}

/*
 * Returns the vhost device that runs a queue of the virtio device, and the
 * queue's @index there, or NULL if none does.
 */
static struct acrnvhost *running_device(struct vhost *vhost, unsigned int queue,
					unsigned int *index)
{
	unsigned int device = queue / vhost->setup.queues;

	*index = queue % vhost->setup.queues;
	return device < vhost->running ? vhost->devs[device] : NULL;
}

/*
 * Describe a queue to its vhost device, if the driver uses it. Returns 0 or
 * -errno.
 */
static int set_queue(struct vhost *vhost, unsigned int device,
		     unsigned int index)
{
	unsigned int number = device * vhost->setup.queues + index;
	struct virtio_queue *queue = &vhost->setup.pci->virtio.queues[number];
	struct acrnvhost_queue config = { .size = queue->config.size,
					  .busyloop = vhost->setup.busyloop };
	struct acrnvhost_doorbell doorbell;
	struct virtqueue_rings rings;
	struct acrn_msi_entry msi;

	if (!queue->enabled)
		return 0;
	if (virtqueue_map(&vhost->setup.vm->mem, &queue->config, &rings))
		return -EPROTO;
	config.desc = rings.desc;
	config.avail = rings.avail;
	config.used = rings.used;
	if (get_doorbell(vhost, number, &doorbell))
		config.doorbell = &doorbell;
	if (virtio_pci_message(vhost->setup.pci, number, &msi))
		config.msi = &msi;
	return acrnvhost_set_queue(vhost->devs[device], index, &config);
}

/* Describe all queues of a vhost device, or none. */
static int set_queues(struct vhost *vhost, unsigned int device)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < vhost->setup.queues; i++)
		ret = set_queue(vhost, device, i);
	if (ret)
		acrnvhost_stop(vhost->devs[device]);
	return ret;
}

/* Set up the queues and the memory of a vhost device, and have it run. */
static int start_device(struct vhost *vhost, unsigned int device,
			uint64_t features)
{
	const struct guest_mem *mem = &vhost->setup.vm->mem;
	struct acrnvhost_region
		regions[sizeof(mem->regions) / sizeof(mem->regions[0])];
	unsigned int i;
	int ret;

	ret = set_queues(vhost, device);
	if (ret)
		return ret;
	for (i = 0; i < mem->count; i++)
		regions[i] = (struct acrnvhost_region){
			.gpa = mem->regions[i].gpa,
			.size = mem->regions[i].size,
			.va = mem->regions[i].va,
		};
	return acrnvhost_start(vhost->devs[device], features & vhost->features,
			       regions, mem->count);
}

/*
 * Say what helps against an error that a missing module may have caused.
 * @option does without the module, or is NULL.
 */
static void advise(const char *module, const char *option)
{
	log_error("load the module %s%s%s%s", module, option ? ", or say " : "",
		  option ? option : "", option ? " to do without" : "");
}

/* Say why a vhost device did not start, and what helps. Returns @ret. */
static int explain_start_failure(const struct vhost *vhost, int ret,
				 const char *name)
{
	log_error("%s: cannot start %s: %s", name, vhost->setup.kind->name,
		  strerror(-ret));
	if (ret == -ENOTTY || ret == -ENOENT || ret == -ENODEV)
		advise("acrn_vhost", vhost->setup.kind->no_dataplane);
	return ret;
}

static unsigned int queue_count(const struct vhost *vhost)
{
	return vhost->setup.devices * vhost->setup.queues;
}

/* Has vhost found a queue corrupt since this was last called? Lock held. */
static bool take_errors(struct vhost *vhost)
{
	bool found = false;
	eventfd_t ignored;
	unsigned int i;

	for (i = 0; i < queue_count(vhost); i++)
		found |= !eventfd_read(vhost->errors[i].fd, &ignored);
	return found;
}

/*
 * The driver has reset the device: its corrupt queues are gone. Takes the lock.
 */
static void forget_errors(struct vhost *vhost)
{
	pthread_mutex_lock(&vhost->lock);
	take_errors(vhost);
	pthread_mutex_unlock(&vhost->lock);
}

/*
 * Stop the vhost devices. While a disk does not answer, this waits and the
 * guest with it: until then the disk may still write to buffers of the guest,
 * which would use that memory for something else.
 */
static void stop_devices(struct vhost *vhost, const char *name)
{
	int ret;

	while (vhost->running) {
		ret = acrnvhost_stop(vhost->devs[vhost->running - 1]);
		if (ret)
			log_guest("%s: an error at the stop of %s: %s", name,
				  vhost->setup.kind->name, strerror(-ret));
		if (ret != -ETIMEDOUT)
			vhost->running--;
	}
	forget_errors(vhost);
}

/**
 * vhost_start() - The driver is ready
 * @dev:	Device
 * @features:	Features for vhost, of which it gets those that it knows
 * @devices:	How many of the vhost devices to use, the first ones
 *
 * The guest chooses the addresses of doorbells and the contents of MSIs. If the
 * HSM refuses them because they collide or are invalid, the guest is to blame;
 * all other errors are faults of the Service VM.
 *
 * Return: As the start of struct virtio_ops.
 */
int vhost_start(struct virtio_dev *dev, uint64_t features, unsigned int devices)
{
	struct vhost *vhost = vhost_of(dev);
	int ret = 0;

	while (vhost->running < devices) {
		ret = start_device(vhost, vhost->running, features);
		if (ret)
			break;
		vhost->running++;
	}
	if (!ret)
		return 0;
	stop_devices(vhost, dev->name);
	if (ret == -EEXIST || ret == -EINVAL || ret == -EPROTO)
		return -EPROTO;
	return explain_start_failure(vhost, ret, dev->name);
}

/* The next functions are for struct virtio_ops: thread of I/O requests. */

/* As @stop: stops all vhost devices that run. */
void vhost_stop(struct virtio_dev *dev)
{
	stop_devices(vhost_of(dev), dev->name);
}

/*
 * Ring a doorbell on behalf of the driver. The ioeventfd did not take it, for
 * example because the access has another width.
 */
void vhost_notify(struct virtio_dev *dev, unsigned int queue)
{
	struct vhost *vhost = vhost_of(dev);
	unsigned int index;
	struct acrnvhost *device = running_device(vhost, queue, &index);

	if (!device)
		return;
	vhost->setup.vm->stats.doorbells_to_dm++;
	acrnvhost_kick(device, index);
}

/* As @vector_changed: gives the irqfd the new message, or none. */
void vhost_vector_changed(struct virtio_dev *dev, unsigned int queue)
{
	struct vhost *vhost = vhost_of(dev);
	unsigned int index;
	struct acrnvhost *device = running_device(vhost, queue, &index);
	struct acrn_msi_entry msi;
	bool valid;
	int ret;

	if (!device)
		return;
	valid = virtio_pci_message(vhost->setup.pci, queue, &msi);
	ret = acrnvhost_set_msi(device, index, valid ? &msi : NULL);
	if (ret)
		log_guest("%s: cannot set the interrupt of queue %u: %s",
			  dev->name, queue, strerror(-ret));
}

/* As @vector_pending. */
bool vhost_vector_pending(struct virtio_dev *dev, unsigned int queue)
{
	unsigned int index;
	struct acrnvhost *device = running_device(vhost_of(dev), queue, &index);

	return device && acrnvhost_msi_pending(device, index);
}

/* As @doorbells_moved: assigns the ioeventfds at their new addresses. */
void vhost_doorbells_moved(struct virtio_dev *dev)
{
	struct vhost *vhost = vhost_of(dev);
	struct acrnvhost_doorbell doorbell;
	struct acrnvhost *device;
	unsigned int i, index;
	bool valid;
	int ret;

	for (i = 0; i < vhost->running * vhost->setup.queues; i++) {
		device = running_device(vhost, i, &index);
		valid = get_doorbell(vhost, i, &doorbell);
		ret = acrnvhost_set_doorbell(device, index,
					     valid ? &doorbell : NULL);
		if (ret)
			log_guest("%s: cannot set the doorbell of queue %u: %s",
				  dev->name, i, strerror(-ret));
	}
}

/*
 * vhost has found a queue corrupt. Main thread, takes the lock. The driver may
 * have reset the device since vhost signalled.
 */
static void error_signalled(void *opaque)
{
	struct vhost *vhost = opaque;

	pthread_mutex_lock(&vhost->lock);
	if (take_errors(vhost))
		virtio_broken(&vhost->setup.pci->virtio,
			      "the guest made a corrupt ring");
	pthread_mutex_unlock(&vhost->lock);
}

static void unwatch_errors(struct vhost *vhost, unsigned int count)
{
	while (count--)
		event_remove(&vhost->setup.vm->events, &vhost->errors[count]);
}

/*
 * Have the event loop wait for the error eventfds of all queues. Main thread.
 */
static int watch_errors(struct vhost *vhost)
{
	unsigned int i, queues = vhost->setup.queues;
	int ret;

	for (i = 0; i < queue_count(vhost); i++) {
		vhost->errors[i] = (struct event_source){
			.fd = acrnvhost_error_fd(vhost->devs[i / queues],
						 i % queues),
			.ready = error_signalled,
			.opaque = vhost,
			.enabled = true,
		};
		ret = event_add(&vhost->setup.vm->events, &vhost->errors[i]);
		if (ret) {
			unwatch_errors(vhost, i);
			return ret;
		}
	}
	return 0;
}

/* All vhost devices of a kind have the same features. */
static int check_features(struct vhost *vhost)
{
	__u64 features;
	int ret;

	ret = acrnvhost_features(vhost->devs[0], &features);
	if (ret)
		return ret;
	vhost->features = features;
	return features & 1ULL << VIRTIO_F_VERSION_1 ? 0 : -EOPNOTSUPP;
}

static void close_devices(struct vhost *vhost, unsigned int count)
{
	while (count--)
		acrnvhost_close(vhost->devs[count]);
}

/* Open all vhost devices or none. Main thread. */
static int open_devices(struct vhost *vhost)
{
	const struct vhost_setup *setup = &vhost->setup;
	unsigned int i;
	int ret;

	for (i = 0; i < setup->devices; i++) {
		ret = setup->kind->open(&vhost->devs[i], &setup->pci->virtio,
					i);
		if (ret) {
			close_devices(vhost, i);
			return ret;
		}
	}
	return 0;
}

static void explain_open_failure(const struct vhost_setup *setup, int ret)
{
	log_error("%s: cannot open %s: %s", setup->pci->virtio.name,
		  setup->kind->name, strerror(-ret));
	if (setup->kind->module &&
	    (ret == -ENOENT || ret == -ENODEV || ret == -ENXIO))
		advise(setup->kind->module, setup->kind->no_module);
}

/**
 * vhost_create() - Open the vhost devices for a virtio device
 * @setup:	What is needed; copied
 *
 * vhost_of() has the result.
 *
 * Return: 0 or -errno, with a message printed.
 */
int vhost_create(const struct vhost_setup *setup)
{
	struct vhost *vhost;
	int ret;

	vhost = alloc_zeroed(sizeof(*vhost));
	if (!vhost)
		return -ENOMEM;
	vhost->setup = *setup;
	pthread_mutex_init(&vhost->lock, NULL);
	ret = open_devices(vhost);
	if (ret) {
		explain_open_failure(setup, ret);
		goto free;
	}
	ret = check_features(vhost);
	if (!ret)
		ret = watch_errors(vhost);
	if (ret) {
		log_error("%s: cannot use %s: %s", setup->pci->virtio.name,
			  setup->kind->name, strerror(-ret));
		goto close;
	}
	setup->pci->virtio.state = vhost;
	return 0;

close:
	close_devices(vhost, setup->devices);
free:
	pthread_mutex_destroy(&vhost->lock);
	free(vhost);
	return ret;
}

/* Close the vhost devices; the virtio device has been stopped. */
void vhost_destroy(struct virtio_dev *dev)
{
	struct vhost *vhost = vhost_of(dev);

	unwatch_errors(vhost, queue_count(vhost));
	close_devices(vhost, vhost->setup.devices);
	pthread_mutex_destroy(&vhost->lock);
	free(vhost);
}
