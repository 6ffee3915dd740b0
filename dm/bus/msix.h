/* SPDX-License-Identifier: GPL-2.0 */
/* MSI-X of a PCI device: table, masks and pending bits. */
#ifndef DM_MSIX_H
#define DM_MSIX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <linux/acrn.h>

/* The pending bits are one 64-bit word. */
#define MSIX_MAX_VECTORS 64
#define MSIX_ENTRY_SIZE	 16

/**
 * struct msix_ops - What MSI-X needs of the device and the VM
 * @inject:	Send a message. Any thread, with the lock of struct msix held.
 * @changed:	The message of @vector has changed, or @vector was masked or
 *		unmasked. Thread of I/O requests, no lock held.
 * @pending:	Does somebody else, vhost for one, keep an interrupt for
 *		@vector until it is unmasked? Thread of I/O requests, no lock
 *		held.
 */
struct msix_ops {
	void (*inject)(void *opaque, const struct acrn_msi_entry *msi);
	void (*changed)(void *opaque, unsigned int vector);
	bool (*pending)(void *opaque, unsigned int vector);
};

/**
 * struct msix_entry - An entry of the table, as the guest sees it
 * @word:	Address low, address high, data, vector control
 */
struct msix_entry {
	uint32_t word[4];
};

/**
 * struct msix - MSI-X of one device
 * @lock:	Guards @enabled, @masked, @pending and @table
 * @ops:	What it needs of the device
 * @opaque:	Argument of @ops
 * @vectors:	Size of the table; constant
 * @enabled:	MSI-X enable bit of the capability
 * @masked:	Function mask bit of the capability
 * @pending:	Vectors that were raised while they could not be sent
 * @table:	The table
 */
struct msix {
	pthread_mutex_t lock;
	const struct msix_ops *ops;
	void *opaque;
	unsigned int vectors;
	bool enabled;
	bool masked;
	uint64_t pending;
	struct msix_entry table[MSIX_MAX_VECTORS];
};

void msix_init(struct msix *msix, unsigned int vectors,
	       const struct msix_ops *ops, void *opaque);
void msix_deinit(struct msix *msix);
void msix_reset(struct msix *msix);
void msix_clear_pending(struct msix *msix);
void msix_control(struct msix *msix, bool enabled, bool masked);
uint64_t msix_table_read(struct msix *msix, uint64_t offset, unsigned int size);
void msix_table_write(struct msix *msix, uint64_t offset, unsigned int size,
		      uint64_t value);
uint64_t msix_pba_read(struct msix *msix, uint64_t offset, unsigned int size);
bool msix_message(struct msix *msix, unsigned int vector,
		  struct acrn_msi_entry *msi);
void msix_raise(struct msix *msix, unsigned int vector);

#endif /* DM_MSIX_H */
