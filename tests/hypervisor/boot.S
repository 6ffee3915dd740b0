/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Entry of the hypervisor: from the multiboot loader on the first CPU to
 * hv_main(), from the start-up IPI on the others to ap_main(). Both are called
 * in 64-bit mode with the first 512 GiB identity-mapped in 1 GiB pages, a stack
 * per CPU, and SVM switched on.
 */
#include "cpu.h"

#define MULTIBOOT_MAGIC	0x1badb002
#define MULTIBOOT_FLAGS	0x3		/* page-aligned modules, memory map */

#define CR0_PE_WP_PG	0x80010001
#define CR0_EM_TS	0x0000000c
#define CR4_PAE_SSE	0x00000620	/* PAE, OSFXSR, OSXMMEXCPT */
#define EFER		0xc0000080
#define EFER_BITS	0x00001900	/* LME, NXE, SVME */
#define PTE_TABLE	0x3
#define PTE_HUGE	0x83
#define PDPT_ENTRIES	512

#define CODE64_SEL	0x08
#define DATA_SEL	0x10
#define CODE32_SEL	0x18

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS
	.long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.text
	.code32
	.globl boot_start
boot_start:
	cli
	mov	%ebx, %ebp			/* multiboot information */

	/* pml4[0] -> pdpt, pdpt[n] = n GiB */
	mov	$(pdpt + PTE_TABLE), %eax
	mov	%eax, pml4
	xor	%ecx, %ecx
1:	mov	%ecx, %eax
	shl	$30, %eax
	or	$PTE_HUGE, %eax
	mov	%eax, pdpt(, %ecx, 8)
	mov	%ecx, %eax
	shr	$2, %eax
	mov	%eax, pdpt + 4(, %ecx, 8)
	inc	%ecx
	cmp	$PDPT_ENTRIES, %ecx
	jne	1b

	lgdt	gdt_pointer
	mov	$bsp_start64, %esi
	jmp	enter_long_mode

/* Switch on paging and SVM and jump to %esi in 64-bit mode. Keeps %ebp. */
enter_long_mode:
	mov	%cr4, %eax
	or	$CR4_PAE_SSE, %eax
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$EFER, %ecx
	rdmsr
	or	$EFER_BITS, %eax
	wrmsr
	mov	%cr0, %eax
	and	$~CR0_EM_TS, %eax
	or	$CR0_PE_WP_PG, %eax
	mov	%eax, %cr0
	ljmp	$CODE64_SEL, $1f

	.code64
1:	mov	$DATA_SEL, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%esi, %esi
	jmp	*%rsi

bsp_start64:
	mov	$(pcpu_stacks + STACK_SIZE), %rsp
	mov	%ebp, %edi
	call	hv_main

ap_start64:
	mov	$1, %eax
	cpuid
	shr	$24, %ebx			/* local APIC id */
	cmp	$MAX_PCPUS, %ebx
	jae	2f
	lea	1(%rbx), %rax
	imul	$STACK_SIZE, %rax, %rax
	lea	pcpu_stacks(%rax), %rsp
	mov	%ebx, %edi
	call	ap_main
2:	cli
	hlt
	jmp	2b

/*
 * smp_init() copies this code to AP_TRAMPOLINE, where a start-up IPI makes a
 * CPU begin in real mode. The target of the far jump is a linear address, so
 * the 32-bit code runs where it was linked and is not copied.
 */
	.code16
	.globl ap_trampoline, ap_trampoline_end
ap_trampoline:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	AP_TRAMPOLINE + (ap_gdt_pointer - ap_trampoline)
	mov	%cr0, %eax
	or	$1, %eax
	mov	%eax, %cr0
	ljmpl	$CODE32_SEL, $ap_start32
	.balign 4
ap_gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt
ap_trampoline_end:

	.code32
ap_start32:
	mov	$DATA_SEL, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$ap_start64, %esi
	jmp	enter_long_mode

	.data
	.balign 8
gdt:
	.quad	0
	.quad	0x00af9b000000ffff		/* 64-bit code */
	.quad	0x00cf93000000ffff		/* data */
	.quad	0x00cf9b000000ffff		/* 32-bit code */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt

	.bss
	.balign 4096
pml4:	.skip	4096
pdpt:	.skip	4096

	.balign STACK_SIZE
	.globl pcpu_stacks
pcpu_stacks:
	.skip	MAX_PCPUS * STACK_SIZE
