// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>

#include "match.h"

#define IOEVENTFD_FLAGS	(ACRN_IOEVENTFD_FLAG_PIO | \
			 ACRN_IOEVENTFD_FLAG_DATAMATCH | \
			 ACRN_IOEVENTFD_FLAG_DEASSIGN | \
			 ACRN_IOEVENTFD_FLAG_ASYNCIO)

/* I/O ports are numbered 0 to 0xffff. */
#define PIO_END		0x10000ULL

static bool len_valid(u32 len, bool pio)
{
	return len == 1 || len == 2 || len == 4 || (len == 8 && !pio);
}

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
 * doorbell_key_parse() - Check ACRN_IOCTL_IOEVENTFD's argument
 * @key:	Result: the writes that @args describes
 * @args:	From user space, not trusted. Its fd is not looked at, nor its
 *		data when ACRN_IOEVENTFD_FLAG_DATAMATCH is not set.
 *
 * The rules are KVM's, with these differences: a length of 0 is refused as the
 * in-tree HSM does, and so is a doorbell that nothing could ever ring, because
 * it is outside of the I/O ports or its data is wider than its length.
 *
 * A length is matched exactly. In the in-tree HSM a doorbell of 2 bytes is also
 * rung by a write of 1 byte, which no driver sends: virtio notifications have
 * 2 bytes, and that is the length that acrn-dm registers. Here a write of
 * another width goes to the device model, as it would without a doorbell.
 *
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
 * doorbell_keys_collide() - Whether some write would ring both doorbells
 * @a:	One key
 * @b:	Another
 *
 * Doorbells of different lengths at one address do not collide, nor do those
 * for different data, like the queues of a virtio device of before 1.0. One
 * for any data collides with all others of its address and length.
 *
 * Return: true if they cannot both be registered in one VM.
 */
bool doorbell_keys_collide(const struct doorbell_key *a,
			   const struct doorbell_key *b)
{
	return a->len == b->len && doorbell_keys_overlap(a, b);
}

/**
 * doorbell_keys_overlap() - The same for who cannot tell widths
 * @a:	One key
 * @b:	Another
 *
 * For an asynchronous doorbell the hypervisor looks at address and data alone.
 *
 * Return: true if they cannot both be asynchronous.
 */
bool doorbell_keys_overlap(const struct doorbell_key *a,
			   const struct doorbell_key *b)
{
	return a->type == b->type && a->addr == b->addr &&
	       !((a->data ^ b->data) & a->mask & b->mask);
}
