/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The registers of a virtio device over PCI. One memory BAR holds all of them.
 * Each block has a page of its own; of the doorbells, four bytes per queue, so
 * that each is an address of its own.
 *
 * Used by the thread that handles I/O requests, except where noted.
 */
#ifndef DM_VIRTIO_REGS_H
#define DM_VIRTIO_REGS_H

#include <stdatomic.h>
#include <stdint.h>

#include "bus/bus.h"
#include "bus/msix.h"
#include "virtio/virtio.h"

#define VIRTIO_REGS_COMMON  0x0000
#define VIRTIO_REGS_ISR	    0x1000
#define VIRTIO_REGS_CONFIG  0x2000
#define VIRTIO_REGS_NOTIFY  0x3000
#define VIRTIO_REGS_MSIX    0x4000
#define VIRTIO_REGS_PENDING 0x5000
#define VIRTIO_REGS_BLOCK   0x1000
#define VIRTIO_REGS_SIZE    0x8000

#define VIRTIO_REGS_NOTIFY_MULTIPLIER 4

/**
 * struct virtio_regs - Registers
 * @virtio:		The device
 * @msix:		Its interrupts
 * @isr:		Interrupt status; set by any thread
 * @offer_word:		Which 32 offered features the driver looks at
 * @accept_word:	Which 32 accepted features the driver writes
 * @queue_select:	Which queue the driver looks at
 */
struct virtio_regs {
	struct virtio_dev *virtio;
	struct msix *msix;
	_Atomic uint8_t isr;
	uint32_t offer_word;
	uint32_t accept_word;
	uint16_t queue_select;
};

/* For the BAR; the device of struct io_range is a struct virtio_regs. */
extern const struct io_ops virtio_regs_ops;

uint64_t virtio_regs_read(void *opaque, uint64_t offset, unsigned int size);
void virtio_regs_write(void *opaque, uint64_t offset, unsigned int size,
		       uint64_t value);
void virtio_regs_reset(struct virtio_regs *regs);

#endif /* DM_VIRTIO_REGS_H */
