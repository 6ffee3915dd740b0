// SPDX-License-Identifier: GPL-2.0
/*
 * COM1 on standard input and output. The main thread creates and destroys it,
 * and its event loop brings input: input_ready() and what it calls. The thread
 * that handles I/O requests calls transmit(), interrupt(), rx_room() and
 * console_reset(). The lock of struct uart guards the registers; @eof and the
 * enabling of @input are atomic; all else is constant once the console is
 * created.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "machine/console.h"
#include "machine/uart.h"
#include "machine/vm.h"
#include "process/alloc.h"
#include "process/log.h"

/* Control-] ends the VM: a raw terminal turns no key into a signal. */
#define ESCAPE 0x1d

/**
 * struct console - COM1
 * @device:	For the VM
 * @vm:		VM
 * @uart:	Registers
 * @range:	Ports
 * @input:	Standard input
 * @eof:	Standard input has ended
 * @is_tty:	Standard input is a terminal, which has been made raw
 * @saved:	Settings of the terminal before
 */
struct console {
	struct vm_device device;
	struct vm *vm;
	struct uart uart;
	struct io_range range;
	struct event_source input;
	atomic_bool eof;
	bool is_tty;
	struct termios saved;
};

/*
 * The guest has sent a byte. Thread of I/O requests, no lock held. While nobody
 * reads standard output, this waits and the vCPU with it, unless the VM is to
 * end. Other errors lose the byte.
 */
static void transmit(void *opaque, uint8_t byte)
{
	struct console *console = opaque;
	struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };

	while (write(STDOUT_FILENO, &byte, 1) < 0) {
		if (errno == EAGAIN)
			poll(&output, 1, -1);
		else if (errno != EINTR)
			return;
		if (vm_requested(console->vm) > VM_REBOOT)
			return;
	}
}

/*
 * Set the level of the interrupt line. Either thread, with the lock of the UART
 * held.
 */
static void interrupt(void *opaque, bool high)
{
	struct console *console = opaque;
	int ret = hsm_set_irq(&console->vm->hsm, CONSOLE_GSI, high);

	if (ret)
		log_guest("cannot set the serial port's interrupt: %s",
			  strerror(-ret));
}

/*
 * The receiver has room: wait for input again. Either thread; the lock of the
 * UART is held, except when wait_for_room() calls this.
 */
static void rx_room(void *opaque)
{
	struct console *console = opaque;

	if (!console->eof)
		event_enable(&console->vm->events, &console->input, true);
}

static const struct uart_ops uart_ops = {
	.transmit = transmit,
	.interrupt = interrupt,
	.rx_room = rx_room,
};

/*
 * Read no input until the guest has made room. It may have done so since this
 * thread looked, before there was anything to enable. Main thread.
 */
static void wait_for_room(struct console *console)
{
	event_enable(&console->vm->events, &console->input, false);
	if (uart_rx_room(&console->uart))
		rx_room(console);
}

/* Standard input has ended: never wait for it again. Main thread. */
static void end_of_input(struct console *console)
{
	console->eof = true;
	event_enable(&console->vm->events, &console->input, false);
}

/* Main thread: standard input is readable, or has ended. */
static void input_ready(void *opaque)
{
	struct console *console = opaque;
	uint8_t bytes[UART_FIFO_SIZE];
	size_t size = uart_rx_room(&console->uart);
	ssize_t n;

	if (!size) {
		wait_for_room(console);
		return;
	}
	n = read(STDIN_FILENO, bytes, size);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_of_input(console);
		return;
	}
	if (console->is_tty && memchr(bytes, ESCAPE, n))
		vm_request(console->vm, VM_STOP);
	uart_receive(&console->uart, bytes, n);
}

/*
 * Make the terminal raw, if it is one, so that the guest gets all keys. Main
 * thread.
 */
static void make_raw(struct console *console)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) ||
	    tcgetattr(STDIN_FILENO, &console->saved) < 0)
		return;
	raw = console->saved;
	cfmakeraw(&raw);
	console->is_tty = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static struct console *from_device(struct vm_device *device)
{
	return (void *)((char *)device - offsetof(struct console, device));
}

/* The VM is reset. Thread of I/O requests. */
static void console_reset(struct vm_device *device)
{
	uart_reset(&from_device(device)->uart);
}

/* Undo console_create(). Main thread, when no I/O requests are handled. */
static void console_destroy(struct vm_device *device)
{
	struct console *console = from_device(device);

	if (console->is_tty)
		tcsetattr(STDIN_FILENO, TCSANOW, &console->saved);
	event_remove(&console->vm->events, &console->input);
	bus_remove(&console->vm->pio, &console->range);
	uart_deinit(&console->uart);
	free(console);
}

/*
 * Give the VM its serial port. Main thread, before the VM runs. Returns 0 or
 * -errno, with a message printed.
 */
int console_create(struct vm *vm)
{
	struct console *console;
	int ret;

	console = alloc_zeroed(sizeof(*console));
	if (!console)
		return -ENOMEM;
	console->vm = vm;
	console->device.reset = console_reset;
	console->device.destroy = console_destroy;
	console->input = (struct event_source){ .fd = STDIN_FILENO,
						.ready = input_ready,
						.opaque = console,
						.enabled = true };
	ret = event_add(&vm->events, &console->input);
	if (ret) {
		log_error("the event loop has no place for standard input");
		free(console);
		return ret;
	}
	uart_init(&console->uart, &uart_ops, console);
	console->range = (struct io_range){ .base = CONSOLE_PORT,
					    .size = UART_PORTS,
					    .ops = &uart_io_ops,
					    .dev = &console->uart };
	bus_add(&vm->pio, &console->range);
	make_raw(console);
	vm_add_device(vm, &console->device);
	return 0;
}
