// SPDX-License-Identifier: GPL-2.0
/*
 * A disk for acrn-dm whose requests the Service VM's kernel handles:
 *
 *	-s 5,vhost-blk,/dev/nvme0n1p3[,ro][,queues=N][,poll=US]
 *
 * This file becomes a part of acrn-dm, see README.md. What the driver reads and
 * writes while it sets the device up is handled here; its requests never come
 * here.
 *
 * Two threads of acrn-dm call these functions: the one for I/O requests, and
 * the one for events, which looks at the size of the disk (check_size()) and
 * frees the device (destroy()). &vhost_blk.mtx guards the device from both,
 * once it has been added; the functions that take it are at the end of the
 * file, and all functions that they call run with it held.
 *
 * The device is a modern one: notifications are writes to memory, interrupts
 * are MSI-X. A driver that polls, as that of a boot loader, needs no interrupt.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/timerfd.h>
#include <linux/virtio_blk.h>

#include "dm.h"
#include "mevent.h"
#include "pci_core.h"
#include "virtio.h"
#include "vmmapi.h"

#include <acrnvhost.h>

#define NAME	   "vhost-blk"
#define MAX_QUEUES 16
#define QUEUE_SIZE 256
/* Virtual I/O Device specification 1.2, 4.1.2.1: 0x1040 and the device's type
 */
#define MODERN_DEVICE  0x1042
#define DOORBELL_BYTES 2
#define RESIZE_SECONDS 1

#define BIT64(n) (1ULL << (n))

#define RING_FEATURES                                                          \
	(BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_RING_F_EVENT_IDX) |          \
	 BIT64(VIRTIO_RING_F_INDIRECT_DESC))

/**
 * struct vhost_blk - A disk
 * @base:	Must be the first: acrn-dm uses a pointer to one as a pointer to
 *		the other
 * @ops:	What acrn-dm calls
 * @queues:	The driver's, of which the first @count are in use
 * @mtx:	Guards all of it, once the device has been added
 * @config:	What the driver reads
 * @disk:	What the disk is
 * @fd:		The disk, or -1 after release()
 * @path:	Its path, for messages
 * @count:	Number of queues
 * @busyloop:	Microseconds that the kernel polls for requests, or 0
 * @kernel:	/dev/vhost-blk
 * @running:	/dev/vhost-blk handles requests
 * @irqs:	The message that it sends for each queue; an address of 0 means
 *		none
 * @doorbells:	The address at which it waits for notifications of each queue
 * @tick:	Timer: compare the disk's size with what the driver has read.
 *		acrn-dm's thread for events may be about to handle it when it is
 *		deleted, so that thread frees the structure
 */
struct vhost_blk {
	struct virtio_base base;
	struct virtio_ops ops;
	struct virtio_vq_info queues[MAX_QUEUES];
	pthread_mutex_t mtx;
	struct virtio_blk_config config;
	struct acrnvhost_disk disk;
	int fd;
	char *path;
	unsigned int count;
	unsigned int busyloop;
	struct acrnvhost *kernel;
	bool running;
	struct acrn_msi_entry irqs[MAX_QUEUES];
	uint64_t doorbells[MAX_QUEUES];
	struct mevent *tick;
};

/* The message of a queue, with address 0 if the driver wants none now. */
static struct acrn_msi_entry find_message(const struct vhost_blk *blk,
					  unsigned int index)
{
	const struct pci_vdev *dev = blk->base.dev;
	unsigned int vector = blk->queues[index].msix_idx;
	struct acrn_msi_entry none = { 0 }, msi;
	const struct msix_table_entry *entry;

	if (vector >= dev->msix.table_count)
		return none;
	entry = &dev->msix.table[vector];
	if (entry->vector_control & PCIM_MSIX_VCTRL_MASK)
		return none;
	msi = (struct acrn_msi_entry){ .msi_addr = entry->addr,
				       .msi_data = entry->msg_data };
	return msi;
}

static uint64_t find_doorbell(const struct vhost_blk *blk, unsigned int index)
{
	const struct pcibar *bar =
		&blk->base.dev->bar[blk->base.modern_mmio_bar_idx];

	return bar->addr + VIRTIO_CAP_NOTIFY_OFFSET +
	       index * VIRTIO_MODERN_NOTIFY_OFF_MULT;
}

/*
 * Have the kernel send the message that the driver wants by now; @on: MSI-X is
 * enabled.
 */
static void update_message(struct vhost_blk *blk, unsigned int index, bool on)
{
	struct acrn_msi_entry none = { 0 };
	struct acrn_msi_entry msi = on ? find_message(blk, index) : none;
	int ret;

	if (msi.msi_addr == blk->irqs[index].msi_addr &&
	    msi.msi_data == blk->irqs[index].msi_data)
		return;
	blk->irqs[index] = msi;
	ret = acrnvhost_set_msi(blk->kernel, index, msi.msi_addr ? &msi : NULL);
	if (ret)
		pr_err("%s: %s: interrupt of queue %u: %s\n", NAME, blk->path,
		       index, strerror(-ret));
}

/*
 * Have the kernel wait at the address at which the driver notifies it by now.
 */
static void update_doorbell(struct vhost_blk *blk, unsigned int index)
{
	struct acrnvhost_doorbell doorbell = {
		.addr = find_doorbell(blk, index),
		.len = DOORBELL_BYTES,
	};
	int ret;

	if (doorbell.addr == blk->doorbells[index])
		return;
	blk->doorbells[index] = doorbell.addr;
	ret = acrnvhost_set_doorbell(blk->kernel, index, &doorbell);
	if (ret)
		pr_err("%s: %s: doorbell of queue %u: %s\n", NAME, blk->path,
		       index, strerror(-ret));
}

/* The driver may have changed messages or addresses. @on: MSI-X is enabled. */
static void update_queues(struct vhost_blk *blk, bool on)
{
	unsigned int i;

	for (i = 0; blk->running && i < blk->count; i++) {
		if (!blk->queues[i].enabled)
			continue;
		update_message(blk, i, on);
		update_doorbell(blk, i);
	}
}

static bool sends_messages(const struct vhost_blk *blk)
{
	struct pci_vdev *dev = blk->base.dev;

	return pci_msix_enabled(dev) && !dev->msix.function_mask;
}

/* Where acrn-dm has @bytes of the guest at the address in two halves. */
static void *map_ring(const struct vhost_blk *blk, const uint32_t *gpa,
		      size_t bytes)
{
	return paddr_guest2host(blk->base.dev->vmctx,
				(uint64_t)gpa[1] << 32 | gpa[0], bytes);
}

/*
 * The driver may have changed the size or an address since it enabled the
 * queue, so the rings are looked up again here.
 */
static int set_queue(struct vhost_blk *blk, unsigned int index)
{
	const struct virtio_vq_info *vq = &blk->queues[index];
	size_t size = vq->qsize;
	struct acrnvhost_doorbell doorbell = { .len = DOORBELL_BYTES };
	struct acrnvhost_queue queue = {
		.size = size,
		.desc = map_ring(blk, vq->gpa_desc, 16 * size),
		.avail = map_ring(blk, vq->gpa_avail, 6 + 2 * size),
		.used = map_ring(blk, vq->gpa_used, 6 + 8 * size),
		.doorbell = &doorbell,
		.busyloop = blk->busyloop,
	};
	struct acrn_msi_entry msi = { 0 };

	if (!size || !queue.desc || !queue.avail || !queue.used)
		return -EFAULT;
	if (sends_messages(blk))
		msi = find_message(blk, index);
	queue.msi = msi.msi_addr ? &msi : NULL;
	doorbell.addr = find_doorbell(blk, index);
	blk->irqs[index] = msi;
	blk->doorbells[index] = doorbell.addr;
	return acrnvhost_set_queue(blk->kernel, index, &queue);
}

static int set_queues(struct vhost_blk *blk)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < blk->count; i++)
		if (blk->queues[i].enabled)
			ret = set_queue(blk, i);
	return ret;
}

/* vhost-blk takes VIRTIO_BLK_F_FLUSH to mean that there is a volatile cache. */
static uint64_t wanted_features(const struct vhost_blk *blk)
{
	uint64_t features = blk->base.negotiated_caps;

	if (features & BIT64(VIRTIO_BLK_F_CONFIG_WCE) && !blk->config.wce)
		features &= ~BIT64(VIRTIO_BLK_F_FLUSH);
	return features;
}

/* Tell vhost_blk features and memory, and have it run. */
static int start_kernel(struct vhost_blk *blk)
{
	struct vmctx *ctx = blk->base.dev->vmctx;
	struct acrnvhost_region regions[2];
	size_t count = 0;

	if (ctx->lowmem)
		regions[count++] = (struct acrnvhost_region){
			.size = ctx->lowmem,
			.va = ctx->baseaddr,
		};
	if (ctx->highmem)
		regions[count++] = (struct acrnvhost_region){
			.gpa = ctx->highmem_gpa_base,
			.size = ctx->highmem,
			.va = ctx->baseaddr + ctx->highmem_gpa_base,
		};
	return acrnvhost_start(blk->kernel, wanted_features(blk), regions,
			       count);
}

/* The driver is ready: let vhost_blk handle the requests. */
static void start(struct vhost_blk *blk)
{
	int ret = set_queues(blk);

	if (!ret)
		ret = start_kernel(blk);
	blk->running = !ret;
	if (!ret)
		return;
	acrnvhost_stop(blk->kernel);
	pr_err("%s: %s: cannot start: %s%s\n", NAME, blk->path, strerror(-ret),
	       ret == -ENOTTY ? "; is the module acrn_vhost loaded?" : "");
}

/*
 * While a disk does not answer, this waits and the guest with it: until then
 * the disk may still write to the guest's buffers, and the guest or a reboot
 * would use that memory for something else.
 */
static void stop(struct vhost_blk *blk)
{
	int ret;

	if (!blk->running)
		return;
	do {
		ret = acrnvhost_stop(blk->kernel);
		if (ret)
			pr_err("%s: %s: cannot stop: %s\n", NAME, blk->path,
			       strerror(-ret));
	} while (ret == -ETIMEDOUT);
	blk->running = false;
}

/* What follows is for struct virtio_ops, with the mutex held. */

static void handle_status(void *arg, uint64_t status)
{
	struct vhost_blk *blk = arg;
	bool ready = status & VIRTIO_CONFIG_S_DRIVER_OK;

	if (ready && !blk->running)
		start(blk);
	else if (!ready)
		stop(blk);
}

static void handle_reset(void *arg)
{
	struct vhost_blk *blk = arg;

	stop(blk);
	virtio_reset_dev(&blk->base);
}

/* A notification that no doorbell took, because it is wider than one. */
static void handle_notify(void *arg, struct virtio_vq_info *vq)
{
	struct vhost_blk *blk = arg;

	if (blk->running)
		acrnvhost_kick(blk->kernel, vq->num);
}

static int read_config(void *arg, int offset, int size, uint32_t *value)
{
	const struct vhost_blk *blk = arg;

	*value = 0;
	memcpy(value, (const char *)&blk->config + offset, size);
	return 0;
}

/* The driver can turn the write cache on and off, and nothing else. */
static int write_config(void *arg, int offset, int size, uint32_t value)
{
	struct vhost_blk *blk = arg;
	int ret = 0;

	if (offset != offsetof(struct virtio_blk_config, wce) || size != 1 ||
	    blk->config.wce == (value & 1))
		return 0;
	blk->config.wce = value & 1;
	if (blk->running)
		ret = acrnvhost_change_features(blk->kernel,
						wanted_features(blk));
	if (!ret)
		return 0;
	/* The driver reads back that it has not worked. */
	blk->config.wce = !blk->config.wce;
	pr_err("%s: %s: write cache: %s\n", NAME, blk->path, strerror(-ret));
	return 0;
}

/* The timer has expired. In acrn-dm's thread for events; takes the mutex. */
static void check_size(int timer, enum ev_type type, void *arg)
{
	struct vhost_blk *blk = arg;
	uint64_t expired, sectors;

	if (read(timer, &expired, sizeof(expired)) < 0)
		return;
	pthread_mutex_lock(&blk->mtx);
	sectors = acrnvhost_disk_sectors(&blk->disk, blk->fd);
	if (sectors && sectors != blk->config.capacity) {
		blk->config.capacity = sectors;
		virtio_config_changed(&blk->base);
	}
	pthread_mutex_unlock(&blk->mtx);
}

/*
 * Close the disk and /dev/vhost-blk. At a warm reset, by port 0xCF9 without the
 * bit for a full one, acrn-dm ends the device and initialises it again, with
 * the same disk, before destroy() may have run.
 */
static void release(struct vhost_blk *blk)
{
	acrnvhost_close(blk->kernel);
	close(blk->fd);
	blk->fd = -1;
}

/*
 * Free the device after release(). In acrn-dm's thread for events, after the
 * timer was deleted, or when the device could not be added.
 */
static void destroy(void *arg)
{
	struct vhost_blk *blk = arg;

	pthread_mutex_destroy(&blk->mtx);
	free(blk->path);
	free(blk);
}

static int start_timer(struct vhost_blk *blk)
{
	const struct itimerspec when = {
		.it_interval.tv_sec = RESIZE_SECONDS,
		.it_value.tv_sec = RESIZE_SECONDS,
	};

	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		return -1;
	timerfd_settime(fd, 0, &when, NULL);
	blk->tick = mevent_add(fd, EVF_READ, check_size, blk, destroy, blk);
	if (blk->tick)
		return 0;
	close(fd);
	return -1;
}

static int parse_number(const char *text, unsigned int max, unsigned int *value)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || number > max)
		return -1;
	*value = number;
	return 0;
}

/* @text is PATH[,OPTION...], and is cut into pieces. */
static int parse(struct vhost_blk *blk, char *text, bool *read_only)
{
	char *option;

	blk->path = strsep(&text, ",");
	while ((option = strsep(&text, ","))) {
		int ret = 0;

		if (!strcmp(option, "ro"))
			*read_only = true;
		else if (!strncmp(option, "queues=", 7))
			ret = parse_number(option + 7, MAX_QUEUES, &blk->count);
		else if (!strncmp(option, "poll=", 5))
			ret = parse_number(option + 5, 1000000, &blk->busyloop);
		else
			ret = -1;
		if (ret || !blk->count) {
			pr_err("%s: wrong option \"%s\": those are ro, queues=1 to %u, poll=MICROSECONDS\n",
			       NAME, option, MAX_QUEUES);
			return -1;
		}
	}
	return 0;
}

static const char *serial_of(const char *path)
{
	size_t length = strlen(path);

	return length > VIRTIO_BLK_ID_BYTES
		       ? path + length - VIRTIO_BLK_ID_BYTES
		       : path;
}

static int open_kernel(struct vhost_blk *blk, struct vmctx *ctx)
{
	__u64 features;
	int ret;

	ret = acrnvhost_blk_open(&blk->kernel, ctx->fd, blk->fd, blk->count,
				 serial_of(blk->path));
	if (ret)
		goto fail;
	ret = acrnvhost_features(blk->kernel, &features);
	if (ret) {
		acrnvhost_close(blk->kernel);
		goto fail;
	}
	blk->base.device_caps =
		features &
		(RING_FEATURES | acrnvhost_blk_offer(&blk->disk, blk->count));
	return 0;

fail:
	pr_err("%s: %s: /dev/vhost-blk: %s%s\n", NAME, blk->path,
	       strerror(-ret),
	       ret == -ENOENT ? "; is the module vhost_blk loaded?" : "");
	return -1;
}

static int open_disk(struct vhost_blk *blk, bool read_only)
{
	int ret;

	ret = acrnvhost_disk_open(&blk->fd, blk->path, read_only);
	if (ret) {
		pr_err("%s: %s: %s%s\n", NAME, blk->path, strerror(-ret),
		       ret == -EBUSY ? ACRNVHOST_DISK_IN_USE : "");
		return -1;
	}
	ret = acrnvhost_disk_probe(&blk->disk, blk->fd);
	if (ret) {
		pr_err("%s: %s is no disk: %s\n", NAME, blk->path,
		       strerror(-ret));
		close(blk->fd);
		return -1;
	}
	acrnvhost_blk_config(&blk->config, &blk->disk,
			     acrnvhost_disk_sectors(&blk->disk, blk->fd),
			     blk->count, QUEUE_SIZE);
	return 0;
}

static void init_mutex(pthread_mutex_t *mtx)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	/* virtio_config_changed() takes it once more. */
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(mtx, &attr);
	pthread_mutexattr_destroy(&attr);
}

static int add_device(struct vhost_blk *blk, struct pci_vdev *dev)
{
	uint64_t features = blk->base.device_caps;
	unsigned int i;

	blk->ops = (struct virtio_ops){
		.name = NAME,
		.nvq = blk->count,
		.cfgsize = offsetof(struct virtio_blk_config, unused1),
		.reset = handle_reset,
		.qnotify = handle_notify,
		.cfgread = read_config,
		.cfgwrite = write_config,
		.set_status = handle_status,
	};
	init_mutex(&blk->mtx);
	virtio_linkup(&blk->base, &blk->ops, blk, dev, blk->queues,
		      BACKEND_VHOST);
	blk->base.mtx = &blk->mtx;
	blk->base.device_caps = features;
	for (i = 0; i < blk->count; i++)
		blk->queues[i].qsize = QUEUE_SIZE;

	pci_set_cfgdata16(dev, PCIR_DEVICE, MODERN_DEVICE);
	pci_set_cfgdata16(dev, PCIR_VENDOR, VIRTIO_VENDOR);
	pci_set_cfgdata8(dev, PCIR_CLASS, PCIC_STORAGE);
	pci_set_cfgdata8(dev, PCIR_REVID, 1);
	pci_set_cfgdata16(dev, PCIR_SUBDEV_0, VIRTIO_TYPE_BLOCK);
	pci_set_cfgdata16(dev, PCIR_SUBVEND_0, VIRTIO_VENDOR);
	if (virtio_interrupt_init(&blk->base, virtio_uses_msix()) ||
	    virtio_set_modern_bar(&blk->base, false))
		return -1;
	return start_timer(blk);
}

static void ignore_signal(int signal)
{
}

/*
 * acrn-dm ends its threads by SIGCONT, at a power-off and some reboots. The
 * signal interrupts what they wait in only if it has a handler, and the one who
 * installs it is acrn-dm's own disk (blockif_init() in block_if.c), which may
 * not be there.
 */
static void handle_sigcont(void)
{
	const struct sigaction action = { .sa_handler = ignore_signal };
	struct sigaction now;

	if (!sigaction(SIGCONT, NULL, &now) && now.sa_handler == SIG_DFL)
		sigaction(SIGCONT, &action, NULL);
}

/* What follows is for struct pci_vdev_ops; it takes the mutex itself. */

static int vhost_blk_init(struct vmctx *ctx, struct pci_vdev *dev, char *opts)
{
	char *text = strdup(opts ? opts : "");
	struct vhost_blk *blk = calloc(1, sizeof(*blk));
	bool read_only = false;

	if (!text || !blk)
		goto free;
	handle_sigcont();
	blk->count = 1;
	if (parse(blk, text, &read_only) || open_disk(blk, read_only))
		goto free;
	if (open_kernel(blk, ctx)) {
		close(blk->fd);
		goto free;
	}
	if (!add_device(blk, dev))
		return 0;
	pr_err("%s: %s: no room for the device\n", NAME, blk->path);
	dev->arg = NULL;
	release(blk);
	destroy(blk);
	return -1;

free:
	free(text);
	free(blk);
	return -1;
}

static void vhost_blk_deinit(struct vmctx *ctx, struct pci_vdev *dev,
			     char *opts)
{
	struct vhost_blk *blk = dev->arg;

	if (!blk)
		return;
	pthread_mutex_lock(&blk->mtx);
	stop(blk);
	virtio_reset_dev(&blk->base);
	release(blk);
	pthread_mutex_unlock(&blk->mtx);
	mevent_delete_close(blk->tick);
}

static void vhost_blk_write(struct vmctx *ctx, int vcpu, struct pci_vdev *dev,
			    int bar, uint64_t offset, int size, uint64_t value)
{
	struct vhost_blk *blk = dev->arg;

	virtio_pci_write(ctx, vcpu, dev, bar, offset, size, value);
	pthread_mutex_lock(&blk->mtx);
	update_queues(blk, sends_messages(blk));
	pthread_mutex_unlock(&blk->mtx);
}

static int find_msix_control(struct pci_vdev *dev)
{
	int at = pci_get_cfgdata8(dev, PCIR_CAP_PTR);

	while (at && pci_get_cfgdata8(dev, at) != PCIY_MSIX)
		at = pci_get_cfgdata8(dev, at + 1);
	return at ? at + PCIR_MSIX_CTRL : 0;
}

/*
 * The guest enables, disables or masks all of MSI-X; acrn-dm stores the value
 * after that.
 */
static int vhost_blk_cfgwrite(struct vmctx *ctx, int vcpu, struct pci_vdev *dev,
			      int offset, int bytes, uint32_t value)
{
	const uint32_t bits =
		PCIM_MSIXCTRL_MSIX_ENABLE | PCIM_MSIXCTRL_FUNCTION_MASK;
	struct vhost_blk *blk = dev->arg;

	if (bytes == 2 && offset == find_msix_control(dev)) {
		pthread_mutex_lock(&blk->mtx);
		update_queues(blk, (value & bits) == PCIM_MSIXCTRL_MSIX_ENABLE);
		pthread_mutex_unlock(&blk->mtx);
	}
	/* Anything but 0 leaves the write to acrn-dm. */
	return 1;
}

struct pci_vdev_ops pci_ops_vhost_blk = {
	.class_name = NAME,
	.vdev_init = vhost_blk_init,
	.vdev_deinit = vhost_blk_deinit,
	.vdev_cfgwrite = vhost_blk_cfgwrite,
	.vdev_barwrite = vhost_blk_write,
	.vdev_barread = virtio_pci_read,
};
DEFINE_PCI_DEVTYPE(pci_ops_vhost_blk);
