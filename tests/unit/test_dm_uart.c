// sources: dm/machine/uart.c
// SPDX-License-Identifier: GPL-2.0
/* The device model's 16550A. */
#include <stdint.h>
#include <linux/serial_reg.h>

#include "dm/machine/uart.h"
#include "tap.h"

static struct uart uart;
static bool line;
static unsigned int edges, sent;
static uint8_t last;

static void transmit(void *opaque, uint8_t byte)
{
	(void)opaque;
	last = byte;
	sent++;
}

static void interrupt(void *opaque, bool high)
{
	(void)opaque;
	line = high;
	edges++;
}

static void room(void *opaque)
{
	(void)opaque;
}

static const struct uart_ops ops = {
	.transmit = transmit,
	.interrupt = interrupt,
	.rx_room = room,
};

static uint8_t get(unsigned int reg)
{
	return uart_io_ops.read(&uart, reg, 1);
}

static void put(unsigned int reg, uint8_t value)
{
	uart_io_ops.write(&uart, reg, 1, value);
}

static void registers(void)
{
	tap_eq(get(UART_LSR), UART_LSR_TEMT | UART_LSR_THRE, "ready to send");
	tap_eq(get(UART_IIR), UART_IIR_NO_INT, "no interrupt, no FIFO");
	put(UART_SCR, 0xa5);
	tap_eq(get(UART_SCR), 0xa5, "scratch");
	put(UART_LCR, UART_LCR_DLAB);
	put(UART_DLL, 1);
	put(UART_DLM, 2);
	tap_eq(get(UART_DLL), 1, "divisor, low");
	tap_eq(get(UART_DLM), 2, "divisor, high");
	put(UART_LCR, UART_LCR_WLEN8);
	tap_eq(get(UART_IER), 0, "behind it the interrupt enables");
	put(UART_IER, 0xff);
	tap_eq(get(UART_IER), 0x0f, "of which there are four");
	put(UART_IER, 0);
	put(UART_FCR, UART_FCR_ENABLE_FIFO);
	tap_eq(get(UART_IIR) & 0xc0, 0xc0, "FIFOs of a 16550A");
	tap_eq(sent, 0, "nothing was sent");
	put(UART_TX, 'x');
	tap_ok(sent == 1 && last == 'x', "a byte is sent");
	tap_eq(uart_io_ops.read(&uart, UART_SCR, 4), 0xffffffffffffffa5,
	       "the rest of a wide read is ones");
}

static void loopback(void)
{
	put(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	tap_eq(get(UART_MSR) & 0xf0, UART_MSR_DCD | UART_MSR_CTS,
	       "modem lines in loopback");
	sent = 0;
	put(UART_TX, 'l');
	tap_eq(sent, 0, "a byte in loopback is not sent");
	tap_eq(get(UART_RX), 'l', "but received");
	tap_eq(uart_rx_room(&uart), 0, "and nothing from outside");
	put(UART_MCR, 0);
}

static void transmitter(void)
{
	put(UART_IER, UART_IER_THRI);
	tap_ok(line, "interrupt when it is enabled");
	tap_eq(get(UART_IIR) & 0x0f, UART_IIR_THRI, "transmitter empty");
	tap_ok(!line, "reading it ends it");
	put(UART_TX, 'y');
	tap_ok(line, "interrupt after a byte");
	put(UART_IER, 0);
	tap_ok(!line, "disabled");
	put(UART_IER, UART_IER_THRI);
	tap_ok(line, "enabled again");
	get(UART_IIR);
	put(UART_IER, UART_IER_THRI | UART_IER_RDI);
	tap_ok(!line, "enabling another is not enabling this one");
	put(UART_IER, 0);
}

static void receiver(void)
{
	uint8_t bytes[UART_FIFO_SIZE];
	unsigned int i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = 'a' + i;
	tap_eq(uart_rx_room(&uart), UART_FIFO_SIZE, "room for a FIFO");
	put(UART_IER, UART_IER_RDI);
	uart_receive(&uart, bytes, sizeof(bytes));
	tap_ok(line, "interrupt");
	tap_eq(uart_rx_room(&uart), 0, "full");
	tap_eq(get(UART_IIR) & 0x0f, UART_IIR_RDI, "data");
	tap_ok(get(UART_LSR) & UART_LSR_DR, "data ready");
	for (i = 0; i < sizeof(bytes) && get(UART_RX) == bytes[i]; i++)
		;
	tap_eq(i, sizeof(bytes), "all in order");
	tap_ok(!line, "no interrupt when all is read");
	tap_eq(get(UART_RX), 0, "nothing more");

	uart_receive(&uart, bytes, 3);
	put(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	tap_ok(!(get(UART_LSR) & UART_LSR_DR) && !line, "FIFO cleared");
	put(UART_FCR, 0);
	tap_eq(uart_rx_room(&uart), 1, "without FIFO room for one");

	put(UART_FCR, UART_FCR_ENABLE_FIFO);
	put(UART_MCR, UART_MCR_LOOP);
	for (i = 0; i <= UART_FIFO_SIZE; i++)
		put(UART_TX, i);
	tap_ok(get(UART_LSR) & UART_LSR_OE, "overrun");
	tap_ok(!(get(UART_LSR) & UART_LSR_OE), "told once");
}

int main(void)
{
	uart_init(&uart, &ops, NULL);
	registers();
	loopback();
	transmitter();
	receiver();
	tap_ok(line, "interrupt before the reset");
	edges = 0;
	uart_reset(&uart);
	tap_ok(edges == 1 && !line, "a reset lowers the line");
	tap_eq(get(UART_IER), 0, "and the registers");
	uart_deinit(&uart);
	return tap_done();
}
