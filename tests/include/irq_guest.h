/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Assembler macros for User VMs that run a few instructions and take interrupts
 * or have more than one vCPU.
 */
#ifndef IRQ_GUEST_H
#define IRQ_GUEST_H

#include <stdint.h>

/*
 * Macros, which all change EAX, ECX and EDX:
 *
 *  - apic_on: enable the local APIC of the first vCPU, in x2APIC mode
 *
 *  - apic_start_others page: start all other vCPUs, in real mode, at the
 *    beginning of the page with this number; after apic_on
 *
 *  - apic_eoi: report the end of an interrupt to the local APIC
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
    ".macro apic_start_others page\n"
    "	mov $0x830, %ecx\n" /* interrupt command register */
    "	xor %edx, %edx\n"
    "	mov $0xc4500, %eax\n" /* INIT to all others */
    "	wrmsr\n"
    "	mov $(0xc4600 + \\page), %eax\n" /* start-up, which is sent twice */
    "	wrmsr\n"
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
