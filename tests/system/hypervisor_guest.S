/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Code of the User VM in hypervisor.c, which includes this file: 64-bit code at
 * CODE_ADDR with flat segments and memory mapped one to one. A block is what
 * one entry of the table in hypervisor.c describes. RBX always points to a
 * device at 2 GiB, R14 counts interrupts, and R15 is where the guest continues
 * after an exception.
 */
	.set IDT, 0x2000
	.set AP_FLAG, 0x9f00
	.set AP_PAGE, 0x8000
	.set IOAPIC, 0xfec00000
	.set LAPIC, 0xfee00000
	.set LAPIC_IDS, 0x9f80			/* local APIC ids of both vCPUs */

	.macro BLOCK n
	mov	$\n, %al
	out	%al, $0xe8
	.endm

	/* Report RAX in two halves. Leaves the upper half in RAX. */
	.macro REPORT
	mov	$0x600, %edx
	out	%eax, %dx
	shr	$32, %rax
	mov	$0x604, %edx
	out	%eax, %dx
	.endm

	.macro COUNT
	mov	%r14d, %eax
	mov	$0x620, %edx
	out	%al, %dx
	.endm

	/* Execute @insn and continue behind it even if it faults. */
	.macro TRY insn:vararg
	lea	1f(%rip), %r15
	\insn
1:
	.endm

	/* Write to a port at which hypervisor.c does something. */
	.macro DOORBELL port
	xor	%eax, %eax
	mov	$\port, %edx
	out	%al, %dx
	.endm

	.macro SET_MSR msr, low, high=0
	mov	$\msr, %ecx
	mov	$\low, %eax
	mov	$\high, %edx
	wrmsr
	.endm

	.macro READ_MSR msr
	mov	$\msr, %ecx
	rdmsr
	.endm

	/* Send an IPI in x2APIC mode to the destination in EDX. */
	.macro SEND command
	mov	$0x830, %ecx
	mov	$\command, %eax
	wrmsr
	.endm

	/* Send an IPI in xAPIC mode to an 8-bit destination. */
	.macro XAPIC_SEND dest, command
	movl	$\dest << 24, 0x310(%r12)
	movl	$\command, 0x300(%r12)
	.endm

	.macro GATE vector, handler
	lea	\handler(%rip), %rax
	mov	$IDT + \vector * 16, %edi
	call	set_gate
	.endm

	/* Halt until R14 is @n. */
	.macro HALT_UNTIL n
	cli
1:	cmp	$\n, %r14
	jae	2f
	sti
	hlt
	cli
	jmp	1b
2:	sti
	.endm

	.macro WAIT_FLAG n
1:	pause
	cmpb	$\n, AP_FLAG
	jne	1b
	.endm

	.pushsection .rodata
	.globl	guest_code, guest_code_end, guest_ap, guest_ap_end
	.code64
guest_code:
	mov	$0x80000000, %ebx
	GATE	6, invalid_opcode
	GATE	13, general_protection
	GATE	0x40, count_interrupt
	GATE	0x41, count_interrupt
	GATE	0x43, count_interrupt
	GATE	0x44, level_interrupt
	lidt	idt_pointer(%rip)

	BLOCK	0
	mov	$0x500, %edx
	mov	$0x44332211, %eax
	out	%al, %dx
	out	%ax, %dx
	out	%eax, %dx

	BLOCK	1
	.irp	reg, al, ax, eax
	mov	$0x500, %edx
	mov	$-1, %rax
	in	%dx, %\reg
	REPORT
	.endr

	BLOCK	2
	mov	$0x500, %edx
	mov	$0x5ffd, %esi
	mov	$3, %ecx
	rep outsw
	mov	%rsi, %rax
	REPORT
	mov	%rcx, %rax
	REPORT

	BLOCK	3
	mov	$0x500, %edx
	mov	$0x6ffe, %edi
	mov	$2, %ecx
	rep insl
	mov	0x6ffe, %rax
	REPORT
	mov	$0x500, %edx
	mov	$0x6ff8, %edi
	mov	$2, %ecx
	std
	rep insb
	cld
	mov	%rdi, %rax
	REPORT

	BLOCK	4
	mov	$0x500, %edx
	xor	%ecx, %ecx
	rep outsb
	mov	%rcx, %rax
	REPORT

	BLOCK	5
	movabs	$0x1122334455667788, %rax
	mov	%al, 0x10(%rbx)
	mov	%ah, 0x11(%rbx)
	mov	%ax, 0x12(%rbx)
	mov	%eax, 0x14(%rbx)
	mov	%rax, 0x18(%rbx)
	movb	$-1, 0x20(%rbx)
	movl	$0x87654321, 0x24(%rbx)
	movq	$-0x789abcdf, 0x28(%rbx)
	movabs	%eax, 0x80000030

	BLOCK	6
	mov	$-1, %rax
	mov	(%rbx), %al
	REPORT
	mov	$-1, %rax
	mov	1(%rbx), %ah
	REPORT
	mov	$-1, %rax
	mov	2(%rbx), %ax
	REPORT
	mov	$-1, %rax
	mov	4(%rbx), %eax
	REPORT
	mov	8(%rbx), %rax
	REPORT

	BLOCK	7
	movzbl	(%rbx), %eax
	REPORT
	movzwl	2(%rbx), %eax
	REPORT
	movsbq	(%rbx), %rax
	REPORT
	movswl	2(%rbx), %eax
	REPORT
	movslq	4(%rbx), %rax
	REPORT

	BLOCK	8
	mov	$0x5080, %esi
	mov	$0x80000040, %edi
	mov	$2, %ecx
	rep movsl
	mov	%rdi, %rax
	REPORT
	mov	$0x80000050, %esi
	mov	$0x7100, %edi
	mov	$2, %ecx
	rep movsw
	mov	0x7100, %eax
	REPORT
	movabs	$0x1122334455667788, %rax
	mov	$0x80000060, %edi
	mov	$2, %ecx
	rep stosq
	mov	$0x80000070, %esi
	xor	%eax, %eax
	lodsb
	REPORT

	BLOCK	9
	andl	$0x0f0f0f0f, (%rbx)
	orb	$3, 4(%rbx)
	movabs	$0xf1e2d3c4b5a69788, %rax
	xor	8(%rbx), %rax
	REPORT

	BLOCK	10
	xor	%r14d, %r14d
	cmpl	$0xb5a69788, (%rbx)
	sete	%r14b
	COUNT
	testb	$0x80, 4(%rbx)
	setne	%r14b
	COUNT
	testb	$1, 4(%rbx)
	setne	%r14b
	COUNT

	BLOCK	11
	TRY	mov %eax, 0xffe(%rbx)
	mov	$0x80000ffd, %edi
	TRY	stosl
	mov	$0x1234, %eax
	REPORT

	BLOCK	12
	TRY	lock incl (%rbx)

	BLOCK	13
	TRY	vmcall
	TRY	vmmcall
	xor	%eax, %eax
	TRY	vmrun
	xor	%ecx, %ecx
	xor	%edx, %edx
	TRY	monitor
	mov	$0x9999, %ecx
	TRY	rdmsr
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x1000, %eax			/* SVME */
	TRY	wrmsr
	xor	%ecx, %ecx
	TRY	rdpmc

	BLOCK	14
	mov	%rbx, %r12
	.irp	leaf, 0, 0x40000000, 0x40000001, 1, 0x80000001
	mov	$\leaf, %eax
	mov	$1, %ecx
	cpuid
	.if	\leaf == 0x40000000 || \leaf == 0
	mov	%ebx, %eax
	.endif
	.if	\leaf == 1
	mov	%ecx, %eax
	and	$0x81200000, %eax
	.endif
	.if	\leaf == 0x80000001
	mov	%ecx, %eax
	and	$4, %eax
	.endif
	REPORT
	.endr
	mov	%r12, %rbx

	BLOCK	15
	mov	0x200000, %eax
	REPORT
	movl	$7, 0x200000
	mov	0x200000, %eax
	REPORT

	BLOCK	16
	mov	$0x90000000, %esi
	cmpl	$0, (%rsi)
	setne	%al
	movzbl	%al, %eax
	REPORT
	DOORBELL 0x706
	mov	(%rsi), %eax
	sub	$0xb5a69788, %eax
	REPORT

	BLOCK	17
	mov	$LAPIC, %r12d
	READ_MSR 0x1b
	REPORT
	mov	$0x802, %ecx
	TRY	rdmsr
	xor	%r14d, %r14d
	mov	%rbx, %r13
	mov	LAPIC_IDS, %r8d
	mov	0x20(%r12), %eax
	shr	$24, %eax
	cmp	%eax, %r8d
	sete	%r14b
	COUNT
	mov	$1, %eax
	cpuid
	shr	$24, %ebx
	cmp	%ebx, %r8d
	sete	%r14b
	COUNT
	mov	$0xb, %eax
	xor	%ecx, %ecx
	cpuid
	cmp	%edx, %r8d
	sete	%r14b
	COUNT
	mov	%r13, %rbx

	BLOCK	18
	xor	%r14d, %r14d
	movl	$0x1ff, 0xf0(%r12)
	sti
	XAPIC_SEND 0, 0x44040			/* shorthand */
	nop
	COUNT
	mov	LAPIC_IDS, %eax			/* physical */
	shl	$24, %eax
	mov	%eax, 0x310(%r12)
	movl	$0x4040, 0x300(%r12)
	nop
	COUNT
	movl	$0x02000000, 0xd0(%r12)		/* flat */
	XAPIC_SEND 0x06, 0x4840
	XAPIC_SEND 0x05, 0x4840
	nop
	COUNT
	movl	$0x0fffffff, 0xe0(%r12)		/* cluster 3 */
	movl	$0x31000000, 0xd0(%r12)
	XAPIC_SEND 0x33, 0x4840
	XAPIC_SEND 0x43, 0x4840
	XAPIC_SEND 0x32, 0x4840
	nop
	COUNT
	XAPIC_SEND 0xff, 0x4840			/* broadcast */
	nop
	COUNT

	BLOCK	19
	xor	%r14d, %r14d
	DOORBELL 0x700
	HALT_UNTIL 1
	COUNT
	DOORBELL 0x702
	nop
	COUNT
	movl	$0x50, 0x80(%r12)
	DOORBELL 0x701
	nop
	COUNT
	movl	$0, 0x80(%r12)
	nop
	COUNT
	movl	$0, 0x280(%r12)
	mov	0x280(%r12), %eax
	REPORT
	XAPIC_SEND 0, 0x4400f			/* the vector of an exception */
	movl	$0, 0x280(%r12)
	mov	0x280(%r12), %eax
	REPORT

	BLOCK	20
	SET_MSR	0x1b, 0xfee00d00
	READ_MSR 0x1b
	REPORT
	SET_MSR	0x1b, 0xfee00900		/* xAPIC mode: has no effect */
	READ_MSR 0x1b
	REPORT
	xor	%r14d, %r14d
	READ_MSR 0x802
	cmp	%eax, LAPIC_IDS
	sete	%r14b
	COUNT
	READ_MSR 0x80d
	mov	LAPIC_IDS, %ecx
	mov	%ecx, %edi
	and	$15, %ecx
	mov	$1, %esi
	shl	%cl, %esi
	shr	$4, %edi
	shl	$16, %edi
	or	%edi, %esi
	cmp	%eax, %esi
	sete	%r14b
	COUNT
	mov	0x20(%r12), %eax
	REPORT
	mov	$0x80b, %ecx			/* EOI takes only 0 */
	mov	$1, %eax
	xor	%edx, %edx
	TRY	wrmsr

	BLOCK	21
	xor	%r14d, %r14d
	SET_MSR	0x80f, 0x1ff
	sti
	SET_MSR	0x830, 0x44040
	SET_MSR	0x83f, 0x40
	nop
	COUNT

	BLOCK	22
	xor	%r14d, %r14d
	SET_MSR	0x808, 0x50
	SET_MSR	0x83f, 0x40
	COUNT
	SET_MSR	0x808, 0
	nop
	COUNT
	mov	$5, %eax
	mov	%rax, %cr8
	SET_MSR	0x83f, 0x40
	COUNT
	xor	%eax, %eax
	mov	%rax, %cr8
	nop
	COUNT

	BLOCK	23
	xor	%r14d, %r14d
	SET_MSR	0x832, 0x40043			/* TSC deadline */
	rdtsc
	add	$1000000, %eax
	adc	$0, %edx
	mov	$0x6e0, %ecx
	wrmsr
	HALT_UNTIL 1
	COUNT
	SET_MSR	0x6e0, 0xffffffff, 0xffffffff
	SET_MSR	0x6e0, 0
	COUNT
	SET_MSR	0x832, 0x43			/* one shot */
	SET_MSR	0x83e, 0xb
	SET_MSR	0x838, 1000000
	HALT_UNTIL 2
	COUNT
	SET_MSR	0x832, 0x20043			/* periodic */
	SET_MSR	0x838, 200000000
	HALT_UNTIL 5
	SET_MSR	0x832, 0x10000
	COUNT

	BLOCK	24
	xor	%r14d, %r14d
	rdtsc
	mov	%edx, %r8d
	SET_MSR	0x3b, 0, 0x1000
	rdtsc
	mov	%edx, %eax
	sub	%r8d, %eax
	shr	$12, %eax
	REPORT
	SET_MSR	0x832, 0x40043			/* TSC deadline */
	rdtsc
	add	$1000000, %eax
	adc	$0, %edx
	mov	$0x6e0, %ecx
	wrmsr
	HALT_UNTIL 1
	SET_MSR	0x832, 0x10000
	COUNT
	READ_MSR 0x3b
	mov	%edx, %eax
	REPORT
	SET_MSR	0x3b, 0

	BLOCK	25
	xor	%r14d, %r14d
	DOORBELL 0x700
	HALT_UNTIL 1
	COUNT
	DOORBELL 0x700
1:	pause
	cmp	$2, %r14
	jne	1b
	COUNT
	mov	$0x701, %edx
	in	%dx, %al
	nop
	COUNT

	BLOCK	26
	xor	%r14d, %r14d
	mov	$IOAPIC, %r12
	movl	$0x1b, (%r12)
	mov	LAPIC_IDS, %eax
	shl	$24, %eax
	mov	%eax, 0x10(%r12)
	movl	$0x1a, (%r12)
	movl	$0x40, 0x10(%r12)
	DOORBELL 0x703
	nop
	COUNT

	BLOCK	27
	xor	%r14d, %r14d
	movl	$0x8044, 0x10(%r12)
	DOORBELL 0x704
	HALT_UNTIL 3
	COUNT

	BLOCK	28
	movw	$ap_nmi - guest_ap, 2 * 4
	movw	$AP_PAGE >> 4, 2 * 4 + 2
	movw	$ap_fixed - guest_ap, 0x42 * 4
	movw	$AP_PAGE >> 4, 0x42 * 4 + 2
	mov	LAPIC_IDS + 4, %edx
	SEND	0x4500
	SEND	0x4600 + AP_PAGE >> 12
	SEND	0x4600 + AP_PAGE >> 12
	WAIT_FLAG 1
	SEND	0x4400
	WAIT_FLAG 2
	SEND	0x4042
	WAIT_FLAG 3
	SEND	0x4500
	SEND	0x4600 + AP_PAGE >> 12
	WAIT_FLAG 1
	mov	$1, %r14d
	COUNT

	/* Report the end, then cause a triple fault. */
	out	%al, $0xff
	lidt	no_idt(%rip)
	int3

/* Make the gate at RDI for the handler at RAX. */
set_gate:
	mov	%ax, (%rdi)
	movl	$0x8e000008, 2(%rdi)
	movb	$0, 4(%rdi)
	shr	$16, %rax
	mov	%ax, 6(%rdi)
	movq	$0, 8(%rdi)
	ret

general_protection:
	add	$8, %rsp			/* error code */
	push	%rax
	mov	$13, %al
	jmp	1f
invalid_opcode:
	push	%rax
	mov	$6, %al
1:	push	%rdx
	mov	$0x610, %edx
	out	%al, %dx
	pop	%rdx
	pop	%rax
	mov	%r15, (%rsp)
	iretq

/* The third interrupt lowers the line. */
level_interrupt:
	cmp	$2, %r14
	jne	count_interrupt
	push	%rdx
	DOORBELL 0x705
	pop	%rdx
count_interrupt:
	inc	%r14
	push	%rax
	push	%rcx
	push	%rdx
	READ_MSR 0x1b
	test	$0x400, %eax			/* x2APIC mode? */
	jz	1f
	SET_MSR	0x80b, 0
	jmp	2f
1:	mov	$LAPIC, %ecx
	movl	$0, 0xb0(%rcx)
2:	pop	%rdx
	pop	%rcx
	pop	%rax
	iretq

	.balign	8
idt_pointer:
	.word	0xfff
	.quad	IDT
no_idt:
	.word	0
	.quad	0
guest_code_end:

/* Code of the second vCPU, in real mode at AP_PAGE. */
	.code16
guest_ap:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$0x9e00, %sp
	mov	$0x1b, %ecx			/* INIT keeps the mode */
	rdmsr
	mov	$0x630, %dx
	out	%eax, %dx
	mov	$0xfee00c00, %eax
	xor	%edx, %edx
	wrmsr
	mov	$0x80f, %ecx
	mov	$0x1ff, %eax
	xor	%edx, %edx
	wrmsr
	movb	$1, AP_FLAG
1:	sti
	hlt
	jmp	1b
ap_nmi:
	mov	$0x631, %dx
	mov	$2, %al
	out	%al, %dx
	movb	$2, AP_FLAG
	iret
ap_fixed:
	mov	$0x632, %dx
	mov	$0x42, %al
	out	%al, %dx
	mov	$0x80b, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	movb	$3, AP_FLAG
	iret
guest_ap_end:
	.code64
	.popsection
