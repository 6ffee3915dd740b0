/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the User VM of Linux' samples/acrn runs: 16-bit code at 0, with nothing
 * set up but CS. The sample comes without any. main.c knows what to expect.
 */
	.code16
	.text
	mov	$0x3f8, %dx
	mov	$0x48, %al			/* "Hi" */
	out	%al, %dx
	mov	$0x69, %al
	out	%al, %dx
	mov	$0x3fd, %dx
	in	%dx, %al
	mov	$0x1f0, %dx
	out	%ax, %dx
	in	%dx, %ax
	mov	$0x510, %dx
	out	%eax, %dx
	in	%dx, %eax
	cli
1:	hlt
	jmp	1b
