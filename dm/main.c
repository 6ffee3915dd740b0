// SPDX-License-Identifier: GPL-2.0
/*
 * vhost-dm: a device model for ACRN that boots Linux with virtio devices on
 * vhost, and has no more than that takes.
 *
 * All functions here run in the main thread: it makes the VM and its devices,
 * then runs the event loop until the VM ends, and takes all down again when the
 * other threads have ended. Which threads there are is in machine/vm.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/signalfd.h>

#include "devices.h"
#include "machine/ioreq.h"
#include "machine/vm.h"
#include "options/options.h"
#include "process/log.h"

#define EXIT_CRASHED 2

/**
 * struct signals - Signals that end the VM
 * @source:	signalfd
 * @vm:		VM
 */
struct signals {
	struct event_source source;
	struct vm *vm;
};

/* A signal has come: called by the event loop. */
static void signal_ready(void *opaque)
{
	struct signals *signals = opaque;

	vm_request(signals->vm, VM_STOP);
}

/*
 * Signals that end the VM are blocked in this thread and those that it creates.
 * The event loop reads them from a signalfd, once the VM runs.
 */
static int block_signals(void)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		log_error("cannot make a signalfd: %s", strerror(errno));
	return fd;
}

/* Start the VM and serve it until it ends. Returns how it ended. */
static enum vm_request serve(struct vm *vm)
{
	int ret;

	if (vm_start(vm) || ioreq_start(vm))
		return VM_ERROR;
	ret = event_loop_run(&vm->events);
	if (ret) {
		log_error("the event loop failed: %s", strerror(-ret));
		vm_request(vm, VM_ERROR);
	}
	ioreq_stop(vm);
	return vm_requested(vm);
}

/* Make the VM, serve it until it ends, and free it. Returns how it ended. */
static enum vm_request run(struct vm *vm, const struct options *options,
			   int signal_fd)
{
	enum vm_request end = VM_ERROR;
	struct signals signals = {
		.source = { .fd = signal_fd,
			    .ready = signal_ready,
			    .opaque = &signals,
			    .enabled = true },
		.vm = vm,
	};

	if (vm_create(vm, options->name, options->cpus, options->memory,
		      options->hugepages, options->completion_polling))
		return VM_ERROR;
	event_add(&vm->events, &signals.source);
	if (!devices_create(vm, options))
		end = serve(vm);
	event_remove(&vm->events, &signals.source);
	vm_destroy(vm);
	return end;
}

static const char *const end_names[] = {
	[VM_POWER_OFF] = "power-off",
	[VM_CRASHED] = "crash",
	[VM_STOP] = "signal",
	[VM_ERROR] = "error",
};

/* The exit status that --help promises, with a message after a crash. */
static int exit_status(enum vm_request end)
{
	switch (end) {
	case VM_POWER_OFF:
	case VM_STOP:
		return EXIT_SUCCESS;
	case VM_CRASHED:
		log_error("the guest crashed (triple fault)");
		return EXIT_CRASHED;
	default:
		return EXIT_FAILURE;
	}
}

/*
 * Open the file before the VM runs, so that a wrong path is reported at once.
 */
static int open_stats(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		log_error("cannot write %s: %s", path, strerror(errno));
	return fd;
}

/* Write the counters to @fd and close it. No thread counts any more. */
static int write_stats(struct vm *vm, int fd, enum vm_request end)
{
	int ret = stats_write(&vm->stats, fd, end_names[end]);

	if (ret)
		log_error("cannot write the counters: %s", strerror(-ret));
	close(fd);
	return ret;
}

/* Run the VM and write its counters, if --stats asks for them. */
static int run_with_stats(struct vm *vm, const struct options *options,
			  int signal_fd)
{
	enum vm_request end;
	int fd;

	if (!options->stats)
		return exit_status(run(vm, options, signal_fd));
	fd = open_stats(options->stats);
	if (fd < 0)
		return EXIT_FAILURE;
	end = run(vm, options, signal_fd);
	if (write_stats(vm, fd, end))
		return EXIT_FAILURE;
	return exit_status(end);
}

int main(int argc, char **argv)
{
	static struct options options;
	static struct vm vm;
	int signal_fd, status;

	if (options_parse(&options, argc, argv))
		return EXIT_FAILURE;
	if (options.help) {
		options_usage();
		return EXIT_SUCCESS;
	}
	signal_fd = block_signals();
	if (signal_fd < 0)
		return EXIT_FAILURE;
	if (loader_open(&vm.loader, options.kernel, options.initrd,
			options.cmdline, options.memory))
		return EXIT_FAILURE;
	status = run_with_stats(&vm, &options, signal_fd);
	loader_close(&vm.loader);
	close(signal_fd);
	return status;
}
