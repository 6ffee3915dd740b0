/* SPDX-License-Identifier: GPL-2.0 */
/* The serial port COM1 on standard input and output. */
#ifndef DM_CONSOLE_H
#define DM_CONSOLE_H

/* COM1 in dsdt.asl */
#define CONSOLE_PORT 0x3f8
#define CONSOLE_GSI  4

struct vm;

int console_create(struct vm *vm);

#endif /* DM_CONSOLE_H */
