// SPDX-License-Identifier: GPL-2.0
/*
 * Rings: corrupt ones, which stop the queue, rings at kernel addresses, which
 * are refused, and large ones.
 */
#include "raw_blk.h"
#include "tap.h"
#include "vhost_blk_checks.h"

/* Check that the queue reports an error and stops, and that a restart works. */
static void is_broken(const char *what)
{
	ring(0);
	tap_ok(wait_event(err_fd, 5000), "%s: the error eventfd is signalled",
	       what);
	ring(0);
	tap_ok(!is_used(100), "%s: no request is handled any more", what);
	tap_ok(start_over(FLUSH_BIT | V1_BIT, FAST, O_RDWR) &&
		       !request(VIRTIO_BLK_T_IN, 0, DATA, 512),
	       "%s: the device works after a restart", what);
}

void corrupt_rings(void)
{
	header(VIRTIO_BLK_T_IN, 0);
	begin();
	add_out(HEADER, 16);
	is_broken("no status");

	begin();
	add_out(HEADER, 15);
	add_in(STATUS, 1);
	is_broken("a header cut short");

	begin();
	add_in(STATUS, 1);
	is_broken("no header");

	begin();
	add_out(HEADER, 16);
	add_in(STATUS, 0);
	is_broken("an empty status");

	begin();
	add_out(HEADER, 16);
	add(GPA + MEM_SIZE - 512, 1024, VRING_DESC_F_WRITE);
	add_in(STATUS, 1);
	is_broken("data that ends behind memory");

	begin();
	add_out(HEADER, 16);
	add(UINT64_MAX - 511, 1024, VRING_DESC_F_WRITE);
	add_in(STATUS, 1);
	is_broken("an address that overflows");

	begin();
	add_out(HEADER, 16);
	add_in(STATUS, 1);
	desc()[1].flags |= VRING_DESC_F_NEXT;
	desc()[1].next = 1;
	is_broken("a loop");

	begin();
	add_out(HEADER, 16);
	add_in(DATA, 512);
	add_out(HEADER, 16);
	is_broken("a readable descriptor behind a writable one");

	avail()->idx += RING + 1;
	avail_idx += RING + 1;
	is_broken("more entries than the ring has");
}

/* The vhost core reads and writes rings without a look at their addresses. */
void rings_in_kernel(void)
{
	static const char *const names[] = { "descriptors", "available ring",
					     "used ring" };
	const uint64_t kernel = 0xffff888000000000;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		const struct vhost_vring_addr addr = {
			.desc_user_addr = i == 0 ? kernel : (uintptr_t)mem,
			.avail_user_addr =
				i == 1 ? kernel : (uintptr_t)mem + AVAIL,
			.used_user_addr =
				i == 2 ? kernel : (uintptr_t)mem + USED,
		};

		tap_ok(!ioctl(vhost, VHOST_RESET_OWNER) &&
			       set_up(FLUSH_BIT | V1_BIT) &&
			       !ioctl(vhost, VHOST_SET_VRING_ADDR, &addr),
		       "%s at a kernel address", names[i]);
		tap_errno(set_disk(FAST, O_RDWR), EFAULT,
			  "%s at a kernel address: no disk is attached",
			  names[i]);
	}
	tap_success(ioctl(vhost, VHOST_RESET_OWNER), "reset the owner");
}

/*
 * Make one request at the end of a large ring, which lies where the data is in
 * other tests.
 */
static bool large_ring(unsigned int size)
{
	const uint32_t avail_offset = DATA + 0x100000;
	const uint32_t used_offset = DATA + 0x200000;
	struct vring_desc *d = (void *)(mem + DATA);
	uint16_t *available = (void *)(mem + avail_offset);
	struct vhost_vring_addr addr = {
		.desc_user_addr = (uintptr_t)d,
		.avail_user_addr = (uintptr_t)available,
		.used_user_addr = (uintptr_t)mem + used_offset,
	};

	if (ioctl(vhost, VHOST_RESET_OWNER) || !set_up(FLUSH_BIT | V1_BIT) ||
	    vring_state(VHOST_SET_VRING_NUM, size) ||
	    vring_state(VHOST_SET_VRING_BASE, size - 1) ||
	    ioctl(vhost, VHOST_SET_VRING_ADDR, &addr))
		return false;
	memset(mem + DATA, 0, 0x300000);
	header(VIRTIO_BLK_T_IN, 0);
	d[size - 1] = (struct vring_desc){ GPA + HEADER, 16, VRING_DESC_F_NEXT,
					   size - 2 };
	d[size - 2] =
		(struct vring_desc){ GPA + STATUS, 1, VRING_DESC_F_WRITE, 0 };
	available[2 + size - 1] = size - 1;
	available[1] = size;
	memcpy(mem + used_offset + 2, &(uint16_t){ size - 1 }, 2);
	if (set_disk(FAST, O_RDWR))
		return false;
	eventfd_write(kick, 1);
	return wait_event(call, 5000) && !mem[STATUS];
}

void large_rings(void)
{
	tap_ok(large_ring(1024), "a ring of 1024 descriptors");
	tap_ok(large_ring(32768), "a ring of 32768 descriptors");
}
