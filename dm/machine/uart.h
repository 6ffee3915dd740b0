/* SPDX-License-Identifier: GPL-2.0 */
/* The registers of a 16550A serial port. The caller moves the bytes. */
#ifndef DM_UART_H
#define DM_UART_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bus/bus.h"

#define UART_FIFO_SIZE 16
#define UART_PORTS     8

/**
 * struct uart_ops - What the serial port is connected to
 * @transmit:	The guest has sent @byte. May block; no lock held.
 * @interrupt:	Set the level of the interrupt line. Called only when it
 *		changes, with the lock of struct uart held.
 * @rx_room:	The receiver can take bytes again. Called with the lock held.
 */
struct uart_ops {
	void (*transmit)(void *opaque, uint8_t byte);
	void (*interrupt)(void *opaque, bool high);
	void (*rx_room)(void *opaque);
};

/**
 * struct uart - A serial port
 * @lock:	Guards all that follows @opaque; taken by the thread that
 *		handles I/O requests and by the one that brings input
 * @ops:	What it is connected to
 * @opaque:	Argument of @ops
 * @rx:		Received bytes that the guest has not read, a ring
 * @rx_head:	Index of the oldest byte in @rx
 * @rx_count:	Number of bytes in @rx
 * @fifo:	FIFOs are enabled; without, the receiver holds one byte
 * @overrun:	LSR.OE: a byte was lost, because @rx was full
 * @tx_empty:	The "transmitter empty" interrupt is pending
 * @irq:	State of the interrupt line
 * @ier:	Interrupt enable register
 * @lcr:	Line control register
 * @mcr:	Modem control register
 * @scr:	Scratch register
 * @dll:	Divisor, low byte
 * @dlm:	Divisor, high byte
 */
struct uart {
	pthread_mutex_t lock;
	const struct uart_ops *ops;
	void *opaque;
	uint8_t rx[UART_FIFO_SIZE];
	unsigned int rx_head;
	unsigned int rx_count;
	bool fifo;
	bool overrun;
	bool tx_empty;
	bool irq;
	uint8_t ier;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t scr;
	uint8_t dll;
	uint8_t dlm;
};

extern const struct io_ops uart_io_ops;

void uart_init(struct uart *uart, const struct uart_ops *ops, void *opaque);
void uart_deinit(struct uart *uart);
void uart_reset(struct uart *uart);
size_t uart_rx_room(struct uart *uart);
void uart_receive(struct uart *uart, const uint8_t *bytes, size_t count);

#endif /* DM_UART_H */
