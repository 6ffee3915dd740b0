/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which writes of a guest ring a doorbell. Functions without state or locks,
 * for any context; tests/unit/test_doorbell_match.c compiles them for user
 * space as well.
 */
#ifndef IOEVENTFD_MATCH_H
#define IOEVENTFD_MATCH_H

#include <linux/acrn.h>
#include <linux/types.h>

#include "acrn_hsm.h"
#include "acrn_ioctl.h"

/**
 * struct doorbell_key - Writes that ring a doorbell
 * @addr:	I/O port or User VM physical address
 * @data:	Value that must be written; 0 if @mask is 0
 * @mask:	Bits of the value that are compared: all, or none for a doorbell
 *		that any value rings
 * @type:	ACRN_IOREQ_TYPE_PORTIO or ACRN_IOREQ_TYPE_MMIO
 * @len:	Width of the write in bytes, which must be exactly this
 *
 * The structure has no padding, so that it can be hashed as a whole.
 */
struct doorbell_key {
	u64 addr;
	u64 data;
	u64 mask;
	u32 type;
	u32 len;
};

int doorbell_key_parse(struct doorbell_key *key,
		       const struct acrn_ioeventfd *args);
bool doorbell_keys_collide(const struct doorbell_key *a,
			   const struct doorbell_key *b);
bool doorbell_keys_overlap(const struct doorbell_key *a,
			   const struct doorbell_key *b);

/**
 * doorbell_key_of_write() - Key of the doorbell for the very value that was written
 * @key:	Result
 * @write:	Write of the guest
 *
 * Hot path.
 *
 * Context: Any.
 */
static inline void doorbell_key_of_write(struct doorbell_key *key,
					 const struct acrn_access *write)
{
	key->addr = write->address;
	key->data = write->value;
	key->mask = ~0ULL;
	key->type = write->type;
	key->len = write->size;
}

/**
 * doorbell_key_any_data() - Turn a key into that of a doorbell for any value
 * @key:	Key to change
 *
 * Hot path.
 *
 * Context: Any.
 */
static inline void doorbell_key_any_data(struct doorbell_key *key)
{
	key->data = 0;
	key->mask = 0;
}

/**
 * doorbell_keys_equal() - Compare two keys
 * @a:	One key
 * @b:	Another key
 *
 * Hot path.
 *
 * Context: Any.
 * Return: true if they are the same.
 */
static inline bool doorbell_keys_equal(const struct doorbell_key *a,
				       const struct doorbell_key *b)
{
	return a->addr == b->addr && a->data == b->data &&
	       a->mask == b->mask && a->type == b->type && a->len == b->len;
}

#endif /* IOEVENTFD_MATCH_H */
