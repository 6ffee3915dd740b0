/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of a CMOS RTC. It can only be read: it has neither alarm nor
 * memory.
 *
 * Linux reads the time early in its boot, before it has read in the ACPI tables
 * that there is no such clock. If none answered, it would try some 20000 times,
 * each time with an I/O request.
 */
#ifndef DM_RTC_H
#define DM_RTC_H

#include <stdint.h>
#include <time.h>

#include "bus/bus.h"

#define RTC_PORT  0x70
#define RTC_PORTS 2

/**
 * struct rtc - A clock
 * @index:	Register that the guest has selected and the data port shows
 * @range:	Ports
 */
struct rtc {
	uint8_t index;
	struct io_range range;
};

void rtc_init(struct rtc *rtc, struct bus *pio);
uint8_t rtc_register(const struct tm *now, uint8_t index);

#endif /* DM_RTC_H */
