// SPDX-License-Identifier: GPL-2.0
/*
 * The main thread calls rtc_init(). All else runs in the thread that handles
 * I/O requests, to which the index belongs, so there is no lock.
 */
#include "machine/rtc.h"

#define PORT_INDEX 0

/* Bit 7 of the index port masks NMIs. */
#define INDEX_MASK 0x7f

/* Registers of the MC146818 */
#define RTC_SECONDS	 0x00
#define RTC_MINUTES	 0x02
#define RTC_HOURS	 0x04
#define RTC_DAY_OF_WEEK	 0x06
#define RTC_DAY_OF_MONTH 0x07
#define RTC_MONTH	 0x08
#define RTC_YEAR	 0x09
#define RTC_A		 0x0a
#define RTC_B		 0x0b
#define RTC_D		 0x0d

#define RTC_A_32768_HZ	 0x20
#define RTC_B_BINARY_24H 0x06
#define RTC_D_VALID	 0x80

/* Value of register @index at @now (UTC). No register is ever being updated. */
uint8_t rtc_register(const struct tm *now, uint8_t index)
{
	switch (index) {
	case RTC_SECONDS:
		return now->tm_sec;
	case RTC_MINUTES:
		return now->tm_min;
	case RTC_HOURS:
		return now->tm_hour;
	case RTC_DAY_OF_WEEK:
		return now->tm_wday + 1;
	case RTC_DAY_OF_MONTH:
		return now->tm_mday;
	case RTC_MONTH:
		return now->tm_mon + 1;
	case RTC_YEAR:
		return now->tm_year % 100;
	case RTC_A:
		return RTC_A_32768_HZ;
	case RTC_B:
		return RTC_B_BINARY_24H;
	case RTC_D:
		return RTC_D_VALID;
	default:
		return 0;
	}
}

/* The guest reads the register that it has selected. */
static uint64_t rtc_read(void *dev, uint64_t offset, unsigned int size)
{
	const struct rtc *rtc = dev;
	time_t seconds = time(NULL);
	struct tm now;

	if (offset == PORT_INDEX || size != 1)
		return UINT64_MAX;
	gmtime_r(&seconds, &now);
	return rtc_register(&now, rtc->index);
}

/* The guest selects a register. Writes to the registers are ignored. */
static void rtc_write(void *dev, uint64_t offset, unsigned int size,
		      uint64_t value)
{
	struct rtc *rtc = dev;

	(void)size;
	if (offset == PORT_INDEX)
		rtc->index = value & INDEX_MASK;
}

static const struct io_ops rtc_ops = { .read = rtc_read, .write = rtc_write };

/* Put the clock's ports on the bus. */
void rtc_init(struct rtc *rtc, struct bus *pio)
{
	*rtc = (struct rtc){ .range = { .base = RTC_PORT,
					.size = RTC_PORTS,
					.ops = &rtc_ops,
					.dev = rtc } };
	bus_add(pio, &rtc->range);
}
