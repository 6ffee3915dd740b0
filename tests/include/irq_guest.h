/* SPDX-License-Identifier: GPL-2.0 */
/* For User VMs of a few instructions, of raw_vm.h, that take interrupts. */
#ifndef IRQ_GUEST_H
#define IRQ_GUEST_H

#include <stdint.h>

/*
 * apic_on: switch the local APIC on, in x2APIC mode.
 * apic_eoi: end of interrupt.
 * Both take EAX, ECX and EDX.
 */
asm(".macro apic_on\n"
    "	mov $0x1b, %ecx\n"
    "	mov $0xfee00d00, %eax\n"
    "	xor %edx, %edx\n"
    "	wrmsr\n"
    "	mov $0x80f, %ecx\n"
    "	mov $0x1ff, %eax\n"
    "	wrmsr\n"
    ".endm\n"
    ".macro apic_eoi\n"
    "	mov $0x80b, %ecx\n"
    "	xor %eax, %eax\n"
    "	xor %edx, %edx\n"
    "	wrmsr\n"
    ".endm\n");

/* The interrupt gate, for RAW_IDT, of a handler in the first 64 KiB. */
static inline uint64_t irq_gate(uint16_t handler)
{
	/* Offset 15-0, selector, type, offset 31-16 */
	return 0x8e0000100000 | handler;
}

#endif /* IRQ_GUEST_H */
