// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's accesses to the registers of a virtio device. All functions run
 * in the thread that handles I/O requests, to which struct virtio_regs belongs.
 * Other threads only set @isr, which is atomic, and change the device
 * configuration, which read_config() reads under @config_lock.
 */
#include <linux/virtio_pci.h>

#include "virtio/virtio_regs.h"

/*
 * The queue that the driver has selected, NULL if there is none of that number.
 */
static struct virtio_queue *selected_queue(struct virtio_regs *regs)
{
	return regs->queue_select < regs->virtio->queue_count
		       ? &regs->virtio->queues[regs->queue_select]
		       : NULL;
}

static uint32_t read_offered(struct virtio_regs *regs)
{
	return regs->offer_word > 1
		       ? 0
		       : regs->virtio->offered >> 32 * regs->offer_word;
}

static uint32_t read_accepted(struct virtio_regs *regs)
{
	return regs->accept_word > 1
		       ? 0
		       : regs->virtio->accepted >> 32 * regs->accept_word;
}

/*
 * The address of a ring that a register is half of; @shift is 32 for the upper
 * half. NULL for other registers.
 */
static uint64_t *ring_address(struct virtqueue_config *config, unsigned int reg,
			      unsigned int *shift)
{
	*shift = 0;
	switch (reg) {
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		*shift = 32;
		/* fall through */
	case VIRTIO_PCI_COMMON_Q_DESCLO:
		return &config->desc;
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		*shift = 32;
		/* fall through */
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
		return &config->avail;
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		*shift = 32;
		/* fall through */
	case VIRTIO_PCI_COMMON_Q_USEDLO:
		return &config->used;
	default:
		return NULL;
	}
}

/* Registers of the selected queue, which are 0 if there is no such queue. */
static uint32_t read_queue(struct virtio_regs *regs, unsigned int reg)
{
	struct virtio_queue *queue = selected_queue(regs);
	unsigned int shift;
	uint64_t *address;

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
		return regs->queue_select;
	}
	address = ring_address(&queue->config, reg, &shift);
	return address ? *address >> shift : 0;
}

/* The driver reads the common configuration. */
static uint32_t read_common(struct virtio_regs *regs, unsigned int reg)
{
	switch (reg) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		return regs->offer_word;
	case VIRTIO_PCI_COMMON_DF:
		return read_offered(regs);
	case VIRTIO_PCI_COMMON_GFSELECT:
		return regs->accept_word;
	case VIRTIO_PCI_COMMON_GF:
		return read_accepted(regs);
	case VIRTIO_PCI_COMMON_MSIX:
		return regs->virtio->config_vector;
	case VIRTIO_PCI_COMMON_NUMQ:
		return regs->virtio->queue_count;
	case VIRTIO_PCI_COMMON_STATUS:
		return virtio_status(regs->virtio);
	case VIRTIO_PCI_COMMON_CFGGENERATION:
		return regs->virtio->generation;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		return regs->queue_select;
	default:
		return read_queue(regs, reg);
	}
}

/*
 * The guest reads back NO_VECTOR if it has chosen a vector that does not exist.
 */
static uint16_t valid_vector(const struct virtio_regs *regs, uint16_t vector)
{
	return vector < regs->msix->vectors ? vector : VIRTIO_MSI_NO_VECTOR;
}

/* The driver chooses the vector of the selected queue. */
static void set_queue_vector(struct virtio_regs *regs, uint16_t vector)
{
	struct virtio_dev *virtio = regs->virtio;

	virtio->queues[regs->queue_select].vector = valid_vector(regs, vector);
	if (virtio->running && virtio->ops->vector_changed)
		virtio->ops->vector_changed(virtio, regs->queue_select);
}

/* Size and rings are fixed once the queue is enabled. */
static void set_up_queue(struct virtqueue_config *config, unsigned int reg,
			 uint32_t value)
{
	unsigned int shift;
	uint64_t *address = ring_address(config, reg, &shift);

	if (reg == VIRTIO_PCI_COMMON_Q_SIZE) {
		config->size = value;
	} else if (address) {
		*address &= ~((uint64_t)UINT32_MAX << shift);
		*address |= (uint64_t)value << shift;
	}
}

/* The driver writes a register of the selected queue. */
static void write_queue(struct virtio_regs *regs, unsigned int reg,
			uint32_t value)
{
	struct virtio_queue *queue = selected_queue(regs);

	if (!queue)
		return;
	if (reg == VIRTIO_PCI_COMMON_Q_MSIX)
		set_queue_vector(regs, value);
	else if (reg == VIRTIO_PCI_COMMON_Q_ENABLE && value == 1)
		virtio_enable_queue(regs->virtio, regs->queue_select);
	else if (!queue->enabled)
		set_up_queue(&queue->config, reg, value);
}

/* Reset the device and with it what the driver has put into the registers. */
void virtio_regs_reset(struct virtio_regs *regs)
{
	virtio_set_status(regs->virtio, 0);
	regs->isr = 0;
	regs->offer_word = 0;
	regs->accept_word = 0;
	regs->queue_select = 0;
	msix_clear_pending(regs->msix);
}

/* The driver writes the device status, 0 of which is a reset. */
static void set_status(struct virtio_regs *regs, uint8_t status)
{
	if (status)
		virtio_set_status(regs->virtio, status);
	else
		virtio_regs_reset(regs);
}

/* The driver writes the common configuration. */
static void write_common(struct virtio_regs *regs, unsigned int reg,
			 uint32_t value)
{
	switch (reg) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		regs->offer_word = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		regs->accept_word = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		virtio_accept(regs->virtio, regs->accept_word, value);
		break;
	case VIRTIO_PCI_COMMON_MSIX:
		regs->virtio->config_vector = valid_vector(regs, value);
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		set_status(regs, value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		regs->queue_select = value;
		break;
	default:
		write_queue(regs, reg, value);
	}
}

/*
 * The driver reads the device configuration, which the main thread may be
 * changing: takes @config_lock.
 */
static uint64_t read_config(struct virtio_regs *regs, uint64_t offset,
			    unsigned int size)
{
	const uint8_t *config = regs->virtio->config;
	uint64_t value = 0;
	unsigned int i;

	pthread_mutex_lock(&regs->virtio->config_lock);
	for (i = 0; i < size; i++)
		if (offset + i < regs->virtio->config_size)
			value |= (uint64_t)config[offset + i] << 8 * i;
	pthread_mutex_unlock(&regs->virtio->config_lock);
	return value;
}

/* As @read of struct io_ops. */
uint64_t virtio_regs_read(void *opaque, uint64_t offset, unsigned int size)
{
	struct virtio_regs *regs = opaque;
	uint64_t reg = offset % VIRTIO_REGS_BLOCK;

	switch (offset - reg) {
	case VIRTIO_REGS_COMMON:
		return read_common(regs, reg);
	case VIRTIO_REGS_ISR:
		return reg ? 0 : atomic_exchange(&regs->isr, 0);
	case VIRTIO_REGS_CONFIG:
		return read_config(regs, reg, size);
	case VIRTIO_REGS_MSIX:
		return msix_table_read(regs->msix, reg, size);
	case VIRTIO_REGS_PENDING:
		return msix_pba_read(regs->msix, reg, size);
	default:
		return 0;
	}
}

/* As @write of struct io_ops. */
void virtio_regs_write(void *opaque, uint64_t offset, unsigned int size,
		       uint64_t value)
{
	struct virtio_regs *regs = opaque;
	uint64_t reg = offset % VIRTIO_REGS_BLOCK;

	switch (offset - reg) {
	case VIRTIO_REGS_COMMON:
		write_common(regs, reg, value);
		break;
	case VIRTIO_REGS_NOTIFY:
		if (reg % VIRTIO_REGS_NOTIFY_MULTIPLIER == 0)
			virtio_notify(regs->virtio,
				      reg / VIRTIO_REGS_NOTIFY_MULTIPLIER);
		break;
	case VIRTIO_REGS_CONFIG:
		if (regs->virtio->ops->config_written)
			regs->virtio->ops->config_written(regs->virtio, reg,
							  size, value);
		break;
	case VIRTIO_REGS_MSIX:
		msix_table_write(regs->msix, reg, size, value);
		break;
	}
}

const struct io_ops virtio_regs_ops = { .read = virtio_regs_read,
					.write = virtio_regs_write };
