/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The log: lines on the debug console, QEMU's -debugcon. The serial ports
 * belong to the Service VM.
 */
#ifndef HV_LOG_H
#define HV_LOG_H

#include "types.h"

/**
 * hv_log() - Write one line
 * @fmt: Format with %s, %c, %u, %d, %x, %llu, %lld and %llx, without widths and
 *	 without a newline at the end
 *
 * Any context. Takes the log's lock, which is innermost.
 */
void hv_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * hv_log_limited() - Write one line, where a guest decides how often
 * @fmt: As for hv_log()
 *
 * At most LOG_LINES_PER_SECOND such lines are written in a second, of all
 * guests together. A line in the next second says how many were left out.
 */
void hv_log_limited(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * panic() - Log why the hypervisor cannot go on, and reset the machine
 * @fmt: As for hv_log()
 *
 * The reset ends QEMU if it runs with -no-reboot.
 */
void panic(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

#endif /* HV_LOG_H */
