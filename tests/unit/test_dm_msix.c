// sources: dm/bus/msix.c
// SPDX-License-Identifier: GPL-2.0
/* MSI-X table, masks and pending bits of the device model. */
#include <stdint.h>

#include "dm/bus/msix.h"
#include "tap.h"

#define VECTORS 3
#define ADDR(v) (0xfee00000 + 0x1000 * (v))
#define DATA(v) (0x40 + (v))

static struct msix msix;
static struct acrn_msi_entry last;
static unsigned int injected, changes;
static uint64_t elsewhere;

static void inject(void *opaque, const struct acrn_msi_entry *msi)
{
	tap_ok(opaque == &msix, "the owner injects");
	last = *msi;
	injected++;
}

static void changed(void *opaque, unsigned int vector)
{
	(void)opaque, (void)vector;
	changes++;
}

static bool pending(void *opaque, unsigned int vector)
{
	(void)opaque;
	return elsewhere & 1 << vector;
}

static const struct msix_ops ops = {
	.inject = inject,
	.changed = changed,
	.pending = pending,
};

static void write_entry(unsigned int vector, bool mask)
{
	msix_table_write(&msix, 16 * vector, 4, ADDR(vector));
	msix_table_write(&msix, 16 * vector + 4, 4, 0);
	msix_table_write(&msix, 16 * vector + 8, 4, DATA(vector));
	msix_table_write(&msix, 16 * vector + 12, 4, mask);
}

static void table(void)
{
	msix_init(&msix, VECTORS, &ops, &msix);
	tap_eq(msix_table_read(&msix, 12, 4), 1, "entries start masked");
	write_entry(1, false);
	tap_eq(msix_table_read(&msix, 16, 4), ADDR(1), "address");
	tap_eq(msix_table_read(&msix, 24, 8), DATA(1), "data and control");
	msix_table_write(&msix, 16, 8, 0x1122334455667788);
	tap_eq(msix_table_read(&msix, 16, 8), 0x1122334455667788,
	       "eight bytes at once");
	msix_table_write(&msix, 28, 4, 0xfffffffe);
	tap_eq(msix_table_read(&msix, 28, 4), 0, "reserved bits stay 0");
	tap_eq(changes, 6, "each write is told");

	tap_eq(msix_table_read(&msix, 16, 2), UINT64_MAX, "no two bytes");
	tap_eq(msix_table_read(&msix, 18, 4), UINT64_MAX, "no unaligned read");
	tap_eq(msix_table_read(&msix, 20, 8), UINT64_MAX,
	       "no unaligned eight bytes");
	tap_eq(msix_table_read(&msix, 16 * VECTORS, 4), UINT64_MAX,
	       "nothing behind the table");
	tap_eq(msix_table_read(&msix, 16 * VECTORS - 4, 8), UINT64_MAX,
	       "nothing across its end");
	msix_table_write(&msix, 16 * VECTORS, 4, 1);
	msix_table_write(&msix, UINT64_MAX - 3, 4, 1);
	tap_eq(changes, 6, "writes there are nothing");
	msix_deinit(&msix);
}

static void masks(void)
{
	struct acrn_msi_entry msi;

	msix_init(&msix, VECTORS, &ops, &msix);
	injected = 0;
	write_entry(0, false);
	tap_ok(!msix_message(&msix, 0, &msi), "disabled: no message");
	msix_raise(&msix, 0);
	tap_eq(injected, 0, "disabled: not sent");
	msix_control(&msix, true, true);
	tap_eq(injected, 0, "function masked: not sent");
	tap_eq(msix_pba_read(&msix, 0, 8), 1, "but pending");
	msix_control(&msix, true, false);
	tap_eq(injected, 1, "unmasked: sent");
	tap_eq(last.msi_addr, ADDR(0), "its address");
	tap_eq(last.msi_data, DATA(0), "its data");
	tap_eq(msix_pba_read(&msix, 0, 8), 0, "no longer pending");

	write_entry(0, true);
	msix_raise(&msix, 0);
	msix_raise(&msix, 0);
	tap_eq(injected, 1, "vector masked: not sent");
	tap_ok(!msix_message(&msix, 0, &msi), "vector masked: no message");
	msix_table_write(&msix, 0, 4, ADDR(2));
	write_entry(0, false);
	tap_eq(injected, 2, "sent once when unmasked");
	msix_raise(&msix, 0);
	tap_eq(injected, 3, "sent at once");
	tap_ok(msix_message(&msix, 0, &msi) && msi.msi_data == DATA(0),
	       "the message");
	msix_deinit(&msix);
}

static void edges(void)
{
	struct acrn_msi_entry msi;

	msix_init(&msix, VECTORS, &ops, &msix);
	injected = 0;
	msix_control(&msix, true, false);
	msix_raise(&msix, 0xffff);
	msix_raise(&msix, VECTORS);
	tap_eq(msix_pba_read(&msix, 0, 8), 0, "no such vector");
	tap_ok(!msix_message(&msix, 0xffff, &msi), "and no message");

	elsewhere = 4;
	tap_eq(msix_pba_read(&msix, 0, 4), 4, "pending elsewhere");
	tap_eq(msix_pba_read(&msix, 4, 8), UINT64_MAX, "nothing behind it");
	elsewhere = 0;

	msix_raise(&msix, 1);
	msix_clear_pending(&msix);
	write_entry(1, false);
	tap_eq(injected, 0, "a device reset forgets what is pending");
	msix_reset(&msix);
	tap_ok(!msix_message(&msix, 1, &msi), "a reset masks");
	msix_deinit(&msix);
}

int main(void)
{
	table();
	masks();
	edges();
	return tap_done();
}
