// sources: irqfd/msi.c
// SPDX-License-Identifier: GPL-2.0
/* Checks of the MSI of an irqfd */
#include "irqfd/msi.h"
#include "tap.h"

#define ADDR 0xfee00000ULL

static int check(unsigned long long addr, unsigned long long data)
{
	struct acrn_msi_entry msi = { .msi_addr = addr, .msi_data = data };

	return msi_check(&msi);
}

static void test_address(void)
{
	static const int free_bits[] = { 2, 3, 12, 13, 14, 15, 16, 17, 18, 19 };
	unsigned long long may_flip = 0;
	int bad = 0;

	tap_eq(check(ADDR, 0x41), 0, "to APIC 0");
	tap_eq(check(ADDR | 0xff000, 0x41), 0, "to all APICs");
	tap_eq(check(ADDR | 0xc, 0x41), 0, "logical with redirection hint");
	tap_eq(check(0, 0), -EINVAL, "an MSI-X entry that was never written");
	tap_eq(check(0xfed00000, 0x41), -EINVAL, "below the window");
	tap_eq(check(0xfef00000, 0x41), -EINVAL, "above the window");
	tap_eq(check(0x1fee00000, 0x41), -EINVAL, "beyond 4 GiB");

	for (int i = 0; i < 10; i++)
		may_flip |= 1ULL << free_bits[i];
	for (int bit = 0; bit < 64; bit++) {
		int want = may_flip >> bit & 1 ? 0 : -EINVAL;

		if (check(ADDR ^ 1ULL << bit, 0x41) != want) {
			tap_diag("address bit %d", bit);
			bad++;
		}
	}
	tap_eq(bad, 0, "each fixed bit of the address is looked at");
}

static void test_data(void)
{
	int bad = 0;

	for (int vector = 0; vector < 256; vector++) {
		int want = vector < 16 ? -EINVAL : 0;

		bad += check(ADDR, vector) != want;
		bad += check(ADDR, 0x100 | vector) != want;
	}
	tap_eq(bad, 0, "vectors 16 to 255, fixed and lowest priority");
	tap_eq(check(ADDR, 0x241), -EINVAL, "SMI");
	tap_eq(check(ADDR, 0x341), -EINVAL, "reserved mode 3");
	tap_eq(check(ADDR, 0x441), -EINVAL, "NMI");
	tap_eq(check(ADDR, 0x541), -EINVAL, "INIT");
	tap_eq(check(ADDR, 0x641), -EINVAL, "start-up");
	tap_eq(check(ADDR, 0x700), 0, "ExtINT needs no vector");
	tap_eq(check(ADDR, 0xc041), 0, "trigger mode and level have no effect");
	tap_eq(check(ADDR, 0x100000041), -EINVAL, "data of 33 bits");
}

int main(void)
{
	test_address();
	test_data();
	return tap_done();
}
