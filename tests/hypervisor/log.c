// SPDX-License-Identifier: GPL-2.0
#include <stdarg.h>

#include "log.h"
#include "spinlock.h"
#include "time.h"
#include "x86.h"

#define DEBUGCON_PORT	     0xe9
#define RESET_PORT	     0xcf9
#define RESET_HARD	     0x06
#define LOG_LINES_PER_SECOND 20

/* Held for each line, so that lines of two CPUs do not mix. */
static struct spinlock log_lock;

static void put_string(const char *s)
{
	while (*s)
		outb(DEBUGCON_PORT, *s++);
}

static void put_number(u64 value, u32 base)
{
	char digits[24], *p = digits + sizeof(digits) - 1;

	*p = '\0';
	do {
		*--p = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	put_string(p);
}

static void put_signed(s64 value)
{
	if (value < 0)
		outb(DEBUGCON_PORT, '-');
	put_number(value < 0 ? -(u64)value : (u64)value, 10);
}

/* Write one conversion. Returns a pointer to what follows it in the format. */
static const char *put_conversion(const char *fmt, va_list *ap)
{
	bool wide = fmt[0] == 'l' && fmt[1] == 'l';

	if (wide)
		fmt += 2;
	switch (*fmt) {
	case 's':
		put_string(va_arg(*ap, const char *));
		break;
	case 'c':
		outb(DEBUGCON_PORT, va_arg(*ap, int));
		break;
	case 'd':
		put_signed(wide ? va_arg(*ap, s64) : va_arg(*ap, s32));
		break;
	default:
		put_number(wide ? va_arg(*ap, u64) : va_arg(*ap, u32),
			   *fmt == 'x' ? 16 : 10);
		break;
	}
	return fmt + 1;
}

static void put_line(const char *fmt, va_list *ap)
{
	spin_lock(&log_lock);
	while (*fmt) {
		if (*fmt == '%')
			fmt = put_conversion(fmt + 1, ap);
		else
			outb(DEBUGCON_PORT, *fmt++);
	}
	outb(DEBUGCON_PORT, '\n');
	spin_unlock(&log_lock);
}

void hv_log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_line(fmt, &ap);
	va_end(ap);
}

/* Count a line. Returns true when this second's lines are used up. */
static bool log_exhausted(void)
{
	static struct spinlock lock;
	static u64 window_end;
	static u32 lines, left_out;
	u32 report = 0;
	bool exhausted;

	spin_lock(&lock);
	if (rdtsc() >= window_end) {
		window_end = rdtsc() + tsc_khz * 1000;
		report = left_out;
		lines = 0;
		left_out = 0;
	}
	exhausted = lines >= LOG_LINES_PER_SECOND;
	if (exhausted)
		left_out++;
	else
		lines++;
	spin_unlock(&lock);

	if (report)
		hv_log("hv: %u lines left out", report);
	return exhausted;
}

void hv_log_limited(const char *fmt, ...)
{
	va_list ap;

	if (log_exhausted())
		return;
	va_start(ap, fmt);
	put_line(fmt, &ap);
	va_end(ap);
}

void panic(const char *fmt, ...)
{
	va_list ap;

	put_string("hv: panic: ");
	va_start(ap, fmt);
	put_line(fmt, &ap);
	va_end(ap);
	outb(RESET_PORT, RESET_HARD);
	for (;;)
		asm volatile("cli; hlt");
}
