/* SPDX-License-Identifier: GPL-2.0 */
/* Entry into guests, switch between stacks, entry of interrupts. */

	.text

/*
 * void svm_run(u64 vmcb, u64 regs[16])
 *
 * Run the guest until its next exit. @regs is indexed by register encoding; RAX
 * and RSP are passed in the VMCB. The global interrupt flag is clear before and
 * after. The interrupt flag is set while the guest runs, because only then does
 * a physical interrupt that the VMCB intercepts end guest mode.
 */
	.globl svm_run
svm_run:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rsi
	mov	%rdi, %rax
	mov	1*8(%rsi), %rcx
	mov	2*8(%rsi), %rdx
	mov	3*8(%rsi), %rbx
	mov	5*8(%rsi), %rbp
	mov	7*8(%rsi), %rdi
	mov	8*8(%rsi), %r8
	mov	9*8(%rsi), %r9
	mov	10*8(%rsi), %r10
	mov	11*8(%rsi), %r11
	mov	12*8(%rsi), %r12
	mov	13*8(%rsi), %r13
	mov	14*8(%rsi), %r14
	mov	15*8(%rsi), %r15
	mov	6*8(%rsi), %rsi
	sti
	vmload	%rax
	vmrun	%rax
	vmsave	%rax
	cli
	mov	(%rsp), %rax
	mov	%rcx, 1*8(%rax)
	mov	%rdx, 2*8(%rax)
	mov	%rbx, 3*8(%rax)
	mov	%rbp, 5*8(%rax)
	mov	%rsi, 6*8(%rax)
	mov	%rdi, 7*8(%rax)
	mov	%r8, 8*8(%rax)
	mov	%r9, 9*8(%rax)
	mov	%r10, 10*8(%rax)
	mov	%r11, 11*8(%rax)
	mov	%r12, 12*8(%rax)
	mov	%r13, 13*8(%rax)
	mov	%r14, 14*8(%rax)
	mov	%r15, 15*8(%rax)
	pop	%rsi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	cld
	ret

/*
 * void switch_stack(u64 *save_sp, u64 load_sp)
 *
 * Save the callee-saved registers and the stack pointer, and continue on the
 * stack @load_sp, where an earlier switch_stack() stopped. A later
 * switch_stack() to *@save_sp returns here. The first stack of a vCPU's thread
 * is made up by init_thread() in vcpu.c.
 */
	.globl switch_stack
switch_stack:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, (%rdi)
	mov	%rsi, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

/*
 * One 16-byte stub per vector, which ends up in interrupt_handle(frame). For
 * vectors 8, 10 to 14, 17, 21, 29 and 30 the processor pushes an error code;
 * for the others the stub pushes 0.
 */
#define VECTORS_WITH_ERROR 0x60227d00

	.balign 16
	.globl interrupt_stubs
interrupt_stubs:
	vector = 0
	.rept	256
	.balign	16
	.if	vector >= 32 || !((VECTORS_WITH_ERROR >> (vector & 31)) & 1)
	push	$0
	.endif
	push	$vector
	jmp	interrupt_common
	vector = vector + 1
	.endr

interrupt_common:
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	cld
	mov	%rsp, %rdi
	call	interrupt_handle
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
	add	$16, %rsp
	iretq
