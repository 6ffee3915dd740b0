// SPDX-License-Identifier: GPL-2.0
/*
 * Vectors are raised by any thread, and so msix_raise() and msix_message() may
 * be called by any. The table and the capability are the guest's to read and
 * write: those functions run in the thread that handles I/O requests. The lock
 * of struct msix guards masks, pending bits and table; a message is sent with
 * it held, so that none is sent after the guest has masked its vector.
 */
#include <stddef.h>
#include <linux/pci_regs.h>

#include "bus/msix.h"

#define WORD_ADDR_LOW  0
#define WORD_ADDR_HIGH 1
#define WORD_DATA      2
#define WORD_CTRL      3

/*
 * Make MSI-X with a table of @vectors, at most MSIX_MAX_VECTORS, in the state
 * after power-on. @opaque is the argument of @ops.
 */
void msix_init(struct msix *msix, unsigned int vectors,
	       const struct msix_ops *ops, void *opaque)
{
	*msix = (struct msix){ .vectors = vectors,
			       .ops = ops,
			       .opaque = opaque };
	pthread_mutex_init(&msix->lock, NULL);
	msix_reset(msix);
}

/* Undo msix_init(). No thread raises vectors any more. */
void msix_deinit(struct msix *msix)
{
	pthread_mutex_destroy(&msix->lock);
}

/*
 * Return to the state after power-on: MSI-X disabled, every vector masked. The
 * device is not told.
 */
void msix_reset(struct msix *msix)
{
	unsigned int i;

	pthread_mutex_lock(&msix->lock);
	msix->enabled = false;
	msix->masked = false;
	msix->pending = 0;
	for (i = 0; i < msix->vectors; i++)
		msix->table[i] = (struct msix_entry){
			.word[WORD_CTRL] = PCI_MSIX_ENTRY_CTRL_MASKBIT
		};
	pthread_mutex_unlock(&msix->lock);
}

/* Forget the pending interrupts of a device that was reset. */
void msix_clear_pending(struct msix *msix)
{
	pthread_mutex_lock(&msix->lock);
	msix->pending = 0;
	pthread_mutex_unlock(&msix->lock);
}

/*
 * Lock held. Returns whether @vector can be sent now, with its message in @msi.
 */
static bool get_message(const struct msix *msix, unsigned int vector,
			struct acrn_msi_entry *msi)
{
	const uint32_t *word = msix->table[vector].word;

	if (!msix->enabled || msix->masked ||
	    (word[WORD_CTRL] & PCI_MSIX_ENTRY_CTRL_MASKBIT))
		return false;
	msi->msi_addr = word[WORD_ADDR_LOW] | (uint64_t)word[WORD_ADDR_HIGH]
						      << 32;
	msi->msi_data = word[WORD_DATA];
	return true;
}

/* Lock held. Send the interrupt of @vector if it is pending and not masked. */
static void send_pending(struct msix *msix, unsigned int vector)
{
	struct acrn_msi_entry msi;

	if (!(msix->pending & 1ULL << vector) ||
	    !get_message(msix, vector, &msi))
		return;
	msix->pending &= ~(1ULL << vector);
	msix->ops->inject(msix->opaque, &msi);
}

/* The guest wrote the capability's enable and function mask bits. */
void msix_control(struct msix *msix, bool enabled, bool masked)
{
	unsigned int i;

	pthread_mutex_lock(&msix->lock);
	msix->enabled = enabled;
	msix->masked = masked;
	for (i = 0; i < msix->vectors; i++)
		send_pending(msix, i);
	pthread_mutex_unlock(&msix->lock);
	for (i = 0; i < msix->vectors; i++)
		msix->ops->changed(msix->opaque, i);
}

/* PCI allows aligned accesses of 4 and 8 bytes only. */
static bool valid_access(const struct msix *msix, uint64_t offset,
			 unsigned int size)
{
	uint64_t end = msix->vectors * MSIX_ENTRY_SIZE;

	return (size == 4 || size == 8) && offset % size == 0 && offset < end &&
	       size <= end - offset;
}

/* The word of the table at @offset. Lock held. */
static uint32_t *table_word(struct msix *msix, uint64_t offset)
{
	return &msix->table[offset / MSIX_ENTRY_SIZE]
			.word[offset % MSIX_ENTRY_SIZE / 4];
}

/* The guest reads the table. */
uint64_t msix_table_read(struct msix *msix, uint64_t offset, unsigned int size)
{
	uint64_t value;

	if (!valid_access(msix, offset, size))
		return UINT64_MAX;
	pthread_mutex_lock(&msix->lock);
	value = *table_word(msix, offset);
	if (size == 8)
		value |= (uint64_t)*table_word(msix, offset + 4) << 32;
	pthread_mutex_unlock(&msix->lock);
	return value;
}

/* Write a word of the table, of which control has one bit. Lock held. */
static void write_word(struct msix *msix, uint64_t offset, uint32_t value)
{
	if (offset % MSIX_ENTRY_SIZE / 4 == WORD_CTRL)
		value &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
	*table_word(msix, offset) = value;
}

/* The guest writes the table, and perhaps unmasks a vector by that. */
void msix_table_write(struct msix *msix, uint64_t offset, unsigned int size,
		      uint64_t value)
{
	unsigned int vector = offset / MSIX_ENTRY_SIZE;

	if (!valid_access(msix, offset, size))
		return;
	pthread_mutex_lock(&msix->lock);
	write_word(msix, offset, value);
	if (size == 8)
		write_word(msix, offset + 4, value >> 32);
	send_pending(msix, vector);
	pthread_mutex_unlock(&msix->lock);
	msix->ops->changed(msix->opaque, vector);
}

/* The guest reads the pending bits: those of this table and of @ops->pending.
 */
uint64_t msix_pba_read(struct msix *msix, uint64_t offset, unsigned int size)
{
	uint64_t pending;
	unsigned int i;

	if (offset >= sizeof(pending) || size > sizeof(pending) - offset)
		return UINT64_MAX;
	pthread_mutex_lock(&msix->lock);
	pending = msix->pending;
	pthread_mutex_unlock(&msix->lock);
	for (i = 0; i < msix->vectors; i++)
		if (msix->ops->pending(msix->opaque, i))
			pending |= 1ULL << i;
	return pending >> offset * 8;
}

/* Returns false, without a message, if @vector is masked or does not exist. */
bool msix_message(struct msix *msix, unsigned int vector,
		  struct acrn_msi_entry *msi)
{
	bool ok;

	if (vector >= msix->vectors)
		return false;
	pthread_mutex_lock(&msix->lock);
	ok = get_message(msix, vector, msi);
	pthread_mutex_unlock(&msix->lock);
	return ok;
}

/* Send the interrupt of @vector, now or when it is no longer masked. */
void msix_raise(struct msix *msix, unsigned int vector)
{
	if (vector >= msix->vectors)
		return;
	pthread_mutex_lock(&msix->lock);
	msix->pending |= 1ULL << vector;
	send_pending(msix, vector);
	pthread_mutex_unlock(&msix->lock);
}
