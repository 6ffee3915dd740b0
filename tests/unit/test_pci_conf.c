// sources: hsm/pci_conf.c
// SPDX-License-Identifier: GPL-2.0
/* PCI configuration accesses through the ports 0xCF8 and 0xCFC. */
#include "hsm/pci_conf.h"
#include "tap.h"

#define ENABLE 0x80000000U
#define ONES   0xffffffffU

static const char *const names[] = {
	[ACRN_PCI_CONF_PASS] = "passed on",
	[ACRN_PCI_CONF_DONE] = "done",
	[ACRN_PCI_CONF_REGISTER] = "a register",
};

/* Address register of a VM, and the configuration register last accessed */
static u32 address;
static struct acrn_pci_register reg;

static enum acrn_pci_conf_result access_port(u64 port, u32 size, bool write,
					     u64 *value)
{
	struct acrn_access access = { .type = ACRN_IOREQ_TYPE_PORTIO,
				      .size = size,
				      .address = port,
				      .value = *value };
	enum acrn_pci_conf_result result;

	result = acrn_pci_conf_access(&address, &access, write, &reg);
	*value = access.value;
	return result;
}

static void expect(u64 port, u32 size, bool write,
		   enum acrn_pci_conf_result want)
{
	u64 value = 0x12345678;
	enum acrn_pci_conf_result got = access_port(port, size, write, &value);

	tap_ok(got == want, "%s of %u bytes at %#llx is %s",
	       write ? "write" : "read", size, (unsigned long long)port,
	       names[want]);
	if (got != want)
		tap_diag("it is %s", names[got]);
}

static u32 read_port(u64 port, u32 size)
{
	u64 value = 0;

	return access_port(port, size, false, &value) == ACRN_PCI_CONF_DONE
		       ? (u32)value
		       : 0xbad;
}

static void set_address(u32 value)
{
	u64 v = value;

	access_port(0xcf8, 4, true, &v);
}

static void test_address_register(void)
{
	set_address(ENABLE | 0x123458);
	tap_eq(address, ENABLE | 0x123458, "a write sets the address");
	tap_eq(read_port(0xcf8, 4), ENABLE | 0x123458, "a read returns it");

	expect(0xcf8, 1, true, ACRN_PCI_CONF_PASS);
	expect(0xcf8, 2, true, ACRN_PCI_CONF_PASS);
	expect(0xcf9, 1, true, ACRN_PCI_CONF_PASS);
	expect(0xcfa, 2, true, ACRN_PCI_CONF_PASS);
	expect(0xcfb, 4, true, ACRN_PCI_CONF_PASS);
	expect(0xcf8, 1, false, ACRN_PCI_CONF_PASS);
	expect(0xcf8, 2, false, ACRN_PCI_CONF_PASS);
	expect(0xcf8, 0, true, ACRN_PCI_CONF_PASS);
	expect(0xcf8, 8, true, ACRN_PCI_CONF_PASS);
	tap_eq(address, ENABLE | 0x123458, "none of these changes the address");
}

static void test_data_ports(void)
{
	static const u32 sizes[] = { 1, 2, 4 };

	set_address(ENABLE | 0x40);
	for (u32 offset = 0; offset < 4; offset++) {
		for (int i = 0; i < 3; i++) {
			bool fits = offset + sizes[i] <= 4;

			reg.reg = ~0U;
			expect(0xcfc + offset, sizes[i], i & 1,
			       fits ? ACRN_PCI_CONF_REGISTER
				    : ACRN_PCI_CONF_DONE);
			if (fits)
				tap_eq(reg.reg, 0x40 + offset, "at its offset");
		}
	}
	tap_eq(read_port(0xcff, 2), ONES,
	       "beyond the data ports reads as ones");

	expect(0xcfc, 3, false, ACRN_PCI_CONF_PASS);
	expect(0xcfc, 8, false, ACRN_PCI_CONF_PASS);
	expect(0xcfc, 0, false, ACRN_PCI_CONF_PASS);
	expect(0xd00, 4, false, ACRN_PCI_CONF_PASS);
	expect(0xcf7, 1, false, ACRN_PCI_CONF_PASS);
	expect(0x100000cfcULL, 4, false, ACRN_PCI_CONF_PASS);
}

static void test_not_enabled(void)
{
	set_address(0x40);
	expect(0xcfc, 4, true, ACRN_PCI_CONF_DONE);
	tap_eq(read_port(0xcfc, 4), ONES, "not enabled, a read gives ones");
	tap_eq(read_port(0xcf8, 4), 0x40, "and the address is still there");
}

static void expect_register(u32 value, u32 bus, u32 dev, u32 func, u32 offset)
{
	u64 v = 0;

	set_address(value);
	access_port(0xcfc, 4, false, &v);
	if (!tap_ok(reg.bus == bus && reg.dev == dev && reg.func == func &&
			    reg.reg == offset,
		    "%#x is %02x:%02x.%x register %#x", value, bus, dev, func,
		    offset))
		tap_diag("got %02x:%02x.%x register %#x", reg.bus, reg.dev,
			 reg.func, reg.reg);
}

static void test_decoding(void)
{
	expect_register(ENABLE, 0, 0, 0, 0);
	expect_register(ENABLE | 0xff << 16, 0xff, 0, 0, 0);
	expect_register(ENABLE | 0x1f << 11, 0, 0x1f, 0, 0);
	expect_register(ENABLE | 7 << 8, 0, 0, 7, 0);
	expect_register(ENABLE | 0xfc, 0, 0, 0, 0xfc);
	expect_register(ENABLE | 3, 0, 0, 0, 0);
	expect_register(ENABLE | 0xf << 24, 0, 0, 0, 0xf00);
	expect_register(ENABLE | 0x7 << 28, 0, 0, 0, 0);
	expect_register(ONES, 0xff, 0x1f, 7, 0xffc);
}

static void test_memory(void)
{
	struct acrn_access access = { .type = ACRN_IOREQ_TYPE_MMIO,
				      .size = 4,
				      .address = 0xcf8,
				      .value = 0 };

	set_address(ENABLE);
	tap_ok(acrn_pci_conf_access(&address, &access, true, &reg) ==
		       ACRN_PCI_CONF_PASS,
	       "memory at the address of the ports is passed on");
	tap_eq(address, ENABLE, "and leaves the address alone");
}

int main(void)
{
	test_address_register();
	test_data_ports();
	test_not_enabled();
	test_decoding();
	test_memory();
	return tap_done();
}
