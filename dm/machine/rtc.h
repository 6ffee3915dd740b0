/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock of a CMOS RTC, to be read and no more: neither alarm nor memory.
 *
 * Linux asks it for the time before it looks at ACPI, where we say that there
 * is none, and without one it asks some 20000 times.
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
 * @index:	Register that the data port shows
 * @range:	Ports
 */
struct rtc {
	uint8_t index;
	struct io_range range;
};

void rtc_init(struct rtc *rtc, struct bus *pio);
uint8_t rtc_register(const struct tm *now, uint8_t index);

#endif /* DM_RTC_H */
