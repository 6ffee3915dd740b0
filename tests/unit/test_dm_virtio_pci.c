// sources: dm/virtio/virtio_pci.c dm/virtio/virtio_regs.c dm/virtio/virtio.c dm/virtio/virtqueue.c dm/bus/msix.c dm/bus/pci.c dm/bus/bus.c dm/bus/mem.c dm/process/log.c
// SPDX-License-Identifier: GPL-2.0
/* A virtio device as its driver sees it: configuration space and BAR. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "dm/machine/vm.h"
#include "dm/virtio/virtio_pci.h"
#include "tap.h"

#define VERSION_1 (1ULL << VIRTIO_F_VERSION_1)
#define FEATURE	  (1ULL << 3)

static struct vm vm;
static struct virtio_pci dev;
static bool destroyed;
static uint64_t bar;
static unsigned int starts, stops, notified, vectors, moves, messages, fatals;
static int start_result;
static const uint8_t config[6] = { 1, 2, 3, 4, 5, 6 };

void vm_inject_msi(struct vm *v, const struct acrn_msi_entry *msi)
{
	(void)v, (void)msi;
	messages++;
}

void vm_add_device(struct vm *v, struct vm_device *device)
{
	v->devices = device;
}

void vm_request(struct vm *v, enum vm_request request)
{
	(void)v;
	fatals += request == VM_ERROR;
}

static int start(struct virtio_dev *virtio)
{
	(void)virtio;
	starts++;
	return start_result;
}

static void stop(struct virtio_dev *virtio)
{
	(void)virtio;
	stops++;
}

static void notify(struct virtio_dev *virtio, unsigned int queue)
{
	(void)virtio;
	notified |= 1 << queue;
}

static void vector_changed(struct virtio_dev *virtio, unsigned int queue)
{
	(void)virtio;
	vectors |= 1 << queue;
}

static void doorbells_moved(struct virtio_dev *virtio)
{
	(void)virtio;
	moves++;
}

static void destroy(struct virtio_dev *virtio)
{
	destroyed = virtio == &dev.virtio && !vm.pci.slots[dev.pci.slot];
}

static const struct virtio_ops ops = {
	.start = start,
	.stop = stop,
	.notify = notify,
	.vector_changed = vector_changed,
	.doorbells_moved = doorbells_moved,
	.destroy = destroy,
};

static uint32_t config_get(unsigned int reg, unsigned int size)
{
	return pci_config_read(&vm.pci, 0, dev.pci.slot, 0, reg, size);
}

static void config_put(unsigned int reg, unsigned int size, uint32_t value)
{
	pci_config_write(&vm.pci, 0, dev.pci.slot, 0, reg, size, value);
}

static uint64_t get(unsigned int offset, unsigned int size)
{
	return bus_read(&vm.mmio, bar + offset, size);
}

static void put(unsigned int offset, unsigned int size, uint64_t value)
{
	bus_write(&vm.mmio, bar + offset, size, value);
}

/* Offset of the virtio capability of @type, 0 if there is none. */
static unsigned int find_cap(unsigned int type)
{
	unsigned int cap = config_get(PCI_CAPABILITY_LIST, 1);

	while (cap && (config_get(cap, 1) != PCI_CAP_ID_VNDR ||
		       config_get(cap + VIRTIO_PCI_CAP_CFG_TYPE, 1) != type))
		cap = config_get(cap + PCI_CAP_LIST_NEXT, 1);
	return cap;
}

static unsigned int block(unsigned int type)
{
	return config_get(find_cap(type) + VIRTIO_PCI_CAP_OFFSET, 4);
}

static void capabilities(void)
{
	unsigned int type, notify_cap;

	for (type = VIRTIO_PCI_CAP_COMMON_CFG; type <= VIRTIO_PCI_CAP_PCI_CFG;
	     type++)
		tap_ok(find_cap(type), "capability %u", type);
	notify_cap = find_cap(VIRTIO_PCI_CAP_NOTIFY_CFG);
	tap_eq(config_get(notify_cap + sizeof(struct virtio_pci_cap), 4), 4,
	       "doorbells have addresses of their own");
	tap_eq(config_get(PCI_DEVICE_ID, 2), 0x1041, "a modern device id");
}

static void negotiate(uint64_t features)
{
	put(VIRTIO_PCI_COMMON_STATUS, 1, 0);
	put(VIRTIO_PCI_COMMON_STATUS, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	put(VIRTIO_PCI_COMMON_STATUS, 1,
	    VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	put(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	put(VIRTIO_PCI_COMMON_GF, 4, features);
	put(VIRTIO_PCI_COMMON_GFSELECT, 4, 1);
	put(VIRTIO_PCI_COMMON_GF, 4, features >> 32);
	put(VIRTIO_PCI_COMMON_STATUS, 1,
	    VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
		    VIRTIO_CONFIG_S_FEATURES_OK);
}

static bool features_ok(void)
{
	return get(VIRTIO_PCI_COMMON_STATUS, 1) & VIRTIO_CONFIG_S_FEATURES_OK;
}

static void features(void)
{
	put(VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	tap_eq(get(VIRTIO_PCI_COMMON_DF, 4), FEATURE, "features, low");
	put(VIRTIO_PCI_COMMON_DFSELECT, 4, 1);
	tap_eq(get(VIRTIO_PCI_COMMON_DF, 4), VERSION_1 >> 32, "and high");
	put(VIRTIO_PCI_COMMON_DFSELECT, 4, 2);
	tap_eq(get(VIRTIO_PCI_COMMON_DF, 4), 0, "and no more");
	negotiate(VERSION_1 | FEATURE);
	tap_ok(features_ok(), "what is offered is accepted");
	put(VIRTIO_PCI_COMMON_GF, 4, 0);
	tap_eq(dev.virtio.accepted, VERSION_1 | FEATURE, "and stays");
	negotiate(VERSION_1 | 1);
	tap_ok(!features_ok(), "what is not offered is refused");
	negotiate(FEATURE);
	tap_ok(!features_ok(), "virtio 0.9 is refused");
	put(VIRTIO_PCI_COMMON_STATUS, 1, 0xff);
	tap_eq(starts, 0, "and the device does not start");
	negotiate(VERSION_1);
}

static void setup_queue(unsigned int index)
{
	put(VIRTIO_PCI_COMMON_Q_SELECT, 2, index);
	put(VIRTIO_PCI_COMMON_Q_SIZE, 2, 64);
	put(VIRTIO_PCI_COMMON_Q_MSIX, 2, index);
	put(VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0x11111110);
	put(VIRTIO_PCI_COMMON_Q_DESCHI, 4, 1);
	put(VIRTIO_PCI_COMMON_Q_AVAILLO, 4, 0x22222220);
	put(VIRTIO_PCI_COMMON_Q_USEDLO, 4, 0x33333330);
	put(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

static void queues(void)
{
	tap_eq(get(VIRTIO_PCI_COMMON_NUMQ, 2), 2, "two queues");
	setup_queue(0);
	tap_eq(dev.virtio.queues[0].config.desc, 0x111111110, "descriptors");
	tap_eq(get(VIRTIO_PCI_COMMON_Q_DESCHI, 4), 1, "read back");
	tap_eq(dev.virtio.queues[0].config.used, 0x33333330, "used ring");
	put(VIRTIO_PCI_COMMON_Q_SIZE, 2, 128);
	tap_eq(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 64, "fixed once enabled");
	put(VIRTIO_PCI_COMMON_Q_SELECT, 2, 2);
	tap_eq(get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0, "no third queue");
	put(VIRTIO_PCI_COMMON_Q_SIZE, 2, 64);
	put(VIRTIO_PCI_COMMON_Q_MSIX, 2, 0);
	put(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	put(VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	put(VIRTIO_PCI_COMMON_Q_MSIX, 2, 3);
	tap_eq(get(VIRTIO_PCI_COMMON_Q_MSIX, 2), VIRTIO_MSI_NO_VECTOR,
	       "no fourth vector");
	tap_eq(get(VIRTIO_PCI_COMMON_Q_NOFF, 2), 1, "doorbell of the second");
	setup_queue(1);
}

static void go(void)
{
	put(VIRTIO_PCI_COMMON_STATUS, 1,
	    get(VIRTIO_PCI_COMMON_STATUS, 1) | VIRTIO_CONFIG_S_DRIVER_OK);
}

static void run(void)
{
	unsigned int bell = block(VIRTIO_PCI_CAP_NOTIFY_CFG);
	uint64_t gpa;

	put(bell, 2, 0);
	tap_eq(notified, 0, "no doorbell before the start");
	go();
	tap_eq(starts, 1, "the driver starts the device");
	go();
	tap_eq(starts, 1, "once");
	put(bell + 4, 2, 1);
	tap_eq(notified, 2, "doorbell of the second queue");
	put(bell + 8, 2, 1);
	put(bell + 2, 2, 1);
	tap_eq(notified, 2, "no others");
	tap_ok(virtio_pci_doorbell(&dev, 1, &gpa) && gpa == bar + bell + 4,
	       "its address");

	config_put(PCI_BASE_ADDRESS_0, 4, 0xd0000000);
	tap_eq(moves, 1, "doorbells moved");
	tap_ok(virtio_pci_doorbell(&dev, 1, &gpa) &&
		       gpa == 0xd0000000 + bell + 4,
	       "there");
	config_put(PCI_COMMAND, 2, 0);
	tap_ok(!virtio_pci_doorbell(&dev, 1, &gpa), "and gone");
	config_put(PCI_BASE_ADDRESS_0, 4, bar);
	config_put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static void interrupts(void)
{
	unsigned int table = 0x4000, flags = dev.msix_cap + PCI_MSIX_FLAGS;
	struct acrn_msi_entry msi;

	vectors = 0;
	put(table + 16, 4, 0xfee00000);
	tap_eq(vectors, 2, "the table is followed");
	put(table + 16 + 8, 4, 0x41);
	put(table + 16 + 12, 4, 0);
	tap_ok(!virtio_pci_message(&dev, 1, &msi), "MSI-X is off");
	vectors = 0;
	config_put(flags, 2, PCI_MSIX_FLAGS_ENABLE);
	tap_eq(vectors, 3, "the capability is followed");
	tap_ok(virtio_pci_message(&dev, 1, &msi) && msi.msi_data == 0x41,
	       "the message");
	virtio_interrupt(&dev.virtio, 1);
	tap_eq(messages, 1, "is sent");
	tap_eq(get(block(VIRTIO_PCI_CAP_ISR_CFG), 1), 1, "interrupt status");
	tap_eq(get(block(VIRTIO_PCI_CAP_ISR_CFG), 1), 0, "cleared by reading");

	vectors = 0;
	put(VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	put(VIRTIO_PCI_COMMON_Q_MSIX, 2, VIRTIO_MSI_NO_VECTOR);
	tap_eq(vectors, 2, "taking the vector is followed");
	tap_ok(!virtio_pci_message(&dev, 1, &msi), "no message");
}

static void reset(void)
{
	virtio_broken(&dev.virtio, "a test");
	tap_ok(get(VIRTIO_PCI_COMMON_STATUS, 1) & VIRTIO_CONFIG_S_NEEDS_RESET,
	       "broken: it needs a reset");
	put(VIRTIO_PCI_COMMON_STATUS, 1, 0);
	tap_eq(stops, 1, "a reset stops the device");
	tap_eq(get(VIRTIO_PCI_COMMON_STATUS, 1), 0, "status is 0");
	put(VIRTIO_PCI_COMMON_Q_SELECT, 2, 1);
	tap_eq(get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0, "queues are off");
	put(VIRTIO_PCI_COMMON_STATUS, 1, 0);
	tap_eq(stops, 1, "it is stopped once");

	start_result = -EPROTO;
	negotiate(VERSION_1);
	go();
	tap_ok(get(VIRTIO_PCI_COMMON_STATUS, 1) & VIRTIO_CONFIG_S_NEEDS_RESET,
	       "the guest's mistake costs it the device");
	tap_eq(fatals, 0, "and no more");
	start_result = -EIO;
	negotiate(VERSION_1);
	go();
	tap_eq(fatals, 1, "ours ends the VM");
	put(VIRTIO_PCI_COMMON_STATUS, 1, 0);
	tap_eq(stops, 1, "what did not start is not stopped");
	start_result = 0;
}

static void window(void)
{
	unsigned int cap = find_cap(VIRTIO_PCI_CAP_PCI_CFG);
	unsigned int data =
		cap + offsetof(struct virtio_pci_cfg_cap, pci_cfg_data);
	unsigned int bell = block(VIRTIO_PCI_CAP_NOTIFY_CFG);

	config_put(cap + VIRTIO_PCI_CAP_OFFSET, 4, VIRTIO_PCI_COMMON_NUMQ);
	config_put(cap + VIRTIO_PCI_CAP_LENGTH, 4, 2);
	tap_eq(config_get(data, 2), 2, "read through configuration space");
	config_put(cap + VIRTIO_PCI_CAP_OFFSET, 4, VIRTIO_PCI_COMMON_Q_SELECT);
	config_put(data, 2, 1);
	tap_eq(get(VIRTIO_PCI_COMMON_Q_SELECT, 2), 1, "and written");

	config_put(cap + VIRTIO_PCI_CAP_LENGTH, 4, 4);
	config_put(cap + VIRTIO_PCI_CAP_OFFSET, 4, 0x7ffe);
	config_get(data, 4);
	config_put(cap + VIRTIO_PCI_CAP_OFFSET, 4, UINT32_MAX);
	config_put(data, 4, 1);
	config_put(cap + VIRTIO_PCI_CAP_LENGTH, 4, 0);
	config_get(data, 4);
	config_put(cap + VIRTIO_PCI_CAP_LENGTH, 4, 2);
	config_put(cap + VIRTIO_PCI_CAP_BAR, 1, 1);
	notified = 0;
	config_put(cap + VIRTIO_PCI_CAP_OFFSET, 4, bell);
	config_put(data, 2, 0);
	tap_eq(notified, 0, "nothing happens in another BAR");
}

static void device_config(void)
{
	unsigned int at = block(VIRTIO_PCI_CAP_DEVICE_CFG);

	tap_eq(get(at, 4), 0x04030201, "device configuration");
	tap_eq(get(at + 4, 4), 0x0605, "to its end and zeroes behind");
	tap_eq(get(at + 0xfff, 1), 0, "far behind too");
	put(at, 4, 0);
	tap_eq(get(at, 1), 1, "it cannot be written");
}

/* Fewer changes than the generation counter has values */
#define CHANGES 250

static uint8_t large[0x1000];

/* Thread of a device that changes its whole configuration again and again. */
static void *change(void *opaque)
{
	atomic_bool *done = opaque;
	uint8_t value[sizeof(large)];
	unsigned int i;

	for (i = 1; i <= CHANGES; i++) {
		memset(value, i, sizeof(value));
		virtio_change_config(&dev.virtio, large, value, sizeof(value));
		poll(NULL, 0, 1);
	}
	*done = true;
	return NULL;
}

/*
 * A driver that reads one generation has read one state of the configuration.
 */
static void changing_config(void)
{
	unsigned int at = block(VIRTIO_PCI_CAP_DEVICE_CFG);
	unsigned int before, first, last, mixed = 0;
	atomic_bool done = false;
	pthread_t device;

	dev.virtio.config = large;
	dev.virtio.config_size = sizeof(large);
	pthread_create(&device, NULL, change, &done);
	while (!done) {
		before = get(VIRTIO_PCI_COMMON_CFGGENERATION, 1);
		first = get(at, 1);
		last = get(at + sizeof(large) - 1, 1);
		mixed += first != last &&
			 get(VIRTIO_PCI_COMMON_CFGGENERATION, 1) == before;
	}
	pthread_join(device, NULL);
	tap_eq(mixed, 0, "no generation is mixed with the next");
	tap_eq(get(VIRTIO_PCI_COMMON_CFGGENERATION, 1), CHANGES, "the last");
	tap_eq(get(at, 1), CHANGES, "and what it has");
}

int main(void)
{
	pci_bus_init(&vm.pci, &vm.mmio);
	dev.virtio.name = "test";
	dev.virtio.ops = &ops;
	dev.virtio.offered = VERSION_1 | FEATURE;
	dev.virtio.queue_count = 2;
	dev.virtio.config = config;
	dev.virtio.config_size = sizeof(config);
	tap_eq(virtio_pci_add(&dev, &vm, 1, 0x020000), 0, "device added");
	bar = config_get(PCI_BASE_ADDRESS_0, 4);
	config_put(PCI_COMMAND, 2, PCI_COMMAND_MEMORY);

	capabilities();
	features();
	queues();
	run();
	interrupts();
	reset();
	window();
	device_config();
	changing_config();
	vm.devices->destroy(vm.devices);
	tap_ok(destroyed, "device destroyed");
	return tap_done();
}
