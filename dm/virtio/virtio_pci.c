// SPDX-License-Identifier: GPL-2.0
/*
 * One memory BAR holds all registers. Each block has a page of its own; of the
 * doorbells, four bytes per queue, so that each is an address of its own.
 */
#include <stddef.h>
#include <linux/virtio_pci.h>

#include "machine/vm.h"
#include "virtio/virtio_pci.h"

#define BAR	 0
#define BAR_SIZE 0x8000

#define COMMON_OFFSET  0x0000
#define ISR_OFFSET     0x1000
#define CONFIG_OFFSET  0x2000
#define NOTIFY_OFFSET  0x3000
#define MSIX_OFFSET    0x4000
#define PENDING_OFFSET 0x5000
#define BLOCK_SIZE     0x1000

#define NOTIFY_MULTIPLIER 4

#define VIRTIO_PCI_VENDOR      0x1af4
#define VIRTIO_PCI_DEVICE_BASE 0x1040

/* Body of an MSI-X capability, behind the two bytes of header. */
struct msix_cap_body {
	uint16_t control;
	uint32_t table;
	uint32_t pba;
} __attribute__((packed));

static struct virtio_queue *selected(struct virtio_pci *dev)
{
	return dev->queue_select < dev->virtio.queue_count
		       ? &dev->virtio.queues[dev->queue_select]
		       : NULL;
}

static uint32_t offered(struct virtio_pci *dev)
{
	return dev->offer_word > 1
		       ? 0
		       : dev->virtio.offered >> 32 * dev->offer_word;
}

static uint32_t accepted(struct virtio_pci *dev)
{
	return dev->accept_word > 1
		       ? 0
		       : dev->virtio.accepted >> 32 * dev->accept_word;
}

/* Registers of the selected queue; all 0 if there is no such queue. */
static uint32_t queue_read(struct virtio_pci *dev, unsigned int reg)
{
	struct virtio_queue *queue = selected(dev);

	if (!queue)
		return 0;
	switch (reg) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		return queue->config.size;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		return queue->vector;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return queue->enabled;
	case VIRTIO_PCI_COMMON_Q_NOFF:
		return dev->queue_select;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
		return queue->config.desc;
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		return queue->config.desc >> 32;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
		return queue->config.avail;
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		return queue->config.avail >> 32;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
		return queue->config.used;
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		return queue->config.used >> 32;
	default:
		return 0;
	}
}

static uint32_t common_read(struct virtio_pci *dev, unsigned int reg)
{
	switch (reg) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		return dev->offer_word;
	case VIRTIO_PCI_COMMON_DF:
		return offered(dev);
	case VIRTIO_PCI_COMMON_GFSELECT:
		return dev->accept_word;
	case VIRTIO_PCI_COMMON_GF:
		return accepted(dev);
	case VIRTIO_PCI_COMMON_MSIX:
		return dev->virtio.config_vector;
	case VIRTIO_PCI_COMMON_NUMQ:
		return dev->virtio.queue_count;
	case VIRTIO_PCI_COMMON_STATUS:
		return virtio_status(&dev->virtio);
	case VIRTIO_PCI_COMMON_CFGGENERATION:
		return dev->virtio.generation;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		return dev->queue_select;
	default:
		return queue_read(dev, reg);
	}
}

static void set_low(uint64_t *addr, uint32_t value)
{
	*addr = (*addr & ~(uint64_t)UINT32_MAX) | value;
}

static void set_high(uint64_t *addr, uint32_t value)
{
	*addr = (*addr & UINT32_MAX) | (uint64_t)value << 32;
}

/* What the guest reads back tells it whether the vector exists. */
static uint16_t valid_vector(const struct virtio_pci *dev, uint16_t vector)
{
	return vector < dev->msix.vectors ? vector : VIRTIO_MSI_NO_VECTOR;
}

static void set_queue_vector(struct virtio_pci *dev, uint16_t vector)
{
	struct virtio_dev *virtio = &dev->virtio;

	virtio->queues[dev->queue_select].vector = valid_vector(dev, vector);
	if (virtio->running && virtio->ops->vector_changed)
		virtio->ops->vector_changed(virtio, dev->queue_select);
}

/* Size and rings are fixed once the queue is enabled. */
static void queue_setup(struct virtqueue_config *config, unsigned int reg,
			uint32_t value)
{
	switch (reg) {
	case VIRTIO_PCI_COMMON_Q_SIZE:
		config->size = value;
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
		set_low(&config->desc, value);
		break;
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		set_high(&config->desc, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
		set_low(&config->avail, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		set_high(&config->avail, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
		set_low(&config->used, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		set_high(&config->used, value);
		break;
	}
}

static void queue_write(struct virtio_pci *dev, unsigned int reg,
			uint32_t value)
{
	struct virtio_queue *queue = selected(dev);

	if (!queue)
		return;
	if (reg == VIRTIO_PCI_COMMON_Q_MSIX)
		set_queue_vector(dev, value);
	else if (reg == VIRTIO_PCI_COMMON_Q_ENABLE && value == 1)
		virtio_enable_queue(&dev->virtio, dev->queue_select);
	else if (!queue->enabled)
		queue_setup(&queue->config, reg, value);
}

static void set_status(struct virtio_pci *dev, uint8_t status)
{
	virtio_set_status(&dev->virtio, status);
	if (status)
		return;
	dev->isr = 0;
	dev->offer_word = 0;
	dev->accept_word = 0;
	dev->queue_select = 0;
	msix_clear_pending(&dev->msix);
}

static void common_write(struct virtio_pci *dev, unsigned int reg,
			 uint32_t value)
{
	switch (reg) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		dev->offer_word = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		dev->accept_word = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		virtio_accept(&dev->virtio, dev->accept_word, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		dev->virtio.config_vector = valid_vector(dev, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		set_status(dev, value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		dev->queue_select = value;
		break;
	default:
		queue_write(dev, reg, value);
	}
}

static uint64_t config_read(struct virtio_pci *dev, uint64_t offset,
			    unsigned int size)
{
	const uint8_t *config = dev->virtio.config;
	uint64_t value = 0;
	unsigned int i;

	pthread_mutex_lock(&dev->virtio.config_lock);
	for (i = 0; i < size; i++)
		if (offset + i < dev->virtio.config_size)
			value |= (uint64_t)config[offset + i] << 8 * i;
	pthread_mutex_unlock(&dev->virtio.config_lock);
	return value;
}

static uint64_t bar_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct virtio_pci *dev = opaque;
	uint64_t reg = offset % BLOCK_SIZE;

	switch (offset - reg) {
	case COMMON_OFFSET:
		return common_read(dev, reg);
	case ISR_OFFSET:
		return reg ? 0 : atomic_exchange(&dev->isr, 0);
	case CONFIG_OFFSET:
		return config_read(dev, reg, size);
	case MSIX_OFFSET:
		return msix_table_read(&dev->msix, reg, size);
	case PENDING_OFFSET:
		return msix_pba_read(&dev->msix, reg, size);
	default:
		return 0;
	}
}

static void bar_write(void *opaque, uint64_t offset, unsigned int size,
		      uint64_t value)
{
	struct virtio_pci *dev = opaque;
	uint64_t reg = offset % BLOCK_SIZE;

	switch (offset - reg) {
	case COMMON_OFFSET:
		common_write(dev, reg, value);
		break;
	case NOTIFY_OFFSET:
		if (reg % NOTIFY_MULTIPLIER == 0)
			virtio_notify(&dev->virtio, reg / NOTIFY_MULTIPLIER);
		break;
	case CONFIG_OFFSET:
		if (dev->virtio.ops->config_written)
			dev->virtio.ops->config_written(&dev->virtio, reg, size,
							value);
		break;
	case MSIX_OFFSET:
		msix_table_write(&dev->msix, reg, size, value);
		break;
	}
}

static const struct io_ops bar_ops = { .read = bar_read, .write = bar_write };

static struct virtio_pci *from_pci(struct pci_dev *pci)
{
	return (void *)((char *)pci - offsetof(struct virtio_pci, pci));
}

static struct virtio_pci *from_virtio(struct virtio_dev *virtio)
{
	return (void *)((char *)virtio - offsetof(struct virtio_pci, virtio));
}

static bool overlaps(unsigned int reg, unsigned int size, unsigned int field,
		     unsigned int field_size)
{
	return reg < field + field_size && field < reg + size;
}

/*
 * What the guest has put into the configuration access capability: a place in
 * the BAR. True if it is one.
 */
static bool cfg_target(struct virtio_pci *dev, uint32_t *offset,
		       unsigned int *size)
{
	const uint8_t *cap = &dev->pci.config[dev->cfg_cap];
	uint32_t length = pci_get32(&cap[VIRTIO_PCI_CAP_LENGTH]);

	*offset = pci_get32(&cap[VIRTIO_PCI_CAP_OFFSET]);
	*size = length;
	return cap[VIRTIO_PCI_CAP_BAR] == BAR &&
	       (length == 1 || length == 2 || length == 4) &&
	       *offset % length == 0 && *offset <= BAR_SIZE - length;
}

static bool is_cfg_data(struct virtio_pci *dev, unsigned int reg,
			unsigned int size)
{
	return overlaps(reg, size,
			dev->cfg_cap + offsetof(struct virtio_pci_cfg_cap,
						pci_cfg_data),
			4);
}

static uint8_t *cfg_data(struct virtio_pci *dev)
{
	return &dev->pci.config[dev->cfg_cap +
				offsetof(struct virtio_pci_cfg_cap,
					 pci_cfg_data)];
}

static void pci_config_reading(struct pci_dev *pci, unsigned int reg,
			       unsigned int size)
{
	struct virtio_pci *dev = from_pci(pci);
	unsigned int length;
	uint32_t offset;

	if (is_cfg_data(dev, reg, size) && cfg_target(dev, &offset, &length))
		pci_put32(cfg_data(dev), bar_read(dev, offset, length));
}

static void msix_cap_written(struct virtio_pci *dev)
{
	uint16_t control =
		pci_get16(&dev->pci.config[dev->msix_cap + PCI_MSIX_FLAGS]);

	msix_control(&dev->msix, control & PCI_MSIX_FLAGS_ENABLE,
		     control & PCI_MSIX_FLAGS_MASKALL);
}

static void pci_config_written(struct pci_dev *pci, unsigned int reg,
			       unsigned int size)
{
	struct virtio_pci *dev = from_pci(pci);
	unsigned int length;
	uint32_t offset;

	if (overlaps(reg, size, dev->msix_cap + PCI_MSIX_FLAGS, 2))
		msix_cap_written(dev);
	if (is_cfg_data(dev, reg, size) && cfg_target(dev, &offset, &length)) {
		uint32_t value = pci_get32(cfg_data(dev));

		if (length < 4)
			value &= (1U << 8 * length) - 1;
		bar_write(dev, offset, length, value);
	}
}

static void pci_bar_moved(struct pci_dev *pci)
{
	struct virtio_dev *virtio = &from_pci(pci)->virtio;

	if (virtio->running && virtio->ops->doorbells_moved)
		virtio->ops->doorbells_moved(virtio);
}

static const struct pci_ops virtio_pci_ops = {
	.config_read = pci_config_reading,
	.config_written = pci_config_written,
	.bar_moved = pci_bar_moved,
};

static void inject(void *opaque, const struct acrn_msi_entry *msi)
{
	struct virtio_pci *dev = opaque;

	vm_inject_msi(dev->vm, msi);
}

static void vector_changed(void *opaque, unsigned int vector)
{
	struct virtio_dev *virtio = &((struct virtio_pci *)opaque)->virtio;
	unsigned int i;

	if (!virtio->running || !virtio->ops->vector_changed)
		return;
	for (i = 0; i < virtio->queue_count; i++)
		if (virtio->queues[i].vector == vector)
			virtio->ops->vector_changed(virtio, i);
}

static bool vector_pending(void *opaque, unsigned int vector)
{
	struct virtio_dev *virtio = &((struct virtio_pci *)opaque)->virtio;
	bool pending = false;
	unsigned int i;

	if (!virtio->running || !virtio->ops->vector_pending)
		return false;
	for (i = 0; i < virtio->queue_count; i++)
		if (virtio->queues[i].vector == vector)
			pending |= virtio->ops->vector_pending(virtio, i);
	return pending;
}

static const struct msix_ops virtio_msix_ops = {
	.inject = inject,
	.changed = vector_changed,
	.pending = vector_pending,
};

static void raise_vector(struct virtio_dev *virtio, uint16_t vector,
			 uint8_t isr)
{
	struct virtio_pci *dev = from_virtio(virtio);

	atomic_fetch_or(&dev->isr, isr);
	msix_raise(&dev->msix, vector);
}

static void fatal(void *opaque)
{
	vm_request(opaque, VM_ERROR);
}

/**
 * virtio_pci_message() - The MSI of a queue
 * @dev:	Device
 * @queue:	Queue
 * @msi:	Result
 *
 * Return: false if the vector is masked or there is none.
 */
bool virtio_pci_message(struct virtio_pci *dev, unsigned int queue,
			struct acrn_msi_entry *msi)
{
	return msix_message(&dev->msix, dev->virtio.queues[queue].vector, msi);
}

/**
 * virtio_pci_doorbell() - Where the guest rings for a queue
 * @dev:	Device
 * @queue:	Queue
 * @gpa:	Result: guest physical address, two bytes wide
 *
 * Return: false while the BAR is not mapped.
 */
bool virtio_pci_doorbell(struct virtio_pci *dev, unsigned int queue,
			 uint64_t *gpa)
{
	const struct pci_bar *bar = &dev->pci.bars[BAR];

	if (!bar->mapped)
		return false;
	*gpa = bar->range.base + NOTIFY_OFFSET + NOTIFY_MULTIPLIER * queue;
	return true;
}

static unsigned int add_virtio_cap(struct virtio_pci *dev, uint8_t type,
				   uint32_t offset, uint32_t length,
				   unsigned int size)
{
	struct virtio_pci_notify_cap cap = {
		.cap = { .cap_len = size,
			 .cfg_type = type,
			 .bar = BAR,
			 .offset = offset,
			 .length = length },
	};

	if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		cap.notify_off_multiplier = NOTIFY_MULTIPLIER;
	return pci_add_cap(&dev->pci, PCI_CAP_ID_VNDR, (char *)&cap + 2,
			   size - 2);
}

static void add_virtio_caps(struct virtio_pci *dev)
{
	const unsigned int plain = sizeof(struct virtio_pci_cap);
	uint8_t *writable;

	add_virtio_cap(dev, VIRTIO_PCI_CAP_COMMON_CFG, COMMON_OFFSET,
		       sizeof(struct virtio_pci_common_cfg), plain);
	add_virtio_cap(dev, VIRTIO_PCI_CAP_ISR_CFG, ISR_OFFSET, 1, plain);
	add_virtio_cap(dev, VIRTIO_PCI_CAP_DEVICE_CFG, CONFIG_OFFSET,
		       dev->virtio.config_size, plain);
	add_virtio_cap(dev, VIRTIO_PCI_CAP_NOTIFY_CFG, NOTIFY_OFFSET,
		       NOTIFY_MULTIPLIER * dev->virtio.queue_count,
		       sizeof(struct virtio_pci_notify_cap));
	dev->cfg_cap = add_virtio_cap(dev, VIRTIO_PCI_CAP_PCI_CFG, 0, 0,
				      sizeof(struct virtio_pci_cfg_cap));
	writable = &dev->pci.writable[dev->cfg_cap];
	writable[VIRTIO_PCI_CAP_BAR] = 0xff;
	pci_put32(&writable[VIRTIO_PCI_CAP_OFFSET], UINT32_MAX);
	pci_put32(&writable[VIRTIO_PCI_CAP_LENGTH], UINT32_MAX);
	pci_put32(&writable[offsetof(struct virtio_pci_cfg_cap, pci_cfg_data)],
		  UINT32_MAX);
}

static void add_msix_cap(struct virtio_pci *dev)
{
	const struct msix_cap_body body = {
		.control = dev->msix.vectors - 1,
		.table = MSIX_OFFSET | BAR,
		.pba = PENDING_OFFSET | BAR,
	};

	dev->msix_cap =
		pci_add_cap(&dev->pci, PCI_CAP_ID_MSIX, &body, sizeof(body));
	pci_put16(&dev->pci.writable[dev->msix_cap + PCI_MSIX_FLAGS],
		  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
}

static void deinit(struct virtio_pci *dev)
{
	msix_deinit(&dev->msix);
	pthread_mutex_destroy(&dev->virtio.config_lock);
}

/**
 * virtio_pci_add() - Put a virtio device on the VM's PCI bus
 * @dev:	Device; name, ops, offered, queue_count and config of its
 *		@virtio are filled in
 * @vm:		VM
 * @type:	VIRTIO_ID_*
 * @class:	PCI class code
 *
 * Return: 0; -ENOSPC if the bus is full.
 */
int virtio_pci_add(struct virtio_pci *dev, struct vm *vm, uint16_t type,
		   uint32_t class)
{
	const struct pci_id id = {
		.vendor = VIRTIO_PCI_VENDOR,
		.device = VIRTIO_PCI_DEVICE_BASE + type,
		.subsystem_vendor = VIRTIO_PCI_VENDOR,
		.subsystem = VIRTIO_PCI_DEVICE_BASE + type,
		.class = class,
		.revision = 1,
	};
	int ret;

	dev->vm = vm;
	pthread_mutex_init(&dev->virtio.config_lock, NULL);
	dev->virtio.raise = raise_vector;
	dev->virtio.fatal = fatal;
	dev->virtio.opaque = vm;
	msix_init(&dev->msix, dev->virtio.queue_count + 1, &virtio_msix_ops,
		  dev);
	pci_dev_init(&dev->pci, &id, &virtio_pci_ops);
	pci_set_bar(&dev->pci, BAR, BAR_SIZE, &bar_ops, dev);
	add_virtio_caps(dev);
	add_msix_cap(dev);
	virtio_reset(&dev->virtio);
	ret = pci_dev_add(&vm->pci, &dev->pci);
	if (ret)
		deinit(dev);
	return ret;
}

/* Stop the device and take it off the bus. */
void virtio_pci_remove(struct virtio_pci *dev)
{
	virtio_reset(&dev->virtio);
	pci_dev_remove(&dev->pci);
	deinit(dev);
}

/* The VM is reset. */
void virtio_pci_reset(struct virtio_pci *dev)
{
	set_status(dev, 0);
	pci_dev_reset(&dev->pci);
	msix_reset(&dev->msix);
}
