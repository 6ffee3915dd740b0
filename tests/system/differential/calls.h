/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random but reproducible sequences of calls, and what becomes of them.
 *
 * A sequence depends on the seed and its number alone and never on a result, so
 * that it is the same on both HSMs. It begins with nothing and ends with all
 * closed. What it is made of is plain numbers: where in memory an argument lies
 * is said by a name.
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

/* Which argument of a call is what, in the order of the tables in generate.c */
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

/* Values of arguments that are places in memory */
enum place {
	RAM,	    /* 16 pages, each with a mark of its own */
	RAM_SECOND, /* from the second page on */
	RAM_ODD,    /* not page aligned */
	RAM_END,    /* its last page, nothing behind it */
	HOLE,	    /* nothing is mapped */
	READ_ONLY,
	NOWHERE,    /* the null pointer */
	KERNEL,	    /* an address of the kernel's */
	HUGE_PAGES, /* two of them */
	DEVICE,	    /* a page of device memory */
	DEVICE_READ_ONLY,
	GUEST, /* memory of a User VM that runs */
	SLOTS, /* the I/O request page of the file */
	SLOTS_ODD,
	MONITOR, /* a page for interrupt statistics */
	MONITOR_OTHER,
	MONITOR_ODD,
	MONITOR_COMMAND, /* one with a command that there is not */
	PLACES,
};

/* Whose id */
enum {
	VMID_OWN,
	VMID_OTHER,
	VMID_NONE
};

/* Where the argument lies as a whole */
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
	/* No ioctls of the HSM: answer the request that waits; eventfds */
	ANSWER,
	SIGNAL,
	READ,
	REOPEN,
	KINDS,
};

/**
 * struct call - One step of a sequence
 * @kind:	What to do
 * @file:	On which descriptor
 * @arg:	ARG_*
 * @args:	As the kind's table says
 */
struct call {
	enum kind kind;
	unsigned int file;
	unsigned int arg;
	uint64_t args[ARGS_MAX];
};

/**
 * struct sequence - A sequence
 * @n:		How many calls
 * @calls:	In order
 */
struct sequence {
	unsigned int n;
	struct call calls[CALLS_MAX];
};

/* generate.c */
void generate(struct sequence *sequence, uint64_t seed, uint64_t number);
void print_call(const struct call *call);

/* execute.c: set up once; run a sequence and print a line of results */
void execute_init(int first_cpu);
void execute(const struct sequence *sequence, bool verbose);

#endif /* CALLS_H */
