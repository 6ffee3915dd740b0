/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For User VMs of a few instructions that take interrupts: their local APIC,
 * and a handler for the one interrupt that there is.
 *
 * To be included by one source file of a program, whose code begins at the
 * label NAME_code and has the handler NAME_handler.
 */
#ifndef IRQ_GUEST_H
#define IRQ_GUEST_H

#include "raw_guest.h"

#define IDT_ADDR   0x2000
#define MSI_ADDR   0xfee00000
#define MSI_VECTOR 0x41

/*
 * irq_guest_set_up NAME: the code begins with it. IDT, stack, local APIC in
 * x2APIC mode.
 * irq_guest_eoi: end of interrupt; takes EAX, ECX and EDX.
 * irq_guest_idt NAME: behind all code.
 */
asm(".macro irq_guest_set_up name\n"
    "	lidt \\name\\()_idt - \\name\\()_code + 0x3000\n"
    "	mov $0x200000, %esp\n"
    "	mov $0x1b, %ecx\n"
    "	mov $0xfee00d00, %eax\n"
    "	xor %edx, %edx\n"
    "	wrmsr\n"
    "	mov $0x80f, %ecx\n"
    "	mov $0x1ff, %eax\n"
    "	wrmsr\n"
    ".endm\n"
    ".macro irq_guest_eoi\n"
    "	mov $0x80b, %ecx\n"
    "	xor %eax, %eax\n"
    "	xor %edx, %edx\n"
    "	wrmsr\n"
    ".endm\n"
    ".macro irq_guest_idt name\n"
    "\\name\\()_idt:\n"
    "	.word 0x42 * 8 - 1\n"
    "	.long 0x2000\n"
    ".endm\n");

/* An interrupt gate for the handler at @offset in the code. */
static inline void irq_guest_set_handler(const struct guest *guest,
					 size_t offset)
{
	/* Offset 15-0, selector, type, offset 31-16 */
	uint64_t gate = 0x8e0000100000 | (CODE_ADDR + offset);

	memcpy(guest->ram + IDT_ADDR + 8 * MSI_VECTOR, &gate, sizeof(gate));
}

#endif /* IRQ_GUEST_H */
