/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The thread that handles the I/O requests of all vCPUs. The main thread starts
 * and stops it.
 */
#ifndef DM_IOREQ_H
#define DM_IOREQ_H

struct vm;

int ioreq_start(struct vm *vm);
void ioreq_stop(struct vm *vm);

#endif /* DM_IOREQ_H */
