// SPDX-License-Identifier: GPL-2.0
#include <pthread.h>
#include <signal.h>

#include "conformance.h"

/* A thread that attaches to the client, and the result of the ioctl. */
struct waiter {
	pthread_t thread;
	int fd;
	int result;
	int error;
};

static void *attach(void *arg)
{
	struct waiter *waiter = arg;

	waiter->result = ioctl(waiter->fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT);
	waiter->error = errno;
	return NULL;
}

static void waiter_start(struct waiter *waiter, int fd)
{
	waiter->fd = fd;
	if (pthread_create(&waiter->thread, NULL, attach, waiter))
		errx(1, "pthread_create");
	/* The thread mostly sleeps in the ioctl by then, but need not. */
	usleep(50000);
}

static void waiter_expect(struct waiter *waiter, int result, int error,
			  const char *name)
{
	pthread_join(waiter->thread, NULL);
	if (!tap_ok(waiter->result == result &&
			    (!result || waiter->error == error),
		    "%s", name))
		tap_diag("got %d: %s", waiter->result, strerror(waiter->error));
}

static void ignore_signal(int sig)
{
	(void)sig;
}

static void test_attach(void)
{
	struct sigaction action = { .sa_handler = ignore_signal };
	struct raw_vm vm = raw_vm_create(cpus[0], 0);
	struct waiter waiter;

	tap_errno(ioctl(vm.fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT), ENODEV,
		  "client: attached before there is one");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT),
		    "client: destroyed before there is one");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT),
		    "client: created");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT), EEXIST,
		  "client: created twice");

	sigaction(SIGUSR1, &action, NULL);
	waiter_start(&waiter, vm.fd);
	tap_success(ioctl(vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ),
		    "CLEAR_VM_IOREQ while attached");
	pthread_kill(waiter.thread, SIGUSR1);
	waiter_expect(&waiter, 0, 0, "client: a signal wakes with 0");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT),
		    "client: destroyed");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT), ENODEV,
		  "client: attached after its end");
	tap_success(ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT),
		    "client: created again");
	raw_vm_close(&vm);
}

static void test_end_while_attached(void)
{
	struct raw_vm vm;
	struct waiter waiter;

	if (differs_skip("attach-destroy",
			 "the thread would wake up on freed memory",
			 "client: its end, or the VM's, wakes"))
		return;
	vm = raw_vm_create(cpus[0], 0);
	ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
	waiter_start(&waiter, vm.fd);
	ioctl(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT);
	waiter_expect(&waiter, -1, ENODEV, "client: its end wakes");

	ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
	waiter_start(&waiter, vm.fd);
	ioctl(vm.fd, ACRN_IOCTL_DESTROY_VM);
	waiter_expect(&waiter, -1, ENODEV, "client: the VM's end wakes");
	raw_vm_close(&vm);
}

/* Notifications without a request, and with wrong arguments. */
static void test_notify(void)
{
	struct acrn_ioreq_notify reserved = { .reserved = 1 };
	struct raw_vm vm = raw_vm_create(cpus[0], 0);

	differs_errno("notify", raw_notify(vm.fd, 0), EINVAL, 0,
		      "notify: no client");
	ioctl(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT);
	differs_errno("notify", raw_notify(vm.fd, 0), EINVAL, 0,
		      "notify: no request");
	tap_errno(raw_notify(vm.fd, 1), EINVAL, "notify: vCPU 1 of 1");
	tap_errno(raw_notify(vm.fd, 16), EINVAL, "notify: vCPU 16");
	tap_errno(raw_notify(vm.fd, ~0U), EINVAL, "notify: vCPU -1");
	differs_errno("notify", raw_notify(vm.fd, 0x10000), EINVAL, 0,
		      "notify: vCPU 65536");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &reserved),
		  EINVAL, "notify: reserved field");
	tap_errno(ioctl(vm.fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, NULL), EFAULT,
		  "notify: no argument");
	raw_vm_close(&vm);
}

void test_clients(void)
{
	group(test_attach);
	group(test_end_while_attached);
	group(test_notify);
}
