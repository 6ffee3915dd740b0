// SPDX-License-Identifier: GPL-2.0
/*
 * Which writes of a guest ring a doorbell. The functions look at nothing but
 * their arguments: any context, no lock needed.
 */
#include <linux/errno.h>

#include "match.h"

#define IOEVENTFD_FLAGS	(ACRN_IOEVENTFD_FLAG_PIO | \
			 ACRN_IOEVENTFD_FLAG_DATAMATCH | \
			 ACRN_IOEVENTFD_FLAG_DEASSIGN | \
			 ACRN_IOEVENTFD_FLAG_ASYNCIO)

/* I/O ports are numbered 0 to 0xffff. */
#define PIO_END		0x10000ULL

/* Whether an instruction can write so many bytes, to a port if @pio. */
static bool len_valid(u32 len, bool pio)
{
	return len == 1 || len == 2 || len == 4 || (len == 8 && !pio);
}

/* Whether all bytes from @addr on have addresses, or ports if @pio. */
static bool range_valid(u64 addr, u32 len, bool pio)
{
	if (addr + len < addr)
		return false;
	return !pio || addr + len <= PIO_END;
}

/* A write of @len bytes can have the value @data. */
static bool data_fits(u64 data, u32 len)
{
	return len == 8 || data >> (8 * len) == 0;
}

/**
 * doorbell_key_parse() - Check the argument of ACRN_IOCTL_IOEVENTFD
 * @key:	Result: the writes that @args describes
 * @args:	Argument from user space, not trusted. Its fd is ignored, and so
 *		is its data unless ACRN_IOEVENTFD_FLAG_DATAMATCH is set.
 *
 * The rules are those of KVM with two exceptions. A length of 0 is refused, as
 * the in-tree HSM does. A doorbell that no write can ring is refused as well:
 * its address is beyond the I/O ports, or its data is wider than its length.
 *
 * The length is matched exactly. In the in-tree HSM a write of 1 byte also
 * rings a doorbell of 2 bytes. No driver makes such a write: a virtio
 * notification has 2 bytes, which is the length that acrn-dm registers. Here a
 * write of another width goes to the device model, as it does when there is no
 * doorbell.
 *
 * Context: Any, no lock needed: @args is the caller's own copy.
 * Return: 0, or -EINVAL.
 */
int doorbell_key_parse(struct doorbell_key *key,
		       const struct acrn_ioeventfd *args)
{
	bool pio = args->flags & ACRN_IOEVENTFD_FLAG_PIO;

	if (args->flags & ~IOEVENTFD_FLAGS || args->reserved)
		return -EINVAL;
	if (!len_valid(args->len, pio) ||
	    !range_valid(args->addr, args->len, pio))
		return -EINVAL;

	key->addr = args->addr;
	key->type = pio ? ACRN_IOREQ_TYPE_PORTIO : ACRN_IOREQ_TYPE_MMIO;
	key->len = args->len;
	doorbell_key_any_data(key);
	if (args->flags & ACRN_IOEVENTFD_FLAG_DATAMATCH) {
		if (!data_fits(args->data, args->len))
			return -EINVAL;
		key->data = args->data;
		key->mask = ~0ULL;
	}
	return 0;
}

/**
 * doorbell_keys_collide() - Find whether some write would ring two doorbells
 * @a:	Key of one
 * @b:	Key of the other
 *
 * Doorbells of different lengths at one address do not collide. Nor do
 * doorbells for different data, such as the queues of a virtio device from
 * before version 1.0. A doorbell for any data collides with all others of its
 * address and length.
 *
 * Context: Any.
 * Return: true if a VM cannot have both.
 */
bool doorbell_keys_collide(const struct doorbell_key *a,
			   const struct doorbell_key *b)
{
	return a->len == b->len && doorbell_keys_overlap(a, b);
}

/**
 * doorbell_keys_overlap() - Find whether the hypervisor could confuse two doorbells
 * @a:	Key of one
 * @b:	Key of the other
 *
 * For an asynchronous doorbell the hypervisor compares address and data, but
 * not the width of the write.
 *
 * Context: Any.
 * Return: true if neither of them can be asynchronous while a VM has both.
 */
bool doorbell_keys_overlap(const struct doorbell_key *a,
			   const struct doorbell_key *b)
{
	return a->type == b->type && a->addr == b->addr &&
	       !((a->data ^ b->data) & a->mask & b->mask);
}
