// sources: ioeventfd/match.c
// SPDX-License-Identifier: GPL-2.0
/* Doorbells: which can be registered, and which writes ring them */
#include "ioeventfd/match.h"
#include "tap.h"

#define PIO	  ACRN_IOEVENTFD_FLAG_PIO
#define DATAMATCH ACRN_IOEVENTFD_FLAG_DATAMATCH
#define DEASSIGN  ACRN_IOEVENTFD_FLAG_DEASSIGN

static int parse(u32 flags, u64 addr, u32 len, u64 data)
{
	struct acrn_ioeventfd args = {
		.flags = flags, .addr = addr, .len = len, .data = data
	};
	struct doorbell_key key;

	return doorbell_key_parse(&key, &args);
}

static struct doorbell_key key(u32 flags, u64 addr, u32 len, u64 data)
{
	struct acrn_ioeventfd args = {
		.flags = flags, .addr = addr, .len = len, .data = data
	};
	struct doorbell_key key = { 0 };

	if (doorbell_key_parse(&key, &args))
		tap_ok(false, "key %#x %#llx %u %#llx is valid", flags,
		       (unsigned long long)addr, len, (unsigned long long)data);
	return key;
}

static bool collide(struct doorbell_key a, struct doorbell_key b)
{
	bool forth = doorbell_keys_collide(&a, &b);

	if (forth != doorbell_keys_collide(&b, &a))
		tap_ok(false, "collision is symmetric");
	return forth;
}

/* Whether a write rings the doorbell, by the two lookups of the router. */
static bool rings(struct doorbell_key doorbell, u32 type, u64 address, u32 size,
		  u64 value)
{
	struct acrn_access write = {
		.type = type, .address = address, .size = size, .value = value
	};
	struct doorbell_key key;

	doorbell_key_of_write(&key, &write);
	if (doorbell_keys_equal(&key, &doorbell))
		return true;
	doorbell_key_any_data(&key);
	return doorbell_keys_equal(&key, &doorbell);
}

static void test_flags(void)
{
	struct acrn_ioeventfd args = { .addr = 0x1000,
				       .len = 2,
				       .reserved = 1 };
	struct doorbell_key key;
	int bad = 0;

	tap_eq(parse(0, 0x1000, 2, 0), 0, "MMIO");
	tap_eq(parse(PIO, 0x1000, 2, 0), 0, "port");
	tap_eq(parse(PIO | DATAMATCH, 0x1000, 2, 1), 0, "port and data");
	tap_eq(parse(PIO | DATAMATCH | DEASSIGN, 0x1000, 2, 1), 0, "deassign");
	tap_eq(parse(PIO | 0x8, 0x1000, 2, 0), 0, "acrn-dm's ASYNCIO");
	for (int bit = 4; bit < 32; bit++)
		bad += parse(1U << bit, 0x1000, 2, 0) != -EINVAL;
	tap_eq(bad, 0, "each unknown flag is refused");
	tap_eq(doorbell_key_parse(&key, &args), -EINVAL,
	       "reserved must be zero");
}

static void test_lengths(void)
{
	int bad = 0;

	for (u32 len = 0; len < 300; len++) {
		bool mmio = len == 1 || len == 2 || len == 4 || len == 8;
		bool pio = mmio && len != 8;

		bad += parse(0, 0x1000, len, 0) != (mmio ? 0 : -EINVAL);
		bad += parse(PIO, 0x1000, len, 0) != (pio ? 0 : -EINVAL);
	}
	tap_eq(bad, 0, "lengths 1, 2, 4 and, for memory, 8");
	tap_eq(parse(0, 0x1000, 0x80000002, 0), -EINVAL, "a huge length");
}

static void test_ranges(void)
{
	tap_eq(parse(0, ~0ULL, 1, 0), -EINVAL, "wraps with 1 byte");
	tap_eq(parse(0, ~0ULL - 6, 8, 0), -EINVAL, "wraps with 8 bytes");
	tap_eq(parse(0, ~0ULL - 8, 8, 0), 0, "just below the wrap");
	tap_eq(parse(PIO, 0, 1, 0), 0, "port 0");
	tap_eq(parse(PIO, 0xffff, 1, 0), 0, "last port");
	tap_eq(parse(PIO, 0xffff, 2, 0), -EINVAL, "over the last port");
	tap_eq(parse(PIO, 0xfffc, 4, 0), 0, "up to the last port");
	tap_eq(parse(PIO, 0x10000, 1, 0), -EINVAL, "beyond the ports");
	tap_eq(parse(PIO, ~0ULL, 2, 0), -EINVAL, "a port that wraps");
	tap_eq(parse(0, 0x10000, 1, 0), 0, "memory beyond the ports");
}

static void test_data(void)
{
	static const u32 lens[] = { 1, 2, 4 };

	for (int i = 0; i < 3; i++) {
		u64 max = (1ULL << (8 * lens[i])) - 1;

		tap_eq(parse(DATAMATCH, 0x1000, lens[i], max), 0,
		       "greatest data of %u bytes", lens[i]);
		tap_eq(parse(DATAMATCH, 0x1000, lens[i], max + 1), -EINVAL,
		       "data too wide for %u bytes", lens[i]);
		tap_eq(parse(0, 0x1000, lens[i], max + 1), 0,
		       "data that is not to be matched");
	}
	tap_eq(parse(DATAMATCH, 0x1000, 8, ~0ULL), 0, "greatest data");
}

static void test_collisions(void)
{
	struct doorbell_key any = key(PIO, 0x10, 2, 0);
	struct doorbell_key queue0 = key(PIO | DATAMATCH, 0x10, 2, 0);
	struct doorbell_key queue1 = key(PIO | DATAMATCH, 0x10, 2, 1);

	tap_ok(collide(any, any), "any data twice");
	tap_ok(collide(queue1, queue1), "the same data twice");
	tap_ok(!collide(queue0, queue1), "two queues at one address");
	tap_ok(collide(any, queue0) && collide(any, queue1),
	       "any data beside matched data");
	tap_ok(!collide(any, key(0, 0x10, 2, 0)), "port and memory");
	tap_ok(!collide(any, key(PIO, 0x10, 4, 0)), "two lengths");
	tap_ok(!collide(any, key(PIO, 0x11, 2, 0)), "two addresses");
	tap_ok(collide(key(DATAMATCH, 0x10, 8, 1ULL << 63),
		       key(DATAMATCH, 0x10, 8, 1ULL << 63)) &&
		       !collide(key(DATAMATCH, 0x10, 8, 1ULL << 63),
				key(DATAMATCH, 0x10, 8, 0)),
	       "the highest bit counts");
}

static void test_matching(void)
{
	u32 pio = ACRN_IOREQ_TYPE_PORTIO, mmio = ACRN_IOREQ_TYPE_MMIO;
	struct doorbell_key any = key(PIO, 0x10, 2, 0x55);
	struct doorbell_key one = key(PIO | DATAMATCH, 0x10, 2, 1);
	struct doorbell_key zero = key(PIO | DATAMATCH, 0x10, 2, 0);
	struct doorbell_key memory = key(0, 0xfe003000, 2, 0);
	struct doorbell_key wide = key(DATAMATCH, 0x1000, 8, ~0ULL);

	tap_ok(rings(any, pio, 0x10, 2, 0) && rings(any, pio, 0x10, 2, 0xffff),
	       "any data rings");
	tap_ok(rings(one, pio, 0x10, 2, 1), "matching data rings");
	tap_ok(!rings(one, pio, 0x10, 2, 0) && !rings(one, pio, 0x10, 2, 257),
	       "other data does not");
	tap_ok(rings(zero, pio, 0x10, 2, 0) && !rings(zero, pio, 0x10, 2, 1),
	       "data 0 is data, not any data");
	tap_ok(!rings(any, pio, 0x10, 1, 0) && !rings(any, pio, 0x10, 4, 0),
	       "another width does not ring");
	tap_ok(!rings(any, pio, 0x11, 2, 0) && !rings(any, pio, 0xf, 2, 0),
	       "another address does not ring");
	tap_ok(!rings(any, mmio, 0x10, 2, 0), "memory does not ring a port");
	tap_ok(!rings(any, ACRN_IOREQ_TYPE_PCICFG, 0x10, 2, 0),
	       "PCI configuration does not ring a port");
	tap_ok(rings(memory, mmio, 0xfe003000, 2, 3), "memory rings");
	tap_ok(!rings(memory, mmio, 0x1fe003000, 2, 3),
	       "all bits of an address count");
	tap_ok(rings(wide, mmio, 0x1000, 8, ~0ULL) &&
		       !rings(wide, mmio, 0x1000, 8, ~0U),
	       "all 64 bits of data count");
}

int main(void)
{
	test_flags();
	test_lengths();
	test_ranges();
	test_data();
	test_collisions();
	test_matching();
	return tap_done();
}
