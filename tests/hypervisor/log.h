/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Lines on the debug console, QEMU's -debugcon. The serial ports belong to the
 * Service VM.
 */
#ifndef HV_LOG_H
#define HV_LOG_H

#include "types.h"

/**
 * hv_log() - Write one line
 * @fmt: Knows %s, %c, %u, %d, %x, %llu, %lld and %llx, without widths; the
 *	 newline is added
 *
 * Any context: takes the log's own lock and no other.
 */
void hv_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * hv_log_limited() - Write one line that a guest can provoke
 * @fmt: As for hv_log()
 *
 * At most LOG_LINES_PER_SECOND such lines are written, of all guests together;
 * the next second's first line says how many were left out.
 */
void hv_log_limited(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * panic() - Say why the hypervisor cannot go on, and stop the machine
 * @fmt: As for hv_log()
 *
 * Resets the machine, which ends a QEMU that runs with -no-reboot.
 */
void panic(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#endif /* HV_LOG_H */
