// SPDX-License-Identifier: GPL-2.0
#include <acrn_hypercall.h>
#include <linux/errno.h>

#include "lapic.h"
#include "mmio.h"
#include "vcpu.h"
#include "vioapic.h"

#define REG_SELECT 0x00
#define REG_WINDOW 0x10

#define INDEX_VERSION 0x01
#define INDEX_TABLE   0x10
#define VERSION	      0x11

#define ENTRY_VECTOR	 0xffU
#define ENTRY_MODE	 0x700U
#define ENTRY_LOGICAL	 BIT(11)
#define ENTRY_ACTIVE_LOW BIT(13)
#define ENTRY_REMOTE_IRR BIT(14)
#define ENTRY_LEVEL	 BIT(15)
#define ENTRY_MASKED	 BIT(16)
#define ENTRY_DEST_SHIFT 56
/* All but delivery status and remote IRR, read-only, and bits 17 to 55 */
#define ENTRY_WRITABLE (0xff0000000001afffUL)

void vioapic_reset(struct vm *vm)
{
	vm->ioapic = (struct vioapic){};
	for (u32 i = 0; i < VIOAPIC_PINS; i++)
		vm->ioapic.entries[i] = ENTRY_MASKED;
}

static bool line_asserted(const struct vioapic *ioapic, u32 pin)
{
	bool high = ioapic->lines & BIT(pin);

	return high != !!(ioapic->entries[pin] & ENTRY_ACTIVE_LOW);
}

static void deliver(struct vm *vm, u32 pin)
{
	u64 *entry = &vm->ioapic.entries[pin];
	const struct interrupt_message message = {
		.destination = *entry >> ENTRY_DEST_SHIFT,
		.logical = *entry & ENTRY_LOGICAL,
		.mode = *entry & ENTRY_MODE,
		.vector = *entry & ENTRY_VECTOR,
		.level = *entry & ENTRY_LEVEL,
	};

	if (message.level)
		*entry |= ENTRY_REMOTE_IRR;
	vlapic_deliver(vm, &message);
}

/*
 * Deliver the interrupt of a level-triggered pin whose line is asserted, unless
 * the one before has not been ended.
 */
static void check_level(struct vm *vm, u32 pin)
{
	u64 entry = vm->ioapic.entries[pin];

	if ((entry & ENTRY_LEVEL) && line_asserted(&vm->ioapic, pin) &&
	    !(entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)))
		deliver(vm, pin);
}

static void set_level(struct vm *vm, u32 pin, bool high)
{
	struct vioapic *ioapic = &vm->ioapic;
	bool was_asserted = line_asserted(ioapic, pin);
	u64 entry = ioapic->entries[pin];

	if (high)
		ioapic->lines |= BIT(pin);
	else
		ioapic->lines &= ~BIT(pin);
	if (entry & ENTRY_LEVEL)
		check_level(vm, pin);
	else if (!was_asserted && line_asserted(ioapic, pin) &&
		 !(entry & ENTRY_MASKED))
		deliver(vm, pin);
}

int vioapic_set_line(struct vm *vm, u32 gsi, u32 op)
{
	if (gsi >= VIOAPIC_PINS)
		return -EPERM;
	switch (op) {
	case ACRN_IRQLINE_SET_HIGH:
		set_level(vm, gsi, true);
		return 0;
	case ACRN_IRQLINE_SET_LOW:
		set_level(vm, gsi, false);
		return 0;
	case ACRN_IRQLINE_RISING_PULSE:
		set_level(vm, gsi, true);
		set_level(vm, gsi, false);
		return 0;
	case ACRN_IRQLINE_FALLING_PULSE:
		set_level(vm, gsi, false);
		set_level(vm, gsi, true);
		return 0;
	default:
		return 0;
	}
}

void vioapic_eoi(struct vm *vm, u8 vector)
{
	for (u32 pin = 0; pin < VIOAPIC_PINS; pin++) {
		u64 *entry = &vm->ioapic.entries[pin];

		if (!(*entry & ENTRY_REMOTE_IRR) ||
		    (*entry & ENTRY_VECTOR) != vector)
			continue;
		*entry &= ~ENTRY_REMOTE_IRR;
		check_level(vm, pin);
	}
}

static u32 read_window(const struct vioapic *ioapic)
{
	u32 index = ioapic->select - INDEX_TABLE;

	if (ioapic->select == INDEX_VERSION)
		return VERSION | (VIOAPIC_PINS - 1) << 16;
	if (ioapic->select < INDEX_TABLE || index >= VIOAPIC_PINS * 2)
		return 0; /* the id register among others */
	return ioapic->entries[index / 2] >> (index % 2 * 32);
}

static void write_window(struct vm *vm, u32 value)
{
	u32 index = vm->ioapic.select - INDEX_TABLE, shift = index % 2 * 32;
	u64 writable = ENTRY_WRITABLE & 0xffffffffUL << shift;
	u64 *entry;

	if (vm->ioapic.select < INDEX_TABLE || index >= VIOAPIC_PINS * 2)
		return;
	entry = &vm->ioapic.entries[index / 2];
	*entry = (*entry & ~writable) | ((u64)value << shift & writable);
	/* Remote IRR means nothing for an edge-triggered pin. */
	if (!(*entry & ENTRY_LEVEL))
		*entry &= ~ENTRY_REMOTE_IRR;
	check_level(vm, index / 2);
}

static u32 read_register(const struct vioapic *ioapic, u32 reg)
{
	switch (reg) {
	case REG_SELECT:
		return ioapic->select;
	case REG_WINDOW:
		return read_window(ioapic);
	default:
		return 0;
	}
}

static void write_register(struct vm *vm, u32 reg, u32 value)
{
	if (reg == REG_SELECT)
		vm->ioapic.select = value & 0xff;
	else if (reg == REG_WINDOW)
		write_window(vm, value);
}

void vioapic_access(struct vm *vm, struct mmio_access *access)
{
	u32 reg = access->gpa - VIOAPIC_BASE;

	/* The registers are accessed in 4 bytes only. */
	if (access->size != 4)
		return;
	spin_lock(&vm->lock);
	if (access->write)
		write_register(vm, reg, access->value);
	else
		access->value = read_register(&vm->ioapic, reg);
	spin_unlock(&vm->lock);
}
