/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Code for the User VM of Linux' samples/acrn, which comes without any: 16-bit
 * code at address 0, with only CS set up. main.c has the requests that it
 * makes.
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
