// SPDX-License-Identifier: GPL-2.0
/*
 * A virtio device on the PCI bus. The main thread adds and destroys it, when no
 * I/O requests are handled. raise_vector() and inject_msi() are for any thread,
 * under the lock of struct msix. All else runs in the thread that handles I/O
 * requests, to which the device belongs.
 */
#include <stddef.h>
#include <linux/virtio_pci.h>

#include "process/log.h"
#include "virtio/virtio_pci.h"

#define BAR		       0
#define VIRTIO_PCI_VENDOR      0x1af4
#define VIRTIO_PCI_DEVICE_BASE 0x1040

/* What follows the two bytes of header in an MSI-X capability. */
struct msix_cap_body {
	uint16_t control;
	uint32_t table;
	uint32_t pba;
} __attribute__((packed));

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
 * Read where in the BAR the guest wants to access a register through the
 * capability in configuration space. Returns whether there is such a register.
 */
static bool window_target(struct virtio_pci *dev, uint32_t *offset,
			  unsigned int *size)
{
	const uint8_t *cap = &dev->pci.config[dev->cfg_cap];
	uint32_t length = pci_get32(&cap[VIRTIO_PCI_CAP_LENGTH]);

	*offset = pci_get32(&cap[VIRTIO_PCI_CAP_OFFSET]);
	*size = length;
	return cap[VIRTIO_PCI_CAP_BAR] == BAR &&
	       (length == 1 || length == 2 || length == 4) &&
	       *offset % length == 0 && *offset <= VIRTIO_REGS_SIZE - length;
}

static bool is_window_data(struct virtio_pci *dev, unsigned int reg,
			   unsigned int size)
{
	return overlaps(reg, size,
			dev->cfg_cap + offsetof(struct virtio_pci_cfg_cap,
						pci_cfg_data),
			4);
}

static uint8_t *window_data(struct virtio_pci *dev)
{
	return &dev->pci.config[dev->cfg_cap +
				offsetof(struct virtio_pci_cfg_cap,
					 pci_cfg_data)];
}

/*
 * As @config_read: if the guest is about to read the data of the window, get
 * them from the register.
 */
static void pci_config_reading(struct pci_dev *pci, unsigned int reg,
			       unsigned int size)
{
	struct virtio_pci *dev = from_pci(pci);
	unsigned int length;
	uint32_t offset;

	if (is_window_data(dev, reg, size) &&
	    window_target(dev, &offset, &length))
		pci_put32(window_data(dev),
			  virtio_regs_read(&dev->regs, offset, length));
}

/* The guest has enabled, disabled or masked MSI-X as a whole. */
static void msix_cap_written(struct virtio_pci *dev)
{
	uint16_t control =
		pci_get16(&dev->pci.config[dev->msix_cap + PCI_MSIX_FLAGS]);

	msix_control(&dev->msix, control & PCI_MSIX_FLAGS_ENABLE,
		     control & PCI_MSIX_FLAGS_MASKALL);
}

/*
 * As @config_written: MSI-X was switched, or a register written by the window.
 */
static void pci_config_written(struct pci_dev *pci, unsigned int reg,
			       unsigned int size)
{
	struct virtio_pci *dev = from_pci(pci);
	unsigned int length;
	uint32_t offset;

	if (overlaps(reg, size, dev->msix_cap + PCI_MSIX_FLAGS, 2))
		msix_cap_written(dev);
	if (is_window_data(dev, reg, size) &&
	    window_target(dev, &offset, &length)) {
		uint32_t value = pci_get32(window_data(dev));

		if (length < 4)
			value &= (1U << 8 * length) - 1;
		virtio_regs_write(&dev->regs, offset, length, value);
	}
}

/* As @bar_moved: the doorbells have other addresses, or none. */
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

/* As @inject. Any thread, the lock of struct msix is held. */
static void inject_msi(void *opaque, const struct acrn_msi_entry *msi)
{
	struct virtio_pci *dev = opaque;

	vm_inject_msi(dev->vm, msi);
}

/* As @changed: tell the device of each queue that has this vector. */
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

/* As @pending: ask the device about each queue that has this vector. */
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
	.inject = inject_msi,
	.changed = vector_changed,
	.pending = vector_pending,
};

/* As @raise. Any thread: the interrupt status is atomic, MSI-X has a lock. */
static void raise_vector(struct virtio_dev *virtio, uint16_t vector,
			 uint8_t isr)
{
	struct virtio_pci *dev = from_virtio(virtio);

	atomic_fetch_or(&dev->regs.isr, isr);
	msix_raise(&dev->msix, vector);
}

/* As @fatal. */
static void end_vm(void *opaque)
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
 * virtio_pci_doorbell() - The address of a queue's doorbell
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
	*gpa = bar->range.base + VIRTIO_REGS_NOTIFY +
	       VIRTIO_REGS_NOTIFY_MULTIPLIER * queue;
	return true;
}

/*
 * Tell the driver where a block of registers is. Returns the capability's
 * offset.
 */
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
		cap.notify_off_multiplier = VIRTIO_REGS_NOTIFY_MULTIPLIER;
	return pci_add_cap(&dev->pci, PCI_CAP_ID_VNDR, (char *)&cap + 2,
			   size - 2);
}

/*
 * Tell the driver where all registers are. The last capability is a window: it
 * gives access to them without the BAR.
 */
static void add_virtio_caps(struct virtio_pci *dev)
{
	const unsigned int plain = sizeof(struct virtio_pci_cap);
	uint8_t *writable;

	add_virtio_cap(dev, VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_REGS_COMMON,
		       sizeof(struct virtio_pci_common_cfg), plain);
	add_virtio_cap(dev, VIRTIO_PCI_CAP_ISR_CFG, VIRTIO_REGS_ISR, 1, plain);
	add_virtio_cap(dev, VIRTIO_PCI_CAP_DEVICE_CFG, VIRTIO_REGS_CONFIG,
		       dev->virtio.config_size, plain);
	add_virtio_cap(dev, VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_REGS_NOTIFY,
		       VIRTIO_REGS_NOTIFY_MULTIPLIER * dev->virtio.queue_count,
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

/* Tell the guest where table and pending bits of MSI-X are. */
static void add_msix_cap(struct virtio_pci *dev)
{
	const struct msix_cap_body body = {
		.control = dev->msix.vectors - 1,
		.table = VIRTIO_REGS_MSIX | BAR,
		.pba = VIRTIO_REGS_PENDING | BAR,
	};

	dev->msix_cap =
		pci_add_cap(&dev->pci, PCI_CAP_ID_MSIX, &body, sizeof(body));
	pci_put16(&dev->pci.writable[dev->msix_cap + PCI_MSIX_FLAGS],
		  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
}

static struct virtio_pci *from_device(struct vm_device *device)
{
	return (void *)((char *)device - offsetof(struct virtio_pci, device));
}

/* The VM is reset. Thread of I/O requests. */
static void virtio_pci_reset(struct vm_device *device)
{
	struct virtio_pci *dev = from_device(device);

	virtio_regs_reset(&dev->regs);
	pci_dev_reset(&dev->pci);
	msix_reset(&dev->msix);
}

static void virtio_pci_deinit(struct virtio_pci *dev)
{
	msix_deinit(&dev->msix);
	pthread_mutex_destroy(&dev->virtio.config_lock);
}

/* Stop and free the device. Main thread, when no I/O requests are handled. */
static void virtio_pci_destroy(struct vm_device *device)
{
	struct virtio_pci *dev = from_device(device);

	virtio_reset(&dev->virtio);
	pci_dev_remove(&dev->pci);
	virtio_pci_deinit(dev);
	dev->virtio.ops->destroy(&dev->virtio);
}

/*
 * Make registers, MSI-X and configuration space, as after power-on. Main
 * thread.
 */
static void virtio_pci_init(struct virtio_pci *dev, struct vm *vm,
			    uint16_t type, uint32_t class)
{
	const struct pci_id id = {
		.vendor = VIRTIO_PCI_VENDOR,
		.device = VIRTIO_PCI_DEVICE_BASE + type,
		.subsystem_vendor = VIRTIO_PCI_VENDOR,
		.subsystem = VIRTIO_PCI_DEVICE_BASE + type,
		.class = class,
		.revision = 1,
	};

	dev->vm = vm;
	dev->device.reset = virtio_pci_reset;
	dev->device.destroy = virtio_pci_destroy;
	pthread_mutex_init(&dev->virtio.config_lock, NULL);
	dev->virtio.raise = raise_vector;
	dev->virtio.fatal = end_vm;
	dev->virtio.opaque = vm;
	msix_init(&dev->msix, dev->virtio.queue_count + 1, &virtio_msix_ops,
		  dev);
	pci_dev_init(&dev->pci, &id, &virtio_pci_ops);
	dev->regs = (struct virtio_regs){ .virtio = &dev->virtio,
					  .msix = &dev->msix };
	pci_set_bar(&dev->pci, BAR, VIRTIO_REGS_SIZE, &virtio_regs_ops,
		    &dev->regs);
	add_virtio_caps(dev);
	add_msix_cap(dev);
	virtio_reset(&dev->virtio);
}

/**
 * virtio_pci_add() - Give the VM a virtio device
 * @dev:	Device; name, ops, offered, queue_count and config of its
 *		@virtio are filled in
 * @vm:		VM
 * @type:	VIRTIO_ID_*
 * @class:	PCI class code
 *
 * From now on the VM resets and destroys the device.
 *
 * Return: 0; -ENOSPC if the PCI bus is full, with a message printed.
 */
int virtio_pci_add(struct virtio_pci *dev, struct vm *vm, uint16_t type,
		   uint32_t class)
{
	int ret;

	virtio_pci_init(dev, vm, type, class);
	ret = pci_dev_add(&vm->pci, &dev->pci);
	if (ret) {
		log_error("the PCI bus has no place for %s", dev->virtio.name);
		virtio_pci_deinit(dev);
		return ret;
	}
	vm_add_device(vm, &dev->device);
	return 0;
}
