// SPDX-License-Identifier: GPL-2.0
/*
 * Transmission takes no time, so the transmitter is always empty; its
 * interrupt is pending whenever a byte has gone out or the guest has just
 * enabled it, until the guest reads it from IIR.
 *
 * The guest's accesses come in the thread that handles I/O requests, input in
 * the main thread. The functions of uart.h, uart_io_read() and uart_io_write()
 * take the lock of struct uart, and the static functions that they call run
 * with it held. The main thread calls uart_init() and uart_deinit() when no
 * I/O requests are handled.
 */
#include <linux/serial_reg.h>

#include "machine/uart.h"

#define IIR_FIFOS_ENABLED 0xc0
#define IER_MASK	  (UART_IER_RDI | UART_IER_THRI | UART_IER_RLSI | UART_IER_MSI)
#define MCR_MASK                                                               \
	(UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT1 | UART_MCR_OUT2 |         \
	 UART_MCR_LOOP)

/* Make a serial port after power-on. @opaque is the argument of @ops. */
void uart_init(struct uart *uart, const struct uart_ops *ops, void *opaque)
{
	*uart = (struct uart){ .ops = ops, .opaque = opaque };
	pthread_mutex_init(&uart->lock, NULL);
}

/* Undo uart_init(). */
void uart_deinit(struct uart *uart)
{
	pthread_mutex_destroy(&uart->lock);
}

/* How many bytes the receiver holds. Lock held. */
static unsigned int rx_capacity(const struct uart *uart)
{
	/* In loopback only what the guest sends is received. */
	if (uart->mcr & UART_MCR_LOOP)
		return 0;
	return uart->fifo ? UART_FIFO_SIZE : 1;
}

/*
 * The interrupt of highest priority that is pending and enabled, as IIR has it.
 */
static uint8_t pending_iir(const struct uart *uart)
{
	if ((uart->ier & UART_IER_RLSI) && uart->overrun)
		return UART_IIR_RLSI;
	if ((uart->ier & UART_IER_RDI) && uart->rx_count)
		return UART_IIR_RDI;
	if ((uart->ier & UART_IER_THRI) && uart->tx_empty)
		return UART_IIR_THRI;
	return UART_IIR_NO_INT;
}

/* Set the interrupt line to what the registers say by now. Lock held. */
static void update_irq(struct uart *uart)
{
	bool irq = pending_iir(uart) != UART_IIR_NO_INT;

	if (irq == uart->irq)
		return;
	uart->irq = irq;
	uart->ops->interrupt(uart->opaque, irq);
}

static void rx_clear(struct uart *uart)
{
	uart->rx_head = 0;
	uart->rx_count = 0;
}

/*
 * Append a received byte. Without room it is lost, and LSR says so. Lock held.
 */
static void rx_put(struct uart *uart, uint8_t byte)
{
	if (uart->rx_count == UART_FIFO_SIZE) {
		uart->overrun = true;
		return;
	}
	uart->rx[(uart->rx_head + uart->rx_count++) % UART_FIFO_SIZE] = byte;
}

/* Take the oldest received byte, 0 if there is none. Lock held. */
static uint8_t rx_get(struct uart *uart)
{
	uint8_t byte;

	if (!uart->rx_count)
		return 0;
	byte = uart->rx[uart->rx_head];
	uart->rx_head = (uart->rx_head + 1) % UART_FIFO_SIZE;
	uart->rx_count--;
	return byte;
}

/* Bring the registers back to the state after power-on; @rx is lost. */
void uart_reset(struct uart *uart)
{
	pthread_mutex_lock(&uart->lock);
	rx_clear(uart);
	uart->fifo = false;
	uart->overrun = false;
	uart->tx_empty = false;
	uart->ier = 0;
	uart->lcr = 0;
	uart->mcr = 0;
	uart->scr = 0;
	uart->dll = 0;
	uart->dlm = 0;
	update_irq(uart);
	uart->ops->rx_room(uart->opaque);
	pthread_mutex_unlock(&uart->lock);
}

/* Returns how many bytes uart_receive() can take now. */
size_t uart_rx_room(struct uart *uart)
{
	unsigned int capacity;
	size_t room;

	pthread_mutex_lock(&uart->lock);
	capacity = rx_capacity(uart);
	room = capacity > uart->rx_count ? capacity - uart->rx_count : 0;
	pthread_mutex_unlock(&uart->lock);
	return room;
}

/*
 * Give the guest bytes, no more than uart_rx_room() has allowed. Nobody but the
 * caller adds bytes, so there is still room for them, unless the guest has
 * turned off the FIFO since, in which case bytes can be lost as on a real line.
 */
void uart_receive(struct uart *uart, const uint8_t *bytes, size_t count)
{
	pthread_mutex_lock(&uart->lock);
	while (count--)
		rx_put(uart, *bytes++);
	update_irq(uart);
	pthread_mutex_unlock(&uart->lock);
}

/* Reading IIR ends the transmitter's interrupt, if that is what it shows. */
static uint8_t read_iir(struct uart *uart)
{
	uint8_t iir = pending_iir(uart);

	if (iir == UART_IIR_THRI)
		uart->tx_empty = false;
	return iir | (uart->fifo ? IIR_FIFOS_ENABLED : 0);
}

/* Reading LSR clears the overrun. Lock held. */
static uint8_t read_lsr(struct uart *uart)
{
	uint8_t lsr = UART_LSR_TEMT | UART_LSR_THRE;

	if (uart->rx_count)
		lsr |= UART_LSR_DR;
	if (uart->overrun)
		lsr |= UART_LSR_OE;
	uart->overrun = false;
	return lsr;
}

/* In loopback the modem outputs are connected to the modem inputs. */
static uint8_t read_msr(const struct uart *uart)
{
	uint8_t msr = 0;

	if (!(uart->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	if (uart->mcr & UART_MCR_DTR)
		msr |= UART_MSR_DSR;
	if (uart->mcr & UART_MCR_RTS)
		msr |= UART_MSR_CTS;
	if (uart->mcr & UART_MCR_OUT1)
		msr |= UART_MSR_RI;
	if (uart->mcr & UART_MCR_OUT2)
		msr |= UART_MSR_DCD;
	return msr;
}

/* The guest reads a register. DLAB exchanges the first two for the divisor. */
static uint8_t read_reg(struct uart *uart, unsigned int reg)
{
	bool dlab = uart->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_RX:
		return dlab ? uart->dll : rx_get(uart);
	case UART_IER:
		return dlab ? uart->dlm : uart->ier;
	case UART_IIR:
		return read_iir(uart);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		return read_lsr(uart);
	case UART_MSR:
		return read_msr(uart);
	default:
		return uart->scr;
	}
}

/* Returns whether @value is to be transmitted. */
static bool write_tx(struct uart *uart, uint8_t value)
{
	bool loop = uart->mcr & UART_MCR_LOOP;

	if (loop)
		rx_put(uart, value);
	uart->tx_empty = true;
	return !loop;
}

/* Enabling the transmitter's interrupt makes it pending. Lock held. */
static void write_ier(struct uart *uart, uint8_t value)
{
	value &= IER_MASK;
	if (value & ~uart->ier & UART_IER_THRI)
		uart->tx_empty = true;
	uart->ier = value;
}

/* Switching the FIFO empties the receiver, and so does the bit for that. */
static void write_fcr(struct uart *uart, uint8_t value)
{
	bool fifo = value & UART_FCR_ENABLE_FIFO;

	if (fifo != uart->fifo || (value & UART_FCR_CLEAR_RCVR))
		rx_clear(uart);
	uart->fifo = fifo;
}

/* The guest writes a register. Returns whether @value is to be transmitted. */
static bool write_reg(struct uart *uart, unsigned int reg, uint8_t value)
{
	bool dlab = uart->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (!dlab)
			return write_tx(uart, value);
		uart->dll = value;
		break;
	case UART_IER:
		if (dlab)
			uart->dlm = value;
		else
			write_ier(uart, value);
		break;
	case UART_FCR:
		write_fcr(uart, value);
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		uart->mcr = value & MCR_MASK;
		break;
	case UART_SCR:
		uart->scr = value;
		break;
	}
	return false;
}

/* Tell who brings input that there is room, if there is. Lock held. */
static void tell_rx_room(struct uart *uart)
{
	if (uart->rx_count < rx_capacity(uart))
		uart->ops->rx_room(uart->opaque);
}

/*
 * Thread of I/O requests. A register is one byte; the other bytes of a wider
 * access read as ones.
 */
static uint64_t uart_io_read(void *dev, uint64_t offset, unsigned int size)
{
	struct uart *uart = dev;
	uint64_t value;

	(void)size;
	pthread_mutex_lock(&uart->lock);
	value = read_reg(uart, offset);
	update_irq(uart);
	tell_rx_room(uart);
	pthread_mutex_unlock(&uart->lock);
	return value | ~0xffULL;
}

/*
 * Thread of I/O requests. A byte is transmitted without the lock: that may
 * block.
 */
static void uart_io_write(void *dev, uint64_t offset, unsigned int size,
			  uint64_t value)
{
	struct uart *uart = dev;
	bool transmit;

	(void)size;
	pthread_mutex_lock(&uart->lock);
	transmit = write_reg(uart, offset, value);
	update_irq(uart);
	tell_rx_room(uart);
	pthread_mutex_unlock(&uart->lock);
	if (transmit)
		uart->ops->transmit(uart->opaque, value);
}

const struct io_ops uart_io_ops = {
	.read = uart_io_read,
	.write = uart_io_write,
};
