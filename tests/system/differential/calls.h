/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random but reproducible sequences of calls, and their execution.
 *
 * A sequence depends only on the seed and its number, never on a result, so it
 * is the same on both HSMs. It begins without any VM and ends with everything
 * closed. It contains only numbers: an argument that is an address is one of
 * &enum place.
 */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>
#include <stdint.h>

#define FILES	   2 /* open /dev/acrn_hsm, one VM each */
#define EVENTFDS   4
#define ARGS_MAX   8
#define CALLS_MAX  48
#define GUEST_SIZE 0x10000UL

/* Indexes of each call's arguments, in the order of the tables in generate.c */
enum {
	CREATE_RESERVED,
	CREATE_AFFINITY,
	CREATE_FLAG,
	CREATE_NAME,
	CREATE_SLOTS
};
enum {
	MEMSEG_TYPE,
	MEMSEG_ATTR,
	MEMSEG_GPA,
	MEMSEG_FROM,
	MEMSEG_LEN
};
enum {
	REGS_VCPU,
	REGS_RESERVED
};
enum {
	MSI_ADDRESS,
	MSI_DATA
};
enum {
	NOTIFY_VMID,
	NOTIFY_RESERVED,
	NOTIFY_VCPU
};
enum {
	PTDEV_TYPE,
	PTDEV_VIRT,
	PTDEV_PHYS,
	PTDEV_VIRT_PIN,
	PTDEV_PHYS_PIN,
	PTDEV_PIC
};
enum {
	PCIDEV_TYPE,
	PCIDEV_VIRT,
	PCIDEV_PHYS
};
enum {
	MMIODEV_GPA,
	MMIODEV_FROM,
	MMIODEV_SIZE
};
enum {
	VDEV_ID,
	VDEV_SLOT
};
enum {
	PM_TYPE,
	PM_VCPU,
	PM_STATE,
	PM_VMID
};
enum {
	IOEVENTFD_FD,
	IOEVENTFD_FLAGS,
	IOEVENTFD_ADDR,
	IOEVENTFD_LEN,
	IOEVENTFD_DATA,
	IOEVENTFD_RESERVED
};
enum {
	IRQFD_FD,
	IRQFD_FLAGS,
	IRQFD_ADDR,
	IRQFD_DATA
};

/* Values of arguments that are addresses */
enum place {
	RAM,	    /* 16 pages, each with a mark of its own */
	RAM_SECOND, /* the second page of RAM */
	RAM_ODD,    /* an address within RAM that is not page aligned */
	RAM_END,    /* the last page of RAM, with nothing behind it */
	HOLE,	    /* an address at which nothing is mapped */
	READ_ONLY,
	NOWHERE,    /* the null pointer */
	KERNEL,	    /* an address of the kernel's */
	HUGE_PAGES, /* two huge pages */
	DEVICE,	    /* a page of device memory */
	DEVICE_READ_ONLY,
	GUEST, /* memory with the code of a User VM */
	SLOTS, /* the I/O request page of the file */
	SLOTS_ODD,
	MONITOR, /* a page for interrupt statistics */
	MONITOR_OTHER,
	MONITOR_ODD,
	MONITOR_COMMAND, /* such a page with an unknown command */
	PLACES,
};

/*
 * Values of arguments that are VM ids: of this file's VM, the other's, none's
 */
enum {
	VMID_OWN,
	VMID_OTHER,
	VMID_NONE
};

/* What an ioctl's argument points to */
enum {
	ARG_OK,
	ARG_NULL,
	ARG_READ_ONLY
};

enum kind {
	CREATE_VM,
	DESTROY_VM,
	START_VM,
	PAUSE_VM,
	RESET_VM,
	SET_VCPU_REGS,
	SET_MEMSEG,
	UNSET_MEMSEG,
	CREATE_CLIENT,
	DESTROY_CLIENT,
	ATTACH_CLIENT,
	NOTIFY,
	CLEAR_IOREQ,
	INJECT_MSI,
	SET_IRQLINE,
	INTR_MONITOR,
	SET_PTDEV_INTR,
	RESET_PTDEV_INTR,
	ASSIGN_PCIDEV,
	DEASSIGN_PCIDEV,
	ASSIGN_MMIODEV,
	DEASSIGN_MMIODEV,
	CREATE_VDEV,
	DESTROY_VDEV,
	PM_GET_STATE,
	IOEVENTFD,
	IRQFD,
	UNKNOWN,
	/* These are no ioctls of the HSM: answer a request; use eventfds. */
	ANSWER,
	SIGNAL,
	READ,
	REOPEN,
	KINDS,
};

/**
 * struct call - One step of a sequence
 * @kind:	The call
 * @file:	Index of the descriptor of /dev/acrn_hsm
 * @arg:	ARG_*
 * @args:	Values of the arguments, as the table in generate.c has them
 */
struct call {
	enum kind kind;
	unsigned int file;
	unsigned int arg;
	uint64_t args[ARGS_MAX];
};

/**
 * struct sequence - A sequence of calls
 * @n:		Number of calls
 * @calls:	The calls, in order
 */
struct sequence {
	unsigned int n;
	struct call calls[CALLS_MAX];
};

/* generate.c: make sequence @number of those that @seed gives; list a call */
void generate(struct sequence *sequence, uint64_t seed, uint64_t number);
void print_call(const struct call *call);

/* execute.c: set up, once; run a sequence and print its results in one line */
void execute_init(int first_cpu);
void execute(const struct sequence *sequence, bool verbose);

#endif /* CALLS_H */
